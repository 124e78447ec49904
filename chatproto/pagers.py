"""Lists that the server gives a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from .errors import MalformedResponse

if TYPE_CHECKING:
    from .types import HttpResponse

__all__ = ["AsyncPager", "Pager"]

T = TypeVar("T")


class _Pages(Generic[T]):
    """The present page, and what the next one is asked for with."""

    def __init__(self, name: str, response: Any, config: Mapping[str, Any]) -> None:
        self._name = name
        self._index = 0
        self._take(response, dict(config))

    def _take(self, response: Any, config: dict[str, Any]) -> list[T]:
        asked = config.get("page_token")
        config["page_token"] = response.next_page_token or None
        page: list[T] = getattr(response, self._name) or []
        if not page and asked and asked == config["page_token"]:
            raise MalformedResponse("the server gives the same empty page again and again", where="$.nextPageToken")
        self._page = page
        self._config = config
        self._http: HttpResponse | None = response.sdk_http_response
        self._index = 0
        return page

    @property
    def name(self) -> str:
        """What the items are: ``files``."""
        return self._name

    @property
    def page(self) -> list[T]:
        """The items of the present page."""
        return self._page

    @property
    def page_size(self) -> int:
        """How many items a page may have; of how many the present one has, where that was not said."""
        size: int | None = self._config.get("page_size")
        return len(self._page) if size is None else size

    @property
    def config(self) -> dict[str, Any]:
        """What the next page is asked for with; ``page_token`` is None on the last one."""
        return self._config

    @property
    def sdk_http_response(self) -> HttpResponse | None:
        """The HTTP response that brought the present page."""
        return self._http

    def __len__(self) -> int:
        """How many items the present page has."""
        return len(self._page)

    def __getitem__(self, index: int) -> T:
        """An item of the present page."""
        return self._page[index]

    def _following(self) -> dict[str, Any]:
        """What to ask for the next page with. Raises IndexError on the last one."""
        if not self._config["page_token"]:
            self._exhausted()
        return dict(self._config)

    @staticmethod
    def _exhausted() -> NoReturn:
        raise IndexError("No more pages to fetch.")

    @property
    def _more(self) -> bool:
        return bool(self._config["page_token"])


class Pager(_Pages[T], Iterator[T]):
    """The items of all pages, one after the other; a page is asked for when its first item is.

    ``len``, ``[]`` and ``page`` are of the present page. A new loop begins with that page.
    """

    def __init__(self, name: str, request: Callable[..., Any], response: Any, config: Mapping[str, Any]) -> None:
        """``response`` is the first page; ``request(config=...)`` gets another."""
        super().__init__(name, response, config)
        self._request = request

    def __iter__(self) -> Self:
        self._index = 0
        return self

    def __next__(self) -> T:
        while self._index >= len(self._page):  # a page may be empty and not the last
            if not self._more:
                raise StopIteration
            self.next_page()
        self._index += 1
        return self._page[self._index - 1]

    def next_page(self) -> list[T]:
        """Get the next page, which is the present one then. Raises IndexError on the last one.

        After any other error the present page is as before, and this can be called again.
        """
        config = self._following()
        return self._take(self._request(config=config), config)


class AsyncPager(_Pages[T], AsyncIterator[T]):
    """``Pager`` for asyncio."""

    def __init__(
        self, name: str, request: Callable[..., Awaitable[Any]], response: Any, config: Mapping[str, Any]
    ) -> None:
        """``response`` is the first page; ``request(config=...)`` gets another."""
        super().__init__(name, response, config)
        self._request = request

    def __aiter__(self) -> Self:
        self._index = 0
        return self

    async def __anext__(self) -> T:
        while self._index >= len(self._page):
            if not self._more:
                raise StopAsyncIteration
            await self.next_page()
        self._index += 1
        return self._page[self._index - 1]

    async def next_page(self) -> list[T]:
        """Get the next page, which is the present one then. Raises IndexError on the last one."""
        config = self._following()
        return self._take(await self._request(config=config), config)

"""``RecordedMessage``: what a recorded request asked, as a message that can be sent again.

A request holds the whole conversation, so one exchange is enough: what was said up to the last answer of the model is
the history, what follows it the message. All else that the request said (settings, tools, tokens) is said again word
for word, as ``extra_body`` of the endpoint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import attrs

from chatproto.errors import ChatProtoError
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import decode_content
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.gemini import GeminiApi
from chatproto.wire.json_codec import encode
from chatproto.wire.vertex import VertexAi

from ..cassette import is_list, is_object
from ..errors import CassetteError
from ..matching.differences import differences, report
from ..redaction.allowed import recorded_request

if TYPE_CHECKING:
    from chatproto.machines.turn import Draft
    from chatproto.wire.gemini import Dialect

    from ..cassette import RecordedRequest

__all__ = ["RecordedMessage", "is_message"]

Json = dict[str, Any]

#: The host is not recorded, so requests go where no server is, unless the caller says where.
NOWHERE = "http://recorded.invalid/"

_METHODS = ("generateContent", "streamGenerateContent")
_VERSION = re.compile(r"v\d\w*")


def is_message(request: RecordedRequest) -> bool:
    """Whether a recorded request asks a model for an answer."""
    return request.method == "POST" and request.path.rpartition(":")[2] in _METHODS


@attrs.frozen(kw_only=True)
class RecordedMessage:
    """A message as it was sent: to which model, after what, and with which settings.

    ``history`` and ``contents`` are wire JSON, and so are ``settings``: all members of the request beside its contents.
    ``prefix``, ``api_version`` and ``model`` make up the path.
    """

    request: RecordedRequest
    prefix: str
    api_version: str
    model: str
    streamed: bool
    history: tuple[Json, ...]
    contents: tuple[Json, ...]
    settings: Json

    @classmethod
    def of(cls, request: RecordedRequest) -> Self:
        """What ``request`` asked. Raises CassetteError where it is no message to a model."""
        body = request.body.value if request.body is not None and request.body.kind == "json" else None
        if not is_message(request) or not is_object(body) or not _are_contents(body.get("contents")):
            raise CassetteError(f"{request}: this is no message to a model, so it cannot be sent again as one")
        contents: list[Json] = body["contents"]
        answers = [place for place, content in enumerate(contents, start=1) if content.get("role") == "model"]
        # A request that ends with an answer asks to go on with it: then that is the message.
        place = min(answers[-1] if answers else 0, len(contents) - 1)
        path, _, method = request.path.rpartition(":")
        segments = path.strip("/").split("/")
        version = next((n for n, each in enumerate(segments) if _VERSION.fullmatch(each)), None)
        after = 0 if version is None else version + 1
        return cls(
            request=request,
            prefix="/".join(segments[: max(0, after - 1)]),
            api_version="" if version is None else segments[version],
            model="/".join(segments[after:]),
            streamed=method == "streamGenerateContent",
            history=tuple(contents[:place]),
            contents=tuple(contents[place:]),
            settings={name: held for name, held in body.items() if name != "contents"},
        )

    def conversation(self, base_url: str = NOWHERE) -> tuple[Conversation, Draft]:
        """A conversation with the history of this message, and the message itself, ready to be sent to it.

        Its request is the recorded one, but for the host and the headers. Raises CassetteError where it cannot be: a
        history that holds what chatproto does not send (an answer that says nothing, a call that nobody answered).
        """
        endpoint = Endpoint(
            base_url=base_url.rstrip("/") + "/" + self.prefix,
            api_version=self.api_version,
            extra_body=self.settings or None,
        )
        try:
            made = Conversation(
                self.model,
                history=[decode_content(encode(each)) for each in self.history],
                dialect=self._dialect(),
                endpoint=endpoint,
            )
            draft = made.draft([decode_content(encode(each)) for each in self.contents], stream=self.streamed)
            now = recorded_request(made.prepare(draft))
        except ChatProtoError as error:
            raise CassetteError(f"{self.request}: this message cannot be sent again: {error}") from None
        found = [each for each in differences(self.request, now) if not each.path.startswith("query")]
        if found:
            raise CassetteError(f"{self.request}: sent again, this message is another:\n{report(tuple(found))}")
        return made, draft

    def _dialect(self) -> Dialect:
        if self.model.startswith(("models/", "tunedModels/")):
            return GeminiApi()
        return VertexAi()  # the model's name has the project and the location in it


def _are_contents(held: Any) -> bool:
    return is_list(held) and bool(held) and all(map(is_object, held))

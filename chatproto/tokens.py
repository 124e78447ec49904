"""Access tokens of Google Cloud: fetched by google-auth when one is needed, and renewed when they have run out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .errors import ChatProtoError, ConnectFailed, CredentialError, MissingExtraError
from .transport import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TokenSecrets", "Tokens", "default_credentials"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def _google_auth() -> Any:
    try:
        import google.auth.exceptions  # pyright: ignore[reportUnusedImport]  (for google.auth.exceptions)
        import google.auth.transport.requests  # pyright: ignore[reportUnusedImport]  (for google.auth.transport)
    except ImportError:
        raise MissingExtraError(
            "Vertex AI without an API key needs google-auth: pip install 'chatproto[vertex]'"
        ) from None
    return google.auth


def default_credentials() -> tuple[Any, str | None]:
    """The environment's own credentials, and its project. Raises CredentialError where there are none."""
    google_auth = _google_auth()
    try:
        credentials, project = google_auth.default(scopes=_SCOPES)
    except google_auth.exceptions.DefaultCredentialsError as error:
        problem = str(error).partition("\n")[0]
    else:
        return credentials, project
    raise CredentialError(f"no credentials for Vertex AI: {problem}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


class Tokens:
    """One set of credentials, whoever asks for its token: one refresh at a time."""

    def __init__(self, credentials: Any) -> None:
        """``credentials`` are google-auth's, or None for the environment's own, found on first use."""
        self._credentials = credentials
        self._lock = threading.Lock()
        self._rejected: str | None = None

    def fresh(self) -> tuple[str, dict[str, str]]:
        """A token that is good now, and the headers that authorise a request with it.

        May wait for a token server. Raises CredentialError and ConnectFailed.
        """
        with self._lock:
            if self._credentials is None:
                self._credentials, _ = default_credentials()
            credentials = self._credentials
            if not credentials.valid or credentials.token == self._rejected:
                self._refresh(credentials)
            headers = {"authorization": f"Bearer {credentials.token}"}
            quota_project = getattr(credentials, "quota_project_id", None)
            return credentials.token, headers | ({"x-goog-user-project": quota_project} if quota_project else {})

    @property
    def at_hand(self) -> bool:
        """Whether ``headers`` would answer without waiting."""
        credentials = self._credentials
        return credentials is not None and credentials.valid and credentials.token != self._rejected

    def reject(self, token: str) -> None:
        """The server did not take ``token``: if it is still the present one, it is renewed, whatever its date says.

        Never waits: a refresh that is under way holds the lock, and brings another token anyway.
        """
        self._rejected = token

    def _refresh(self, credentials: Any) -> None:
        google_auth = _google_auth()
        try:
            credentials.refresh(google_auth.transport.requests.Request())
        except google_auth.exceptions.TransportError as error:
            failed: ChatProtoError = ConnectFailed(f"no access token: {_first_line(error)}")
        except google_auth.exceptions.GoogleAuthError as error:
            failed = CredentialError(f"no access token: {_first_line(error)}")
        else:
            return
        raise failed


class TokenSecrets(Secrets):
    """Secrets whose token is fetched when a request is about to be sent."""

    __slots__ = ("_last", "_more", "_tokens", "_url")

    def __init__(self, tokens: Tokens, headers: Mapping[str, str], *, url: str) -> None:
        super().__init__(headers, url=url)
        self._tokens = tokens
        self._more = dict(headers)
        self._url = url
        self._last: tuple[dict[str, str], Secrets] | None = None  # a token is good for many requests

    def current(self) -> Secrets:
        """These, with a token that is good now. May wait for a token server."""
        token, headers = self._tokens.fresh()
        last = self._last
        if last is not None and last[0] == headers:
            return last[1]
        made = _WithToken(self._tokens, token, {**headers, **self._more}, url=self._url)
        self._last = headers, made
        return made

    async def acurrent(self) -> Secrets:
        """``current`` without blocking the event loop."""
        import asyncio

        if self._tokens.at_hand:
            return self.current()
        return await asyncio.to_thread(self.current)


class _WithToken(Secrets):
    """Secrets with the token that one request was sent with."""

    __slots__ = ("_token", "_tokens")

    def __init__(self, tokens: Tokens, token: str, headers: Mapping[str, str], *, url: str) -> None:
        super().__init__(headers, url=url)
        self._tokens = tokens
        self._token = token

    def rejected(self) -> bool:
        """The server answered 401: another attempt, with another token, makes sense."""
        self._tokens.reject(self._token)
        return True

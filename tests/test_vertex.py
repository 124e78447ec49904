"""Vertex AI: where requests go, what opens the door, and tokens that run out (reference behaviour, section 2)."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
import warnings
from typing import Any

import pytest

import chatproto
from chatproto import types
from chatproto.convert.access import Arguments, resolve
from chatproto.errors import CredentialError, ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.testing.servers import LoopbackServer, head
from chatproto.testing.wire import error_response, text_response
from chatproto.tokens import Tokens, TokenSecrets
from chatproto.wire.json_codec import encode

VARIABLES = (
    *("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
    *("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_API_VERSION"),
    *("GOOGLE_VERTEX_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def url_of(**options: Any) -> str:
    """Where a message of such a client goes."""
    transport = ScriptedTransport("x")
    chatproto.Client(transport=transport, **options).chats.create(model="m").send_message("q")
    return transport.requests[0].url


PLACE = "publishers/google/models/m:generateContent"
IN = "projects/p/locations"


@pytest.mark.parametrize(
    ("options", "url"),
    [
        (
            {"project": "p", "location": "us-central1"},
            f"https://us-central1-aiplatform.googleapis.com/v1beta1/{IN}/us-central1/{PLACE}",
        ),
        (
            {"project": "p", "location": "global"},
            f"https://aiplatform.googleapis.com/v1beta1/{IN}/global/{PLACE}",
        ),
        ({"project": "p"}, f"https://aiplatform.googleapis.com/v1beta1/{IN}/global/{PLACE}"),
        (
            {"project": "p", "location": "eu"},
            f"https://aiplatform.eu.rep.googleapis.com/v1beta1/{IN}/eu/{PLACE}",
        ),
        ({"api_key": "k"}, f"https://aiplatform.googleapis.com/v1beta1/{PLACE}"),
        (
            {"project": "p", "location": "us-central1", "http_options": {"api_version": "v1"}},
            f"https://us-central1-aiplatform.googleapis.com/v1/{IN}/us-central1/{PLACE}",
        ),
        ({"http_options": {"base_url": "https://gate.example/x"}}, "https://gate.example/x"),
        (
            {
                "http_options": {"base_url": "https://gate.example", "base_url_resource_scope": "COLLECTION"},
                "api_key": "k",
            },
            f"https://gate.example/{PLACE}",
        ),
    ],
)
def test_where_requests_go(options: dict[str, Any], url: str) -> None:
    """Hosts by location, paths by project; express mode and gateways without either."""
    assert url_of(vertexai=True, **options) == url
    assert url_of(enterprise=True, **options) == url


ENVIRONMENT = {"GOOGLE_API_KEY": "ek", "GOOGLE_CLOUD_PROJECT": "ep", "GOOGLE_CLOUD_LOCATION": "el"}


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        # a. credentials given: the environment's key is ignored
        ({"credentials": object()}, ENVIRONMENT, (None, "ep", "el")),
        # b. a key given, and neither project nor location: the environment's are ignored (express mode)
        ({"api_key": "k"}, ENVIRONMENT, ("k", None, None)),
        # c. a project or location given: the environment's key is ignored
        ({"project": "p"}, ENVIRONMENT, (None, "p", "el")),
        ({"location": "l"}, ENVIRONMENT, (None, "ep", "l")),
        # d. nothing given: the environment's project outweighs its key
        ({}, ENVIRONMENT, (None, "ep", "el")),
        # a key alone, wherever it comes from
        ({}, {"GEMINI_API_KEY": "ek"}, ("ek", None, None)),
        # all three given are all used
        ({"api_key": "k", "project": "p", "location": "l"}, {}, ("k", "p", "l")),
        # no location: global
        ({"project": "p"}, {}, (None, "p", "global")),
    ],
)
def test_what_was_given_outweighs_the_environment(
    given: dict[str, Any], environment: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    """Section 2.4, rule by rule."""
    access = resolve(Arguments(vertexai=True, **given), types.HttpOptions(), environment, needs_credential=True)
    assert (access.api_key, access.project, access.location) == expected


@pytest.mark.parametrize(
    ("given", "environment", "vertex"),
    [
        ({}, {}, False),
        ({}, {"GOOGLE_GENAI_USE_VERTEXAI": "TRUE"}, True),
        ({}, {"GOOGLE_GENAI_USE_ENTERPRISE": "1"}, True),
        ({}, {"GOOGLE_GENAI_USE_VERTEXAI": "yes"}, False),
        ({"vertexai": False}, {"GOOGLE_GENAI_USE_VERTEXAI": "1"}, False),
        ({"enterprise": True}, {}, True),
        ({"vertexai": True, "enterprise": True}, {}, True),
    ],
)
def test_which_service(given: dict[str, Any], environment: dict[str, str], vertex: bool) -> None:
    """The arguments, then the environment, then the Gemini API."""
    access = resolve(Arguments(api_key="k", **given), types.HttpOptions(), environment, needs_credential=True)
    assert access.vertex is vertex


def test_contradictions() -> None:
    """What contradicts itself raises, or warns where it comes from the environment."""
    for given in (
        Arguments(vertexai=True, enterprise=False),
        Arguments(api_key="k", credentials=object()),
        Arguments(api_key="k", project="p"),
    ):
        with pytest.raises(ValidationError):
            resolve(given, types.HttpOptions(), {}, needs_credential=True)
    environment = {"GOOGLE_GENAI_USE_ENTERPRISE": "0", "GOOGLE_GENAI_USE_VERTEXAI": "1", "GOOGLE_API_KEY": "k"}
    with pytest.warns(UserWarning, match="contradict"):
        access = resolve(Arguments(), types.HttpOptions(), environment, needs_credential=True)
    assert not access.vertex


def test_the_mode_can_be_asked_for() -> None:
    """``client.vertexai``, as in the reference."""
    transport = ScriptedTransport()
    assert chatproto.Client(vertexai=True, transport=transport, project="p").vertexai is True
    assert chatproto.Client(transport=transport).vertexai is False


# --- tokens -------------------------------------------------------------------------------------------------------


class Service:
    """A loopback server that gives out tokens, and answers to the newest of them only."""

    def __init__(self) -> None:
        self.server = LoopbackServer()
        self.given = 0
        self.valid = 0
        self.asked: list[str | None] = []
        self.projects: list[str | None] = []
        self.server.on("/token", self._token)
        self.server.on("/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", self._answer)

    def _token(self, _: Any) -> list[bytes]:
        self.given += 1
        self.valid = self.given
        body = json.dumps({"access_token": f"canary-token-{self.given}", "expires_in": 3600}).encode()
        return [head(200, content_length=len(body), content_type="application/json"), body]

    def _answer(self, request: Any) -> list[bytes]:
        self.asked.append(request.header("authorization"))
        self.projects.append(request.header("x-goog-user-project"))
        good = request.header("authorization") == f"Bearer canary-token-{self.valid}"
        body = encode(text_response("fine") if good else error_response(401, "token expired"))
        return [head(200 if good else 401, content_length=len(body)), body]

    def credentials(self, **more: Any) -> Any:
        """Credentials of google-auth whose token server is this one."""
        google = pytest.importorskip("google.oauth2.credentials", reason="the extra vertex is not installed")
        return google.Credentials(
            token=None,
            refresh_token="r",
            client_id="i",
            client_secret="s",
            token_uri=self.server.url("/token"),
            **more,
        )

    def client(self, credentials: Any, **options: Any) -> chatproto.Client:
        """A client of this service."""
        return chatproto.Client(
            vertexai=True,
            project="p",
            location="l",
            credentials=credentials,
            http_options={"base_url": self.server.url("/")},
            **options,
        )


@pytest.fixture
def service() -> Any:
    """A running service."""
    made = Service()
    with made.server:
        yield made


def test_a_token_is_fetched_once_and_used_again(service: Service) -> None:
    """The first request fetches a token, the next ones carry it, and the quota project with it."""
    with service.client(service.credentials(quota_project_id="q")) as client:
        chat = client.chats.create(model="m")
        for _ in range(3):
            assert chat.send_message("q").text == "fine"
    assert service.given == 1
    assert service.asked == ["Bearer canary-token-1"] * 3
    assert service.projects == ["q"] * 3


def test_secrets_are_made_once_for_a_token(service: Service) -> None:
    """While it is good; they know the words of it, and those of the next one are others."""
    tokens = Tokens(service.credentials())
    secrets = TokenSecrets(tokens, {}, url=service.server.url("/"))
    first = secrets.current()
    assert secrets.current() is first
    assert asyncio.run(secrets.acurrent()) is first
    assert first.occurs_in(b"canary-token-1")
    assert first.rejected()
    second = secrets.current()
    assert second is secrets.current() is not first
    assert second.occurs_in(b"canary-token-2")
    assert not second.occurs_in(b"canary-token-1")


def test_401_renews_the_token_once(service: Service) -> None:
    """A token that the server does not take any more is renewed, and the request made again: once."""
    with service.client(service.credentials()) as client:
        chat = client.chats.create(model="m")
        chat.send_message("q")
        service.valid = 0  # the server forgets the token
        assert chat.send_message("q").text == "fine"
        assert service.given == 2
        assert [turn.outcome.value for turn in chat.turns] == ["completed", "completed"]
        service.valid = 0
        never = b'{"access_token": "never-good"}'
        service.server.on("/token", lambda _: [head(200, content_length=len(never)), never])
        with pytest.raises(chatproto.errors.ClientError) as caught:
            chat.send_message("q")
        assert caught.value.code == 401
        assert "canary" not in str(caught.value)


def test_every_401_may_renew(service: Service) -> None:
    """Each revoked token is renewed, however often it happens, and once for all requests that it met at a time."""
    with service.client(service.credentials()) as client:
        chat = client.chats.create(model="m")
        for renewals in range(1, 4):
            assert chat.send_message("q").text == "fine"
            assert service.given == renewals
            service.valid = 0

        async def at_once() -> list[str | None]:
            async with client.aio as aio:
                asking = [aio.chats.create(model="m").send_message("q") for _ in range(5)]
                return [response.text for response in await asyncio.gather(*asking)]

        assert asyncio.run(at_once()) == ["fine"] * 5
    assert service.given == 4


def test_an_expired_token_is_renewed_before_it_is_sent(service: Service) -> None:
    """The credentials' own date counts."""
    credentials = service.credentials()
    with service.client(credentials) as client:
        chat = client.chats.create(model="m")
        chat.send_message("q")
        credentials.expiry = dt.datetime(2020, 1, 1)  # noqa: DTZ001  (google-auth's dates have no zone)
        chat.send_message("q")
    assert service.asked == ["Bearer canary-token-1", "Bearer canary-token-2"]


def test_a_refresh_does_not_block_the_event_loop(service: Service) -> None:
    """While a token is fetched, other tasks run."""
    waiting, go_on = threading.Event(), threading.Event()
    token = service._token

    def slow(request: Any) -> list[bytes]:
        waiting.set()
        assert go_on.wait(10)
        return token(request)

    service.server.on("/token", slow)
    sent: list[Any] = []

    class Seen(ScriptedTransport):
        def aopen(self, request: Any, secrets: Any) -> Any:
            sent.append(dict(secrets.headers_for(request)).get("authorization"))
            return super().aopen(request, secrets)

    async def main() -> None:
        client = chatproto.Client(
            vertexai=True, project="p", location="l", credentials=service.credentials(), transport=Keyed("x")
        )
        asking = asyncio.create_task(client.aio.chats.create(model="m").send_message("q"))
        while not waiting.is_set():  # set by another thread  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        go_on.set()
        assert (await asking).text == "x"

    class Keyed(Seen):
        needs_credential = True

    asyncio.run(main())
    assert sent == ["Bearer canary-token-1"]


def test_the_environments_own_credentials(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Without credentials and project, google-auth finds them; without any, one sentence says so."""
    stored = {
        "type": "authorized_user",
        "client_id": "i",
        "client_secret": "s",
        "refresh_token": "r",
        "quota_project_id": "q",
    }
    (tmp_path / "adc.json").write_text(json.dumps(stored))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    pytest.importorskip("google.auth", reason="the extra vertex is not installed")
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", service.server.url("/token"))
    with service.client(None) as client:
        assert client.chats.create(model="m").send_message("q").text == "fine"
    assert service.projects == ["q"]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    with pytest.raises(CredentialError, match="credentials"):
        chatproto.Client(vertexai=True)


def test_no_token() -> None:
    """A token server that refuses, or is not there, gives an error of the tree; the chat is as before."""
    service = Service()
    with service.server:
        body = b'{"error": "invalid_grant"}'
        service.server.on("/token", lambda _: [head(400, content_length=len(body)), body])
        chat = service.client(service.credentials()).chats.create(model="m")
        with pytest.raises(CredentialError, match="invalid_grant"):
            chat.send_message("q")
    assert chat.turns[-1].outcome is chatproto.Outcome.ABANDONED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chat = service.client(service.credentials()).chats.create(model="m")
        with pytest.raises((CredentialError, ConnectionError)):
            chat.send_message("q")

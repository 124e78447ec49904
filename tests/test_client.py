"""The client: credentials, the environment, options, and who closes what."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest

import chatproto
from chatproto.errors import CredentialError, ValidationError
from chatproto.testing import ScriptedTransport

KEY = "AIza-canary-0123456789"
VARIABLES = (
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_API_VERSION",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GENAI_USE_ENTERPRISE",
)


class Seen(ScriptedTransport):
    """Notes the headers that would go out, as a transport that touches the wire would ask for them."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.headers: list[dict[str, str]] = []

    def open(self, request: Any, secrets: Any) -> Any:
        self.headers.append(dict(secrets.headers_for(request)))
        return super().open(request, secrets)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def sent(transport: Seen, **options: Any) -> tuple[str, dict[str, str]]:
    """The address and the headers of one message."""
    chatproto.Client(transport=transport, **options).chats.create(model="m").send_message("q")
    return transport.requests[-1].url, transport.headers[-1]


def test_a_key_is_needed() -> None:
    """Without a key, one sentence says how to give one; it is a ValueError, as in the reference."""
    with pytest.raises(CredentialError, match="GEMINI_API_KEY") as caught:
        chatproto.Client()
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("environment", "argument", "used"),
    [
        ({"GOOGLE_API_KEY": "a"}, None, "a"),
        ({"GEMINI_API_KEY": "b"}, None, "b"),
        ({"GOOGLE_API_KEY": "a", "GEMINI_API_KEY": "b"}, None, "a"),
        ({"GOOGLE_API_KEY": "", "GEMINI_API_KEY": "b"}, None, "b"),
        ({"GOOGLE_API_KEY": "a"}, " c\n", "c"),
    ],
)
def test_where_the_key_comes_from(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], argument: str | None, used: str
) -> None:
    """The argument, then GOOGLE_API_KEY, then GEMINI_API_KEY; empty ones do not count, and blanks are cut off."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _, headers = sent(Seen("x"), api_key=argument)
    assert headers["x-goog-api-key"] == used


@pytest.mark.parametrize(
    ("environment", "options", "url"),
    [
        ({}, None, "https://generativelanguage.googleapis.com/v1/models/m:generateContent"),
        ({"GOOGLE_GENAI_API_VERSION": "beta"}, None, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
        ({"GOOGLE_GENAI_API_VERSION": "v9"}, {"api_version": "v1alpha"}, "https://generativelanguage.googleapis.com/v1alpha/models/m:generateContent"),
        ({"GOOGLE_GEMINI_BASE_URL": "http://one:80"}, None, "http://one:80/v1/models/m:generateContent"),
        ({"GOOGLE_GEMINI_BASE_URL": "http://one"}, {"baseUrl": "http://two/gate/"}, "http://two/gate/v1/models/m:generateContent"),
        ({}, {"base_url": "http://two", "base_url_resource_scope": "COLLECTION"}, "http://two/models/m:generateContent"),
    ],
)  # fmt: skip
def test_where_requests_go(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], options: Any, url: str
) -> None:
    """Options win over the environment, the environment over the defaults."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert sent(Seen("x"), api_key="k", http_options=options)[0] == url


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("m", "models/m"),
        ("models/m", "models/m"),
        ("tunedModels/m", "tunedModels/m"),
        ("google/x", "models/google/x"),
    ],
)
def test_names_of_models(model: str, path: str) -> None:
    """As in the reference: two kinds of path stay, everything else is a name under ``models/``."""
    transport = ScriptedTransport("x")
    chatproto.Client(transport=transport).chats.create(model=model).send_message("q")
    assert transport.requests[0].url.endswith(f"/v1/{path}:generateContent")


@pytest.mark.parametrize("model", ["", "a?b", "../x", "a&b"])
def test_no_names_of_models(model: str) -> None:
    """What cannot be a name raises when a request is made, as in the reference."""
    chat = chatproto.Client(transport=ScriptedTransport("x")).chats.create(model=model)
    with pytest.raises(ValidationError):
        chat.send_message("q")


def test_headers_and_timeouts_of_a_request() -> None:
    """A message's http_options go over the client's; the program's labels are added to the library's."""
    transport = Seen("x", "y")
    client = chatproto.Client(
        api_key=KEY,
        transport=transport,
        http_options={"headers": {"X-Mine": "1", "User-Agent": "mine/2"}, "timeout": 1500},
    )
    chat = client.chats.create(model="m", config={"http_options": {"headers": {"X-Mine": "2"}}})
    chat.send_message("q")
    chat.send_message("q", config={"http_options": {"timeout": 0, "headers": {"x-other": "3"}}})
    first, second = transport.headers
    assert first["x-mine"] == "2"
    assert first["x-server-timeout"] == "2"
    assert first["user-agent"].startswith(f"chatproto/{chatproto.__version__} ")
    assert first["user-agent"].endswith(" mine/2")
    assert first["x-goog-api-key"] == KEY
    assert (second["x-mine"], second["x-other"]) == ("1", "3")
    assert "x-server-timeout" not in second
    assert [request.timeout for request in transport.requests] == [1.5, None]


def test_extra_body_is_merged() -> None:
    """Keys of ``extra_body`` meet those of the body whatever their spelling; objects merge, all else replaces."""
    transport = ScriptedTransport("x")
    options = {"extra_body": {"generation_config": {"new": 1}, "system_instruction": {"parts": []}, "mine": [1]}}
    chat = chatproto.Client(transport=transport, http_options=options).chats.create(
        model="m", config={"temperature": 0.5, "system_instruction": "S"}
    )
    chat.send_message("q")
    body = transport.requests[0].json()
    assert body["generationConfig"] == {"temperature": 0.5, "new": 1}
    assert body["systemInstruction"] == {"parts": [], "role": "user"}
    assert body["mine"] == [1]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"timout": 5}, "timeout"),
        ({"timeout": 1.5}, "timeout"),
        ({"httpx_client": object()}, "exclude each other"),
        ({"client_args": {}}, "client_args"),
        ({"async_client_args": {}}, "async_client_args"),
        ({"base_url_resource_scope": "COLLECTION"}, "base_url"),
        ({"base_url": "ftp://x"}, "http"),
        (5, "http_options"),
    ],
)
def test_wrong_options(options: Any, names: str) -> None:
    """What cannot be used raises, at the latest with the first request, and is named."""
    with pytest.raises(ValidationError, match=names):
        chatproto.Client(api_key="k", http_options=options, transport=ScriptedTransport("x")).chats.create(
            model="m"
        ).send_message("q")


def test_an_ephemeral_token_is_no_key() -> None:
    """A token for the Live API is refused with a sentence, and not sent."""
    transport = ScriptedTransport("x")
    chat = chatproto.Client(api_key="auth_tokens/abc", transport=transport).chats.create(model="m")
    with pytest.raises(CredentialError, match="Live"):
        chat.send_message("q")
    assert not transport.requests


def test_a_transport_by_name() -> None:
    """A name is looked up among the installed plug-ins; a wrong one is told which there are."""
    chat = chatproto.Client(api_key="k", transport="requests").chats.create(model="m")
    assert chat.prepare("q").url.startswith("https://")
    unknown = chatproto.Client(api_key="k", transport="pigeon").chats.create(model="m")
    with pytest.raises(ValidationError, match=r"pigeon.*requests"):
        unknown.send_message("q")


@pytest.mark.parametrize("given", [object(), 7], ids=["object", "number"])
def test_what_is_no_transport_is_refused_where_it_is_handed_over(given: Any) -> None:
    """Not at the first message."""
    with pytest.raises(ValidationError, match=f"{type(given).__name__} is not a transport"):
        chatproto.Client(api_key="k", transport=given)


def test_a_transport_that_was_handed_in_is_not_closed() -> None:
    """Closing the client closes what the client made, and dropping it closes nothing under a chat."""
    transport = ScriptedTransport("x", "y")
    with chatproto.Client(transport=transport) as client:
        chat = client.chats.create(model="m")
    assert not transport.closed
    del client
    gc.collect()
    assert chat.send_message("q").text == "x"


def test_the_key_is_in_no_repr_and_no_pickle() -> None:
    """L15: neither the client, nor a chat, nor the secrets that travel beside a request show the key."""
    transport = Seen("x")
    client = chatproto.Client(api_key=KEY, transport=transport, http_options={"headers": {"authorization": "B " + KEY}})
    chat = client.chats.create(model="m")
    chat.send_message("q")
    secrets = client._connector.secrets({}, client._connector.endpoint)
    shown = [repr(each) for each in (client, chat, secrets, transport.requests, client._connector.endpoint)]
    assert not [each for each in shown if KEY in each]
    assert KEY.encode() not in pickle.dumps(chat._session.conversation)
    assert KEY.encode() not in transport.requests[0].content
    with pytest.raises(TypeError):
        pickle.dumps(secrets)


def test_models_answer_without_remembering() -> None:
    """``models.generate_content`` and its stream: no history, and no generationConfig unless a config is given."""
    transport = ScriptedTransport("one", ["tw", "o"])
    models = chatproto.Client(transport=transport).models
    assert models.generate_content(model="m", contents="a").text == "one"
    stream = models.generate_content_stream(model="m", contents="b", config={"temperature": 0})
    assert "".join(chunk.text or "" for chunk in stream) == "two"
    assert [request.json() for request in transport.requests] == [
        {"contents": [{"role": "user", "parts": [{"text": "a"}]}]},
        {"contents": [{"role": "user", "parts": [{"text": "b"}]}], "generationConfig": {"temperature": 0}},
    ]

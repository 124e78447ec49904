"""Cassettes that vcrpy wrote, made into cassettes of chatproto_replay, and played."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import vcr  # type: ignore[import-untyped]
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproto import Client
from chatproto.cli import command
from chatproto.testing.servers import LoopbackServer, chunk, head
from chatproto.testing.strategies import json_values
from chatproto.testing.wire import sse, text_response
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_replay import Cassette, CassetteError, CredentialInCassette, LaterCassette, MalformedCassette, Player
from chatproto_replay.commands.importing import Imported, import_vcr, output_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "no-key-of-anyone-0123456789"
PATH = "/v1/models/gemini-2.5-flash:generateContent"
STREAM = "/v1/models/gemini-2.5-flash:streamGenerateContent"
FILE = "/v1/files/one:download"
BODY = {"contents": [{"parts": [{"text": "Grüße, 世界"}], "role": "user"}], "generationConfig": {}}
ANSWER = text_response("Grüße zurück \U0001f600", promptTokenCount=3, totalTokenCount=9)
PIECES = sse([text_response("Grü", None), text_response("ße zurück", "STOP", totalTokenCount=9)])
BLOB = bytes(range(256)) * 8

Send = "Callable[[str, dict[str, str], bytes | None], bytes]"
Json = dict[str, Any]


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server with an answer of each kind."""
    document = json.dumps(ANSWER).encode()
    packed = {"gzip": gzip.compress(document, mtime=0), "deflate": zlib.compress(document)}
    with LoopbackServer() as running:
        running.on(PATH, [head(content_length=len(document), content_type="application/json"), document])
        for name, data in packed.items():
            answer = [head(content_length=len(data), content_type="application/json", content_encoding=name), data]
            running.on(PATH.replace("2.5", name), answer)
        pieces = [part for piece in PIECES for part in (chunk(piece[:9]), chunk(piece[9:]))]
        running.on(STREAM, [head(chunked=True, content_type="text/event-stream"), *pieces, chunk()])
        running.on(FILE, [head(content_length=len(BLOB), content_type="application/octet-stream"), BLOB])
        running.on("/v1/chat/completions", [head(content_length=2), b"{}"])
        yield running


# --- those who send -------------------------------------------------------------------------------------------------


def with_requests(url: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Send it with requests."""
    method = "GET" if body is None else "POST"
    with requests.Session() as session:
        return session.request(method, url, data=body, headers=headers).content


def with_httpx(url: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Send it with httpx."""
    with httpx.Client() as client:
        return client.request("GET" if body is None else "POST", url, content=body, headers=headers).content


def with_httpx2(url: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Send it with httpx2, which google-genai uses."""
    with httpx2.Client() as client:
        return client.request("GET" if body is None else "POST", url, content=body, headers=headers).content


def with_aiohttp(url: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Send it with aiohttp: JSON as a value, as its users do."""
    given = None if body is None else json.loads(body)

    async def send() -> bytes:
        method = "GET" if body is None else "POST"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=given, headers=headers) as got:
            return await got.read()

    return asyncio.run(send())


SENDERS = [with_requests, with_httpx, with_httpx2, with_aiohttp]


def record(
    path: Path, server: LoopbackServer, where: str, *, send: Any = with_requests, body: Any = BODY, **options: Any
) -> Path:
    """Let vcrpy record one request."""
    headers = {"x-goog-api-key": KEY, "x-goog-api-client": "anything/1"}
    with vcr.VCR(**options).use_cassette(str(path), allow_playback_repeats=False):
        send(server.url(where), headers, None if body is None else json.dumps(body, ensure_ascii=False).encode())
    return path


def events(client: Client, model: str, *, streamed: bool) -> list[Any]:
    """What a chat gives: its chunks, its turns, and its histories, without the headers of responses."""
    with closing(client):
        chat = client.chats.create(model=model)
        said = "Grüße, 世界"
        responses = list(chat.send_message_stream(said)) if streamed else [chat.send_message(said)]
        chunks = [{**each.to_json_dict(), "sdk_http_response": None} for each in responses]
        turns = [(turn.outcome, turn.reason, turn.encoded) for turn in chat.turns]
        return [chunks, turns, chat.get_history(), chat.get_history(curated=True)]


def saved(path: Path) -> Path:
    """The imported cassette of a file, saved beside it."""
    target = path.with_suffix(".chatproto.json")
    import_vcr(path).cassette.save(target)
    return target


@pytest.mark.parametrize("options", [{}, {"decode_compressed_response": True}], ids=["", "decoded"])
@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("name", ["2.5", "gzip", "deflate"])
def test_an_answer(tmp_path: Path, server: LoopbackServer, name: str, send: Any, options: Json) -> None:
    """L14: what vcrpy recorded plays to the same events as the server's own answer, compressed or not."""
    recorded = record(tmp_path / "vcr.yaml", server, PATH.replace("2.5", name), send=send, **options)
    model = f"gemini-{name}-flash"
    live = events(Client(api_key=KEY, http_options={"base_url": server.url("")}), model, streamed=False)
    assert live[1][0][0].value == "completed"
    assert events(Client(transport=Player(saved(recorded))), model, streamed=False) == live


@pytest.mark.parametrize("send", SENDERS)
def test_a_stream(tmp_path: Path, server: LoopbackServer, send: Any) -> None:
    """L14: vcrpy joins the chunks; the events are the same."""
    recorded = record(tmp_path / "vcr.yaml", server, f"{STREAM}?alt=sse", send=send)
    live = events(Client(api_key=KEY, http_options={"base_url": server.url("")}), "gemini-2.5-flash", streamed=True)
    target = saved(recorded)
    assert events(Client(transport=Player(target)), "gemini-2.5-flash", streamed=True) == live
    (exchange,) = Cassette.load(target).exchanges
    assert exchange.response is not None
    assert [chunk.delay for chunk in exchange.response.chunks] == [0]
    assert exchange.response.content == b"".join(PIECES)


@pytest.mark.parametrize("send", SENDERS)
def test_bytes(tmp_path: Path, server: LoopbackServer, send: Any) -> None:
    """A file's content is the same bytes; it was fetched where a model was asked, so it belongs to it."""
    with vcr.use_cassette(str(tmp_path / "vcr.yaml")):
        send(server.url(PATH), {"x-goog-api-key": KEY}, json.dumps(BODY).encode())
        assert send(server.url(f"{FILE}?alt=media&key={KEY}"), {}, None) == BLOB
    exchange = import_vcr(tmp_path / "vcr.yaml").cassette.exchanges[1]
    assert exchange.response is not None
    assert exchange.response.content == BLOB
    assert exchange.request.query == (("alt", "media"),)
    player = Player(saved(tmp_path / "vcr.yaml"), in_order=False)
    request = Request(method="GET", url=f"https://host{FILE}?alt=media")
    with player.open(request, Secrets({}, url="https://host")) as response:
        assert b"".join(iter(response.read, b"")) == BLOB


def test_json_cassettes(tmp_path: Path, server: LoopbackServer) -> None:
    """The other serializer of vcrpy."""
    recorded = record(tmp_path / "vcr.json", server, PATH, serializer="json")
    assert recorded.read_text().startswith("{")
    (exchange,) = import_vcr(recorded).cassette.exchanges
    assert exchange.response is not None
    assert json.loads(exchange.response.content) == ANSWER


def test_what_is_kept(tmp_path: Path, server: LoopbackServer) -> None:
    """Headers and queries of the allow-list, no host, no key; and where it comes from."""
    recorded = record(tmp_path / "my vcr.yaml", server, f"{PATH}?alt=json&mine=1&key={KEY}")
    assert recorded.read_text().count(KEY) == 2
    text = import_vcr(recorded).cassette.dumps()
    document = json.loads(text)
    assert document["recorded"]["by"].startswith("vcrpy, in my vcr.yaml; imported by chatproto ")
    assert document["recorded"]["transport"] == ""
    request = document["exchanges"][0]["request"]
    assert request == {
        "method": "POST", "path": PATH, "query": {"alt": "json", "mine": None}, "headers": {}, "json": BODY,
    }  # fmt: skip
    assert document["exchanges"][0]["response"]["headers"] == {"content-type": "application/json"}
    assert KEY not in text
    assert "127.0.0.1" not in text


def test_exchanges_of_another_api_are_left_out(tmp_path: Path, server: LoopbackServer) -> None:
    """They are named, without their queries; nothing is written where no others are there."""
    path = tmp_path / "vcr.yaml"
    with LoopbackServer() as second, vcr.use_cassette(str(path)):
        second.on("/v1/chat/completions", [head(content_length=2), b"{}"])
        second.on(f"/{KEY}/x", [head(content_length=2), b"{}"])
        with_requests(second.url("/v1/chat/completions?password=1"), {"authorization": f"Bearer {KEY}"}, b"{}")
        with_requests(second.url(f"/{KEY}/x"), {}, b"{}")
        with_requests(server.url(PATH), {}, json.dumps(BODY).encode())
        named = [
            f"POST {second.url('/v1/chat/completions')} ($.interactions[0])",
            f"POST {second.url('/...')} ($.interactions[1])",
        ]
    imported = import_vcr(path)
    assert list(imported.left_out) == named
    assert len(imported.cassette.exchanges) == 1
    done = run(path)
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'vcr.json'}: 1 exchange\n")
    assert done.stderr.splitlines() == [f"left out: {name}" for name in named]
    document = yaml.safe_load(path.read_text())
    del document["interactions"][2]
    path.write_text(yaml.safe_dump(document))
    done = run(path, "-o", tmp_path / "none.json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "has no exchange with Gemini or Vertex AI" in done.stderr
    assert not (tmp_path / "none.json").exists()


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://generativelanguage.googleapis.com/v1beta/files?pageSize=3", True),
        ("https://aiplatform.googleapis.com/v1/models", True),
        ("https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/cachedContents", True),
        ("https://aiplatform.eu.rep.googleapis.com/v1beta1/publishers/google/models/m", True),
        ("https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=x", True),
        ("https://generativelanguage.googleapis.com/v1beta/models/m:embedContent", True),
        ("https://generativelanguage.googleapis.com/v1beta/cachedContents/one", True),
        ("https://generativelanguage.googleapis.com/", False),
        ("https://generativelanguage.googleapis.com/foo", False),
        ("https://generativelanguage.googleapis.com/v1beta/filesystem", False),
        ("https://aiplatform.googleapis.com/v1/x", False),
        ("https://GenerativeLanguage.googleapis.com:443/v1beta/models", True),
        ("https://gateway.example/any/prefix/models/m:streamGenerateContent", True),
        ("https://storage.googleapis.com/v1/x", False),
        ("https://oauth2.googleapis.com/token", False),
        ("https://generativelanguage.googleapis.com.example/v1beta/files", False),
        ("https://gateway.example/v1/models", False),
    ],
)
def test_which_are_taken_over(tmp_path: Path, url: str, ours: bool) -> None:
    """What the API has at Google's hosts, and calls of a model at any host."""
    imported = import_vcr(interactions(tmp_path, plain(uri=url)))
    assert (len(imported.cassette.exchanges), len(imported.left_out)) == ((1, 0) if ours else (0, 1))


@pytest.mark.parametrize("host", ["http://127.0.0.1:8765", "https://gateway.example"])
def test_other_paths_where_a_model_is_called(tmp_path: Path, host: str) -> None:
    """A server that has the API may have other things, too: those are left out, and named."""
    ours = [PATH, "/v1beta/files?pageSize=3", "/prefix/v1beta/files/one:download", "/download/v1beta/files/a:download"]
    others = ["/foo", "/", "/v1", "/v1/x", "/v1beta/chat/completions"]
    path = interactions(tmp_path, *(plain(uri=f"{host}{each}") for each in (*ours, *others)))
    imported = import_vcr(path)
    assert [each.request.path for each in imported.cassette.exchanges] == [each.partition("?")[0] for each in ours]
    assert imported.left_out == tuple(
        f"POST {host}{each} ($.interactions[{index}])" for index, each in enumerate(others, start=len(ours))
    )


def test_a_project_is_no_part_of_a_path(tmp_path: Path) -> None:
    """As in any cassette."""
    url = (
        "https://aiplatform.googleapis.com/v1/projects/mine-123/locations/us/publishers/google/models/m:generateContent"
    )
    (exchange,) = import_vcr(interactions(tmp_path, plain(uri=url))).cassette.exchanges
    assert exchange.request.path == "/v1/projects/_/locations/us/publishers/google/models/m:generateContent"


def run(*arguments: object) -> Result:
    """``chatproto cassette import ARGUMENTS``."""
    return CliRunner().invoke(command(), ["cassette", "import", *map(str, arguments)])


# --- credentials ----------------------------------------------------------------------------------------------------


def hidden() -> dict[str, Callable[[bytes], str]]:
    """Ways in which a key may stand in a body."""
    return {
        "plain": lambda key: key.decode(),
        "base64": lambda key: base64.b64encode(b"key: " + key).decode(),
        "percent signs": lambda key: "".join(f"%{byte:02X}" for byte in key),
        "hexadecimal": lambda key: key.hex(),
        "gzip": lambda key: base64.b64encode(gzip.compress(b"the key is " + key)).decode(),
    }


@pytest.mark.parametrize("how", hidden())
@pytest.mark.parametrize("where", ["header", "bearer", "query", "cookie"])
@pytest.mark.parametrize("place", ["request", "response"])
def test_a_credential_in_a_body(tmp_path: Path, place: str, where: str, how: str) -> None:
    """L15: the import is refused, whatever showed the key, wherever it stands, and however it is written."""
    secret = "s3cret-" + "0123456789abcdef"
    text = hidden()[how](secret.encode())
    headers = {
        "header": {"x-goog-api-key": [secret]},
        "bearer": {"Authorization": [f"Bearer {secret}"]},
        "query": {},
        "cookie": {"cookie": [f"a=1; session={secret}"]},
    }[where]
    query = f"?key={secret}" if where == "query" else ""
    said = {"contents": [{"role": "user", "parts": [{"text": f"see {text} !" if place == "request" else "hi"}]}]}
    answer = text_response(f"see {text} !" if place == "response" else "hello")
    path = interactions(
        tmp_path,
        {
            "request": {
                "method": "POST",
                "uri": f"https://h{PATH}{query}",
                "headers": headers,
                "body": json.dumps(said),
            },
            "response": {"status": {"code": 200}, "headers": {}, "body": {"string": json.dumps(answer)}},
        },
    )
    with pytest.raises(CredentialInCassette) as caught:
        import_vcr(path)
    assert secret not in str(caught.value)
    assert f"$.interactions[0].{place}" in str(caught.value)
    target = tmp_path / "new.json"
    done = run(path, "-o", target)
    assert (done.exit_code, done.stdout) == (1, "")
    assert secret not in done.stderr
    assert not target.exists()


def test_a_credential_of_another_exchange(tmp_path: Path) -> None:
    """L15: also of one that is left out, and in a place that a body is not."""
    secret = "s3cret-0123456789abcdef"
    asked = {
        "request": {"method": "GET", "uri": "https://other/", "headers": {"X-Api-Key": secret}, "body": None},
        "response": {"status": {"code": 200}, "headers": {}, "body": {}},
    }
    path = interactions(tmp_path, asked, plain(uri=f"https://h/{secret}{PATH}"))
    with pytest.raises(CredentialInCassette):
        import_vcr(path)


@pytest.mark.parametrize("word", ["REDACTED", "<FILTERED>", "xxxxxxxx", "********", "[removed]", "DUMMY"])
def test_what_stands_for_a_credential(tmp_path: Path, word: str) -> None:
    """Where vcrpy was told to take a key out, its placeholder may occur in a text."""
    made = plain(headers={"x-goog-api-key": [word], "authorization": [f"Bearer {word}"]}, text=f"It says {word}.")
    assert len(import_vcr(interactions(tmp_path, made)).cassette.exchanges) == 1


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """What holds so much that it cannot be searched is not written."""
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    path = interactions(tmp_path, plain(answer=bomb))
    with pytest.raises(CredentialInCassette, match=r"\$\.interactions\[0\]\.response cannot be searched"):
        import_vcr(path)


# --- forms of a file ------------------------------------------------------------------------------------------------


def plain(
    *, uri: str = f"https://h{PATH}", headers: Any = None, text: str = "hi", answer: bytes | None = None, **more: Any
) -> Json:
    """An interaction as vcrpy writes it."""
    said = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    body = {"string": json.dumps(ANSWER) if answer is None else answer}
    return {
        "request": {"method": "POST", "uri": uri, "headers": headers or {}, "body": json.dumps(said)},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": body},
        **more,
    }


def interactions(tmp_path: Path, *listed: Json) -> Path:
    """A file with these interactions."""
    path = tmp_path / "vcr.yaml"
    path.write_text(yaml.safe_dump({"interactions": list(listed), "version": 1}, allow_unicode=True))
    return path


def body_of(imported: Imported) -> tuple[Any, bytes]:
    """The JSON of the only request, and the answer to it."""
    (exchange,) = imported.cassette.exchanges
    assert exchange.request.body is not None
    assert exchange.response is not None
    return exchange.request.body.value, exchange.response.content


REQUEST = (
    f"request: {{method: POST, uri: 'https://h{PATH}', headers: {{accept: ['*/*']}}, body: '{{\"contents\": []}}'}}"
)
RESPONSE = "response: {status: {code: 200, message: OK}, headers: {content-type: [text/plain]}, body: {string: hello}}"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (REQUEST, RESPONSE),
        # The stub for httpx before vcrpy 6.
        (
            REQUEST,
            "response: {status_code: 200, http_version: HTTP/1.1, headers: {accept: ['*/*']}, content: hello}",
        ),
        # Bytes that are no text, a body that is a text by itself, and one in base64 of an older serializer.
        (REQUEST, "response: {status: {code: 200}, headers: {}, body: {string: !!binary aGVsbG8=}}"),
        (REQUEST, "response: {status: {code: 200}, headers: {}, body: hello}"),
        (REQUEST, "response: {status: {code: 200}, headers: {}, body: {base64_string: aGVsbG8=}}"),
        # Python 2 wrote texts so, and headers with one value.
        (
            REQUEST.replace("['*/*']", "'*/*'").replace("method: POST", "method: !!python/unicode 'POST'"),
            RESPONSE.replace("string: hello", "string: !!python/str 'hello'"),
        ),
        # What json= was given, a buffer, an iterator and a tuple.
        (REQUEST.replace("'{\"contents\": []}'", "{contents: []}"), RESPONSE),
        (
            REQUEST.replace(
                "'{\"contents\": []}'",
                "!!python/object/new:_io.BytesIO {state: !!python/tuple ['{\"contents\": []}', 0, null]}",
            ),
            RESPONSE,
        ),
        (
            REQUEST.replace(
                "'{\"contents\": []}'",
                "!!python/object/apply:builtins.iter {args: [['{\"contents\"', !!binary OiBbXX0=]], state: 0}",
            ),
            RESPONSE,
        ),
        (REQUEST.replace("'{\"contents\": []}'", "!!python/tuple ['{\"contents\"', ': []}']"), RESPONSE),
        # pydantic-ai's serializer.
        (REQUEST.replace("body: '{\"contents\": []}'", "parsed_body: {contents: []}, body: ''"), RESPONSE),
        # A header that says more than is true.
        (REQUEST, RESPONSE.replace("content-type: [text/plain]", "Content-Encoding: [gzip]")),
        (REQUEST, RESPONSE.replace("content-type: [text/plain]", "Content-Encoding: [br]")),
    ],
)
def test_forms_of_bodies(tmp_path: Path, request_: str, response: str) -> None:
    """Whatever version of vcrpy wrote it."""
    path = tmp_path / "vcr.yaml"
    path.write_text(f"interactions:\n- {request_}\n  {response}\nversion: 1\n")
    assert body_of(import_vcr(path)) == ({"contents": []}, b"hello")


def test_an_old_answer_of_pydantic_ai(tmp_path: Path) -> None:
    """Its answers are JSON, too."""
    made = plain()
    made["response"] = {"status": {"code": 200}, "headers": {}, "parsed_body": ANSWER}
    assert json.loads(body_of(import_vcr(interactions(tmp_path, made)))[1]) == ANSWER


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("identity", bytes),
    ],
)
def test_compressed_bodies(tmp_path: Path, coding: str, pack: Callable[[bytes], bytes]) -> None:
    """They are unpacked, of requests too; the header is not kept."""
    made = plain(answer=pack(b"hello"))
    made["response"]["headers"] = {"Content-Encoding": [coding], "Content-Type": ["text/plain"]}
    made["request"] |= {"headers": {"content-encoding": [coding]}, "body": pack(b'{"contents": []}')}
    imported = import_vcr(interactions(tmp_path, made))
    assert body_of(imported) == ({"contents": []}, b"hello")
    (exchange,) = imported.cassette.exchanges
    assert exchange.response is not None
    assert exchange.response.headers == (("content-type", "text/plain"),)


@pytest.mark.parametrize(
    ("coding", "word"), [("br", "compressed with br"), ("gzip", "neither compressed as its headers")]
)
def test_what_cannot_be_unpacked(tmp_path: Path, coding: str, word: str) -> None:
    """That is said, rather than noise recorded."""
    made = plain(answer=b"\x1f\x8b\xff\xfe")
    made["response"]["headers"] = {"content-encoding": [coding]}
    with pytest.raises(MalformedCassette, match=rf"\$\.interactions\[0\]\.response\.body: {word}"):
        import_vcr(interactions(tmp_path, made))


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("interactions:\n- request: {\n  body\n version: 1\n", r"line [345], column \d+"),
        ("interactions:\n\tx: 1\n", "line 2, column 1"),
        ("a: 1\nb: \x01\n", "line 2"),
        (
            "version: 1\ninteractions:\n- request: !!python/object/apply:os.system ['touch obeyed']\n",
            "line 3, column 12",
        ),
        ("a: &x [*y]\n", r"line 1, column \d+"),
        ("{version: 1, interactions: [}", "neither JSON nor YAML"),
        ("version: 1\n", "no cassette of vcrpy"),
        ("- request: {}\n  response: {}\n", "python -m vcr.migration"),
        ("version: 1\ninteractions: {}\n", r"\$\.interactions: expected a list, found dict"),
        ("version: 1\ninteractions: [3]\n", r"\$\.interactions\[0\]: expected a request and a response, found int"),
        (
            "version: 1\ninteractions: [{request: {uri: 3}, response: {status: {code: 200}}}]\n",
            r"\[0\]\.request: expected a method",
        ),
        (
            "version: 1\ninteractions: [{request: {method: GET, uri: /x}, response: {}}]\n",
            r"response\.status: expected an HTTP status",
        ),
        (
            "version: 1\ninteractions: [{request: {headers: 3}, response: {}}]\n",
            r"request\.headers: expected headers, found int",
        ),
        (
            "version: 1\ninteractions: [{request: {headers: {a: [3]}}, response: {}}]\n",
            r"request\.headers\.a: expected text",
        ),
        (
            f"version: 1\ninteractions: [{{{REQUEST}, response: {{status: {{code: 200}}, body: 3}}}}]\n".replace(
                "request:", "request:"
            ),
            r"response\.body: expected a body, found int",
        ),
        ("[" * 1200, "YAML"),
        (b"\xff\xfe\x00\xd8\x00", "YAML"),
    ],
)
def test_malformed_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, problem: str, fast: bool
) -> None:
    """A sentence with the line or the JSON path; nothing in a file is obeyed."""
    monkeypatch.chdir(tmp_path)
    if not fast:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    path = tmp_path / "vcr.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MalformedCassette, match=problem):
        import_vcr(path)
    done = run(path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.fullmatch(r"Error: .*vcr\.yaml.*\n", done.stderr)
    assert list(tmp_path.iterdir()) == [path]


def test_anchors(tmp_path: Path) -> None:
    """Values that stand for others are what they say, unless that is more than fits, or has no end."""
    path = tmp_path / "vcr.yaml"
    levels = "\n".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10))
    text = "version: 1\nlevels:\n  - &l0 {text: x}\n%s\ninteractions: [{%s, %s}]\n"
    body = "'{\"contents\": []}'"
    path.write_text(text % (levels, REQUEST.replace(body, "{contents: *l1}"), RESPONSE))
    assert body_of(import_vcr(path))[0] == {"contents": [{"text": "x"}] * 9}
    for bomb, problem in (("{contents: *l9}", "anchors make it too large"), ("{contents: &x [*x]}", "expected JSON")):
        path.write_text(text % (levels, REQUEST.replace(body, bomb), RESPONSE))
        with pytest.raises(MalformedCassette, match=rf"\$\.interactions\[0\]\.request\.body: {problem}"):
            import_vcr(path)


@settings(max_examples=100)
@given(
    request_=json_values() | st.dictionaries(st.sampled_from(["method", "uri", "headers", "body"]), json_values()),
    response=json_values() | st.dictionaries(st.sampled_from(["status", "headers", "body", "content"]), json_values()),
    method=st.just("GET") | json_values(),
    coding=st.sampled_from(["gzip", "deflate", "br", "", "x, y"]),
)
def test_anything_in_a_file(
    tmp_path_factory: pytest.TempPathFactory, request_: Any, response: Any, method: Any, coding: str
) -> None:
    """It is imported, or there is a CassetteError: never another."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    if isinstance(request_, dict):
        request_ = {"method": method, "uri": f"https://h{PATH}", **request_}
    if isinstance(response, dict):
        response = {"status": {"code": 200}, "headers": {"Content-Encoding": coding}, **response}
    made = {"version": 1, "interactions": [{"request": request_, "response": response}]}
    path.write_text(json.dumps(made))
    try:
        imported = import_vcr(path)
    except CassetteError:
        return
    text = imported.cassette.dumps()
    assert Cassette.loads(text) == imported.cassette


def test_without_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; JSON needs none."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "vcr.json"
    path.write_text(json.dumps({"version": 1, "interactions": [plain()]}))
    assert run(path).exit_code == 0
    path = tmp_path / "other.yaml"
    path.write_text("version: 1\ninteractions: []\n")
    done = run(path)
    assert done.exit_code == 2
    assert done.stderr == (
        "Error: reading vcrpy's YAML needs PyYAML, not installed here: pip install 'chatproto[replay]'\n"
    )


def test_a_body_that_was_not_recorded(tmp_path: Path) -> None:
    """Old vcrpy writes null for what aiohttp is given as json=. That plays nowhere, and is told."""
    path = tmp_path / "vcr.yaml"
    request = REQUEST.replace("'{\"contents\": []}'", "null")
    path.write_text(f"interactions:\n- {request}\n  {RESPONSE}\nversion: 1\n")
    done = run(path)
    assert done.exit_code == 0
    assert done.stderr == (
        f"no request will match: POST https://h{PATH} ($.interactions[0]) has no body in the file"
        " (older vcrpy, with aiohttp)\n"
    )


def test_other_trouble(tmp_path: Path) -> None:
    """Another version, no file, a folder."""
    path = tmp_path / "vcr.yaml"
    path.write_text("version: 2\ninteractions: []\n")
    with pytest.raises(LaterCassette, match="has version 2"):
        import_vcr(path)
    for name in ("nothing.yaml", "."):
        done = run(tmp_path / name)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr


def test_nothing_is_overwritten_by_chance(tmp_path: Path) -> None:
    """What is beside the file is left alone, unless it is named; the file itself always is."""
    path, beside = interactions(tmp_path, plain()), tmp_path / "vcr.json"
    original = path.read_bytes()
    beside.write_text("mine")
    for arguments in ([path], [path, "-o", path]):
        done = run(*arguments)
        assert done.exit_code == 2
        assert "is there already" in done.stderr
    assert (beside.read_text(), path.read_bytes()) == ("mine", original)
    assert run(path, "-o", beside).exit_code == 0
    assert len(Cassette.load(beside).exchanges) == 1


def test_where_it_goes() -> None:
    """Beside the file, and never over it."""
    assert output_beside("a/b.yaml") == str(Path("a/b.json"))
    assert output_beside("b.yml") == "b.json"
    assert output_beside("b.json") == "b.chatproto.json"
    assert output_beside("b") == "b.chatproto.json"

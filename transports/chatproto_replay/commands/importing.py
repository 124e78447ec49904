"""Cassettes of vcrpy made into cassettes of this package.

What is kept is what a ``Recorder`` keeps: some headers, no host, and no credential. vcrpy writes credentials, unless it
was told otherwise; those that a file's own headers and URLs show are searched for in all that is to be written.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import attrs

from chatproto.transport import Secrets
from chatproto.wire.http import Request

from ..cassette import Cassette, Chunk, Exchange, RecordedResponse
from ..errors import CredentialInCassette, MalformedCassette
from ..redaction.allowed import NEVER, kept_headers, recorded_request
from ..redaction.searching import TooMuchPacked, holds_credential, searched_in_request, searched_in_response
from .vcr_files import read_vcr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .vcr_files import Interaction

__all__ = ["Imported", "import_vcr", "output_beside"]


@attrs.frozen(kw_only=True)
class Imported:
    """What became of a file. ``left_out`` names the requests that were for another API, without their queries.

    ``unplayable`` names exchanges that no request will match, because vcrpy has not recorded the body.
    """

    cassette: Cassette
    left_out: tuple[str, ...] = ()
    unplayable: tuple[str, ...] = ()


def import_vcr(path: str | os.PathLike[str]) -> Imported:
    """Read a cassette of vcrpy. A body is one chunk, which came at once: vcrpy keeps neither pieces nor times.

    Raises CredentialInCassette where a credential is in what would be written, and what ``read_vcr`` raises.
    """
    name = os.fspath(path)
    interactions = read_vcr(path)
    hosts = {_host(each) for each in interactions if _asks_model(each)}
    kept = [each for each in interactions if _asks_model(each) or _is_ours(each, hosts)]
    exchanges = [_exchange(each, name) for each in kept]
    secrets = [secret for each in interactions for secret in _secrets(each)]
    for each, exchange in zip(kept, exchanges, strict=True):
        _search(each, exchange, secrets, name)
    left_out = [_named(each, secrets) for each in interactions if each not in kept]
    bodiless = [_named(each, secrets) for each in kept if _asks_model(each) and not each.content]
    by = f"vcrpy, in {Path(name).name}; imported by {Cassette().by}"
    cassette = Cassette(exchanges=tuple(exchanges), by=by)
    return Imported(cassette=cassette, left_out=tuple(left_out), unplayable=tuple(bodiless))


def output_beside(path: str) -> str:
    """Where the cassette goes unless told: beside ``path``, with its ending replaced."""
    source = Path(path)
    ending = ".json" if source.suffix in (".yaml", ".yml") else ".chatproto.json"
    return os.fspath(source.with_suffix(ending))


# --- which ----------------------------------------------------------------------------------------------------------

_MODEL_CALL = re.compile(
    r"/(?:models|tunedModels|endpoints)/[^/]+:(?:[a-z]+GenerateContent|generateContent|countTokens)$"
)
#: A method of a model, or what the API has beside models; before the version a gateway may have a path of its own.
_API = re.compile(
    r"/(?:models|tunedModels|endpoints)/[^/]+:\w+$"
    r"|/v\d\w*/(?:auth_tokens|batches|cachedContents|corpora|endpoints|fileSearchStores|files|generatedFiles|interactions"
    r"|models|openai|operations|projects|publishers|tunedModels)(?:[/:]|$)",
    re.ASCII,
)
_GOOGLE = re.compile(r"(?:generativelanguage|[\w-]*aiplatform(?:\.(?:us|eu)\.rep)?)\.googleapis\.com", re.ASCII)


def _asks_model(interaction: Interaction) -> bool:
    """Whether it is a call of a model, at whatever host: gateways have their own."""
    return bool(_MODEL_CALL.search(urlsplit(interaction.url).path))


def _is_ours(interaction: Interaction, hosts: set[str]) -> bool:
    """Whether it is for the API by its path, and went to Google, or to where a model was called."""
    host = _host(interaction)
    known = host in hosts or bool(_GOOGLE.fullmatch(host.partition(":")[0]))
    return known and bool(_API.search(urlsplit(interaction.url).path))


def _host(interaction: Interaction) -> str:
    return urlsplit(interaction.url).netloc.rpartition("@")[2].lower()


def _named(interaction: Interaction, secrets: list[Secrets]) -> str:
    parts = urlsplit(interaction.url)
    shown = f"{interaction.method} {parts.scheme}://{_host(interaction)}{parts.path}"
    if any(secret.occurs_in(shown.encode("utf-8", "surrogatepass")) for secret in secrets):
        shown = f"{interaction.method} {parts.scheme}://{_host(interaction)}/..."
    return f"{shown} ({interaction.place})"


# --- what -----------------------------------------------------------------------------------------------------------


def _exchange(interaction: Interaction, name: str) -> Exchange:
    request = Request(
        method=interaction.method, url=interaction.url, headers=interaction.headers, body=(interaction.content,)
    )
    recorded = recorded_request(request)
    if not recorded.path.startswith("/"):
        raise MalformedCassette(f"{name}: {interaction.place}.request.uri: expected a URL")
    return Exchange(
        request=recorded,
        response=RecordedResponse(
            status=interaction.status,
            headers=kept_headers(interaction.answer_headers),
            chunks=(Chunk(0, interaction.answer),) if interaction.answer else (),
        ),
    )


# --- credentials ----------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"auth|cookie|token|secret|(?:^|[_-])key", re.ASCII)
#: What stands in a file for a credential that vcrpy was told to take out.
_PLACEHOLDER = re.compile(r"[\W_]*(?:(?:redacted|filtered|removed|masked|dummy|placeholder|x+)[\W_]*)?", re.IGNORECASE)


def _secrets(interaction: Interaction) -> Iterator[Secrets]:
    """The credentials that an interaction shows in its headers and its URL."""
    fields = [*interaction.headers, *(pair for pair in interaction.answer_headers if pair[0] == "set-cookie")]
    parts = urlsplit(interaction.url)
    for name, value in fields:
        word = value.split(" ", 1)[-1] if "authorization" in name else value
        if _HEADER.search(name) and not _PLACEHOLDER.fullmatch(word):
            # What follows the first attribute of a cookie that is being set is no secret.
            yield Secrets({name: value.partition(";")[0] if name == "set-cookie" else value}, url="https://localhost")
    for name, value in parse_qsl(parts.query):
        if name.lower() in NEVER and not _PLACEHOLDER.fullmatch(value):
            yield Secrets({"x-goog-api-key": value}, url="https://localhost")
    if parts.password:
        yield Secrets({"x-goog-api-key": parts.password}, url="https://localhost")


def _search(interaction: Interaction, exchange: Exchange, secrets: list[Secrets], name: str) -> None:
    for where, searched in (
        ("request", searched_in_request(exchange.request)),
        ("response", searched_in_response(exchange)),
    ):
        try:
            found = holds_credential(searched, secrets)
        except TooMuchPacked as error:
            raise CredentialInCassette(f"{name}: {interaction.place}.{where} cannot be searched: {error}") from None
        if found:
            raise CredentialInCassette(
                f"{name}: {interaction.place}.{where}: a credential from the file's own headers or URLs is in what"
                " would be written, so nothing was; redact it there, or record the chat anew"
            )

"""Who may use which service, and where it is: a client's arguments and the environment, resolved.

The rules are the reference's (behaviour, section 2). The environment comes in as a mapping: ``client.py`` reads it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import CredentialError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import HttpOptions

__all__ = ["Access", "Arguments", "resolve"]

_GEMINI = "https://generativelanguage.googleapis.com/"


@attrs.frozen(kw_only=True)
class Access:
    """The service, and what opens it.

    ``default_project``: the project is to be found by google-auth. ``bare``: requests go to ``base_url`` as it is, a
    gateway of the program's own that needs no credential of ours.
    """

    vertex: bool
    base_url: str
    api_version: str
    api_key: str | None = attrs.field(default=None, repr=False)
    credentials: Any = attrs.field(default=None, repr=False)
    project: str | None = None
    location: str | None = None
    default_project: bool = False
    bare: bool = False


@attrs.frozen(kw_only=True)
class Arguments:
    """What ``Client`` was given."""

    vertexai: bool | None = None
    enterprise: bool | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    credentials: Any = attrs.field(default=None, repr=False)
    project: str | None = None
    location: str | None = None


def resolve(
    given: Arguments, options: HttpOptions, environment: Mapping[str, str], *, needs_credential: bool
) -> Access:
    """The access that the arguments and the environment add up to. Raises ValidationError, CredentialError."""
    if given.credentials is not None and given.api_key:
        raise ValidationError("credentials and api_key exclude each other")
    if _is_vertex(given, environment):
        return _vertex(given, options, environment, needs_credential=needs_credential)
    if given.project or given.location:
        raise ValidationError("project and location belong to Vertex AI: Client(vertexai=True, ...)")
    key = _key(given.api_key) or _environment_key(environment)
    if key is None and needs_credential:
        raise CredentialError(
            "no API key: hand over Client(api_key=...), or set GOOGLE_API_KEY or GEMINI_API_KEY in the environment"
        )
    return Access(
        vertex=False,
        base_url=options.base_url or environment.get("GOOGLE_GEMINI_BASE_URL") or _GEMINI,
        api_version=_version(options, environment, usual="v1", beta="v1beta"),
        api_key=key,
    )


def _is_vertex(given: Arguments, environment: Mapping[str, str]) -> bool:
    if given.enterprise is not None and given.vertexai is not None and given.enterprise != given.vertexai:
        raise ValidationError("enterprise and vertexai are two names of one option, and contradict each other")
    chosen = given.enterprise if given.enterprise is not None else given.vertexai
    if chosen is not None:
        return chosen
    said = [
        environment[name].lower() in ("true", "1")
        for name in ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
        if environment.get(name)
    ]
    if len(set(said)) > 1:
        warnings.warn(
            "GOOGLE_GENAI_USE_ENTERPRISE and GOOGLE_GENAI_USE_VERTEXAI contradict each other; the first one holds",
            UserWarning,
            stacklevel=5,
        )
    return bool(said) and said[0]


def _key(text: str | None) -> str | None:
    return (text or "").strip() or None


def _environment_key(environment: Mapping[str, str]) -> str | None:
    return _key(environment.get("GOOGLE_API_KEY")) or _key(environment.get("GEMINI_API_KEY"))


def _version(options: HttpOptions, environment: Mapping[str, str], *, usual: str, beta: str) -> str:
    if options.api_version is not None:
        return options.api_version
    if options.base_url_resource_scope is not None:
        return ""
    wanted = environment.get("GOOGLE_GENAI_API_VERSION") or usual
    return beta if wanted == "beta" else wanted


def _vertex(
    given: Arguments, options: HttpOptions, environment: Mapping[str, str], *, needs_credential: bool
) -> Access:
    custom = options.base_url or environment.get("GOOGLE_VERTEX_BASE_URL")
    foreign = custom is not None and not custom.rstrip("/").endswith(".googleapis.com")
    named = bool(given.project or given.location)
    key, project, location = _precedence(given, environment)
    if location is None and key is None and not foreign:
        location = "global"
    if foreign and not (given.project and given.location) and not given.api_key:
        # A gateway that knows the project, and lets its own callers in.
        return _made(given, options, environment, str(custom), key=None, project=None, location=None, bare=True)
    wants_project = project is None and key is None and needs_credential
    if project is None and key is None and not needs_credential:
        project = "offline"
    from ..wire.vertex import vertex_base_url

    base_url = custom or vertex_base_url(location, has_key=key is not None)
    if key is not None and not named and (project is None or location is None):
        project = location = None  # express mode
    made = _made(given, options, environment, base_url, key=key, project=project, location=location, bare=False)
    return attrs.evolve(made, default_project=wants_project)


def _precedence(given: Arguments, environment: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """API key, project and location: what was given outweighs what the environment has of the other kind."""
    key = _key(given.api_key)
    found_key = _environment_key(environment)
    found_project = environment.get("GOOGLE_CLOUD_PROJECT") or None
    found_location = environment.get("GOOGLE_CLOUD_LOCATION") or None
    named = bool(given.project or given.location)
    if key is not None and not named:
        return key, None, None
    project = given.project or found_project
    location = given.location or found_location
    if key is None and given.credentials is None and not named and not (found_project or found_location):
        key = found_key
    return key, project, location


def _made(
    given: Arguments,
    options: HttpOptions,
    environment: Mapping[str, str],
    base_url: str,
    *,
    key: str | None,
    project: str | None,
    location: str | None,
    bare: bool,
) -> Access:
    from ..wire.vertex import VERTEX_API_VERSION

    return Access(
        vertex=True,
        base_url=base_url,
        api_version="" if bare else _version(options, environment, usual=VERTEX_API_VERSION, beta=VERTEX_API_VERSION),
        api_key=key,
        credentials=given.credentials,
        project=project,
        location=location,
        bare=bare,
    )

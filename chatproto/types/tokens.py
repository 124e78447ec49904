"""Counting tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._value import Setting, Value, field, value

if TYPE_CHECKING:
    from .generation import GenerationConfig
    from .http import HttpOptions, HttpResponse
    from .tools import Tool
    from .unions import ContentUnion

__all__ = ["CountTokensConfig", "CountTokensResponse"]


@value
class CountTokensConfig(Setting):
    """What is counted beside the contents, and how the call is made."""

    http_options: HttpOptions | None = field(default=None, local=True)
    #: Vertex AI only.
    system_instruction: ContentUnion | None = None
    #: Vertex AI only.
    tools: list[Tool] | None = None
    #: Vertex AI only.
    generation_config: GenerationConfig | None = None


@value
class CountTokensResponse(Value):
    """How many tokens there are."""

    sdk_http_response: HttpResponse | None = field(default=None, local=True)
    total_tokens: int | None = None
    cached_content_token_count: int | None = None

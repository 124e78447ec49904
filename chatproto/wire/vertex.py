"""Vertex AI's dialect: names, paths, and where each setting goes in a request.

The access token travels beside a request, as the Gemini API's key does: see ``transport.Secrets``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ValidationError
from ..types._dump import to_wire
from ..types._json import is_object
from .gemini import checked_model, place_settings, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import Content, CountTokensConfig, GenerateContentConfig

__all__ = ["VERTEX_API_VERSION", "VertexAi", "vertex_base_url"]

VERTEX_API_VERSION = "v1beta1"

#: What Vertex AI does not know: class to fields.
_GEMINI_ONLY: Mapping[str, frozenset[str]] = {
    "FunctionResponse": frozenset({"will_continue"}),
    "FunctionResponsePart": frozenset({"media_processing"}),
    "GenerateContentConfig": frozenset({"enable_enhanced_civic_answers", "store"}),
    "GenerationConfig": frozenset({"enable_enhanced_civic_answers"}),
    "McpServer": frozenset({"name", "streamable_http_transport"}),
    "Part": frozenset({"part_metadata", "tool_call", "tool_response"}),
    "ReplicatedVoiceConfig": frozenset({"consent_audio", "voice_consent_signature"}),
    "Tool": frozenset({"file_search"}),
    "ToolConfig": frozenset({"include_server_side_tool_invocations"}),
}
_PROBLEM = "only the Gemini API takes this, not Vertex AI"

#: Fields of image_config that the wire keeps under ``imageOutputOptions``.
_OUTPUT_OPTIONS: Mapping[str, str] = {
    "outputMimeType": "mimeType",
    "outputCompressionQuality": "compressionQuality",
}


def vertex_base_url(location: str | None, *, has_key: bool) -> str:
    """The server for ``location``. With an API key and without a location, as with ``global``, any region's."""
    if location == "global" or (location is None and has_key):
        return "https://aiplatform.googleapis.com/"
    if location is None:
        raise ValidationError("Vertex AI needs a location, for example 'us-central1' or 'global'")
    if not location.replace("-", "").isalnum() or not location.isascii():
        raise ValidationError(f"not the name of a location: {location!r}")
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com/"
    return f"https://{location}-aiplatform.googleapis.com/"


@attrs.frozen
class VertexAi:
    """Vertex AI, of a project and a location; of neither with an API key alone (express mode).

    ``in_project=False`` leaves both out of URLs, for a ``base_url`` that has them, and keeps them for names.
    """

    project: str | None = None
    location: str | None = None
    in_project: bool = True

    def __attrs_post_init__(self) -> None:
        if (self.project is None) != (self.location is None):
            raise ValidationError("Vertex AI needs both a project and a location, or an API key alone")

    def model_path(self, model: str) -> str:
        """``publishers/google/models/NAME`` under the project; ``a/b`` is the model ``b`` of the publisher ``a``."""
        model = checked_model(model)
        if model.startswith("projects/"):
            return model
        if not model.startswith(("models/", "publishers/")):
            publisher, slash, name = model.partition("/")
            model = f"publishers/{publisher}/models/{name}" if slash else f"publishers/google/models/{model}"
        return f"{self._place()}{model}" if self.in_project else model

    def _place(self) -> str:
        return "" if self.project is None else f"projects/{self.project}/locations/{self.location}/"

    def settings(self, config: GenerateContentConfig | None) -> dict[str, Any]:
        """Each field of ``config`` where the API expects it; always with ``generationConfig``, if an empty one."""
        if config is None:
            return {}
        refuse(config, _GEMINI_ONLY, _PROBLEM)
        return place_settings(config, self._written)

    def count_settings(self, config: CountTokensConfig | None) -> dict[str, Any]:
        """What is counted beside the contents."""
        if config is None:
            return {}
        refuse(config, _GEMINI_ONLY, _PROBLEM)
        settings: dict[str, Any] = to_wire(config)
        generation = settings.get("generationConfig")
        if is_object(generation) and "modelSelectionConfig" in generation:
            generation["modelConfig"] = generation.pop("modelSelectionConfig")
        return settings

    def check(self, content: Content) -> None:
        """Tool calls of the server's own, and notes on parts, are the Gemini API's."""
        refuse(content, _GEMINI_ONLY, _PROBLEM)

    def _written(self, name: str, item: Any) -> Any:
        if name == "cached_content" and isinstance(item, str):
            return self._cached_content(item)
        written = to_wire(item)
        if name == "image_config":
            moved = {new: written.pop(old) for old, new in _OUTPUT_OPTIONS.items() if old in written}
            if moved and written.setdefault("imageOutputOptions", moved) is not moved:
                raise ValidationError("says what its output_ fields say too", path="$.image_output_options")
        return written

    def _cached_content(self, name: str) -> str:
        if name.startswith("locations/") and self.project is not None:
            return f"projects/{self.project}/{name}"
        if name.startswith("cachedContents/"):
            return f"{self._place()}{name}"
        return name if "/" in name else f"{self._place()}cachedContents/{name}"

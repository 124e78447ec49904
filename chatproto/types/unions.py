"""What programs may hand over in place of a value.

For type checkers these are unions. At run time they are ``Any``: such a field keeps what it is given, and the sending
code turns it into values, because that may mean to call functions of the program or of an image library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = [
    "BlobImageUnion",
    "BlobImageUnionDict",
    "ContentListUnion",
    "ContentListUnionDict",
    "ContentUnion",
    "ContentUnionDict",
    "PartUnion",
    "PartUnionDict",
    "SchemaUnion",
    "SchemaUnionDict",
    "SpeechConfigUnion",
    "SpeechConfigUnionDict",
    "ToolListUnion",
    "ToolListUnionDict",
    "ToolUnion",
    "ToolUnionDict",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import GenericAlias, UnionType
    from typing import Protocol, TypeAlias

    from .content import Blob, Content, Part
    from .dicts import BlobDict, ContentDict, FileDict, PartDict, SchemaDict, SpeechConfigDict, ToolDict
    from .files import File
    from .schema import Schema
    from .speech import SpeechConfig
    from .tools import Tool

    class PillowImage(Protocol):
        """What chatproto uses of a ``PIL.Image.Image``."""

        @property
        def format(self) -> str | None: ...
        @property
        def mode(self) -> str: ...
        def save(self, fp: Any, format: str | None = None, **params: Any) -> None: ...  # noqa: A002

    class McpTool(Protocol):
        """What chatproto uses of an ``mcp.types.Tool``."""

        name: str
        description: str | None
        inputSchema: dict[str, Any]  # noqa: N815

    class McpSession(Protocol):
        """What chatproto uses of an ``mcp.ClientSession``."""

        @property
        def list_tools(self) -> Callable[..., Any]: ...
        @property
        def call_tool(self) -> Callable[..., Any]: ...

    PartUnion: TypeAlias = str | PillowImage | File | Part
    PartUnionDict: TypeAlias = PartUnion | FileDict | PartDict
    ContentUnion: TypeAlias = Content | PartUnion | Sequence[PartUnion]
    ContentUnionDict: TypeAlias = Content | ContentDict | PartUnionDict | Sequence[PartUnionDict]
    ContentListUnion: TypeAlias = ContentUnion | Sequence[ContentUnion]
    ContentListUnionDict: TypeAlias = ContentUnionDict | Sequence[ContentUnionDict]
    BlobImageUnion: TypeAlias = PillowImage | Blob
    BlobImageUnionDict: TypeAlias = BlobImageUnion | BlobDict
    SchemaUnion: TypeAlias = dict[Any, Any] | type | Schema | GenericAlias | UnionType
    SchemaUnionDict: TypeAlias = SchemaUnion | SchemaDict
    ToolUnion: TypeAlias = Tool | Callable[..., Any] | McpTool | McpSession
    ToolUnionDict: TypeAlias = ToolUnion | ToolDict
    ToolListUnion: TypeAlias = list[ToolUnion]
    ToolListUnionDict: TypeAlias = list[ToolUnionDict]
    SpeechConfigUnion: TypeAlias = str | SpeechConfig
    SpeechConfigUnionDict: TypeAlias = SpeechConfigUnion | SpeechConfigDict
else:
    PartUnion = PartUnionDict = ContentUnion = ContentUnionDict = ContentListUnion = ContentListUnionDict = Any
    BlobImageUnion = BlobImageUnionDict = SchemaUnion = SchemaUnionDict = Any
    SpeechConfigUnion = SpeechConfigUnionDict = ToolUnion = ToolUnionDict = Any
    ToolListUnion = ToolListUnionDict = list[Any]

"""The twins that are dicts, and whether google-genai has a name, a field or a member that we lack."""

from __future__ import annotations

import enum
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

from chatproto import types
from chatproto.convert.config import read_config
from chatproto.convert.messages import to_message
from chatproto.types import dicts
from chatproto.types._value import Value, fields_of, keys_of

CLASSES = [
    name
    for name in types.__all__
    if isinstance(found := getattr(types, name), type)
    and issubclass(found, Value)
    and name not in ("ModelContent", "UserContent")
]
#: The same without types, for names that are looked up.
LOOSE: Any = types


def test_the_file_is_what_the_values_give() -> None:
    """dicts.py and the names in the namespace are as make_dicts prints them: a new field is in its twin too."""
    from make_dicts import names, text

    folder = Path(types.__file__).parent
    assert (folder / "dicts.py").read_text("utf-8") == text()
    assert names() in (folder / "__init__.py").read_text("utf-8")


@pytest.mark.parametrize("name", CLASSES)
def test_each_value_has_its_twin(name: str) -> None:
    """XDict has X's fields, whose types can be found, and XOrDict is X or XDict."""
    cls, twin = getattr(types, name), getattr(LOOSE, f"{name}Dict")
    assert typing.is_typeddict(twin)
    assert twin.__total__ is False
    hints = typing.get_type_hints(twin)
    assert len(hints) == len(fields_of(cls))
    assert set(hints) <= set(keys_of(cls))
    assert set(typing.get_args(getattr(LOOSE, f"{name}OrDict"))) == {cls, twin}


def test_they_load_on_first_use() -> None:
    """Neither the package nor a value loads the twins; a name that is none does not exist."""
    program = (
        "import sys\nfrom chatproto import types\ntypes.Part('x'), types.GenerateContentConfig()\n"
        "print('chatproto.types.dicts' in sys.modules)\n"
        "types.PartDict(text='x')\n"
        "print('chatproto.types.dicts' in sys.modules, types.PartOrDict is types.PartOrDict)\n"
        "print(hasattr(types, 'PratDict'), hasattr(types, 'TypedDict'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["False", "True", "True", "False", "False"], "")


def test_programs_can_be_written_with_them() -> None:
    """Type checkers take literals for them, with values inside, and strings for enums; the converters take them."""
    part: types.PartDict = {"text": "x", "thought": False, "media_resolution": types.PartMediaResolution()}
    config: types.GenerateContentConfigDict = {
        "temperature": 0.5,
        "thinking_config": {"thinking_level": "LOW"},
        "safety_settings": [types.SafetySetting(), {"category": types.HarmCategory.HARM_CATEGORY_HARASSMENT}],
        "tools": [{"google_search": {}}, types.Tool()],
        "response_schema": {"type": "STRING"},
        "system_instruction": [part, "y"],
        "response_modalities": ["TEXT"],
    }
    either: list[types.ContentOrDict] = [{"role": "user", "parts": [part]}, types.Content()]
    made = read_config(config).values
    assert made.thinking_config == types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    assert to_message(part).parts == [types.Part(text="x", thought=False, media_resolution=types.PartMediaResolution())]
    assert len(either) == 2


# --- google-genai ---------------------------------------------------------------------------------------------------

#: What a program hands to chats, files and count_tokens, and what it gets back.
ROOTS = """
    GenerateContentConfig GenerateContentResponse Content File UploadFileConfig GetFileConfig DeleteFileConfig
    ListFilesConfig DownloadFileConfig ListFilesResponse DeleteFileResponse CountTokensConfig CountTokensResponse
    GenerationConfig Image HttpOptions FunctionDeclaration CreateFileConfig CreateFileResponse
"""


def _closure(reference: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Models and enums of google-genai that can be reached from ROOTS."""
    import pydantic

    models: dict[str, Any] = {}
    enums: dict[str, Any] = {}

    def visit(kind: Any) -> None:
        for argument in typing.get_args(kind):
            visit(argument)
        if not isinstance(kind, type) or typing.get_origin(kind) is not None or kind.__module__ != reference.__name__:
            return
        if issubclass(kind, enum.Enum):
            enums[kind.__name__] = kind
        elif issubclass(kind, pydantic.BaseModel) and kind.__name__ not in models:
            models[kind.__name__] = kind
            for field in kind.model_fields.values():
                visit(field.annotation)

    for root in ROOTS.split():
        visit(getattr(reference, root))
    return models, enums


def test_we_lack_nothing_that_google_genai_has() -> None:
    """Every model, field, enum and member in the closure, every twin and its keys, and every union."""
    from reference_wire import reference_types as reference

    models, enums = _closure(reference)
    assert len(models) >= 150
    assert len(enums) >= 43
    lacking = [name for name in {**models, **enums} if not hasattr(types, name)]
    for name, model in models.items():
        ours = getattr(LOOSE, name)
        lacking += [f"{name}.{field}" for field in model.model_fields if field not in keys_of(ours)]
        twin = getattr(LOOSE, f"{name}Dict")
        theirs = getattr(reference, f"{name}Dict")
        lacking += [f"{name}Dict.{key}" for key in theirs.__annotations__ if key not in twin.__annotations__]
        assert hasattr(reference, f"{name}OrDict") == hasattr(LOOSE, f"{name}OrDict")
    for name, members in enums.items():
        ours = getattr(LOOSE, name)
        lacking += [f"{name}.{each.name}" for each in members if each.name not in ours.__members__]
        lacking += [f"{name}.{each.name} = {each.value}" for each in members if ours[each.name].value != each.value]
    unions = [
        name
        for name in dir(reference)
        if re.fullmatch(r"(Part|Content|ContentList|Schema|Tool|ToolList|SpeechConfig|BlobImage)Union(Dict)?", name)
    ]
    assert len(unions) >= 14
    lacking += [name for name in unions if not hasattr(types, name)]
    assert lacking == []


def test_nothing_of_ours_has_another_name() -> None:
    """Each of our twins is one of google-genai's, so that annotations can be moved both ways."""
    from reference_wire import reference_types as reference

    ours = {name for name in vars(dicts) if name.endswith("Dict") and name != "TypedDict"}
    assert {name for name in ours if not hasattr(reference, name)} == set()

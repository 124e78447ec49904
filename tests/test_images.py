"""Pictures of Pillow's, types.Image and bytes in messages (reference behaviour, 8 and 9.8)."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import chatproto
from chatproto import types
from chatproto.convert.messages import to_contents, to_message, to_part, to_system_instruction
from chatproto.errors import ValidationError
from chatproto.testing import ScriptedTransport

LOOSE: Any = types


def picture(mode: str = "RGB", size: tuple[int, int] = (5, 4)) -> Image.Image:
    """A picture that was made, not read."""
    return Image.new(mode, size)


def colourful() -> Image.Image:
    """One whose JPEG depends on the quality."""
    made = Image.new("RGB", (32, 32))
    made.putdata([(x * 8, y * 8, (x * y) % 256) for y in range(32) for x in range(32)])
    return made


def read_from_memory(kind: str, source: Image.Image | None = None, **options: Any) -> Image.Image:
    """A picture read from the bytes of a file of that kind."""
    buffer = io.BytesIO()
    (source or colourful()).save(buffer, kind, **options)
    return Image.open(io.BytesIO(buffer.getvalue()))


def blob_of(part: types.Part) -> types.Blob:
    """The inline data of a part, which is there."""
    assert part.inline_data is not None
    return part.inline_data


def pixels(blob: types.Blob) -> Image.Image:
    """The picture that a blob holds."""
    assert blob.data is not None
    made = Image.open(io.BytesIO(blob.data))
    made.load()
    return made


def as_parts(given: Any) -> list[types.Part]:
    """``given`` by each way that a picture can be handed over."""
    return [
        to_part(given),
        *(to_message([given]).parts or ()),
        *(to_message(given).parts or ()),
        *(to_contents(given)[0].parts or ()),
        *(to_system_instruction(given).parts or ()),
        types.Part(given),
        LOOSE.Part(inline_data=given),
        LOOSE.Part(inlineData=given),
        *(types.UserContent(given).parts or ()),
        *(types.UserContent([given]).parts or ()),
        to_part({"inline_data": given}),
        *(to_contents({"role": "user", "parts": [{"inlineData": given}]})[0].parts or ()),
    ]


def test_every_way_gives_the_same_blob() -> None:
    """In messages, contents, lists, instructions, and as a Part: google-genai's Part(image) goes other ways (W39)."""
    blobs = [blob_of(part) for part in as_parts(picture())]
    assert {blob.mime_type for blob in blobs} == {"image/png"}
    assert len({bytes(blob.data or b"") for blob in blobs}) == 1
    part = types.Part()
    setattr(part, "inline_data", picture())  # noqa: B010  (a type checker would refuse it)
    assert blob_of(part) == blobs[0]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_stays_one(mode: str, tmp_path: Path) -> None:
    """With its own quality, whether it was read from a file or from memory."""
    source = colourful().convert(mode)
    path = tmp_path / "x.jpg"
    source.save(path, quality=35)
    with Image.open(path) as opened:
        blob = to_part(opened).inline_data
    memory = to_part(read_from_memory("JPEG", source, quality=35)).inline_data
    assert blob is not None
    assert blob == memory
    assert blob.mime_type == "image/jpeg"
    assert blob.data == path.read_bytes()  # Pillow wrote it, so "keep" gives the same bytes


def test_a_cmyk_jpeg_stays_one() -> None:
    """JPEG holds more modes than PNG."""
    made = read_from_memory("JPEG", picture("CMYK"))
    blob = blob_of(to_part(made))
    assert (blob.mime_type, pixels(blob).mode) == ("image/jpeg", "CMYK")


def test_the_jpeg_of_a_phone_stays_one() -> None:
    """MPO is several JPEGs in a file; the first is sent, with its own tables."""
    made = read_from_memory("MPO", colourful(), save_all=True, append_images=[colourful()], quality=40)
    assert made.format == "MPO"
    blob = blob_of(to_part(made))
    assert blob.mime_type == "image/jpeg"
    assert pixels(blob).format == "JPEG"
    assert getattr(pixels(blob), "quantization") == getattr(made, "quantization")  # noqa: B009


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_all_else_becomes_png(kind: str) -> None:
    """A lossless picture stays lossless, whatever it was read from."""
    made = read_from_memory(kind, picture(), **({"lossless": True} if kind == "WEBP" else {}))
    blob = blob_of(to_part(made))
    assert blob.mime_type == "image/png"
    assert pixels(blob).convert("RGB").tobytes() == made.convert("RGB").tobytes()


def test_what_was_made_of_a_jpeg_is_no_jpeg() -> None:
    """A picture that was resized has pixels of its own."""
    assert blob_of(to_part(read_from_memory("JPEG").resize((3, 3)))).mime_type == "image/png"


MODES = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "La", "I;16"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_can_be_sent(mode: str) -> None:
    """Modes that PNG cannot hold are converted, where google-genai raises OSError; the picture is not changed."""
    made = picture(mode)
    blob = blob_of(to_part(made))
    assert blob.mime_type == "image/png"
    sent = pixels(blob)
    assert sent.size == (5, 4)
    if mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        assert sent.mode in ("RGBA", "LA")  # what is transparent stays so
    assert made.mode == mode


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_the_frame_that_it_stands_at(kind: str) -> None:
    """The first, unless the program went to another; one frame, never an animation."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    made = read_from_memory(kind, frames[0], save_all=True, append_images=frames[1:], duration=100)
    for number, colour in enumerate(((255, 0, 0), (0, 0, 255))):
        made.seek(number)
        sent = pixels(blob_of(to_part(made)))
        assert getattr(sent, "n_frames", 1) == 1
        found = sent.convert("RGB").getpixel((1, 1))
        assert isinstance(found, tuple)
        assert all(abs(one - other) < 8 for one, other in zip(found, colour, strict=True))


def test_a_picture_that_cannot_be_read_is_a_validation_error() -> None:
    """Whatever the image library raises, the error says where in the message it was."""
    buffer = io.BytesIO()
    colourful().save(buffer, "PNG")
    cut = Image.open(io.BytesIO(buffer.getvalue()[:60]))
    with pytest.raises(ValidationError, match=r"^\$\[1\]: the image cannot be encoded: "):
        to_message(["What is this?", cut])


def test_subclasses_of_pillows_class_are_pictures() -> None:
    """Told by the names in the method resolution order; a class of the program's that is called Image is none."""

    class Mine(Image.Image):
        """A program's own."""

    mine = Mine()
    mine.__dict__.update(picture().__dict__)
    assert blob_of(to_part(mine)).mime_type == "image/png"
    with pytest.raises(ValidationError, match="got Image"):
        to_part(type("Image", (), {})())


def test_a_list_of_everything() -> None:
    """Text, parts, files, pictures, images, blobs and dicts stand side by side, in their order."""
    given = [
        "text",
        picture(),
        types.Part(text="part"),
        types.File(uri="https://x/files/1", mime_type="text/plain"),
        types.Image(image_bytes=b"i", mime_type="image/png"),
        types.Image(gcs_uri="gs://b/i.webp"),
        types.Image(gcs_uri="gs://b/i", mime_type="image/png"),
        types.Blob(data=b"b", mime_type="audio/wav"),
        types.FileData(file_uri="gs://b/f", mime_type="text/plain"),
        {"data": b"d", "mime_type": "image/png"},
        {"file_uri": "gs://b/f", "mime_type": "text/plain"},
        {"uri": "https://x/files/2", "mime_type": "text/plain"},
        {"image_bytes": b"i", "mime_type": "image/png"},
        {"text": "dict"},
    ]
    parts = to_message(given).parts or []
    assert [part.text or (part.inline_data or part.file_data or types.Blob()).mime_type for part in parts] == [
        *("text", "image/png", "part", "text/plain", "image/png", "image/webp", "image/png", "audio/wav"),
        *("text/plain", "image/png", "text/plain", "text/plain", "image/png", "dict"),
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (types.Image(), "without image_bytes and gcs_uri"),
        (types.Image(image_bytes=b"x"), "mime_type"),
        (types.Image(gcs_uri="gs://b/x"), "MIME type"),
        (b"bytes", "MIME type"),
        ({"uri": "u"}, "mime_type"),
    ],
)
def test_images_without_a_type(given: Any, problem: str) -> None:
    """What the server could not take is refused before it is sent."""
    with pytest.raises(ValidationError, match=problem):
        to_message(given)


def test_a_picture_in_a_chat() -> None:
    """It is encoded when it is handed over: what happens to it later changes nothing, in this turn or in later ones."""
    transport = ScriptedTransport("a", "b")
    chat = chatproto.Client(transport=transport).chats.create(model="m")
    made = picture()
    chat.send_message([made, "What is this?"])
    made.putpixel((0, 0), (255, 0, 0))
    chat.send_message("And now?")
    first, second = (request.json()["contents"][0]["parts"][0] for request in transport.requests)
    assert first == second
    assert first["inlineData"]["mimeType"] == "image/png"


def test_images_in_files(tmp_path: Path) -> None:
    """from_file, save and as_image, as google-genai has them."""
    path = tmp_path / "x.png"
    picture().save(path)
    image = types.Image.from_file(location=str(path))
    assert (image.image_bytes, image.mime_type) == (path.read_bytes(), "image/png")
    assert types.Image.from_file(location=path, mime_type="image/x").mime_type == "image/x"
    image.save(tmp_path / "y.png")
    assert (tmp_path / "y.png").read_bytes() == path.read_bytes()
    assert types.Image.from_file(location="gs://b/x.png") == types.Image(gcs_uri="gs://b/x.png")
    url = "https://storage.googleapis.com/b/a%20b.png"
    assert types.Image.from_file(location=url) == types.Image(gcs_uri="gs://b/a b.png")
    assert types.Part(picture()).as_image() == image
    with pytest.raises(ValidationError, match="image_bytes"):
        types.Image(gcs_uri="gs://b/x").save(str(path))
    with pytest.raises(FileNotFoundError):
        types.Image.from_file(location=str(tmp_path / "none.png"))


def test_showing_opens_a_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show hands the picture to Pillow."""
    shown: list[tuple[int, int]] = []
    monkeypatch.setattr(Image.Image, "show", lambda self: shown.append(self.size))
    shot = types.Part(picture()).as_image()
    assert shot is not None
    shot.show()
    assert shown == [(5, 4)]


def test_pillow_is_imported_only_when_a_picture_is_met() -> None:
    """Messages without pictures do not load it, nor does making an Image from bytes."""
    code = (
        "import sys\n"
        "from chatproto import types\n"
        "from chatproto.convert.messages import to_message\n"
        "to_message(['a', types.Image(image_bytes=b'x', mime_type='image/png'), {'text': 'x'}])\n"
        "print(any(name.split('.')[0] == 'PIL' for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def test_the_pure_rooms_have_one_door() -> None:
    """Of types, wire and machines only ``_conveniences`` finds a module by name, apart from types' own loading."""
    root = Path(chatproto.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for room in ("types", "wire", "machines")
        for path in (root / room).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func)
    }
    assert found <= {"types/__init__.py", "types/_conveniences.py", "types/_dump.py"}


def test_jpegs_from_files_are_sent_as_google_genai_sends_them(tmp_path: Path) -> None:
    """The same bytes for a JPEG in a file and for a picture that was made."""
    from reference_wire import Reference

    path = tmp_path / "x.jpg"
    colourful().save(path, quality=50)
    with Image.open(path) as opened:
        for given in (opened, picture(), picture("RGBA")):
            theirs = Reference().body(contents=[given])["contents"][0]["parts"][0]["inlineData"]
            ours = blob_of(to_part(given)).model_dump(mode="json", by_alias=True, exclude_none=True)
            assert ours == theirs

"""Start images: what is refused by its headers, and what becomes of the others."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.Image import Image as Picture

from actionreel import image, reference_images
from actionreel.errors import InvalidActionError
from actionreel.image import image_size
from actionreel.orders import Image
from actionreel.reference_images import MAX_BYTES, MAX_PIXELS, MIN_SIDE, check, scaled
from tests.fakes import cases, steady

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
SIZES = ["1280x720", "720x1280", "1920x1080", "1024x1024"]


def picture(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Picture:
    """Red at the top left, green at the top right, blue below."""
    width, height = size
    made = PIL.Image.new("RGB", size, BLUE)
    made.paste(RED, (0, 0, width // 2, height // 2))
    made.paste(GREEN, (width // 2, 0, width, height // 2))
    return made.convert(mode)


def saved(made: Picture, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    made.save(content, kind, **options)
    return content.getvalue()


def opened(content: bytes) -> Picture:
    shown = PIL.Image.open(io.BytesIO(content))
    shown.load()
    return shown


def near(color: Any, expected: tuple[int, int, int], within: int = 12) -> bool:
    """Whether they are the same, but for what a JPEG loses."""
    return (
        len(color) == 3 and max(abs(a - b) for a, b in zip(color, expected, strict=True)) < within
    )


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    check_sum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check_sum)


def png(width: int, height: int, *chunks: bytes, rows: int | None = None) -> bytes:
    """A grey PNG that says it is so large, and holds so many rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes((1 + width) * (height if rows is None else rows)))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp(kind: bytes, content: bytes, rest: bytes = b"") -> bytes:
    """A WebP of that chunk, and others."""
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content + rest
    return b"RIFF" + struct.pack("<I", len(body)) + body


def refusal(content: bytes, size: str | None = None) -> str:
    with pytest.raises(InvalidActionError) as refused:
        given = check(content)
        if size is not None:
            scaled(given, size)
    message = str(refused.value)
    assert "input_reference_url" in message
    assert message.endswith(".")
    return message


ANIMATION = {"save_all": True, "append_images": [PIL.Image.new("RGB", (96, 64), WHITE)]}
IMAGES = {
    "jpeg": saved(picture(), "JPEG", quality=95),
    "progressive jpeg": saved(picture(), "JPEG", progressive=True),
    "grey jpeg": saved(picture(mode="L"), "JPEG"),
    "cmyk jpeg": saved(picture(mode="CMYK"), "JPEG"),
    "jpeg of two": saved(picture(), "MPO", save_all=True, append_images=[picture((32, 32))]),
    "png": saved(picture(), "PNG"),
    "palette png": saved(picture().quantize(8), "PNG"),
    "black and white png": saved(picture(mode="1"), "PNG"),
    "16 bit png": saved(PIL.Image.new("I;16", (96, 64), 40_000), "PNG"),
    "animated png": saved(picture(), "PNG", **ANIMATION),
    "webp": saved(picture(), "WEBP"),
    "lossless webp": saved(picture(), "WEBP", lossless=True),
    "webp with alpha": saved(picture(mode="RGBA"), "WEBP", exact=True),
    "animated webp": saved(picture(), "WEBP", **ANIMATION),
}


# What they are


@pytest.mark.parametrize("content", cases(IMAGES))
def test_an_image_is_known_by_its_headers(content: bytes) -> None:
    found = check(content)
    assert (found.width, found.height) == (96, 64)
    assert found.content is content
    decoder = opened(content).format
    assert found.media_type == f"image/{'jpeg' if decoder == 'MPO' else str(decoder).lower()}"


SIDES = st.integers(1, 300)


@steady
@given(SIDES, SIDES, st.sampled_from(["JPEG", "PNG", "WEBP", "LOSSLESS", "ALPHA"]), SIDES)
def test_headers_are_read_as_the_decoder_reads_them(
    width: int, height: int, kind: str, orientation: int
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation % 10
    made = PIL.Image.new("RGBA" if kind == "ALPHA" else "RGB", (width, height))
    name = kind if kind in ("JPEG", "PNG") else "WEBP"
    content = saved(made, name, exif=exif, lossless=kind == "LOSSLESS")
    shown = (height, width) if 5 <= orientation % 10 <= 8 else (width, height)
    assert image_size(content) == shown


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_in_either_byte_order(order: str) -> None:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    other = struct.pack(f"{order}HHII", 0x0100, 4, 1, 5)
    turned = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = mark + struct.pack(f"{order}IH", 8, 2) + other + turned + bytes(4)
    for exif in (tiff, b"Exif\0\0" + tiff):
        assert image_size(saved(picture(), "JPEG", exif=b"Exif\0\0" + tiff)) == (64, 96)
        assert image_size(saved(picture(), "WEBP", exif=exif)) == (64, 96)
    assert image_size(png(96, 64, chunk(b"eXIf", tiff))) == (64, 96)


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"??" * 9],
)
def test_exif_that_says_nothing(exif: bytes) -> None:
    assert image_size(png(96, 64, chunk(b"eXIf", exif))) == (96, 64)
    assert image_size(saved(picture(), "JPEG", exif=b"Exif\0\0" + exif)) == (96, 64)


@pytest.mark.parametrize(
    "content",
    cases(
        {
            "nothing": b"",
            "gif": saved(picture(), "GIF"),
            "bmp": saved(picture(), "BMP"),
            "tiff": saved(picture(), "TIFF"),
            "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64"/>',
            "html": b"<!doctype html><title>Not found</title>",
            "pdf": b"%PDF-1.7\n",
            "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 64\n",
            "an image further on": b"<html>" + IMAGES["png"],
            "wave": b"RIFF\x24\0\0\0WAVEfmt ",
        }
    ),
)
def test_other_files(content: bytes) -> None:
    assert "PNG, JPEG or WebP" in refusal(content)


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "png", "webp", "lossless webp"])
def test_a_file_that_ends_early(kind: str) -> None:
    """Wherever it is cut, and whoever notices: the headers, or else the decoder."""
    content = IMAGES[kind]
    for end in range(len(content) - (2 if kind.endswith("jpeg") else 12)):
        refusal(content[:end], "64x64")


def test_a_file_that_ends_early_by_its_headers() -> None:
    """Those of a JPEG do not tell where it ends."""
    for name, content in IMAGES.items():
        assert image_size(content[:24]) is None
        if "jpeg" not in name:
            assert image_size(content[:-13]) is None


@pytest.mark.parametrize(
    "content",
    cases(
        {
            "png without a header": b"\x89PNG\r\n\x1a\n" + chunk(b"IEND"),
            "png of no height": png(96, 0),
            "png without an end": png(96, 64)[:-12],
            "jpeg without a size": b"\xff\xd8\xff\xda\0\2\xff\xd9",
            "jpeg of no width": b"\xff\xd8\xff\xc0\0\x08\x08\0\x40\0\0\0\xff\xda\0\2\xff\xd9",
            "jpeg that goes nowhere": b"\xff\xd8\xff" + bytes(2_000_000),
            "webp of nothing": webp(b"VP8?", bytes(40)),
            "webp without its start code": webp(b"VP8 ", bytes(40)),
            "webp without its signature": webp(b"VP8L", bytes(40)),
        }
    ),
)
def test_headers_that_tell_no_size(content: bytes) -> None:
    assert "damaged" in refusal(content)


@pytest.mark.parametrize(
    "content",
    cases(
        {
            "png": png(96, 64, chunk(b"tEXt") * image.MAX_PARTS),
            "jpeg": IMAGES["jpeg"][:2] + b"\xff\xfe\0\2" * image.MAX_PARTS + IMAGES["jpeg"][2:],
            "fill bytes": b"\xff\xd8" + b"\xff" * 1_000_000 + IMAGES["jpeg"][3:],
            "webp": webp(b"VP8L", b"\x2f" + bytes(9), b"JUNK\0\0\0\0" * image.MAX_PARTS),
        }
    ),
)
def test_more_parts_than_any_camera_writes(content: bytes) -> None:
    assert "damaged" in refusal(content)


def test_more_scans_than_any_camera_writes() -> None:
    """Each costs the decoder a look at every pixel, and the sender some bytes."""
    content = IMAGES["progressive jpeg"]
    last = content[content.rindex(b"\xff\xda") : -2]
    many = content[:-2] + last * image.MAX_SCANS + b"\xff\xd9"
    assert opened(many).size == (96, 64)
    assert "damaged" in refusal(many)


def test_a_jpeg_may_have_fill_bytes() -> None:
    content = IMAGES["jpeg"]
    assert check(content[:2] + b"\xff\xff\xff" + content[2:]).width == 96


# How large they are


def test_bytes() -> None:
    padded = IMAGES["png"] + bytes(MAX_BYTES - len(IMAGES["png"]))
    assert check(padded).width == 96
    assert "larger than 20 MB" in refusal(padded + b"\0")


def test_few_pixels() -> None:
    assert check(png(MIN_SIDE, MIN_SIDE)).height == MIN_SIDE
    for size in ((MIN_SIDE - 1, 500), (500, MIN_SIDE - 1), (1, 1)):
        assert f"{size[0]} x {size[1]} pixels" in refusal(png(*size))


LARGE = {
    "png": lambda width, height: png(width, height, rows=1),
    "jpeg": lambda width, height: IMAGES["jpeg"].replace(
        struct.pack(">HH", 64, 96), struct.pack(">HH", height, width)
    ),
    "webp": lambda width, height: webp(
        b"VP8X", bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    ),
}


@pytest.mark.parametrize("large", cases(LARGE))
def test_many_pixels(large: Callable[[int, int], bytes]) -> None:
    assert check(large(5000, MAX_PIXELS // 5000)).width == 5000
    assert "5,000 x 5,001 pixels" in refusal(large(5000, MAX_PIXELS // 5000 + 1))
    assert "30,000 x 30,000 pixels" in refusal(large(30_000, 30_000))


def test_a_bomb_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever `check` overlooks, Pillow is told the same limit."""
    bomb = Image(png(30_000, 30_000, rows=1), "image/png", 30_000, 30_000)
    monkeypatch.setattr(PIL.Image.Image, "draft", None)  # what comes next, if it is opened
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(InvalidActionError):
        scaled(bomb, "1280x720")
    assert PIL.Image.MAX_IMAGE_PIXELS == MAX_PIXELS


@pytest.mark.parametrize("said", [(95, 64), (64, 64), (96, 65)])
def test_two_headers_that_contradict_each_other(said: tuple[int, int]) -> None:
    """A canvas of another size than its picture, and a header that Pillow reads differently."""
    with pytest.raises(InvalidActionError, match="damaged"):
        scaled(Image(IMAGES["png"], "image/png", *said), "64x64")
    lossless = IMAGES["lossless webp"][12:]
    canvas = bytes(4) + (said[0] - 1).to_bytes(3, "little") + (said[1] - 1).to_bytes(3, "little")
    refusal(webp(b"VP8X", canvas, lossless), "64x64")


@pytest.mark.parametrize("rows", [10, 90])
def test_a_header_that_lies_about_the_rows(rows: int) -> None:
    """What is missing is black, what is too much is not read."""
    assert len(scaled(check(png(96, 64, rows=rows)), "64x64").content) < 1000


# Scaling


@pytest.mark.parametrize("size", ["1280x720", "48x32", "17x600"])
@pytest.mark.parametrize("content", cases(IMAGES))
def test_the_result_is_a_jpeg_of_exactly_that_size(content: bytes, size: str) -> None:
    result = scaled(check(content), size)
    assert f"{result.width}x{result.height}" == size
    shown = opened(result.content)
    assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", (result.width, result.height))
    assert check(result.content) == result


@pytest.mark.parametrize(
    "kind",
    [
        "jpeg",
        "cmyk jpeg",
        "jpeg of two",
        "png",
        "palette png",
        "animated png",
        "webp",
        "lossless webp",
        "webp with alpha",
        "animated webp",
    ],
)
def test_the_colors_stay(kind: str) -> None:
    shown = opened(scaled(check(IMAGES[kind]), "192x128").content)
    for place, color in (((40, 30), RED), ((150, 30), GREEN), ((40, 100), BLUE)):
        assert near(shown.getpixel(place), color, within=30)


def test_sixteen_bits_of_grey_become_eight() -> None:
    grey = 40_000 // 256
    assert near(
        opened(scaled(check(IMAGES["16 bit png"]), "64x64").content).getpixel((9, 9)), (grey,) * 3
    )


STORED = {  # how a picture lies in its file, by its orientation
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_that_is_turned_by_its_exif(kind: str, orientation: int) -> None:
    """The corner that is shown at the top left is red, the one beside it green."""
    stored = picture()
    if orientation in STORED:
        stored = stored.transpose(STORED[orientation])
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    shown = opened(scaled(check(saved(stored, kind, exif=exif)), "96x64").content)
    for place, color in (((12, 12), RED), ((84, 12), GREEN), ((12, 52), BLUE), ((84, 52), BLUE)):
        assert near(shown.getpixel(place), color, within=40), orientation
    assert not shown.getexif()


def test_the_middle_is_kept() -> None:
    wide = PIL.Image.new("RGB", (300, 100), RED)
    wide.paste(GREEN, (100, 0, 200, 100))
    shown = opened(scaled(check(saved(wide, "PNG")), "64x64").content)
    assert all(near(shown.getpixel(place), GREEN) for place in ((3, 3), (60, 3), (3, 60), (60, 60)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = PIL.Image.new("RGBA", (64, 64), (*BLUE, 0))
    clear.paste((*RED, 255), (0, 0, 32, 64))
    made = clear.quantize(4) if mode in ("P", "PA") else clear.convert(mode)
    shown = opened(scaled(check(saved(made, "PNG")), "64x64").content)
    assert near(shown.getpixel((56, 32)), WHITE)
    assert not near(shown.getpixel((8, 32)), WHITE)


def test_nothing_else_of_the_file_goes_along() -> None:
    exif = PIL.Image.Exif()
    exif[0x010E] = "a secret"
    told = saved(picture(), "JPEG", exif=exif, comment=b"a secret", icc_profile=b"a secret")
    polyglot = told + b"PK\x03\x04 a secret"
    assert polyglot.count(b"secret") == 4
    assert b"secret" not in scaled(check(polyglot), "96x64").content


@pytest.mark.parametrize("damage", [b"\0", b"\xff", b"\xa5"])
@pytest.mark.parametrize("content", cases(IMAGES))
def test_damage_is_a_refusal_or_a_picture(content: bytes, damage: bytes) -> None:
    """Never another error, whatever the decoder thinks of it."""
    for place in range(12, len(content), 7):
        try:
            result = scaled(check(content[:place] + damage + content[place + 1 :]), "64x64")
        except InvalidActionError:
            continue
        assert opened(result.content).size == (64, 64)


def test_the_decoder_is_that_of_the_content() -> None:
    with pytest.raises(InvalidActionError, match="damaged"):
        scaled(Image(IMAGES["png"], "image/jpeg", 96, 64), "64x64")


# What it takes

PACKAGE = str(Path(reference_images.__file__).parents[1])
PEAK = """
import re, sys
from actionreel.reference_images import check, scaled
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
before = peak()
scaled(check(open(sys.argv[1], "rb").read()), "1280x720")
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="VmHWM is Linux's")
@pytest.mark.parametrize(("kind", "mb"), [("JPEG", 80), ("PNG", 300), ("WEBP", 450)])
def test_the_largest_image_fits_into_the_function(kind: str, mb: int, tmp_path: Path) -> None:
    """In MB, in a process of its own, with its import of Pillow."""
    file = tmp_path / "large"
    mode = "RGB" if kind == "JPEG" else "RGBA"
    made = PIL.Image.new(mode, (5000, MAX_PIXELS // 5000), (10, 200, 30, 128)[: len(mode)])
    options: dict[str, Any] = {"lossless": True, "method": 0} if kind == "WEBP" else {}
    file.write_bytes(saved(made, kind, **options))
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(file)],
        env={"PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < mb


def test_pillow_is_loaded_only_to_scale() -> None:
    code = "import sys, actionreel.providers.reference_fetch; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": PACKAGE}, check=True)

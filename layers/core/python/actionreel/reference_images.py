"""Start images that a provider is given as bytes: checked by their content, scaled where it must
be. Pure.

What comes here was fetched from a stranger's URL. Its headers are read first, by code that decodes
nothing; what is decoded then is of a known kind and a bounded number of pixels.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from actionreel.errors import InvalidActionError
from actionreel.image import image_kind, image_size
from actionreel.orders import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FIELD = "input_reference_url"
MAX_BYTES = 20 * 1024**2
MIN_SIDE = 16
# The photo of a good camera, or three times a frame of 4K. To decode a WebP takes 16 bytes a pixel,
# the most of all: this many are 400 MB.
MAX_PIXELS = 25_000_000

_JPEG_QUALITY = 95


def check(content: bytes) -> Image:
    """The image that these bytes are, by their headers; its pixels may still be damaged.

    Raises InvalidActionError for what is no PNG, JPEG or WebP, is cut off within its headers, or
    is too large or too small.
    """
    if len(content) > MAX_BYTES:
        raise too_large()
    kind = image_kind(content)
    if kind is None:
        raise InvalidActionError(f"{FIELD} does not lead to a PNG, JPEG or WebP image.")
    size = image_size(content)
    if size is None:
        raise _damaged()
    width, height = size
    if width * height > MAX_PIXELS:
        raise InvalidActionError(
            f"The image at {FIELD} has {width:,} x {height:,} pixels, and can have "
            f"{MAX_PIXELS // 1_000_000} million."
        )
    if min(size) < MIN_SIDE:
        raise InvalidActionError(
            f"The image at {FIELD} has {width:,} x {height:,} pixels; no side can have less than "
            f"{MIN_SIDE}."
        )
    return Image(content, kind.content_type, width, height)


def scaled(image: Image, size: str) -> Image:
    """A JPEG of exactly that WIDTHxHEIGHT: the middle of the image, upright, on white, and without
    what else its file held: where a photo was taken is nobody's business.

    Of an animation it is the first frame. Raises InvalidActionError if the image cannot be decoded.
    """
    import PIL.Image

    PIL.Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # a second lock: the headers were read by `check`
    width, height = _pixels(size)
    try:
        picture = _upright(image, (width, height))
        canvas = PIL.Image.new("RGB", (width, height), "white")
        canvas.paste(picture, (0, 0), picture if picture.mode == "RGBA" else None)
    except Exception:  # what a decoder makes of a stranger's bytes has no common class
        raise _damaged() from None
    content = BytesIO()
    canvas.save(content, "JPEG", quality=_JPEG_QUALITY)
    return Image(content.getvalue(), "image/jpeg", width, height)


def too_large() -> InvalidActionError:
    """What is raised for more bytes than are taken."""
    return InvalidActionError(f"The image at {FIELD} is larger than {MAX_BYTES // 1024**2} MB.")


def _damaged() -> InvalidActionError:
    return InvalidActionError(f"The image at {FIELD} is damaged, or not what an image should be.")


def _pixels(size: str) -> tuple[int, int]:
    width, height = size.split("x")
    return int(width), int(height)


def _upright(image: Image, size: tuple[int, int]) -> Picture:
    """The middle of the image in that size, as RGB or RGBA. Turned last: then it is small."""
    import PIL.Image
    import PIL.ImageOps
    import PIL.WebPImagePlugin  # otherwise `open` loads all of Pillow's formats to find this one
    from PIL.ExifTags import Base

    kind = image.media_type.removeprefix("image/").upper()  # no other decoder sees these bytes
    with PIL.Image.open(BytesIO(image.content), formats=[kind]) as picture:
        if sorted(picture.size) != sorted((image.width, image.height)):
            raise ValueError("its headers contradict each other")
        sideways = picture.getexif().get(Base.Orientation, 1) in (5, 6, 7, 8)
        target = size[::-1] if sideways else size
        picture.draft(None, target)  # a JPEG is decoded at half its size, if that will do
        small = PIL.ImageOps.fit(_in_color(picture), target, PIL.Image.Resampling.LANCZOS)
    return PIL.ImageOps.exif_transpose(small)


def _in_color(picture: Picture) -> Picture:
    """The same in RGB, or in RGBA if any of it is transparent."""
    if picture.mode == "I;16":  # 16 bits of grey, which Pillow would clip to 8
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # a copy is as large again

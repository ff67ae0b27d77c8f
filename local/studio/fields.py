"""What callers may send: the fields of a creation, the parameters of a list."""

from __future__ import annotations

import io
import re
from typing import Any

from local.studio.words import Document

Table = dict[str, tuple[str, str]]

SIDE = "(?:[1-9]|1[0-9])[0-9][02468]"  # 100 to 1998 pixels; H.264 wants even ones
# What each must look like, and what it is when it is not given.
CREATION: Table = {
    "prompt": (r"(?s).*\S.*", ""),
    "model": (r".+", "sora-2"),
    "seconds": (r"[1-9]|[1-5][0-9]|60", "4"),
    "size": (f"{SIDE}x{SIDE}", "720x1280"),
}
LIST: Table = {
    "limit": (r"[1-9][0-9]?|100", "20"),
    "order": (r"asc|desc", "desc"),
    "after": (r".*", ""),
}


class InvalidValueError(ValueError):
    """Something sent is not as it must be; its name is all that this says."""


def checked(table: Table, given: Document) -> Document:
    """The values of the names in `table`, as strings; others are ignored, as OpenAI does.

    Raises InvalidValueError.
    """
    values = {name: str(given.get(name, default)) for name, (_, default) in table.items()}
    for name, value in values.items():
        if not re.fullmatch(table[name][0], value):
            raise InvalidValueError(name)
    return values


def check_reference(reference: Any, size: str) -> None:
    """Checks the `input_reference` of a creation, if there is one: a JPEG, PNG or WebP file of just
    the `size` of the video, or a document with either an `image_url` or a `file_id`.

    Raises InvalidValueError. What is behind a URL or an id is not looked at.
    """
    match reference:
        case None:
            return
        case {"image_url": str()} | {"file_id": str()} if len(reference) == 1:
            return
        case bytes() if _size(reference) == size:
            return
    raise InvalidValueError("input_reference")


def _size(picture: bytes) -> str | None:
    """WIDTHxHEIGHT in pixels, None for what is not one of the three kinds of picture."""
    from PIL import Image  # not at the top: it would slow down every start

    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP")) as image:
            return f"{image.width}x{image.height}"
    except (OSError, Image.DecompressionBombError):
        return None

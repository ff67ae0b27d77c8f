"""What kind of image some bytes are and how large, by their content and not by what they are
called. Pure: headers are read, and nothing is decoded.

Sources: PNG (W3C), JPEG (ITU-T T.81, annex B), WebP (RFC 9649), EXIF (CIPA DC-008) in a TIFF 6.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

IMAGE_START_BYTES = 12

# More than any camera or program writes; decoders are busy for minutes with the parts and scans
# that 20 MB can hold.
MAX_PARTS = 10_000
MAX_SCANS = 64

_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_SOS, _APP1 = 0xFFDA, 0xFFE1
_SOF = {*range(0xFFC0, 0xFFD0)} - {0xFFC4, 0xFFC8, 0xFFCC}


@dataclass(frozen=True)
class ImageKind:
    """A format that browsers show."""

    extension: str
    content_type: str


def image_kind(start: bytes) -> ImageKind | None:
    """The kind of image that begins with these bytes, None if it is none. 12 bytes are enough."""
    if start.startswith(b"\xff\xd8\xff"):
        return ImageKind("jpg", "image/jpeg")
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageKind("png", "image/png")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return ImageKind("webp", "image/webp")
    return None


def image_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a whole image, as it is shown: upright, as its EXIF has it.

    None where its headers do not tell, end early, or are not what cameras and programs write.
    """
    kind = image_kind(content)
    if kind is None:
        return None
    read = {"jpg": _jpeg_size, "png": _png_size, "webp": _webp_size}[kind.extension]
    try:
        return read(content)
    except struct.error:  # the bytes end before the header does
        return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    if content.count(_SOS.to_bytes(2)) > MAX_SCANS:  # scanned data never holds a marker
        return None
    size, sideways, at = None, False, 2
    for _ in range(MAX_PARTS):
        marker, length = struct.unpack_from(">HH", content, at)
        if marker == _SOS:
            return _upright(size, sideways)
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = width, height
        elif marker == _APP1 and content.startswith(_EXIF, at + 4):
            sideways = _is_sideways(content[at + 4 : at + 2 + length])
        at += 1 if marker == 0xFFFF else 2 + length  # a marker may be preceded by bytes FF
    return None


def _png_size(content: bytes) -> tuple[int, int] | None:
    if content[8:16] != b"\0\0\0\rIHDR":
        return None
    size, sideways, at = struct.unpack_from(">II", content, 16), False, 8
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"IEND":
            return _upright(size, sideways)
        if kind == b"eXIf":
            sideways = _is_sideways(content[at + 8 : at + 8 + length])
        at += 12 + length
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind, (first, second) = content[12:16], struct.unpack_from("<HH", content, 26)
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        size = first & 0x3FFF, second & 0x3FFF
    elif kind == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8X":
        bits = int.from_bytes(content[24:30], "little")
        size = 1 + (bits & 0xFFFFFF), 1 + (bits >> 24)
    else:
        return None
    sideways, at, end = False, 12, 8 + int.from_bytes(content[4:8], "little")
    for _ in range(MAX_PARTS):
        if at >= end:
            return _upright(size, sideways) if end <= len(content) else None
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind == b"EXIF":
            sideways = _is_sideways(content[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return None


def _upright(size: tuple[int, ...] | None, sideways: bool) -> tuple[int, int] | None:
    if size is None or 0 in size:
        return None
    width, height = size
    return (height, width) if sideways else (width, height)


def _is_sideways(exif: bytes) -> bool:
    """Whether the image is shown turned by a quarter: the orientations 5 to 8."""
    tiff = exif.removeprefix(_EXIF)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return False
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return int(value) in range(5, 9)
    except struct.error:
        pass
    return False

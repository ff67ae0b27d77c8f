"""What kind of image some bytes are, by their content and not by what they are called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

IMAGE_START_BYTES = 12


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

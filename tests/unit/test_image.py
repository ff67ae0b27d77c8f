"""What an image is, by its first bytes."""

from __future__ import annotations

import pytest

from actionreel.image import ImageKind, image_kind

JPEG, PNG, WEBP = (
    ImageKind("jpg", "image/jpeg"),
    ImageKind("png", "image/png"),
    ImageKind("webp", "image/webp"),
)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", JPEG),
        (b"\xff\xd8\xff\xe1", JPEG),
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", PNG),
        (b"RIFF\x24\0\0\0WEBPVP8 ", WEBP),
        (b"RIFF\xff\xff\xff\xffWEBP", WEBP),
        (b"", None),
        (b"\xff\xd8", None),
        (b"\x89PNG\n\x1a\n\0\0\0\r\0", None),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"RIFFWEBP", None),
        (b"GIF89a\1\0\1\0\0\0", None),
        (b"<svg xmlns='http", None),
        (b"<!doctype html>", None),
        (b'{"error": "none"}', None),
    ],
)
def test_kind(start: bytes, kind: ImageKind | None) -> None:
    assert image_kind(start) == kind

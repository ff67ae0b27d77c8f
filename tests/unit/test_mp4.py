"""Whether a stream is a whole MP4, however its bytes arrive and wherever they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actionreel import mp4
from actionreel.errors import AssetError, AssetIncompleteError, AssetUnusableError
from actionreel.mp4 import whole_mp4
from tests.fakes import box, cases


def long_box(kind: bytes, content: bytes) -> bytes:
    """A box with its size in 8 bytes."""
    return b"\0\0\0\1" + kind + (16 + len(content)).to_bytes(8, "big") + content


def endless(kind: bytes, content: bytes) -> bytes:
    """A box that lasts to the end of the file."""
    return b"\0\0\0\0" + kind + content


FTYP = box(b"ftyp", b"isom")
MOOV = box(b"moov", b"12345")
WHOLE = {
    "faststart": FTYP + MOOV + box(b"mdat", b"123"),
    "moov at the end": FTYP + box(b"mdat", b"123") + MOOV,
    "empty boxes": box(b"ftyp") + box(b"moov") + box(b"mdat"),
    "64-bit sizes": FTYP + long_box(b"mdat", b"123") + long_box(b"moov", b""),
}
LONGER = {
    "more boxes": FTYP + box(b"free") + MOOV + box(b"mdat") + box(b"mdat", b"1") + box(b"uuid"),
    "to the end": FTYP + MOOV + endless(b"mdat", b"123 moov \0\0\0\2"),
}


@pytest.mark.parametrize("film", cases(WHOLE | LONGER))
def test_a_whole_film_passes_however_it_is_cut_into_chunks(film: bytes) -> None:
    for size in range(1, len(film) + 1):
        chunks = [film[at : at + size] for at in range(0, len(film), size)]
        assert list(whole_mp4(chunks)) == chunks
    for at in range(len(film) + 1):
        assert b"".join(whole_mp4([film[:at], b"", film[at:]])) == film


@pytest.mark.parametrize("film", cases(WHOLE))
def test_a_film_that_is_cut_anywhere_is_incomplete(film: bytes) -> None:
    for end in range(len(film)):
        with pytest.raises(AssetIncompleteError, match="ended before it was whole"):
            list(whole_mp4([film[:end]]))


def test_a_film_that_ends_within_the_header_of_a_further_box_is_incomplete() -> None:
    further = long_box(b"free", b"")
    for end in range(1, len(further)):
        with pytest.raises(AssetIncompleteError):
            list(whole_mp4([WHOLE["faststart"] + further[:end]]))


@pytest.mark.parametrize("missing", [b"moov", b"mdat"])
def test_without_its_index_or_its_pictures_it_is_incomplete(missing: bytes) -> None:
    film = WHOLE["faststart"].replace(missing, b"free")
    with pytest.raises(AssetIncompleteError):
        list(whole_mp4([film]))


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "a page": b"<!doctype html><title>502</title>",
            "JSON": b'{"error": {"message": "gone"}}',
            "a picture": b"\x89PNG\r\n\x1a\n" + bytes(20),
            "zeros": bytes(64),
            "another box first": MOOV + FTYP,
            "a size below its header": FTYP + (7).to_bytes(4, "big") + b"moov",
            "a 64-bit size below its header": FTYP + b"\0\0\0\1moov" + (15).to_bytes(8, "big"),
        }
    ),
)
def test_what_is_no_film_is_unusable(body: bytes) -> None:
    for chunks in ([body], [body[i : i + 1] for i in range(len(body))]):
        with pytest.raises(AssetUnusableError):
            list(whole_mp4(chunks))


@pytest.mark.parametrize("body", [b"", b"<html>"])
def test_next_to_nothing_is_refused(body: bytes) -> None:
    with pytest.raises(AssetError):
        list(whole_mp4([body]))
    with pytest.raises(AssetIncompleteError):
        list(whole_mp4([]))


def test_a_film_can_be_as_large_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mp4.MAX_BYTES == 2 * 1024**3
    film = WHOLE["faststart"]
    monkeypatch.setattr(mp4, "MAX_BYTES", len(film))
    assert list(whole_mp4([film])) == [film]
    monkeypatch.setattr(mp4, "MAX_BYTES", len(film) - 1)
    passed = []
    with pytest.raises(AssetUnusableError, match="larger than"):
        for chunk in whole_mp4([film[:-1], film[-1:]]):
            passed.append(chunk)
    assert passed == [film[:-1]]


def test_chunks_are_passed_on_as_they_come() -> None:
    def stream() -> Iterator[bytes]:
        yield FTYP
        raise ConnectionError

    film = whole_mp4(stream())
    assert next(film) == FTYP
    with pytest.raises(ConnectionError):
        next(film)


TINY_BOXES = """
import tracemalloc
from actionreel.errors import AssetIncompleteError
from actionreel.mp4 import whole_mp4

ftyp, tiny = b"\\0\\0\\0\\x0cftypisom", b"\\0\\0\\0\\x08free" * 10_000
tracemalloc.start()
try:
    for _ in whole_mp4([ftyp, *[tiny] * 30]):
        pass
except AssetIncompleteError:
    print(tracemalloc.get_traced_memory()[1])
"""


def test_300_000_tiny_boxes_take_no_memory() -> None:
    # In a process of its own: the memory that is traced is that of all threads.
    run = subprocess.run(
        [sys.executable, "-c", TINY_BOXES],
        env={"PYTHONPATH": str(Path(mp4.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < 500_000, "2.4 MB went by"

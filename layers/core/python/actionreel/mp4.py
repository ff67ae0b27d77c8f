"""Whether a stream is a whole MP4: its boxes must add up to its end. Pure, and bounded in memory.

An MP4 is a row of boxes, each with its size (4 bytes) and type (4 bytes) in front; size 1 means
that 8 bytes of size follow, size 0 that the box lasts to the end of the file (ISO/IEC 14496-12).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actionreel.errors import AssetIncompleteError, AssetUnusableError

MAX_BYTES = 2 * 1024**3
_TO_THE_END = -1
_LONGEST_HEADER = 16


def whole_mp4(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Passes the chunks on, and raises at the end if they were not a whole MP4.

    Raises AssetIncompleteError if the stream ended inside a box or before its `moov` (fetching it
    again may help), AssetUnusableError if it is no MP4 at all, or larger than 2 GiB.
    """
    boxes = _Boxes()
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > MAX_BYTES:
            raise AssetUnusableError("The provider's file is larger than the 2 GiB that are kept.")
        boxes.feed(chunk)
        yield chunk
    boxes.end()


class _Boxes:
    """Walks over the boxes of the top level without keeping them."""

    def __init__(self) -> None:
        self.header = b""
        self.left = 0  # bytes of the current box that are still to come
        self.seen: set[bytes] = set()

    def feed(self, chunk: bytes) -> None:
        position = 0
        while position < len(chunk) and self.left != _TO_THE_END:
            if self.left:
                step = min(self.left, len(chunk) - position)
                self.left -= step
                position += step
            else:
                missing = self._header_size() - len(self.header)
                self.header += chunk[position : position + missing]
                position += missing
                self._open_box()

    def _header_size(self) -> int:
        long = len(self.header) >= 8 and int.from_bytes(self.header[:4]) == 1
        return _LONGEST_HEADER if long else 8

    def _open_box(self) -> None:
        needed = self._header_size()
        if len(self.header) < needed:
            return
        kind = self.header[4:8]
        if not self.seen and kind != b"ftyp":
            raise AssetUnusableError("What the provider sent is not an MP4 video.")
        size = int.from_bytes(self.header[8:16] if needed == _LONGEST_HEADER else self.header[:4])
        self.header = b""
        self.seen.add(kind)
        if size == 0:
            self.left = _TO_THE_END
        elif size < needed:
            raise AssetUnusableError("What the provider sent is a damaged MP4 video.")
        else:
            self.left = size - needed

    def end(self) -> None:
        cut = self.header or self.left > 0
        if cut or b"moov" not in self.seen or b"mdat" not in self.seen:
            raise AssetIncompleteError("The provider's file ended before it was whole.")

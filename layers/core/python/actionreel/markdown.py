"""Which parts of a Markdown text are code: there a tag is a quotation, not an action.

Fenced blocks and inline code spans, as CommonMark defines them. One pass, linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A run of backticks or tildes, or the end of a block, which no inline span crosses. Each branch
# begins with a plain character: that lets the regex engine skip through the text in between.
_MARK = re.compile(r"``*|~~~+|\n[ \t]*(?=\n|[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|>)")
# What may stand before a fence in its line: blanks, quotation signs, the sign of a list item.
_BEFORE_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?[ \t>]*")
_LOOK_BACK = 40  # characters of that, at most, to stay linear
_LINE = re.compile(r"[^\n]*")

Span = tuple[int, int]


def code_spans(text: str) -> list[Span]:
    """The (start, end) offsets of every code block and inline code span, in the text's order."""
    return list(CodeSpans(text))


class CodeSpans(Iterator[Span]):
    """The code of a text, from its beginning on."""

    def __init__(self, text: str) -> None:
        self._text = text
        has_code = "`" in text or "~~~" in text
        self._marks = list(_MARK.finditer(text)) if has_code else []
        self._infos = [_fence_info(text, mark) for mark in self._marks]
        self._partners = self._pair()
        self._next = 0
        self._span: Span = (0, 0)

    def covers(self, position: int) -> bool:
        """Whether the position is in code. Positions are asked for in rising order."""
        while self._span[1] <= position and self._next < len(self._marks):
            if self._marks[self._next].start() > position:
                return False
            self._span = next(self, self._span)
        return self._span[0] <= position < self._span[1]

    def skip_to(self, position: int) -> None:
        """Takes what stands before the position for no Markdown at all."""
        while self._next < len(self._marks) and self._marks[self._next].start() < position:
            self._next += 1
        if self._span[0] < position:
            self._span = (position, position)

    def __next__(self) -> Span:
        while self._next < len(self._marks):
            index = self._next
            start = self._marks[index].start()
            closing = self._closing(index)
            self._next = (index if closing is None else closing) + 1
            if closing is not None:
                whole = closing < len(self._marks)
                return start, self._marks[closing].end() if whole else len(self._text)
        raise StopIteration

    def _closing(self, index: int) -> int | None:
        """The mark that ends the code which begins at this one; None if none begins here."""
        if self._infos[index] is None:
            return self._partners[index]
        fence = self._marks[index]
        allowed = " \t>" if ">" in _indent(self._text, fence) else " \t"
        for later in range(index + 1, len(self._marks)):
            mark, info = self._marks[later], self._infos[later]
            if info is None or info.strip() or not mark[0].startswith(fence[0]):
                continue
            if not _indent(self._text, mark).strip(allowed):
                return later
        return len(self._marks)  # a block that is never closed lasts to the end

    def _pair(self) -> list[int | None]:
        """For each run of backticks the next run of the same length in the same block."""
        following: dict[int, int] = {}
        partners: list[int | None] = [None] * len(self._marks)
        for index in range(len(self._marks) - 1, -1, -1):
            mark = self._marks[index]
            if self._infos[index] is not None or mark[0][0] == "\n":
                following = {}
            elif mark[0][0] == "`":
                if not _is_escaped(self._text, mark.start()):
                    partners[index] = following.get(len(mark[0]))
                following[len(mark[0])] = index
        return partners


def _is_escaped(text: str, position: int) -> bool:
    before = text[max(0, position - _LOOK_BACK) : position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _indent(text: str, mark: re.Match[str]) -> str:
    """What stands before the mark in its line; all of `_LOOK_BACK` characters if it is long."""
    return text[max(0, mark.start() - _LOOK_BACK) : mark.start()].rpartition("\n")[2]


def _fence_info(text: str, mark: re.Match[str]) -> str | None:
    """What stands behind the run on its line, if the run is a fence; else None."""
    if len(mark[0]) < 3 or mark[0][0] == "\n":
        return None
    if len(_indent(text, mark)) == _LOOK_BACK:
        return None  # there is more before it
    if not _BEFORE_FENCE.fullmatch(_indent(text, mark)):
        return None
    line = _LINE.match(text, mark.end())
    info = line[0] if line else ""
    return None if mark[0][0] == "`" and "`" in info else info

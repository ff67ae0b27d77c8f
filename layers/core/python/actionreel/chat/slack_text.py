"""Text as Slack writes it. Pure.

Slack escapes `&`, `<` and `>` in what people write, and wraps links and mentions in `<>`. What is
read is undone here, and what we write is escaped, so that nobody's text becomes a link or a ping.

Source: docs.slack.dev (formatting of message text).
"""

from __future__ import annotations

import re

MAX_SECTION = 3000  # of the text of a block

_MARKUP = re.compile(r"<([@#!]|(?:https?|ftp|mailto|tel):)([^<>|]*)(?:\|([^<>]*))?>")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_URLS = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"})


def plain(text: str) -> str:
    """The text as it was written."""
    shown = _MARKUP.sub(_shown, text).strip()
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(markup: re.Match[str]) -> str:
    """What stood there before Slack made a link or a mention of it."""
    sigil, target, label = markup.groups()
    if sigil in ("@", "#", "!"):
        name = label or target
        return name if name.startswith("@") else f"{'#' if sigil == '#' else '@'}{name}"
    url = f"{sigil}{target}"
    # Of `example.com` Slack makes <http://example.com|example.com>.
    return label if label and url.endswith((f":{label}", f"://{label}")) else url


def escaped(text: str, limit: int) -> str:
    """The text as Slack wants it, cut to so many characters and never in the middle of one."""
    return _cut(text, limit).translate(_ESCAPES)


def link(url: str) -> str:
    """A link that says where it leads to nobody but who follows it."""
    return f"<{url.translate(_IN_URLS)}|Watch>"


def sections(text: str, limit: int) -> list[str]:
    """The text as Slack wants it, cut as `escaped` does, in pieces that fit into a block each; they
    end where there is a gap, if there is one."""
    pieces, left = [], _cut(text, limit)
    while left:
        piece = _cut(left, MAX_SECTION)
        if len(piece) < len(left):
            gap = max(piece.rfind("\n"), piece.rfind(" ")) + 1
            piece = piece[:gap] or piece
        pieces.append(piece.translate(_ESCAPES))
        left = left[len(piece) :]
    return pieces


def _cut(text: str, limit: int) -> str:
    """As much of the text as has room within the limit when it is escaped."""
    text = text.encode(errors="replace").decode()  # half a surrogate pair cannot be sent
    for place, character in enumerate(text):
        limit -= len(character.translate(_ESCAPES))
        if limit < 0:
            return text[:place]
    return text

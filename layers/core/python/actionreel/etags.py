"""Tags that change when what they stand for does, and whether who asks has it already. Pure."""

from __future__ import annotations

import hashlib


def etag(body: str) -> str:
    """The strong tag of a text, in its quotes."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def is_current(if_none_match: str, tag: str) -> bool:
    """Whether one of the tags in an If-None-Match header is this one."""
    # A proxy that compresses makes a tag weak (W/"..."); for this comparison that is the same tag.
    tags = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in ("*", tag) for each in tags)

"""What callers may send, as tables: the fields of a creation, the parameters of a list."""

from __future__ import annotations

import re

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

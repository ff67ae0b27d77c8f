"""`/video a paper boat --seconds 8 --portrait`: what follows the command in, a tag out. Pure.

The tag is then carried out as a model's would be, so the same rules hold and the same notices come.
"""

from __future__ import annotations

import json
import re
from typing import Any

from actionreel.errors import InvalidActionError
from actionreel.registry import Registry

SHAPES = ("portrait", "landscape", "square")
USAGE = (
    "Write /video and what the video shows, such as: /video a paper boat in the rain --seconds 8"
    " --portrait. The options are --seconds, --model, --size, --image with an https address, and"
    " --portrait, --landscape or --square; what follows a lone -- is the prompt."
)
_FIELDS = {"seconds": "seconds", "model": "model", "size": "size", "image": "input_reference_url"}
# Phones make one dash, longer or shorter, of two hyphens.
_DASH = "(?:--|\u2014|\u2013)"
_OPTION = re.compile(rf"(?:^|(?<=\s)){_DASH}([A-Za-z]+)(?=[\s=]|$)")
_VALUE = re.compile(rf"(?:\s+|=)(?!{_DASH})(\S+)")
_END = re.compile(r"(?:^|(?<=\s))--(?=\s|$)")


def tag_of(text: str, registry: Registry) -> str:
    """The `createAIVideo` tag for what was written after `/video`.

    Raises InvalidActionError, with a sentence for who wrote it.
    """
    ending = _END.search(text)
    options, rest = (text[: ending.start()], text[ending.end() :]) if ending else (text, "")
    body: dict[str, Any] = {}
    shape: str | None = None
    words: list[str] = []
    position = 0
    while found := _OPTION.search(options, position):
        words.append(options[position : found.start()])
        name, position = found[1].lower(), found.end()
        if name in SHAPES:
            shape = name
            continue
        if name not in _FIELDS and not found[0].startswith("--"):
            words.append(found[0])  # a dash in prose
            continue
        if name not in _FIELDS:
            raise InvalidActionError(f"There is no option --{name[:40]}. {USAGE}")
        value = _VALUE.match(options, position)
        if value is None:
            raise InvalidActionError(f"--{name} needs a value. {USAGE}")
        body[_FIELDS[name]], position = value[1], value.end()
    words += [options[position:], rest]
    body["prompt"] = " ".join(" ".join(words).split())
    if not body["prompt"]:
        raise InvalidActionError(USAGE)
    if shape and "size" not in body and "input_reference_url" not in body:
        body["size"] = _size(shape, body.get("model", ""), registry)
    return f"<createAIVideo>{json.dumps(body, ensure_ascii=False)}</createAIVideo>"


def _size(shape: str, model: str, registry: Registry) -> str:
    """The model's first size of that shape. A shape that it has not is given on by its name: the
    notice about it then says what was used."""
    sizes = registry.choose(model)[0].sizes
    return next((size for size in sizes if _shape(size) == shape), shape)


def _shape(size: str) -> str:
    width, height = (int(side) for side in size.split("x"))
    return "square" if width == height else "landscape" if width > height else "portrait"

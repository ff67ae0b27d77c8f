"""Text in, actions out: finds the tags that a language model wrote. Pure.

    <createAIVideo>{"prompt": "a paper boat"}</createAIVideo>
    <continueVideoPolling>{"videoId": "..."}</continueVideoPolling>

A body is a JSON object and ends where that object ends, so a closing tag inside a string does not
end it. A tag in code is a quotation and does nothing; a tag that is never closed is text.
The time is linear in the text, whatever the text is: a body is read only up to `MAX_BODY_BYTES`,
and two bodies that begin at different tags cannot both read on across a third tag.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn, get_args

from pydantic_core import from_json

from actionreel.markdown import CodeSpans

MAX_BODY_BYTES = 16 * 1024

ActionName = Literal["createAIVideo", "continueVideoPolling"]
_TOO_LONG = f"The body of a tag can have at most {MAX_BODY_BYTES // 1024} KB."
_OPENING = re.compile("<(createAIVideo|continueVideoPolling)>")
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Action:
    """One tag. `body` is its JSON object, or None where `error` says why it cannot be read; `span`
    is where in the text it begins and ends."""

    name: ActionName
    body: dict[str, Any] | None
    error: str | None = None
    span: tuple[int, int] = field(default=(0, 0), compare=False)


class _UnreadableError(ValueError):
    """The body is not acceptable JSON; the message is a sentence for the reader."""


def find_actions(text: str) -> list[Action]:
    """Every action of the text, in its order."""
    actions: list[Action] = []
    last_closing = max(text.rfind(f"</{name}>") for name in get_args(ActionName))
    openings = list(_OPENING.finditer(text, 0, max(last_closing, 0)))
    code = CodeSpans(text if openings else "")
    closings = {name: _Closings(text, f"</{name}>") for name in get_args(ActionName)}
    end = 0  # of the last action
    for index, opening in enumerate(openings):
        if opening.start() < end or code.covers(opening.start()):
            continue
        name: ActionName = opening[1]  # type: ignore[assignment]
        following = openings[index + 1].start() if index + 1 < len(openings) else len(text)
        found = _read(text, opening.end(), following, name, closings[name])
        if found is not None:
            action, end = found
            code.skip_to(end)  # a backtick in a prompt quotes nothing
            actions.append(replace(action, span=(opening.start(), end)))
    return actions


def without_actions(text: str) -> str:
    """The words of a message, without its tags."""
    kept, position = [], 0
    for action in find_actions(text):
        kept.append(text[position : action.span[0]])
        position = action.span[1]
    kept.append(text[position:])
    return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()


class _Closings:
    """Where the next closing tag is; remembers, so that no part of the text is searched twice."""

    def __init__(self, text: str, tag: str) -> None:
        self.text, self.tag, self.next = text, tag, 0

    def after(self, position: int) -> int:
        if -1 < self.next < position or self.next == 0:
            self.next = self.text.find(self.tag, position)
        return self.next


def _read(
    text: str, start: int, following: int, name: ActionName, closings: _Closings
) -> tuple[Action, int] | None:
    """The action whose body begins at `start`, and where it ends; None if it is only text."""
    closing = closings.after(start)
    if closing < 0:
        return None  # never closed: text
    begin = _after_space(text, start)
    try:
        body, size = _strict_json(text, begin)
    except _UnreadableError as error:
        reason = str(error)
    else:
        end = _after_space(text, begin + size)
        if text.startswith(closings.tag, end):
            return Action(name, body), end + len(closings.tag)
        reason = "After the JSON object comes something else than the closing tag."
    if closing > following:
        return None  # another tag opens before this one is closed: the innermost counts
    if closing - start > MAX_BODY_BYTES:
        reason = _TOO_LONG
    return Action(name, None, f"{name}: {reason}"), closing + len(closings.tag)


def _after_space(text: str, position: int) -> int:
    """The next character that is no blank, or `MAX_BODY_BYTES` further on."""
    return _SPACE.match(text, position, position + MAX_BODY_BYTES).end()  # type: ignore[union-attr]


def _strict_json(text: str, begin: int) -> tuple[dict[str, Any], int]:
    """The JSON object that begins there, and its length in characters.

    Stricter than Python's own: no NaN or infinities, no key twice, no half of a surrogate pair
    (it cannot be sent on), no depth or digits beyond what Python reads.
    """
    if not text.startswith("{", begin):
        raise _UnreadableError("The body must be a JSON object.")
    body = text[begin : begin + MAX_BODY_BYTES]
    try:
        value: dict[str, Any]
        value, size = _DECODER.raw_decode(body)
        if size > MAX_BODY_BYTES // 4 and len(body[:size].encode()) > MAX_BODY_BYTES:
            raise _UnreadableError(_TOO_LONG)
        from_json(body[:size])  # refuses half a surrogate pair, and the same depth in every Python
    except _UnreadableError:
        raise
    except json.JSONDecodeError as error:
        reason = f"The body is not JSON: {error.msg} (character {error.pos})."
        raise _UnreadableError(reason) from None
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(_reason(str(error))) from None
    return value, size


def _reason(complaint: str) -> str:
    if "recursion" in complaint:
        return "The body is nested too deeply."
    if "digit" in complaint:
        return "The body holds a number with too many digits."
    return "The body holds half of a surrogate pair."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _UnreadableError("The body has the same key twice.")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise _UnreadableError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)

"""Section 1 of the contract: which tags of a text are actions, and what is in them."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.actions import MAX_BODY_BYTES, Action, ActionName, find_actions
from tests.fakes import cases, steady

CREATE, POLL = get_args(ActionName)
BOAT = '<createAIVideo>{"prompt": "a boat"}</createAIVideo>'
SHIP = '<createAIVideo>{"prompt": "a ship"}</createAIVideo>'
LOOK = '<continueVideoPolling>{"videoId": "v1"}</continueVideoPolling>'
OPEN, CLOSE = "<createAIVideo>", "</createAIVideo>"


def names(text: str) -> list[str]:
    """What the actions of a text are about, in a word each."""
    return [
        str(next(iter(action.body.values()))) if action.body else "error"
        for action in find_actions(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        {
            "nothing": ("", []),
            "no tag": ("a boat < a ship > a <video>", []),
            "one": (BOAT, ["a boat"]),
            "one within text": (f"Here: {BOAT}, as you like.", ["a boat"]),
            "in the order of the text": (
                LOOK + SHIP + BOAT + LOOK,
                ["v1", "a ship", "a boat", "v1"],
            ),
            "the same twice": (BOAT + BOAT, ["a boat", "a boat"]),
            "blanks around the body": (f'{OPEN}\n\t {{"p":\r\n1}} \n{CLOSE}', ["1"]),
            "case matters": (BOAT.lower(), []),
            "no attributes": (BOAT.replace("eo>{", 'eo id="1">{'), []),
            "no blank in the tag": (BOAT.replace("eo>{", "eo >{"), []),
            "no empty tag": ("<createAIVideo/>", []),
            "another tag": ("<createAIImage>{}</createAIImage>", []),
            "never closed": (f'{OPEN}{{"prompt": "a boat"}}', []),
            "closed before it opens": (f"{CLOSE}{OPEN}", []),
            "closed by the other tag": (f"{OPEN}{{}}</continueVideoPolling>", []),
            "only the second is closed": (f"{OPEN} and {BOAT}", ["a boat"]),
            "the innermost opening": (f'{OPEN}{{"p": 1 {BOAT}}}{CLOSE}', ["a boat"]),
            "the innermost of two kinds": (f"{OPEN}{LOOK}{CLOSE}", ["v1"]),
            "a closing in a string": (f'{OPEN}{{"p": "a {CLOSE} b"}}{CLOSE}', [f"a {CLOSE} b"]),
            "an escaped quote": (f'{OPEN}{{"p": "\\"{CLOSE}"}}{CLOSE}', [f'"{CLOSE}']),
            "a whole tag in a string": (f'{OPEN}{{"p": "{LOOK[:22]}"}}{CLOSE}', [LOOK[:22]]),
            "a stray closing after": (BOAT + CLOSE + SHIP, ["a boat", "a ship"]),
            "after a bad one": (f"{OPEN}{{x}}{CLOSE}{SHIP}", ["error", "a ship"]),
        }
    ),
)
def test_tags(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        {
            "fence": (f"```\n{BOAT}\n```\n{SHIP}", ["a ship"]),
            "fence with a language": (f"```xml\n{BOAT}\n```\n{SHIP}", ["a ship"]),
            "fence of tildes": (f"~~~\n{BOAT}\n~~~\n{SHIP}", ["a ship"]),
            "longer fence": (f"````\n```\n{BOAT}\n```\n````\n{SHIP}", ["a ship"]),
            "fence that never ends": (f"```\n{BOAT}\n\n{SHIP}", []),
            "fence in a list": (f"1. So:\n   ```\n   {BOAT}\n   ```\n{SHIP}", ["a ship"]),
            "fence that begins a list item": (f"- ```\n  {BOAT}\n  ```\n\n{SHIP}", ["a ship"]),
            "fence in a quotation": (f"> ```\n> {BOAT}\n> ```\n\n{SHIP}", ["a ship"]),
            "a list sign closes no fence": (f"```\n- ```\n{BOAT}\n```\n{SHIP}", ["a ship"]),
            "a quotation sign closes no fence": (f"```\n> ```\n{BOAT}\n```\n{SHIP}", ["a ship"]),
            "inline": (f"Write `{BOAT}` then {SHIP}", ["a ship"]),
            "inline with two backticks": (f"Write `` ` {BOAT} `` then {SHIP}", ["a ship"]),
            "inline over two lines": (f"`a\n{BOAT}` {SHIP}", ["a ship"]),
            "between two spans": (f"`a` {BOAT} `b`", ["a boat"]),
            "a lonely backtick": (f"the ` key {BOAT}", ["a boat"]),
            "a backtick of another paragraph": (f"the ` key\n\n{BOAT} ` ", ["a boat"]),
            "a backtick of another list item": (f"- the ` key\n- {BOAT} `", ["a boat"]),
            "a backtick before a quotation": (f"the ` key\n> `{BOAT}`", []),
            "an escaped backtick": (f"\\`{BOAT}\\`", ["a boat"]),
            "unequal backticks": (f"``{BOAT}`", ["a boat"]),
            "backticks in the prompts": (BOAT.replace("a ", "`") * 2, ["`boat", "`boat"]),
            "a backtick in a prompt before a quotation": (
                BOAT.replace("a ", "`") + f" as in `{SHIP}`",
                ["`boat"],
            ),
            "a fence within the tag": (f"{OPEN}```json\n{{}}\n```{CLOSE}", ["error"]),
            "opening quoted, closing not": (f"`{OPEN}` {{}} {CLOSE} {SHIP}", ["a ship"]),
        }
    ),
)
def test_tags_in_code_are_quotations(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    cases(
        {
            "empty": ("", "JSON object"),
            "list": ("[]", "JSON object"),
            "null": ("null", "JSON object"),
            "string": ('"a boat"', "JSON object"),
            "not JSON": ("{prompt:'x'}", "not JSON"),
            "cut": ('{"prompt": "x', "not JSON"),
            "trailing comma": ('{"prompt": "x",}', "not JSON"),
            "raw newline in a string": ('{"prompt": "a\nb"}', "not JSON"),
            "something behind": ('{"prompt": "x"} now', "something else"),
            "two objects": ("{}{}", "something else"),
            "half a surrogate pair": (r'{"prompt": "\ud800"}', "surrogate"),
            "half a surrogate pair in a key": (r'{"\udc00": 1}', "surrogate"),
            "NaN": ('{"seconds": NaN}', "NaN"),
            "infinity": ('{"seconds": -Infinity}', "Infinity"),
            "a key twice": ('{"prompt": "x", "prompt": "y"}', "same key twice"),
            "a key twice, within": ('{"a": {"b": 1, "\\u0062": 2}}', "same key twice"),
            "5,000 digits": (f'{{"seconds": {"9" * 5000}}}', "digits"),
            "5,000 brackets": (f'{{"p": {"[" * 5000}{"]" * 5000}}}', "nested"),
            "10,000 brackets": (f'{{"p": {"[" * 10000}{"]" * 10000}}}', "16 KB"),
            "17 KB": (f'{{"p": "{"x" * 17000}"}}', "16 KB"),
            "17 KB of blanks": (" " * 17000 + "{}", "16 KB"),
        }
    ),
)
def test_bodies_that_cannot_be_read(body: str, reason: str) -> None:
    [action] = find_actions(f"{OPEN}{body}{CLOSE}")
    assert action.body is None
    assert reason in str(action.error)
    assert CREATE in str(action.error)


@pytest.mark.parametrize("letter", ["x", "é", "船", "🚤"])
def test_a_body_has_at_most_16_kb(letter: str) -> None:
    fits = (MAX_BODY_BYTES - len('{"p":""}')) // len(letter.encode())
    for length, readable in ((fits, True), (fits + 1, False)):
        [action] = find_actions(f'{OPEN}{{"p":"{letter * length}"}}{CLOSE}')
        was_read = action.body is not None
        assert was_read == readable


class Counted(str):
    """A text that counts the characters that are cut out of it or searched."""

    work = 0

    def __getitem__(self, key: Any) -> str:
        part = super().__getitem__(key)
        Counted.work += len(part)
        return part

    def find(self, tag: str, start: int = 0, *rest: int) -> int:  # type: ignore[override]
        found = super().find(tag, start, *rest)
        Counted.work += (found if found >= 0 else len(self)) - start
        return found


@pytest.mark.parametrize(
    "text",
    cases(
        {
            "openings": lambda n: OPEN * n,
            "openings of objects": lambda n: f"{OPEN}{{" * n,
            "openings of strings": lambda n: f'{OPEN}{{"a":"' * n,
            "openings, closed once": lambda n: f'{OPEN}{{"a":"' * n + CLOSE,
            "openings of both": lambda n: f"{OPEN}<continueVideoPolling>" * n + CLOSE,
            "closings": lambda n: CLOSE * n,
            "bad tags": lambda n: f"{OPEN}x{CLOSE}" * n,
            "backticks of all lengths": lambda n: "".join("`" * (i % 90) + " " for i in range(n)),
            "fences": lambda n: BOAT + "```\n" * n,
            "fences in one line": lambda n: BOAT + "~~~ " * n,
            "deep quotations": lambda n: BOAT + "> " * n + "```",
        }
    ),
)
def test_the_work_is_linear_in_the_text(text: Any) -> None:
    def work(times: int) -> int:
        Counted.work = 0
        find_actions(Counted(text(times)))
        return Counted.work

    assert work(8000) <= 2.2 * work(4000) + 1000


FRAGMENTS = (OPEN, CLOSE, "<continueVideoPolling>", "</continueVideoPolling>", BOAT, LOOK)
NOISE = st.lists(
    st.sampled_from((*FRAGMENTS, "{", "}", '{"a":"', '"', "\\", "`", "```", "~~~", "\n", "\ud800"))
    | st.text(max_size=3)
).map("".join)


@steady
@given(NOISE)
def test_any_text_can_be_read(text: str) -> None:
    for action in find_actions(text):
        assert action.name in (CREATE, POLL)
        assert isinstance(action.body, dict) != isinstance(action.error, str)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
).filter(lambda value: "inf" not in repr(value))
OBJECTS = st.dictionaries(st.text() | st.sampled_from(FRAGMENTS), VALUES | NOISE, max_size=4).map(
    lambda value: json.loads(json.dumps(value).replace("\\ud800", ""))
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="<`~"))


@steady
@given(st.lists(st.tuples(PLAIN, st.sampled_from((CREATE, POLL)), OBJECTS)), PLAIN, st.booleans())
def test_what_is_written_is_read(
    written: list[tuple[str, ActionName, dict[str, Any]]], end: str, escaped: bool
) -> None:
    text = "".join(
        f"{before}<{name}>{json.dumps(body, ensure_ascii=escaped)}</{name}>"
        for before, name, body in written
    )
    assert find_actions(text + end) == [Action(name, body) for _, name, body in written]


@steady
@given(PLAIN, OBJECTS, st.sampled_from(("```", "~~~~", "   ```")), PLAIN)
def test_in_a_fence_nothing_is_an_action(
    before: str, body: dict[str, Any], fence: str, after: str
) -> None:
    tag = f"{OPEN}{json.dumps(body)}{CLOSE}"
    assert find_actions(f"{before}\n{fence}\n{tag}\n{fence}\n{after}") == []

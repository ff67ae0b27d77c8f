"""Which parts of a text are code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.markdown import code_spans
from tests.fakes import cases, steady


@pytest.mark.parametrize(
    ("text", "code"),
    cases(
        {
            "nothing": ("", []),
            "no code": ("a 'b' ~~c~~", []),
            "inline": ("a `b` c `d`", ["`b`", "`d`"]),
            "inline in two": ("a `` b ` c `` d", ["`` b ` c ``"]),
            "inline over a line end": ("`a\nb`", ["`a\nb`"]),
            "inline ends with the paragraph": ("`a\n\nb`", []),
            "inline ends with a blank line of blanks": ("`a\n \t\nb`", []),
            "inline ends with a fence": ("`a\n```\nb\n```\nc`", ["```\nb\n```"]),
            "lonely backtick": ("it`s", []),
            "the first of equal length closes": ("``a`b``c`", ["``a`b``"]),
            "three in a line is inline": ("a ```b``` c", ["```b```"]),
            "three at the start, closed in the line": ("```b``` c", ["```b```"]),
            "fence": ("a\n```\nb\n```\nc", ["```\nb\n```"]),
            "fence with a language": ("```json {1}\nb\n```", ["```json {1}\nb\n```"]),
            "fence of tildes": ("~~~ a`b\nc\n~~~", ["~~~ a`b\nc\n~~~"]),
            "two tildes are no fence": ("~~\na\n~~", []),
            "a fence is closed by its own sign": ("```\n~~~\n```\na", ["```\n~~~\n```"]),
            "a fence is closed by one as long": ("````\n```\n````\na", ["````\n```\n````"]),
            "a fence is closed by a longer one": ("```\na\n`````\nb", ["```\na\n`````"]),
            "a fence is not closed by one with a word": ("```\n``` a\n```", ["```\n``` a\n```"]),
            "a fence is not closed within a line": ("```\na ```\nb", ["```\na ```\nb"]),
            "a blank line is code, too": ("```\n\na\n```", ["```\n\na\n```"]),
            "a fence that is never closed": ("```\na\n\nb", ["```\na\n\nb"]),
            "an indented fence": ("  ```\n  a\n  ```\nb", ["```\n  a\n  ```"]),
            "a fence in a quotation": ("> ```\n> a\n> ```\nb", ["```\n> a\n> ```"]),
            "two fences": ("```\na\n```\nb\n```\nc\n```", ["```\na\n```", "```\nc\n```"]),
            "line ends of Windows": ("```\r\na\r\n```\r\nb", ["```\r\na\r\n```"]),
        }
    ),
)
def test_code(text: str, code: list[str]) -> None:
    assert [text[start:end].rstrip("\r") for start, end in code_spans(text)] == code


MARKDOWN = st.lists(
    st.sampled_from(("`", "``", "```", "~~~", "````", "\n", "\n\n", "> ", "- ", "  ", "\\"))
    | st.text(max_size=2)
).map("".join)


@steady
@given(MARKDOWN)
def test_spans_are_in_order_and_apart(text: str) -> None:
    spans = code_spans(text)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) and text[start] in "`~" for start, end in spans)


@steady
@given(MARKDOWN)
def test_only_backticks_and_tildes_make_code(text: str) -> None:
    assert code_spans(text.replace("`", "'").replace("~", "-")) == []

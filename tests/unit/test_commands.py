"""`/video ...`: what is understood, what is refused with a sentence, and that no word is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.actions import MAX_BODY_BYTES, find_actions, without_actions
from actionreel.commands import SHAPES, USAGE, tag_of
from actionreel.errors import InvalidActionError
from actionreel.video_request import MAX_PROMPT_CHARACTERS
from tests.fakes import SEED, cases, steady

EM, EN = "\u2014", "\u2013"
IMAGE = "https://example.com/a.png?b=c&d=--e"
words = st.text(
    st.characters(exclude_characters=f"-{EM}{EN}", exclude_categories=["Cs", "Z", "Cc"]),
    min_size=1,
    max_size=12,
).filter(lambda word: not word.isspace())
valued = {
    "seconds": st.sampled_from(["8", "4", "0", "x"]),
    "model": st.sampled_from(["sora-2", "sora", "sora-2-pro"]),
    "size": st.sampled_from(["1280x720", "huge"]),
    "image": st.just(IMAGE),
}


def body_of(text: str) -> dict[str, Any]:
    """What the tag holds; it is one tag, read back as it was written, and leaves no words."""
    tag = tag_of(text, SEED)
    [action] = find_actions(tag)
    assert (action.name, action.error, without_actions(tag)) == ("createAIVideo", None, "")
    assert action.body is not None
    return action.body


def refused(text: str) -> str:
    with pytest.raises(InvalidActionError) as error:
        tag_of(text, SEED)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "body"),
    cases(
        {
            "words": ("a paper boat", {"prompt": "a paper boat"}),
            "blanks": ("  a \n paper\tboat ", {"prompt": "a paper boat"}),
            "an option at the end": ("boat --seconds 8", {"prompt": "boat", "seconds": "8"}),
            "an option in front": ("--seconds 8 boat", {"prompt": "boat", "seconds": "8"}),
            "an option amid": ("a --seconds 8 boat", {"prompt": "a boat", "seconds": "8"}),
            "with a sign": ("boat --seconds=8", {"prompt": "boat", "seconds": "8"}),
            "in capitals": ("boat --SECONDS 8", {"prompt": "boat", "seconds": "8"}),
            "twice": ("b --seconds 4 --seconds 8", {"prompt": "b", "seconds": "8"}),
            "a model": ("b --model sora-2-pro", {"prompt": "b", "model": "sora-2-pro"}),
            "an image": (f"b --image {IMAGE}", {"prompt": "b", "input_reference_url": IMAGE}),
            "an image with a sign": (
                f"b --image={IMAGE}",
                {"prompt": "b", "input_reference_url": IMAGE},
            ),
            "portrait": ("b --portrait", {"prompt": "b", "size": "720x1280"}),
            "landscape": ("--landscape b", {"prompt": "b", "size": "1280x720"}),
            "no such shape": ("b --square", {"prompt": "b", "size": "square"}),
            "the last shape": ("b --portrait --landscape", {"prompt": "b", "size": "1280x720"}),
            "a size before a shape": (
                "b --portrait --size 1x1",
                {"prompt": "b", "size": "1x1"},
            ),
            "an image before a shape": (
                f"b --portrait --image {IMAGE}",
                {"prompt": "b", "input_reference_url": IMAGE},
            ),
            "a long dash": (f"b {EM}seconds 8", {"prompt": "b", "seconds": "8"}),
            "a longer hyphen": (f"b {EN}seconds 8", {"prompt": "b", "seconds": "8"}),
            "a dash between words": (f"a boat {EM} at sea", {"prompt": f"a boat {EM} at sea"}),
            "a hyphen in a word": ("a well-made--boat", {"prompt": "a well-made--boat"}),
            "one hyphen": ("a -seconds boat", {"prompt": "a -seconds boat"}),
            "the end of options": (
                "a --seconds 8 -- boat --portrait",
                {"prompt": "a boat --portrait", "seconds": "8"},
            ),
            "the end at once": ("-- --seconds 8", {"prompt": "--seconds 8"}),
            "two ends": ("a -- b -- c", {"prompt": "a b -- c"}),
            "three hyphens": ("a --- b", {"prompt": "a --- b"}),
            "a tag": (
                'x</createAIVideo>{"prompt": 1}`\\" y',
                {"prompt": 'x</createAIVideo>{"prompt": 1}`\\" y'},
            ),
        }
    ),
)
def test_a_command_is_a_tag(text: str, body: dict[str, Any]) -> None:
    assert body_of(text) == body


@pytest.mark.parametrize("text", ["", "   ", "--", "--portrait", "--seconds 8", "--seconds 8 --"])
def test_a_command_without_words_is_told_how_to_write_one(text: str) -> None:
    assert refused(text) == USAGE


@pytest.mark.parametrize(
    ("text", "begins"),
    cases(
        {
            "unknown": ("b --length 8", "There is no option --length."),
            "long": (f"b --{'x' * 5000}", f"There is no option --{'x' * 40}."),
            "without a value": ("b --seconds", "--seconds needs a value."),
            "a sign without a value": ("b --seconds=", "--seconds needs a value."),
            "an option for a value": ("b --seconds --portrait", "--seconds needs a value."),
            "a dash for a value": (f"b --seconds {EM}portrait", "--seconds needs a value."),
            "the end for a value": ("b --seconds -- 8", "--seconds needs a value."),
        }
    ),
)
def test_what_cannot_be_understood_is_told(text: str, begins: str) -> None:
    said = refused(text)
    assert said == f"{begins} {USAGE}"
    assert len(said) < 1000


def test_the_shape_of_a_model_that_is_not_there_is_refused_as_the_model_is() -> None:
    assert refused("b --portrait --model x").startswith("There is no such model.")


@steady
@given(st.text(max_size=200) | st.text(f"-{EM}{EN}= \nsecondportraimlzg\u00e98x", max_size=60))
def test_nothing_but_a_sentence_comes_of_any_text(text: str) -> None:
    try:
        tag = tag_of(text, SEED)
    except InvalidActionError as error:
        assert 0 < len(str(error)) < 4000
        return
    assert len(find_actions(tag)) == 1


@steady
@given(st.data())
def test_the_words_stay_in_their_order_whatever_options_are_among_them(data: Any) -> None:
    prompt = data.draw(st.lists(words, min_size=1, max_size=8))
    asked = {"prompt": " ".join(" ".join(prompt).split())}
    shapes = data.draw(st.lists(st.sampled_from(SHAPES), max_size=2))
    chosen = data.draw(st.lists(st.sampled_from(sorted(valued)), unique=True, max_size=4))
    parts = [[word] for word in prompt]
    for shape in shapes:
        dash = data.draw(st.sampled_from(["--", EM, EN]))
        parts.insert(data.draw(st.integers(0, len(parts))), [f"{dash}{shape}"])
    for name in chosen:
        dash, sign = (
            data.draw(st.sampled_from(["--", EM, EN])),
            data.draw(st.sampled_from(["=", " ", "  "])),
        )
        value = data.draw(valued[name])
        parts.insert(data.draw(st.integers(0, len(parts))), [f"{dash}{name}{sign}{value}"])
        asked["input_reference_url" if name == "image" else name] = value
    body = body_of(" ".join(part[0] for part in parts))
    if shapes and not {"size", "input_reference_url"} & asked.keys():
        assert body.pop("size")
    assert body == asked


@steady
@given(before=st.lists(words, max_size=3), after=st.lists(words, min_size=1, max_size=5))
def test_what_follows_a_lone_pair_of_hyphens_is_the_prompt(
    before: list[str], after: list[str]
) -> None:
    text = " ".join([*before, "--", *after, "--seconds", "8"])
    said = " ".join(" ".join([*before, *after, "--seconds", "8"]).split())
    assert body_of(text) == {"prompt": said}


@pytest.mark.parametrize("letter", ["a", "é", "紙", "😀", '"', "\\"])
def test_a_prompt_as_long_as_one_can_be_is_taken_in_every_script(letter: str) -> None:
    prompt = letter * (MAX_PROMPT_CHARACTERS - 100)
    assert len(prompt.encode()) < MAX_BODY_BYTES
    assert body_of(prompt) == {"prompt": prompt}


def test_a_wall_of_dashes_is_read_in_no_time() -> None:
    for wall in ("-" * 50_000, " --" * 20_000 + "x", " \u2014" * 50_000, " " * 100_000 + "--size"):
        try:
            tag_of(wall, SEED)
        except InvalidActionError:
            continue


# What is left of a message without its tags

TAG = '<createAIVideo>{"prompt": "a"}</createAIVideo>'


@pytest.mark.parametrize(
    ("text", "left"),
    cases(
        {
            "nothing": ("", ""),
            "no tag": (" words ", "words"),
            "a tag": (TAG, ""),
            "words around": (f"one {TAG} two", "one  two"),
            "a tag on lines of its own": (f"one\n\n{TAG}\n\ntwo", "one\n\ntwo"),
            "two tags": (f"a{TAG}b{TAG}c", "abc"),
            "an unreadable tag": ("a<createAIVideo>{</createAIVideo>b", "ab"),
            "a quoted tag": (f"`{TAG}`", f"`{TAG}`"),
            "a tag that is not closed": ("<createAIVideo>{", "<createAIVideo>{"),
            "a closing tag in a string": (
                'a<createAIVideo>{"prompt": "</createAIVideo>"}</createAIVideo>b',
                "ab",
            ),
        }
    ),
)
def test_the_words_are_what_is_no_tag(text: str, left: str) -> None:
    assert without_actions(text) == left


@steady
@given(st.lists(st.sampled_from([TAG, "words", "`", "\n", " ", "<createAIVideo>", "}"])))
def test_each_tag_is_where_it_says_that_it_is(parts: list[str]) -> None:
    text, end = "".join(parts), 0
    for action in find_actions(text):
        assert end <= action.span[0] < action.span[1] <= len(text)
        assert text[action.span[0] :].startswith("<createAIVideo>")
        end = action.span[1]

"""What a chat is told of a video: words for every state, short, and with the right buttons."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.actions import find_actions
from actionreel.chats import DEEDS, Button, Turn, pressed, reply_token
from actionreel.commands import tag_of
from actionreel.errors import InvalidActionError
from actionreel.models import OPEN_STATUSES, Failure
from actionreel.telling import MAX_PROMPT_CHARACTERS, ended, progress, quoted
from actionreel.video_request import video_request
from tests.fake_chats import PLACE
from tests.fakes import ENDED, NOON, REFUSED, SEED, VIDEO_ID, a_video, cases, steady
from tests.linked import CONTENT, LINKS
from tests.unit.test_chat_answers import a_turn

CANCEL = (Button("Cancel", "cancel", VIDEO_ID),)
RETRY = (Button("Try again", "retry", VIDEO_ID),)


@pytest.mark.parametrize(
    ("changes", "text"),
    cases(
        {
            "queued": ({}, "is about to be made."),
            "submitting": ({"status": "submitting"}, "is about to be made."),
            "generating": ({"status": "generating"}, "is being made."),
            "none done": ({"status": "generating", "progress": 0}, "is being made."),
            "4 %": ({"status": "generating", "progress": 4}, "is being made, 0 %."),
            "49 %": ({"status": "generating", "progress": 49}, "is being made, 40 %."),
            "100 %": ({"status": "generating", "progress": 100}, "is being made, 100 %."),
            "storing": ({"status": "storing", "progress": 100}, "is made, and on its way here."),
            "in doubt": (
                {"status": "submitting", "ambiguous": True},
                "is in doubt: the provider did not answer, and we are finding out whether it has"
                " begun.",
            ),
            "no longer in doubt": (
                {"status": "generating", "ambiguous": True},
                "is being made.",
            ),
            "a notice": ({"notices": ("n",)}, "is about to be made.\nNote: n"),
        }
    ),
)
def test_how_a_video_comes_on(changes: dict[str, Any], text: str) -> None:
    told = progress(a_video(**changes))
    assert told.text == f"“a paper boat” (8 s, sora-2) {text}"
    assert (told.link, told.buttons) == (None, CANCEL)


def test_a_finished_video_has_a_link() -> None:
    told = ended(a_video(status="completed", notices=("n",)), LINKS)
    assert told.text == "“a paper boat” is ready.\nNote: n"
    assert (told.link, told.buttons) == (CONTENT, ())


@pytest.mark.parametrize("status", [status for status in ENDED if status != "completed"])
def test_a_video_that_was_not_made_says_why(status: Any) -> None:
    told = ended(a_video(status=status, failure=REFUSED), LINKS)
    assert told.text == "There is no video of “a paper boat”. Refused for its content."
    assert told.link is None
    assert ended(a_video(status=status), LINKS).text.endswith("without a reason on its record.")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("It is no MP4.", "It is no MP4. The provider may charge for it."),
        ("It may charge.", "It may charge."),
        ("It may still charge for it.", "It may still charge for it."),
        ("It may be charged.", "It may be charged."),
        ("A discharged scene.", "A discharged scene. The provider may charge for it."),
        ("It charged nothing.", "It charged nothing. The provider may charge for it."),
    ],
)
def test_what_may_be_charged_is_told_once(message: str, text: str) -> None:
    failure = Failure(code="storage", message=message, maybe_charged=True)
    told = ended(a_video(status="unknown", failure=failure), LINKS)
    assert told.text == f"There is no video of “a paper boat”. {text}"


@pytest.mark.parametrize(
    ("failure", "changes", "deeds"),
    cases(
        {
            "what may pass": (Failure(code="quota", message="m"), {}, ["retry"]),
            "its content": (REFUSED, {}, []),
            "its tag": (Failure(code="invalid_action", message="m"), {}, []),
            "cancelled": (Failure(code="cancelled", message="m"), {}, []),
            "charged perhaps": (
                Failure(code="timeout", message="m", maybe_charged=True),
                {"status": "unknown"},
                ["retry_anyway"],
            ),
            "retried before": (
                Failure(code="quota", message="m"),
                {"retried_as": VIDEO_ID},
                [],
            ),
        }
    ),
)
def test_what_may_come_out_otherwise_can_be_tried_again(
    failure: Failure, changes: dict[str, Any], deeds: list[str]
) -> None:
    told = ended(a_video(**{"status": "failed", "failure": failure, **changes}), LINKS)
    assert [button.deed for button in told.buttons] == deeds


@steady
@given(st.text(max_size=600))
def test_a_prompt_is_quoted_in_short_on_one_line(prompt: str) -> None:
    text = quoted(a_video(prompt=prompt))
    assert text[0] == "“" and text[-1] == "”"
    assert len(text) <= MAX_PROMPT_CHARACTERS + 2
    assert len(text.splitlines()) == 1 and "  " not in text


def texts(written: str) -> list[str]:
    """All that is told of the video that a command makes."""
    [action] = find_actions(tag_of(written, SEED))
    request, notices = video_request(action.body or {}, SEED)
    video = a_video(**request.model_dump(), notices=notices)
    done = video.model_copy(update={"status": "completed"})
    return [progress(video).text, ended(done, LINKS).text]


@steady
@given(
    prompt=st.text("ab ", min_size=1, max_size=3000),
    seconds=st.text("0123456789.e+-x", min_size=1, max_size=400),
    size=st.text("0123456789x", min_size=1, max_size=400),
)
def test_what_is_told_is_short_whatever_was_asked(prompt: str, seconds: str, size: str) -> None:
    try:
        told = texts(f"{prompt} --size={size} --seconds={seconds}")
    except InvalidActionError:
        return
    assert all(len(text) <= 4000 for text in told)


def test_it_says_the_same_until_there_is_something_to_say() -> None:
    told = [progress(a_video(status="generating", progress=done)).text for done in range(101)]
    assert len(set(told)) == 12  # nothing done, less than ten, and each ten


def test_there_are_words_for_every_state() -> None:
    for status in OPEN_STATUSES:
        assert re.fullmatch(r"“.*” \(8 s, sora-2\) is .*\.", progress(a_video(status=status)).text)


# What platforms give back


@pytest.mark.parametrize("deed", DEEDS)
def test_the_value_of_a_button_is_known_again(deed: Any) -> None:
    value = Button("b", deed, VIDEO_ID).value
    assert pressed(value) == value


@pytest.mark.parametrize(
    "value", [None, 1, "", "cancel", "cancel:", ":", f"delete:{VIDEO_ID}", b"cancel:x", ["a"]]
)
def test_any_other_value_is_no_button(value: object) -> None:
    assert pressed(value) is None


@pytest.mark.parametrize(
    ("platform", "minutes", "usable"),
    [
        ("discord", 0, True),
        ("discord", 14, True),
        ("discord", 15, False),
        ("slack", 28, True),
        ("slack", 30, False),
        ("telegram", 0, False),
    ],
)
def test_a_token_is_used_while_it_is_good(platform: Any, minutes: int, usable: bool) -> None:
    place = PLACE.model_copy(update={"platform": platform})
    turn: Turn = a_turn(place=place, reply_token="token")
    later = NOON + timedelta(minutes=minutes)
    assert reply_token(turn, later) == ("token" if usable else None)

"""Section 3 of the contract, row by row: what a body becomes, and what the reader is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.errors import InvalidActionError
from actionreel.video_request import MAX_PROMPT_CHARACTERS, polled_video_id, video_request
from tests.fakes import SEED, cases, steady

REGISTRY = SEED
IMAGE = "https://e.x/a.png"


def asked(**body: Any) -> tuple[dict[str, Any], list[str]]:
    request, notices = video_request({"prompt": "p", **body}, REGISTRY)
    return request.model_dump(), notices


@pytest.mark.parametrize(
    ("body", "expected", "notices"),
    cases(
        {
            "only a prompt": ({}, {"model": "sora-2", "seconds": 4, "size": "1280x720"}, []),
            "prompt is trimmed": ({"prompt": " \n p\t"}, {"prompt": "p"}, []),
            "seconds 8": ({"seconds": 8}, {"seconds": 8}, []),
            "seconds 8.0": ({"seconds": 8.0}, {"seconds": 8}, []),
            "seconds null": ({"seconds": None}, {"seconds": 4}, []),
            "seconds '12'": ({"seconds": "12"}, {"seconds": 12}, []),
            "seconds '8 '": ({"seconds": "8 "}, {"seconds": 8}, []),
            "model falsy": ({"model": ""}, {"model": "sora-2"}, []),
            "model null": ({"model": None}, {"model": "sora-2"}, []),
            "model 0": ({"model": 0}, {"model": "sora-2"}, []),
            "model false": ({"model": False}, {"model": "sora-2"}, []),
            "model empty list": ({"model": []}, {"model": "sora-2"}, []),
            "model named": ({"model": "sora-2-pro"}, {"model": "sora-2-pro"}, []),
            "model by alias": ({"model": "sora-pro"}, {"model": "sora-2-pro"}, []),
            "size offered": ({"size": "720x1280"}, {"size": "720x1280"}, []),
            "size null": ({"size": None}, {"size": "1280x720"}, []),
            "size empty": ({"size": ""}, {"size": "1280x720"}, []),
            "reference": (
                {"input_reference_url": IMAGE},
                {"input_reference_url": IMAGE, "size": None},
                [],
            ),
            "reference empty": (
                {"input_reference_url": ""},
                {"input_reference_url": None, "size": "1280x720"},
                [],
            ),
            "reference null": ({"input_reference_url": None}, {"size": "1280x720"}, []),
            "reference and size": (
                {"input_reference_url": IMAGE, "size": "720x1280"},
                {"input_reference_url": IMAGE, "size": None},
                ["size is not used together with input_reference_url"],
            ),
            "anything else": ({"fps": 24, "n": 2}, {"prompt": "p"}, ["ignored: fps, n"]),
        }
    ),
)
def test_what_a_body_becomes(
    body: dict[str, Any], expected: dict[str, Any], notices: list[str]
) -> None:
    request, told = asked(**body)
    assert request.items() >= expected.items()
    assert told == notices


@pytest.mark.parametrize(
    ("value", "seconds"),
    cases(
        {
            "6, a tie": (6, 4),
            "10, a tie": (10, 8),
            "11": (11, 12),
            "99": (99, 12),
            "-3": (-3, 4),
            "0": (0, 4),
            "6.01": (6.01, 8),
            "'6'": ("6", 4),
            "' +7.5e0'": (" +7.5e0", 8),
            "1e400": (float("inf"), 12),
            "400 digits": (10**400, 12),
            "-400 digits": (-(10**400), 4),
            "a string of 5,000 digits": ("9" * 5000, 12),
        }
    ),
)
def test_other_seconds_go_to_the_nearest_length(value: Any, seconds: int) -> None:
    request, [notice] = asked(seconds=value)
    assert request["seconds"] == seconds
    assert notice.endswith(f"is not offered by sora-2; used {seconds}")


def test_a_notice_is_worded_as_promised() -> None:
    assert asked(seconds=6)[1] == ["seconds 6 is not offered by sora-2; used 4"]
    assert asked(size="1024x1024")[1] == ["size 1024x1024 is not offered by sora-2; used 1280x720"]


@pytest.mark.parametrize("value", ["abc", "", "8s", "1_2", "nan", "inf", "0x8", True, [8], {}])
def test_seconds_that_are_not_a_number_give_the_shortest(value: Any) -> None:
    request, notices = asked(seconds=value)
    assert request["seconds"] == 4
    assert notices == ["seconds was not a number; used 4"]


@pytest.mark.parametrize("value", ["1024x1024", "1280X720", " 1280x720", "x" * 500, 5, True, [1]])
def test_another_size_gives_the_default_and_a_notice(value: Any) -> None:
    request, [notice] = asked(size=value)
    assert request["size"] == "1280x720"
    assert notice.startswith("size ") and notice.endswith("; used 1280x720")
    assert len(notice) < 100


def test_each_change_has_its_notice() -> None:
    _, notices = asked(seconds=6, size="1x1", fps=24)
    assert [notice.split()[0] for notice in notices] == ["seconds", "size", "ignored:"]


@pytest.mark.parametrize(
    ("body", "reason"),
    cases(
        {
            "no prompt": ({}, "needs a prompt"),
            "prompt empty": ({"prompt": ""}, "needs a prompt"),
            "prompt blank": ({"prompt": " \n\u00a0"}, "needs a prompt"),
            "prompt null": ({"prompt": None}, "needs a prompt"),
            "prompt 5": ({"prompt": 5}, "needs a prompt"),
            "prompt a list": ({"prompt": ["p"]}, "needs a prompt"),
            "prompt too long": ({"prompt": "x" * 4001}, "4,001 characters, and can have 4,000"),
            "model unknown": ({"prompt": "p", "model": "veo"}, "sora-2, sora-2-pro"),
            "model in capitals": ({"prompt": "p", "model": "SORA-2"}, "sora-2, sora-2-pro"),
            "model 7": ({"prompt": "p", "model": 7}, "name of a model"),
            "model a list": ({"prompt": "p", "model": ["sora-2"]}, "name of a model"),
        }
    ),
)
def test_what_cannot_be_carried_out(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidActionError, match=reason):
        video_request(body, REGISTRY)


def test_a_prompt_has_at_most_4000_characters_after_trimming() -> None:
    prompt = "🚤" * MAX_PROMPT_CHARACTERS
    assert MAX_PROMPT_CHARACTERS == 4000
    assert asked(prompt=f"  {prompt}  ")[0]["prompt"] == prompt


@pytest.mark.parametrize(
    "url",
    [
        "http://e.x/a.png",
        "ftp://e.x/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//e.x/a.png",
        "a.png",
        "https://",
        "https:///a.png",
        "https://user:secret@e.x/a.png",
        "https://[::1/a.png",
        "https://e.x/a b.png",
        "https://e.x/a\n.png",
        " https://e.x/a.png",
        "https://e.x/" + "a" * 2048,
        5,
        ["https://e.x/a.png"],
        {"url": "https://e.x/a.png"},
    ],
)
def test_a_reference_is_an_https_address(url: Any) -> None:
    with pytest.raises(InvalidActionError, match="https address of a PNG, JPEG or WebP"):
        asked(input_reference_url=url)


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
FIELDS = ("prompt", "model", "seconds", "size", "input_reference_url", "fps")


@steady
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_only_what_the_registry_offers_is_asked_for(body: dict[str, Any]) -> None:
    try:
        request, _ = video_request(body, REGISTRY)
    except InvalidActionError:
        return
    model = REGISTRY.find(request.model)
    assert request.model == model.id
    assert request.seconds in model.lengths
    assert (request.size is None) == (request.input_reference_url is not None)
    assert request.size is None or request.size in model.sizes


def test_which_video_is_asked_for() -> None:
    assert polled_video_id({"videoId": "v1", "more": 1}) == "v1"


@pytest.mark.parametrize("body", [{}, {"videoId": None}, {"videoid": "v1"}])
def test_no_video_is_asked_for(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidActionError, match="needs a videoId"):
        polled_video_id(body)

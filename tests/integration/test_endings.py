"""Every way in which a provider can let us down, all at once, through the running stack.

The studio does what the words in the prompt say. Each ending must be told with the same code by
the result and by the record, in a sentence, and without the provider's key.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import httpx
import pytest

from local.stack import STUDIO_KEY, Stack
from tests.conftest import act, ended, studio_jobs
from tests.linked import content_link


class Ending(NamedTuple):
    code: str
    status: str = "failed"
    retryable: bool = False
    maybe_charged: bool = False


UNKNOWN = Ending("outcome_unknown", "unknown", maybe_charged=True)
LOST = Ending("storage", "unknown", maybe_charged=True)
LATE = Ending("timeout", "unknown", maybe_charged=True)
REJECTED = Ending("provider_rejected")

ENDINGS = {
    "[create:400]": Ending("invalid_input"),
    "[create:401]": REJECTED,
    "[create:402]": Ending("quota"),
    "[create:404]": REJECTED,
    "[create:429]": Ending("rate_limited", retryable=True),
    "[create:quota]": Ending("quota"),
    "[create:moderation]": Ending("moderation"),
    "[create:500]": UNKNOWN,
    "[create:503]": UNKNOWN,
    "[create:html]": UNKNOWN,
    "[create:empty]": UNKNOWN,
    "[create:hang]": UNKNOWN,
    "[create:drop]": UNKNOWN,
    "[create:500*1] [create:moderation]": UNKNOWN,  # once in doubt, nothing is certainly free
    "[created:drop] [fail:moderation]": UNKNOWN,
    "[fail:moderation]": Ending("moderation"),
    "[fail:server]": Ending("provider_rejected", retryable=True),
    "[content:half]": LOST,
    "[content:cut]": LOST,
    "[content:html]": LOST,
    "[content:empty]": LOST,
    "[content:401]": LOST,
    "[content:404]": LOST,
    "[content:500]": LOST,
    "[content:redirect-away]": LOST,
    "hasty [stuck]": LATE,
    "hasty [poll:401]": LATE,
    "hasty [poll:429]": LATE,
    "hasty [poll:500]": LATE,
    "hasty [poll:html]": LATE,
    "hasty [poll:drop]": LATE,
}
SURVIVED = [
    "[instant]",
    "[poster:none]",
    "[create:429*1]",
    "[create:429 after 2*1]",
    "[create:500*1]",
    "[create:drop*1]",
    "[created:500]",
    "[created:drop]",
    "[created:empty]",
    "[created:half]",
    "[created:html]",
    "[created:drop] [unlisted*2]",
    "[created:drop] [list:500*1]",
    "[poll:401*1]",
    "[poll:404*1]",
    "[poll:429*1]",
    "[poll:500*2]",
    "[poll:html*1]",
    "[poll:drop*1]",
    "[content:half*1]",
    "[content:html*1]",
    "[content:500*1]",
    "[content:redirect]",
]


@pytest.fixture(scope="module")
def results(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """All of them at once, each with its last result."""
    # A provider whose list is empty proves nothing about a request that it did not answer.
    ended(api, act(api, '<createAIVideo>{"prompt": "[instant] the first"}</createAIVideo>')[0])
    # Whoever looks into the list meets the trouble of all that is in it.
    prompts = (*ENDINGS, *SURVIVED)
    alone = [prompt for prompt in prompts if "[list:" in prompt]
    last = {prompt: ended(api, asked(api, prompt)) for prompt in alone}
    started = {prompt: asked(api, prompt) for prompt in prompts if prompt not in last}
    return last | {prompt: ended(api, result) for prompt, result in started.items()}


def asked(api: httpx.Client, prompt: str) -> dict[str, Any]:
    model = "hasty" if prompt.startswith("hasty") else ""
    [result] = act(
        api, f'<createAIVideo>{{"prompt": "{prompt}", "model": "{model}"}}</createAIVideo>'
    )
    return result


def record(api: httpx.Client, result: dict[str, Any]) -> dict[str, Any]:
    video_id = result.get("videoId") or result["data"]["videoId"]
    shown: dict[str, Any] = api.get(f"/videos/{video_id}").json()
    return shown


@pytest.mark.minutes
@pytest.mark.parametrize(("prompt", "ending"), ENDINGS.items(), ids=ENDINGS.keys())
def test_failure_is_told(
    api: httpx.Client,
    stack: Stack,
    results: dict[str, dict[str, Any]],
    prompt: str,
    ending: Ending,
) -> None:
    result = results[prompt]
    shown = record(api, result)
    assert result["code"] == ending.code
    assert result["retryable"] is ending.retryable
    assert result["error"] == shown["error"]["message"]
    assert shown["error"]["code"] == ending.code
    assert shown["status"] == ending.status
    assert shown["maybeCharged"] is ending.maybe_charged
    assert shown["videoUrl"] is None
    assert result["error"].endswith(".")
    assert len(result["error"]) > 20
    assert STUDIO_KEY not in result["error"]
    assert api.get(content_link(stack, shown["videoId"])).json()["code"] == ending.code


@pytest.mark.parametrize("prompt", SURVIVED)
def test_trouble_on_the_way_is_no_failure(
    api: httpx.Client, results: dict[str, dict[str, Any]], prompt: str
) -> None:
    assert results[prompt].get("type") == "CHAT_VIDEO", results[prompt]
    assert record(api, results[prompt])["error"] is None


def test_a_video_without_a_poster(results: dict[str, dict[str, Any]]) -> None:
    assert results["[poster:none]"]["data"]["posterUrl"] is None


def test_a_time_out_says_what_the_provider_said_last(results: dict[str, dict[str, Any]]) -> None:
    assert "(401)" in results["hasty [poll:401]"]["error"]


def test_nothing_was_asked_for_twice(results: dict[str, dict[str, Any]], stack: Stack) -> None:
    """Also where the answer got lost: the studio has one job for each video, and none too many."""
    jobs = Counter(job["prompt"] for job in studio_jobs(stack))
    assert {prompt: count for prompt, count in jobs.items() if count > 1} == {}
    assert set(SURVIVED) <= jobs.keys()

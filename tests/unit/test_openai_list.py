"""The list of jobs of the OpenAI Videos protocol: which of them can be the one that is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from actionreel.errors import (
    JobNotFoundError,
    NotListedError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.orders import Order
from actionreel.providers.openai_videos import LIST_PAGES
from tests.fakes import cases
from tests.openai_server import (
    BASE,
    KEY,
    LIMIT,
    ORDER,
    TROUBLES,
    VIDEO,
    Answer,
    Body,
    Server,
    answer,
    error_body,
    one_after_the_other,
    raised,
    trouble,
)

THEN = 1795305600
SINCE = datetime.fromtimestamp(THEN, UTC)


def job(name: str, later: float = 60, **changes: Any) -> dict[str, Any]:
    """A job as a list shows it, made so many seconds after we began to ask."""
    made = {"id": name, "prompt": ORDER.request.prompt, "created_at": THEN + later}
    return {**VIDEO, **made, **changes}


def listing(*jobs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(jobs), "has_more": False, **more}


def found(*answers: Body | Answer, order: Order = ORDER) -> list[str]:
    """The ids that are found in these pages."""
    pages = [page if callable(page) else answer(200, page) for page in answers]
    server = Server(one_after_the_other(*pages))
    handles = server.find(order, SINCE)
    assert len(server.requests) == len(answers), "neither more nor fewer pages than there are"
    return [str(handle["id"]) for handle in handles]


def test_the_list_is_asked_for_newest_first() -> None:
    server = Server(answer(200, listing(job("a", prompt="another"))))
    assert server.find(ORDER, SINCE) == []
    [request] = server.requests
    assert (request.method, request.url.path) == ("GET", "/v1/videos")
    assert str(request.url).startswith(f"{BASE}/videos?")
    assert dict(request.url.params) == {"limit": "100", "order": "desc"}
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_job_is_ours_by_its_prompt() -> None:
    others = [
        job("a", prompt="a paper boat!"),
        job("b", prompt=""),
        job("c", prompt="A PAPER BOAT"),
    ]
    assert found(listing(*others, job("ours"), job("padded", prompt=" a paper boat\n"))) == [
        "ours",
        "padded",
    ]


def test_what_agrees_in_more_is_likelier() -> None:
    jobs = [
        job("none", model="x", seconds="4", size="1x1"),
        job("model", seconds="4", size="1x1"),
        job("all"),
        job("but for the size", size=None),
        job("seconds as a number", seconds=8),
    ]
    liked = ["all", "seconds as a number", "but for the size", "model", "none"]
    assert found(listing(*jobs)) == liked


def asked_for(**changes: Any) -> Order:
    return replace(ORDER, request=ORDER.request.model_copy(update=changes))


def test_what_starts_from_an_image_may_be_somebody_else_s() -> None:
    """The list says nothing of images, and who has the same words may have another one."""
    order = asked_for(input_reference_url="https://a.example/my-cat.png")
    assert isinstance(raised(lambda: found(listing(job("theirs")), order=order)), NotListedError)
    assert found(listing(job("another", prompt="another")), order=order) == []


def test_what_is_made_anew_of_another_video_is_somebody_else_s() -> None:
    jobs = [
        job("new", remixed_from_video_id=None),
        job("too", remixed_from_video_id=""),
        job("of a", remixed_from_video_id="video_a"),
        job("of b", remixed_from_video_id="video_b"),
    ]
    assert found(listing(*jobs)) == ["new", "too"]
    assert found(listing(*jobs), order=asked_for(remixes={"id": "video_a"})) == ["of a"]
    untold = {name: it for name, it in job("x").items() if name != "remixed_from_video_id"}
    again = asked_for(remixes={"id": "video_a"})
    assert isinstance(raised(lambda: found(listing(untold), order=again)), NotListedError)
    assert found(listing(untold)) == ["x"]


@pytest.mark.parametrize("later", [0, 0.5, 1, 1e6])
def test_a_job_since_then_can_be_ours(later: float) -> None:
    assert found(listing(job("ours", later))) == ["ours"]


def test_an_older_job_is_another_s() -> None:
    assert found(listing(job("older", -1), job("old", -1e6))) == []


@pytest.mark.parametrize("created", [None, 0, "2026-11-22", True, [], float("nan"), 10**400])
def test_a_job_that_does_not_tell_its_age_may_be_ours(created: Any) -> None:
    body = json.dumps(listing(job("ours", created_at=created))).encode()
    assert found(body) == ["ours"]


@pytest.mark.parametrize(
    "kept", cases({"milliseconds": THEN * 1000, "parts": THEN + 0.25, "far off": 10**15})
)
def test_an_age_of_another_unit_overlooks_nothing(kept: float) -> None:
    assert found(listing(job("ours", created_at=kept))) == ["ours"]


@pytest.mark.parametrize("name", ["", None, 5, "\ud800", {"a": 1}, "x" * 1001])
def test_a_job_with_our_prompt_that_cannot_be_named_may_be_ours(name: Any) -> None:
    body = json.dumps(listing(job("x") | {"id": name}, job("another"))).encode()
    assert isinstance(raised(lambda: found(body)), NotListedError)


# Pages


def test_the_next_page_begins_after_the_last_job() -> None:
    pages = [listing(job("a", 9), job("b", 8), has_more=True), listing(job("c", 7), has_more=False)]
    server = Server(one_after_the_other(*[answer(200, page) for page in pages]))
    assert [handle["id"] for handle in server.find(ORDER, SINCE)] == ["a", "b", "c"]
    assert [request.url.params.get("after") for request in server.requests] == [None, "b"]


def test_no_page_is_read_beyond_the_first_older_job() -> None:
    assert found(listing(job("a", 9), job("old", -9), has_more=True)) == ["a"]


def test_a_server_that_lists_the_oldest_first_is_read_to_its_end() -> None:
    first = listing(job("old", -90), job("older than ours", -80), has_more=True)
    assert found(first, listing(job("ours", 5))) == ["ours"]


def test_an_old_job_out_of_place_does_not_hide_ours() -> None:
    mixed = listing(job("a", 9), job("old", -9), job("b", 8), has_more=True)
    assert found(mixed, listing(job("ours", 7))) == ["a", "b", "ours"]


@pytest.mark.parametrize("more", [None, 1, "true", "absent"])
def test_only_a_server_that_says_so_has_no_other_page(more: Any) -> None:
    first = listing(job("a"), has_more=more)
    if more == "absent":
        del first["has_more"]
    assert found(first, listing(job("ours"))) == ["a", "ours"]


def test_a_server_that_knows_no_pages_gives_the_same_again() -> None:
    page = listing(job("a"), has_more=None)
    assert found(page, page) == ["a"]


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_page_after_which_nothing_can_be_asked_for_is_not_the_end(name: Any) -> None:
    page = listing(job("a"), job("x", prompt="another") | {"id": name}, has_more=True)
    assert isinstance(raised(lambda: found(page)), NotListedError)


def test_an_empty_page_is_the_last() -> None:
    assert found(listing(job("a"), has_more=True), listing(has_more=True)) == ["a"]


def test_a_list_without_end_can_show_no_absence() -> None:
    pages = [
        answer(200, listing(job(str(number), prompt="another"), has_more=True))
        for number in range(LIST_PAGES)
    ]
    server = Server(one_after_the_other(*pages))
    assert isinstance(raised(lambda: server.find(ORDER, SINCE)), NotListedError)
    assert len(server.requests) == LIST_PAGES


# Lists that cannot tell


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "no prompts": listing(job("a", prompt=None)),
            "a prompt of another kind": listing(job("a", prompt={"text": "a paper boat"})),
            "one without a prompt": listing(job("ours"), {"id": "b", "status": "queued"}),
            "LiteLLM's, without prompts": {
                "data": [{"id": "video_bGl0ZWxsbQ==", "object": "video"}]
            },
            "nothing": b"",
            "a page": b"<!doctype html>",
            "a bare list": [job("ours")],
            "no data": {"object": "list"},
            "data of another kind": {"data": {"a": job("ours")}},
            "jobs of another kind": {"data": ["video_1"]},
            "cut": b'{"data": [{"id": "a"',
        }
    ),
)
def test_a_list_that_cannot_tell_says_so(body: Body) -> None:
    error = raised(lambda: Server(answer(200, body)).find(ORDER, SINCE))
    assert isinstance(error, NotListedError)


def test_an_empty_list_proves_nothing_but_may_only_be_behind() -> None:
    """A server that forgets its jobs has one for ever."""
    assert isinstance(raised(lambda: found(listing())), JobNotFoundError)


def test_an_older_job_without_a_prompt_shows_what_the_list_does_not_tell() -> None:
    error = raised(lambda: found(listing(job("old", -9, prompt=None))))
    assert isinstance(error, NotListedError)


@pytest.mark.parametrize("status", [400, 404, 405, 410, 501])
def test_a_server_without_a_list_says_so(status: int) -> None:
    error = raised(lambda: Server(answer(status, error_body("no"))).find(ORDER, SINCE))
    assert isinstance(error, NotListedError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderUnavailableError),
        (401, ProviderRejectedError),
        (403, ProviderRejectedError),
        (408, ProviderUnavailableError),
        (429, ProviderThrottledError),
        (500, ProviderUnavailableError),
        (503, ProviderUnavailableError),
    ],
)
def test_trouble_with_the_list_is_for_now(status: int, kind: type[ProviderError]) -> None:
    error = raised(lambda: Server(answer(status, LIMIT)).find(ORDER, SINCE))
    assert type(error) is kind


def test_trouble_with_the_second_page_hides_what_is_on_it() -> None:
    first = answer(200, listing(job("a", prompt="another"), has_more=True))
    server = Server(one_after_the_other(first, answer(503)))
    assert isinstance(raised(lambda: server.find(ORDER, SINCE)), ProviderUnavailableError)


@pytest.mark.parametrize("error", TROUBLES)
def test_a_list_that_does_not_come(error: type[httpx.HTTPError]) -> None:
    server = Server(trouble(error))
    assert isinstance(raised(lambda: server.find(ORDER, SINCE)), ProviderUnavailableError)

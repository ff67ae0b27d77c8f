"""Looking at a job by the OpenAI Videos protocol: what each answer means."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from actionreel.errors import (
    JobNotFoundError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import ProviderAnswer
from tests.fakes import cases
from tests.openai_server import (
    BASE,
    COMPLETED,
    FAILED,
    HANDLE,
    KEY,
    LIMIT,
    RUNNING,
    TROUBLES,
    VIDEO,
    Body,
    Server,
    answer,
    error_body,
    raised,
    trouble,
)

PHASES = {
    "pending": "queued pending starting submitted in_queue preparing queueing throttled waiting "
    "created in_progress processing running inprogress preprocessing dreaming generating "
    "cancelling requires_continuation IN_PROGRESS a_word_of_tomorrow",
    "completed": "completed succeeded succeed success done COMPLETED Succeeded",
    "failed": "failed fail error expired incomplete budget_exceeded FAILED",
    "cancelled": "cancelled canceled aborted deleted Cancelled",
}


@pytest.mark.parametrize(
    ("word", "phase"), [(word, phase) for phase in PHASES for word in PHASES[phase].split()]
)
def test_the_words_for_how_a_job_stands(word: str, phase: str) -> None:
    assert Server(answer(200, VIDEO | {"status": word})).poll(HANDLE).phase == phase


def test_poll_asks_for_the_job() -> None:
    server = Server(answer(200, RUNNING))
    assert server.poll(HANDLE) == ProviderAnswer(phase="pending", progress=42)
    [request] = server.requests
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/videos/{HANDLE['id']}")
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_finished_job() -> None:
    done = ProviderAnswer(phase="completed", progress=100, took_seconds=142)
    assert Server(answer(200, COMPLETED)).poll(HANDLE) == done


def test_an_id_is_one_segment_of_the_path() -> None:
    server = Server(answer(200, RUNNING))
    server.poll({"id": "video_a/b+c==?d#e%2f"})
    assert server.requests[0].url.raw_path == b"/v1/videos/video_a%2Fb%2Bc%3D%3D%3Fd%23e%252f"


@pytest.mark.parametrize(
    ("progress", "shown"),
    [(0, 0), (41.6, 42), (100, 100), (250, 100), (-3, 0), (None, None), ("42", None), (True, None)],
)
def test_progress(progress: Any, shown: int | None) -> None:
    assert Server(answer(200, RUNNING | {"progress": progress})).poll(HANDLE).progress == shown


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 400])
def test_progress_that_is_no_number_does_not_hide_the_rest(number: str) -> None:
    body = json.dumps(COMPLETED | {"progress": "?"}).replace('"?"', number).encode()
    polled = Server(answer(200, body)).poll(HANDLE)
    assert polled.phase == "completed"
    assert polled.progress in (None, 100)


@pytest.mark.parametrize(
    ("error", "code", "retryable", "told"),
    cases(
        {
            "moderation": (FAILED["error"], "moderation", False, "safety system."),
            "policy": ({"code": "content_policy", "message": "m"}, "moderation", False, "m"),
            "policy by type": ({"type": "safety_error"}, "moderation", False, "content."),
            "quota": ({"code": "insufficient_quota"}, "quota", False, "credit left."),
            "budget": ({"type": "budget_exceeded"}, "quota", False, "credit left."),
            "only a message": ({"message": "CUDA error"}, "provider_rejected", True, "CUDA error"),
            "a number": ({"code": 500, "message": "m"}, "provider_rejected", True, "m"),
            "nothing": (None, "provider_rejected", True, "could not make this video."),
            "a text": ("boom", "provider_rejected", True, "boom"),
            "odd kinds": ({"code": [1], "message": {}}, "provider_rejected", True, "video."),
        }
    ),
)
def test_why_a_job_failed(error: Any, code: str, retryable: bool, told: str) -> None:
    failure = Server(answer(200, FAILED | {"error": error})).poll(HANDLE).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.message.endswith(told)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("expired", "expired"),
        ("Expired", "expired"),
        ("cancelled", "cancelled"),
        ("deleted", "cancelled"),
    ],
)
def test_other_endings_have_their_own_code(status: str, code: str) -> None:
    failure = Server(answer(200, VIDEO | {"status": status})).poll(HANDLE).failure
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize(("cost", "charged"), [(0.8, True), (0, False), (None, False)])
def test_a_failed_job_with_a_price_was_charged(cost: float | None, charged: bool) -> None:
    polled = Server(answer(200, FAILED | {"usage": {"cost": cost}})).poll(HANDLE)
    assert polled.failure is not None
    assert polled.failure.maybe_charged is charged
    assert not (charged and polled.failure.retryable)


def test_a_reason_can_always_be_written_down() -> None:
    body = FAILED | {"error": {"code": "server_error", "message": "half of \ud83d"}}
    failure = Server(answer(200, body)).poll(HANDLE).failure
    assert failure is not None
    failure.message.encode()


@pytest.mark.parametrize(
    ("cost", "price"),
    [
        (0, "0"),
        (0.4, "0.4"),
        ("1.25", "1.25"),
        (None, None),
        (True, None),
        ("free", None),
        ("NaN", None),
        ("-Infinity", None),
        ([1], None),
        (-0.5, None),  # a cap would move on by what it gives back
        ("0.12345678901234567890123456789012345678901", "0.123456789012"),
        ("1e-200", "0"),  # beyond what DynamoDB counts with
        ("1e200", None),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_the_price(cost: Any, price: str | None) -> None:
    polled = Server(answer(200, COMPLETED | {"usage": {"cost": cost}})).poll(HANDLE)
    assert polled.cost_usd == (None if price is None else Decimal(price))


@pytest.mark.parametrize("times", [(None, 9), (0, 9), (9, 8), ("1", "9"), (True, 9), (9, None)])
def test_times_that_tell_nothing(times: tuple[Any, Any]) -> None:
    body = COMPLETED | {"created_at": times[0], "completed_at": times[1], "usage": [1]}
    assert Server(answer(200, body)).poll(HANDLE).took_seconds is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    cases(
        {
            "404": (404, {"detail": "gone"}, JobNotFoundError),
            "404 page": (404, b"<html>", JobNotFoundError),
            "429": (429, LIMIT, ProviderThrottledError),
            "401": (401, error_body(f"bad {KEY}"), ProviderRejectedError),
            "403": (403, b"", ProviderRejectedError),
            **{
                str(status): (status, COMPLETED, ProviderUnavailableError)
                for status in (302, 400, 408, 500, 502, 503)
            },
            "page": (200, b"<!doctype html>", ProviderError),
            "nothing": (200, b"", ProviderError),
            "list": (200, [COMPLETED], ProviderError),
            "no status": (200, {"id": "video_1"}, ProviderError),
            "status of another kind": (200, VIDEO | {"status": 5}, ProviderError),
            "too long": (200, VIDEO | {"prompt": "x" * 1024 * 1024}, ProviderError),
        }
    ),
)
def test_a_look_that_shows_nothing(status: int, body: Body, kind: type[ProviderError]) -> None:
    assert isinstance(raised(lambda: Server(answer(status, body)).poll(HANDLE)), kind)


@pytest.mark.parametrize("error", TROUBLES)
def test_a_look_that_fails(error: type[httpx.HTTPError]) -> None:
    raised_error = raised(lambda: Server(trouble(error)).poll(HANDLE))
    assert isinstance(raised_error, ProviderUnavailableError)

"""Asking for a video by the OpenAI Videos protocol: what is sent, and what each answer means."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from actionreel.errors import (
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import ProviderAnswer, Recovery
from tests.fakes import cases
from tests.openai_server import (
    BASE,
    BUDGET,
    COMPLETED,
    DETAIL,
    FAILED,
    HANDLE,
    INVALID,
    KEY,
    LIMIT,
    NO_MODEL,
    ORDER,
    POLICY,
    QUOTA,
    VIDEO,
    Body,
    Server,
    answer,
    error_body,
    raised,
    trouble,
)


def test_create_sends_the_request_once() -> None:
    server = Server(answer(200, VIDEO), base=f"{BASE}/")
    assert server.create(ORDER) == ProviderAnswer(phase="pending", handle=HANDLE, progress=0)
    [request] = server.requests
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/videos")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {
        "model": "sora-2",
        "prompt": "a paper boat",
        "seconds": "8",
        "size": "1280x720",
    }


@pytest.mark.parametrize("webhooks", [True, False])
def test_the_answer_says_whether_a_webhook_will_come(webhooks: bool) -> None:
    server = Server(answer(200, VIDEO), webhooks=webhooks)
    assert server.create(ORDER).webhook is webhooks


def test_a_reference_is_sent_in_place_of_the_size() -> None:
    server = Server(answer(200, VIDEO))
    url = "https://e.x/a.png"
    asked = {"size": None, "input_reference_url": url}
    server.create(replace(ORDER, request=ORDER.request.model_copy(update=asked)))
    body = json.loads(server.requests[0].content)
    assert body["input_reference"] == {"image_url": url}
    assert "size" not in body


@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_is_an_acceptance(status: int) -> None:
    assert Server(answer(status, VIDEO)).create(ORDER).handle == HANDLE


def test_create_can_be_answered_with_the_finished_video() -> None:
    done = Server(answer(200, COMPLETED)).create(ORDER)
    assert (done.phase, done.handle, done.took_seconds) == ("completed", HANDLE, 142)


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "a number that is none": json.dumps(VIDEO | {"progress": float("nan")}).encode(),
            "half a surrogate pair": json.dumps(VIDEO | {"prompt": "a boat \ud83d"}).encode(),
            "a price that is none": VIDEO | {"usage": {"cost": "NaN"}},
            "a number without end": VIDEO | {"progress": 10**400, "created_at": 10**400},
            "an endless price": VIDEO | {"usage": {"cost": "Infinity"}},
            "the least": {"id": VIDEO["id"]},
        }
    ),
)
def test_a_job_is_not_lost_to_what_else_its_answer_says(body: Body) -> None:
    assert Server(answer(200, body)).create(ORDER).handle == HANDLE


@pytest.mark.parametrize(
    ("status", "body", "category"),
    cases(
        {
            "301": (301, b"", "provider_rejected"),
            "307": (307, b"", "provider_rejected"),
            "400": (400, INVALID, "invalid_input"),
            "400 for its content": (400, POLICY, "moderation"),
            "400 without credit": (400, BUDGET, "quota"),
            "401": (401, error_body(f"Incorrect key: {KEY}"), "provider_rejected"),
            "402": (402, QUOTA, "quota"),
            "403": (403, b"", "provider_rejected"),
            "403 for its content": (403, FAILED, "moderation"),
            "404": (404, NO_MODEL, "provider_rejected"),
            "404 page": (404, b"<html>", "provider_rejected"),
            "406": (406, b"", "provider_rejected"),
            "413": (413, b"", "invalid_input"),
            "422": (422, DETAIL, "invalid_input"),
            "422 for its content": (422, POLICY, "moderation"),
            "400 for words": (400, error_body("It contains sensitive words."), "moderation"),
            "400 for use": (400, error_body("Against the usage guidelines."), "moderation"),
            "400 by Google": (400, error_body("Violates Responsible AI practices"), "moderation"),
            "429 without credit": (429, QUOTA, "quota"),
            "451": (451, b"", "provider_rejected"),
            "451 for its content": (451, POLICY, "moderation"),
            "429 without budget": (429, BUDGET, "quota"),
        }
    ),
)
def test_a_refusal_is_final(status: int, body: Body, category: str) -> None:
    server = Server(answer(status, body))
    error = raised(lambda: server.create(ORDER))
    assert isinstance(error, ProviderRejectedError)
    assert error.category == category
    assert len(server.requests) == 1


def test_a_refusal_tells_what_the_provider_says() -> None:
    error = raised(lambda: Server(answer(400, INVALID)).create(ORDER))
    assert str(error).endswith("Invalid value for seconds.")
    endless = error_body("x" * 10_000)
    assert len(str(raised(lambda: Server(answer(400, endless)).create(ORDER)))) < 400


@pytest.mark.parametrize("body", [LIMIT, b"", b"<html>"])
def test_429_is_for_now(body: Body) -> None:
    server = Server(answer(429, body, retry_after="1"))
    assert isinstance(raised(lambda: server.create(ORDER)), ProviderThrottledError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    cases(
        {
            **{str(status): (status, b"") for status in (303, 408, 409, 425, 500, 502, 503, 504)},
            "200 endless id": (200, VIDEO | {"id": "x" * 1001}),
            "500 with an error": (500, error_body("boom", "server_error")),
            "503 page": (503, b"<html>"),
            "200 page": (200, b"<!doctype html>"),
            "200 nothing": (200, b""),
            "200 cut": (200, b'{"id": "vid'),
            "200 list": (200, [VIDEO]),
            "200 string": (200, "video_1"),
            "200 not UTF-8": (200, b'{"id": "\xff"}'),
            "200 without an id": (200, {"status": "queued"}),
            "200 empty id": (200, VIDEO | {"id": ""}),
            "200 null id": (200, VIDEO | {"id": None}),
            "200 id of another kind": (200, VIDEO | {"id": {"a": 1}}),
            "200 half a surrogate pair for an id": (200, VIDEO | {"id": "\ud800"}),
            "200 too long": (200, VIDEO | {"prompt": "x" * 1024 * 1024}),
        }
    ),
)
def test_an_unclear_answer_may_be_an_acceptance(status: int, body: Body) -> None:
    server = Server(answer(status, body))
    error = raised(lambda: server.create(ORDER))
    assert isinstance(error, OutcomeUnknownError)
    assert "may charge" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
def test_without_a_connection_nothing_was_asked(error: type[httpx.HTTPError]) -> None:
    server = Server(trouble(error))
    assert isinstance(raised(lambda: server.create(ORDER)), ProviderUnavailableError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_on_a_connection_anything_may_have_been_asked(error: type[httpx.HTTPError]) -> None:
    server = Server(trouble(error))
    assert isinstance(raised(lambda: server.create(ORDER)), OutcomeUnknownError)
    assert len(server.requests) == 1


def test_a_request_that_could_not_be_written_was_not_sent() -> None:
    """As with a key that was pasted with its line end: the header is refused, and nothing sent."""
    error = raised(lambda: Server(trouble(httpx.LocalProtocolError)).create(ORDER))
    assert isinstance(error, ProviderError)
    assert not isinstance(error, OutcomeUnknownError)


@pytest.mark.parametrize("recovery", ["list", "none", "key"])
def test_the_key_is_sent_where_it_counts(recovery: Recovery) -> None:
    server = Server(answer(200, VIDEO), recovery=recovery)
    server.create(ORDER)
    sent = server.requests[0].headers.get("idempotency-key")
    assert sent == ("the video's id" if recovery == "key" else None)


@pytest.mark.parametrize(
    "said",
    [
        "litellm.ContentPolicyViolationError: litellm.BadRequestError: no.",
        "The prompt was blocked by the safety filters.",
        "Your request violates our usage policies.",
        "The prompt contains prohibited content.",
    ],
)
def test_a_judgement_on_the_content_is_known_by_its_text(said: str) -> None:
    """A proxy has a code of its own; taken for a mistake in the input, it would lead elsewhere."""
    server = Server(answer(400, error_body(said, None, "400")))
    error = raised(lambda: server.create(ORDER))
    assert isinstance(error, ProviderRejectedError)
    assert error.category == "moderation"

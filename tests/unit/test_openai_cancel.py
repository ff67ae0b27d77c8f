"""Cancelling by the OpenAI Videos protocol, where a DELETE is all that there is."""

from __future__ import annotations

import httpx
import pytest

from actionreel.errors import (
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from tests.openai_server import (
    BASE,
    COMPLETED,
    FAILED,
    HANDLE,
    KEY,
    RUNNING,
    TROUBLES,
    VIDEO,
    Body,
    Server,
    answer,
    error_body,
    one_after_the_other,
    raised,
    trouble,
)


def cancelling(status: int, body: Body = b"") -> Server:
    """A server with a job that runs, and such an answer to its cancellation."""
    return Server(one_after_the_other(answer(200, RUNNING), answer(status, body)))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_job_that_runs_is_deleted(status: int) -> None:
    server = cancelling(status, {"id": HANDLE["id"], "object": "video.deleted", "deleted": True})
    assert server.cancel(HANDLE) == "cancelled"
    looked, deleted = server.requests
    assert (looked.method, deleted.method) == ("GET", "DELETE")
    assert str(looked.url) == str(deleted.url) == f"{BASE}/videos/{HANDLE['id']}"
    assert deleted.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("body", [COMPLETED, FAILED, VIDEO | {"status": "cancelled"}])
def test_a_film_that_is_finished_is_never_deleted(body: Body) -> None:
    server = Server(answer(200, body))
    assert server.cancel(HANDLE) == "too_late"
    assert [request.method for request in server.requests] == ["GET"]


def test_a_job_that_is_gone_cannot_be_cancelled() -> None:
    server = Server(answer(404, error_body("not found")))
    assert server.cancel(HANDLE) == "too_late"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 422, 501])
def test_a_server_that_deletes_no_job_that_runs_cannot_cancel(status: int) -> None:
    assert cancelling(status, error_body("no")).cancel(HANDLE) == "unsupported"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderUnavailableError),
        (401, ProviderRejectedError),
        (409, ProviderUnavailableError),
        (429, ProviderThrottledError),
        (500, ProviderUnavailableError),
        (503, ProviderUnavailableError),
    ],
)
def test_trouble_with_a_cancellation_is_told(status: int, kind: type[ProviderError]) -> None:
    error = raised(lambda: cancelling(status, error_body(KEY)).cancel(HANDLE))
    assert type(error) is kind


@pytest.mark.parametrize("error", TROUBLES)
def test_a_server_that_cannot_be_reached(error: type[httpx.HTTPError]) -> None:
    unreachable = Server(trouble(error))
    assert isinstance(raised(lambda: unreachable.cancel(HANDLE)), ProviderUnavailableError)
    gone = Server(one_after_the_other(answer(200, RUNNING), trouble(error)))
    assert isinstance(raised(lambda: gone.cancel(HANDLE)), ProviderUnavailableError)


def test_a_look_that_cannot_be_read_deletes_nothing() -> None:
    server = Server(answer(200, b"<html>"))
    raised(lambda: server.cancel(HANDLE))
    assert [request.method for request in server.requests] == ["GET"]

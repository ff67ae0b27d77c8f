"""The task Fail Video: why there is no video, and whether it may have cost money."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from actionreel import endings
from actionreel.errors import StaleVideoError
from actionreel.models import ErrorCode, Failure, VideoJob
from tests.fakes import ENDED, FENCE, OPEN, REFUSED, FakeServices, a_job, at, generating, record


def caught(error: str, message: str = "m") -> VideoJob:
    """The document as the state machine hands it on, with Lambda's own words for the error."""
    cause = {"errorMessage": message, "errorType": error, "stackTrace": ["  File x\n"]}
    return a_job(caught={"Error": error, "Cause": json.dumps(cause)})


@pytest.mark.parametrize(
    ("error", "status", "code", "retryable", "charged"),
    [
        ("ProviderThrottledError", "queued", "rate_limited", True, False),
        ("ProviderUnavailableError", "queued", "provider_unavailable", True, False),
        ("ProviderRejectedError", "submitting", "provider_rejected", False, True),
        ("ProviderUnavailableError", "submitting", "provider_unavailable", False, True),
        ("ProviderRejectedError", "generating", "provider_rejected", False, True),
        ("AssetError", "storing", "storage", False, True),
        ("AssetIncompleteError", "storing", "storage", False, True),
        ("AssetUnavailableError", "storing", "storage", False, True),
        ("AssetUnusableError", "storing", "storage", False, True),
        ("ProviderRejectedError", "storing", "provider_rejected", False, True),
    ],
)
def test_our_own_errors_speak_for_themselves(
    error: str, status: str, code: str, retryable: bool, charged: bool
) -> None:
    services = at(status)
    job = endings.fail(caught(error, "A sentence."), services)
    assert job.failure == record(services).failure
    assert record(services).status == ("unknown" if charged else "failed")
    assert job.failure == Failure.model_validate(
        {"code": code, "message": "A sentence.", "retryable": retryable, "maybe_charged": charged}
    )


STRANGERS = ["States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "KeyError", "Exception"]
STRANGERS += ["StaleVideoError", "WorkflowError", "Failure", "annotations", "Any"]


@pytest.mark.parametrize("error", STRANGERS)
@pytest.mark.parametrize(
    ("status", "code", "ending", "charged"),
    [
        ("queued", "internal", "failed", False),
        ("submitting", "outcome_unknown", "unknown", True),
        ("generating", "internal", "unknown", True),
        ("storing", "storage", "unknown", True),
    ],
)
def test_other_errors_are_told_by_how_far_the_video_had_come(
    error: str, status: str, code: str, ending: str, charged: bool
) -> None:
    services = at(status)
    endings.fail(caught(error, "KeyError: 'secret'"), services)
    failure = record(services).failure
    assert failure is not None
    assert (record(services).status, failure.code, failure.maybe_charged) == (ending, code, charged)
    assert failure.message.endswith(".")
    assert "secret" not in failure.message


@pytest.mark.parametrize(
    "cause", ["", "null", "[]", "{}", '{"errorMessage": "m", "stackTrace": ["File', "Traceback"]
)
def test_a_cause_that_lambda_did_not_write_is_not_for_the_chat(cause: str) -> None:
    services = at("storing")
    job = a_job(caught={"Error": "AssetIncompleteError", "Cause": cause})
    endings.fail(job, services)
    failure = record(services).failure
    assert failure is not None
    assert failure.code == "storage"
    assert re.fullmatch(r"[A-Z][^{}]{20,}\.", failure.message)


def test_fail_that_comes_a_moment_too_late_changes_nothing() -> None:
    services = at("storing")
    services.videos.before = meanwhile(services, status="completed")
    endings.fail(generating(failure=REFUSED), services)
    assert (record(services).status, record(services).failure) == ("completed", None)


def test_fail_looks_again_where_another_request_was_sent_meanwhile() -> None:
    services = at("queued", fence=None)
    services.videos.before = meanwhile(services, status="submitting", fence="a later request")
    with pytest.raises(StaleVideoError):
        endings.fail(generating(failure=REFUSED), services)
    assert record(services).status == "submitting"


def meanwhile(services: FakeServices, **changes: Any) -> Any:
    """A hook: another one writes just before the next write."""

    def hook(*_: object) -> None:
        services.videos.before = lambda *_: None
        video = record(services)
        services.videos.advance("default", video.video_id, {video.status}, **changes)

    return hook


@pytest.mark.parametrize("status", ["queued", "submitting", "generating", "storing"])
def test_a_failure_without_anything_said_is_written_all_the_same(status: str) -> None:
    services = at(status)
    endings.fail(a_job(status="failed"), services)
    assert record(services).failure is not None


@pytest.mark.parametrize("ending", ENDED)
def test_an_ending_is_never_overwritten(ending: str) -> None:
    services = at(ending, failure=REFUSED)
    before = record(services)
    job = generating(failure=Failure(code="timeout", message="late"))
    status = "stored" if ending == "completed" else "failed"
    assert endings.fail(job, services) == job.model_copy(update={"status": status})
    assert (record(services), services.log) == (before, [])


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_what_may_have_been_charged_never_ends_as_failed(status: str, code: ErrorCode) -> None:
    services = at(status)
    failure = Failure(code=code, message="A reason.", maybe_charged=True)
    endings.fail(generating(failure=failure), services)
    named = {"expired": "expired", "cancelled": "cancelled"}
    assert record(services).status == named.get(code, "unknown")
    assert record(services).failure == failure


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_after_a_request_that_nobody_can_tell_of_nothing_ends_as_failed(
    status: str, code: ErrorCode
) -> None:
    services = at(status, ambiguous=True)
    endings.fail(generating(failure=Failure(code=code, message="The last reason.")), services)
    failure = record(services).failure
    assert failure is not None
    assert record(services).status == "unknown"
    assert (failure.code, failure.maybe_charged, failure.retryable) == (
        "outcome_unknown",
        True,
        False,
    )
    assert failure.message.endswith("The last reason.")


def test_a_video_that_ends_leaves_the_request_of_another_run_its_charge() -> None:
    """An older run of Create is at it, under its own fence, while this execution gives up."""
    services = at("submitting", fence="of an older run")
    endings.fail(a_job(status="failed", fence=FENCE, failure=REFUSED), services)
    assert record(services).status == "unknown"

"""The four tasks: what each of them does to the record, to the document and to the files."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from actionreel import jobs
from actionreel.errors import (
    ActionreelError,
    AssetError,
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    RecordUnavailableError,
    StaleVideoError,
)
from actionreel.models import Failure, ProviderAnswer, Video, VideoJob, VideoRequest, file_key
from tests.fakes import MP4, NOON, VIDEO_ID, WEBP, FakeServices, a_job, a_video, cases

HANDLE = {"id": "video_1"}
PENDING = ProviderAnswer(phase="pending", handle=HANDLE)
DONE = ProviderAnswer(phase="completed", handle=HANDLE, took_seconds=142)
REFUSED = Failure(code="moderation", message="Refused for its content.")
ENDED = ("completed", "failed", "cancelled", "expired", "unknown")

Answer = ProviderAnswer | Exception


def at(status: str, *answers: Answer, **changes: Any) -> FakeServices:
    """Services whose one record has that status, and whose provider answers so."""
    services = FakeServices(*answers)
    later = {} if status in ("queued", "submitting") else {"handle": HANDLE, "submitted_at": NOON}
    services.videos.add("default", [a_video(status=status, **later, **changes)], None)
    services.log.clear()
    return services


def record(services: FakeServices) -> Video:
    return services.videos.records["default", VIDEO_ID]


def generating(**changes: Any) -> VideoJob:
    return a_job(**{"handle": HANDLE, "submitted_at": NOON, **changes})


# Create


def test_create_writes_before_it_asks_and_after_it_was_answered() -> None:
    services = at("queued", PENDING.model_copy(update={"progress": 0}))
    job = jobs.create(a_job(), services)
    assert services.log == ["record submitting", "asked", "record generating"]
    assert job == generating(wait_seconds=3)
    assert record(services) == a_video(
        status="generating",
        handle=HANDLE,
        submitted_at=NOON,
        progress=0,
        next_check_at=NOON + timedelta(seconds=3),
    )


def test_the_first_wait_is_what_the_model_took_before() -> None:
    services = at("queued", PENDING)
    services.videos.took["sora-2"] = [60] * 10
    assert jobs.create(a_job(), services).wait_seconds == 59


def test_the_first_wait_never_passes_the_deadline() -> None:
    """A server that tells its times in mixed units must not stop all that come after it."""
    services = at("queued", PENDING)
    services.videos.took["sora-2"] = [1_793_510_000_000] * 10
    assert 1 <= (jobs.create(a_job(), services).wait_seconds or 0) <= 1800


@pytest.mark.parametrize("error", [ProviderThrottledError("429"), ProviderUnavailableError("off")])
def test_create_that_certainly_made_no_job_can_run_again(error: ProviderError) -> None:
    services = at("queued", error, PENDING)
    with pytest.raises(type(error)):
        jobs.create(a_job(), services)
    assert record(services).status == "queued"
    assert jobs.create(a_job(), services).status == "pending"
    once = ["record submitting", "asked"]
    assert services.log == [*once, "record queued", *once, "record generating"]


@pytest.mark.parametrize(
    ("error", "code", "status", "charged"),
    [
        (OutcomeUnknownError("m"), "outcome_unknown", "unknown", True),
        (ProviderRejectedError("m"), "provider_rejected", "failed", False),
        (ProviderRejectedError("m", "moderation"), "moderation", "failed", False),
        (ProviderRejectedError("m", "quota"), "quota", "failed", False),
        (ProviderRejectedError("m", "invalid_input"), "invalid_input", "failed", False),
        (ProviderError("m"), "provider_unavailable", "failed", False),
    ],
)
def test_create_that_is_refused_ends_with_the_reason(
    error: ProviderError, code: str, status: str, charged: bool
) -> None:
    services = at("queued", error)
    job = jobs.create(a_job(), services)
    assert job.status == status
    jobs.fail(job, services)
    failure = Failure.model_validate({"code": code, "message": "m", "maybe_charged": charged})
    assert (record(services).status, record(services).failure) == (status, failure)
    assert services.log == ["record submitting", "asked", f"record {status}"]


def test_a_provider_that_is_not_configured_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    services = at("queued")

    def none(_: str) -> Any:
        raise ProviderRejectedError("No video provider is configured.")

    monkeypatch.setattr(services, "provider", none)
    jobs.fail(jobs.create(a_job(), services), services)
    assert record(services).status == "failed"


def test_create_that_is_answered_at_once_needs_no_wait() -> None:
    services = at("queued", DONE)
    job = jobs.create(a_job(), services)
    assert (job.status, job.handle, record(services).status) == ("completed", HANDLE, "generating")
    jobs.store(job, services)
    assert record(services).status == "completed"


@pytest.mark.parametrize(
    ("phase", "code", "ending"),
    [("failed", "moderation", "failed"), ("cancelled", "cancelled", "cancelled")],
)
def test_create_can_be_answered_with_an_ending(phase: str, code: str, ending: str) -> None:
    failure = {"code": code, "message": "m"}
    answer = {"phase": phase, "handle": HANDLE, "failure": failure}
    services = at("queued", ProviderAnswer.model_validate(answer))
    job = jobs.create(a_job(), services)
    assert job.status == phase
    jobs.fail(job, services)
    assert (record(services).status, record(services).failure) == (
        ending,
        Failure.model_validate(failure),
    )


def test_a_second_run_after_an_interruption_never_asks() -> None:
    services = at("submitting")
    job = jobs.create(a_job(), services)
    jobs.fail(job, services)
    assert job.status == record(services).status == "unknown"
    assert record(services).failure == job.failure
    assert job.failure is not None and job.failure.maybe_charged
    assert services.log == ["record unknown"]


@pytest.mark.parametrize("status", ["generating", "storing"])
def test_a_second_run_after_the_answer_goes_on_from_the_record(status: str) -> None:
    services = at(status)
    assert jobs.create(a_job(), services) == generating(wait_seconds=1)
    assert services.log == []


@pytest.mark.parametrize("ending", ENDED)
@pytest.mark.parametrize("task", [jobs.create, jobs.poll, jobs.store, jobs.fail])
def test_an_ending_is_never_overwritten(ending: str, task: Any) -> None:
    services = at(ending, PENDING, failure=None if ending == "completed" else REFUSED)
    before = record(services)
    job = task(generating(failure=Failure(code="timeout", message="late")), services)
    assert record(services) == before
    assert not [line for line in services.log if line.startswith(("record", "asked", "saved"))]
    if task is not jobs.fail:
        assert job.status == ("completed" if ending == "completed" else "failed")


def test_a_record_that_is_gone_ends_the_execution() -> None:
    services = FakeServices()
    job = jobs.create(a_job(), services)
    assert job.failure is not None
    assert (job.status, job.failure.code, services.log) == ("failed", "internal", [])
    assert jobs.fail(job, services) == job


def test_what_was_paid_for_is_on_record_before_anything_else_can_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = at("queued", PENDING)

    def broken(_: str) -> list[int]:
        raise ConnectionError

    monkeypatch.setattr(services.videos, "durations", broken)
    with pytest.raises(RecordUnavailableError):
        jobs.create(a_job(), services)
    assert record(services).status != "submitting"
    assert ("asked" in services.log) == (record(services).handle == HANDLE)


def test_a_job_that_was_accepted_is_not_lost_to_a_record_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = at("queued", PENDING, DONE)
    advance = services.videos.advance

    def broken(*where: Any, **changes: Any) -> Video:
        if changes.get("status") == "generating":
            raise ConnectionError
        return advance(*where, **changes)

    monkeypatch.setattr(services.videos, "advance", broken)
    job = jobs.create(a_job(), services)
    assert (job.status, job.handle, record(services).status) == ("pending", HANDLE, "submitting")
    monkeypatch.undo()
    jobs.store(jobs.poll(job, services), services)
    assert (record(services).status, record(services).handle) == ("completed", HANDLE)


# Poll


def test_poll_of_a_job_that_is_not_finished() -> None:
    services = at("generating", PENDING.model_copy(update={"progress": 42}))
    services.wait(100)
    job = jobs.poll(generating(wait_seconds=3), services)
    assert job == generating(wait_seconds=8)
    assert services.log == ["looked at video_1"]
    assert (record(services).progress, record(services).status) == (42, "generating")
    assert record(services).next_check_at == services.clock + timedelta(seconds=8)


def test_progress_stays_where_the_provider_tells_none() -> None:
    services = at("generating", PENDING, progress=42)
    jobs.poll(generating(), services)
    assert record(services).progress == 42


def test_poll_keeps_the_first_handle() -> None:
    """LiteLLM names another id in its answers to a poll, which finds nothing."""
    services = at("generating", PENDING.model_copy(update={"handle": {"id": "other"}}))
    assert jobs.poll(generating(), services).handle == HANDLE


def test_poll_of_a_finished_job() -> None:
    services = at("generating", DONE.model_copy(update={"cost_usd": Decimal("0.5")}))
    job = jobs.poll(generating(), services)
    assert (job.status, job.took_seconds, job.cost_usd) == ("completed", 142, Decimal("0.5"))
    assert record(services).status == "generating"


@pytest.mark.parametrize(
    ("phase", "code", "ending"),
    [
        ("failed", "moderation", "failed"),
        ("failed", "expired", "expired"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
def test_poll_of_a_job_that_ended_badly(phase: str, code: str, ending: str) -> None:
    failure = Failure.model_validate({"code": code, "message": "m"})
    answer = ProviderAnswer.model_validate({"phase": phase, "failure": failure})
    services = at("generating", answer)
    jobs.fail(jobs.poll(generating(), services), services)
    assert (record(services).status, record(services).failure) == (ending, failure)


TROUBLE = [
    ProviderError("unreadable"),
    ProviderThrottledError("429"),
    ProviderUnavailableError("503"),
    ProviderRejectedError("401"),
    OutcomeUnknownError("?"),
]


@pytest.mark.parametrize("error", TROUBLE)
def test_trouble_with_a_look_is_not_trouble_with_the_job(error: ProviderError) -> None:
    services = at("generating", error, PENDING)
    job = jobs.poll(generating(), services)
    assert (job.status, job.wait_seconds, job.trouble) == ("pending", 3, str(error))
    assert jobs.poll(job, services).trouble is None


@pytest.mark.parametrize(("seconds", "status"), [(0, "pending"), (60, "pending"), (61, "failed")])
def test_a_job_may_be_unknown_for_a_minute(seconds: int, status: str) -> None:
    gone = JobNotFoundError("The provider no longer knows this video.")
    services = at("generating", gone, gone)
    services.wait(seconds)
    once = jobs.poll(generating(), services)
    assert once.status == "pending", "one answer can be a replica that lags"
    job = jobs.poll(once, services)
    assert job.status == status
    if status == "failed":
        assert job.failure is not None
        assert (job.failure.code, job.failure.maybe_charged) == ("provider_rejected", True)


@pytest.mark.parametrize("answer", [PENDING, ProviderUnavailableError("It says 503.")])
def test_the_deadline_is_a_timeout_with_the_last_trouble(answer: Answer) -> None:
    services = at("generating", answer)
    services.wait(1800)
    job = jobs.poll(generating(), services)
    assert job.failure is not None
    assert (job.status, job.failure.code, job.failure.retryable) == ("failed", "timeout", False)
    assert job.failure.maybe_charged
    assert "within 30 min" in job.failure.message
    assert ("It says 503." in job.failure.message) == isinstance(answer, Exception)


def test_the_last_look_is_at_the_deadline() -> None:
    services = at("generating", PENDING, DONE)
    services.wait(1790)
    job = jobs.poll(generating(), services)
    assert job.wait_seconds == 10
    services.wait(10)
    assert jobs.poll(job, services).status == "completed"


def test_poll_finds_a_record_that_another_run_has_closed() -> None:
    services = at("failed", PENDING, failure=REFUSED)
    job = jobs.poll(generating(), services)
    assert (job.status, job.failure) == ("failed", REFUSED)


# Store


def test_store_keeps_the_file_and_completes_the_record() -> None:
    services = at("generating")
    services.studio.video = [MP4[:30], MP4[30:]]
    services.studio.poster = [WEBP[:15], WEBP[15:]]
    services.wait(100)
    job = generating(status="completed", took_seconds=142)
    assert jobs.store(job, services) == job
    assert services.log == ["record storing", "saved mp4", "saved webp", "record completed"]
    assert services.storage.files == {
        file_key("default", VIDEO_ID, "mp4"): (MP4, "video/mp4"),
        file_key("default", VIDEO_ID, "webp"): (WEBP, "image/webp"),
    }
    assert record(services) == a_video(
        status="completed",
        handle=HANDLE,
        submitted_at=NOON,
        completed_at=services.clock,
        progress=100,
        bytes=len(MP4),
        poster_key=file_key("default", VIDEO_ID, "webp"),
        cost_usd=Decimal("0.80"),
    )
    assert services.videos.took == {"sora-2": [142]}


@pytest.mark.parametrize("cost", [Decimal(0), Decimal("0.123")])
def test_the_provider_s_own_price_counts(cost: Decimal) -> None:
    services = at("generating")
    jobs.store(generating(status="completed", cost_usd=cost), services)
    assert record(services).cost_usd == cost
    assert services.videos.took == {}


def test_a_duration_that_cannot_be_is_not_learned_from() -> None:
    """Seconds from one field and milliseconds from the other, as some servers tell them."""
    services = at("generating")
    jobs.store(generating(took_seconds=1_793_510_000_000), services)
    assert record(services).status == "completed"
    assert services.videos.took == {}


@pytest.mark.parametrize(
    "poster",
    cases(
        {
            "none": AssetUnavailableError("404"),
            "unreachable": AssetIncompleteError("503"),
            "no key": ProviderRejectedError("no key"),
            "ends early": [WEBP, AssetIncompleteError("cut")],
            "empty": [],
            "a page": [b"<!doctype html>"],
        }
    ),
)
def test_a_video_without_a_poster_is_a_video_all_the_same(poster: Any) -> None:
    services = at("generating")
    services.studio.poster = poster
    jobs.store(generating(), services)
    assert (record(services).status, record(services).poster_key) == ("completed", None)
    assert list(services.storage.files) == [file_key("default", VIDEO_ID, "mp4")]


@pytest.mark.parametrize(("extension", "status"), [("webp", "completed"), ("mp4", "storing")])
def test_a_bucket_that_takes_no_file(extension: str, status: str) -> None:
    services = at("generating")
    services.studio.poster = [WEBP]
    services.storage.trouble = {extension: AssetError("The file could not be stored.")}
    with nullcontext() if status == "completed" else pytest.raises(AssetError):
        jobs.store(generating(), services)
    assert (record(services).status, record(services).poster_key) == (status, None)


def test_a_poster_is_known_however_its_bytes_arrive() -> None:
    services = at("generating")
    services.studio.poster = [WEBP[i : i + 1] for i in range(len(WEBP))]
    jobs.store(generating(), services)
    assert services.storage.files[str(record(services).poster_key)] == (WEBP, "image/webp")


@pytest.mark.parametrize(
    ("video", "error"),
    cases(
        {
            "unavailable": (AssetUnavailableError("404"), AssetUnavailableError),
            "ends early": ([MP4[:-1]], AssetIncompleteError),
            "breaks off": ([MP4, AssetIncompleteError("cut")], AssetIncompleteError),
            "empty": ([], AssetIncompleteError),
            "a page": ([b"<!doctype html>"], AssetUnusableError),
        }
    ),
)
def test_a_file_that_is_not_a_whole_video_is_not_kept(video: Any, error: type[AssetError]) -> None:
    services = at("generating")
    services.studio.video = video
    with pytest.raises(error):
        jobs.store(generating(), services)
    assert (record(services).status, services.storage.files) == ("storing", {})
    services.studio.video = [MP4]
    jobs.store(generating(), services)
    assert record(services).status == "completed"


def test_store_that_has_lost_to_another_run_does_not_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = at("generating")

    def close(_: Any) -> Any:
        services.videos.advance("default", VIDEO_ID, {"storing"}, status="failed", failure=REFUSED)
        raise AssetUnavailableError("404")

    monkeypatch.setattr(services.studio, "open_poster", close)
    with pytest.raises(StaleVideoError):
        jobs.store(generating(), services)
    assert (record(services).status, record(services).failure) == ("failed", REFUSED)


# Fail


def caught(error: str, message: str = "m") -> VideoJob:
    """The document as the state machine hands it on, with Lambda's own words for the error."""
    cause = {"errorMessage": message, "errorType": error, "stackTrace": ["  File x\n"]}
    return a_job(caught={"Error": error, "Cause": json.dumps(cause)})


@pytest.mark.parametrize(
    ("error", "status", "code", "retryable", "charged"),
    [
        ("ProviderThrottledError", "queued", "rate_limited", True, False),
        ("ProviderUnavailableError", "queued", "provider_unavailable", True, False),
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
    job = jobs.fail(caught(error, "A sentence."), services)
    assert job.failure == record(services).failure
    assert record(services).status == "failed"
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
        ("generating", "internal", "failed", True),
        ("storing", "storage", "failed", True),
    ],
)
def test_other_errors_are_told_by_how_far_the_video_had_come(
    error: str, status: str, code: str, ending: str, charged: bool
) -> None:
    services = at(status)
    jobs.fail(caught(error, "KeyError: 'secret'"), services)
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
    jobs.fail(job, services)
    failure = record(services).failure
    assert failure is not None
    assert failure.code == "storage"
    assert re.fullmatch(r"[A-Z][^{}]{20,}\.", failure.message)


def test_fail_that_comes_a_moment_too_late_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = at("completed")
    read_before = a_video(status="storing")
    monkeypatch.setattr(services.videos, "get", lambda *_: read_before)
    monkeypatch.setattr(services.videos, "advance", closed(services))
    assert jobs.fail(generating(failure=REFUSED), services).status == "completed"
    assert record(services).status == "completed"


def closed(services: FakeServices) -> Any:
    """A write that finds the record as it is, whatever was read of it before."""

    def advance(tenant: str, video_id: str, allowed: Any, **_: Any) -> Video:
        assert record(services).status not in allowed
        raise StaleVideoError(record(services))

    return advance


@pytest.mark.parametrize("status", ["queued", "submitting", "generating", "storing"])
def test_a_failure_without_anything_said_is_written_all_the_same(status: str) -> None:
    services = at(status)
    jobs.fail(a_job(status="failed"), services)
    assert record(services).failure is not None


# The document


def test_the_document_stays_far_below_the_limit_of_the_engine() -> None:
    """256 KiB, with the longest of everything that an outsider can make long."""
    request = VideoRequest(
        prompt="🚤" * 4000, model="sora-2", seconds=12, input_reference_url="https://" + "a" * 2040
    )
    reason = ActionreelError("🚤" * 300)
    job = generating(
        request=request,
        handle={"id": "v" * 2000},
        trouble=str(reason),
        failure=Failure(code="timeout", message=str(reason)),
        caught={"Error": "AssetIncompleteError", "Cause": "x" * 32768},
    )
    written = json.dumps(job.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert len(written) < 128 * 1024


def test_the_document_is_the_same_bytes_after_a_round_trip() -> None:
    job = generating(
        took_seconds=142,
        cost_usd=Decimal("0.80"),
        failure=REFUSED,
        caught={"Error": "E", "Cause": "c"},
    )

    def write(document: VideoJob) -> str:
        return json.dumps(document.model_dump(mode="json", by_alias=True, exclude_none=True))

    again = VideoJob.model_validate(json.loads(write(job)))
    assert again == job
    assert write(again) == write(job)

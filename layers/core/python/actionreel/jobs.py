"""The tasks of the state machine, as plain functions: VideoJob in, VideoJob out.

What belongs to the story comes back in the document (`status`, with a `failure`); what is trouble
is raised, and the state machine retries or catches it by its class name. The record is written
before the document is returned, each time on the condition that nobody has been there before.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from actionreel.errors import (
    InvalidActionError,
    JobNotFoundError,
    ProviderError,
    ProviderThrottledError,
    ProviderUnavailableError,
    RecordUnavailableError,
    StaleVideoError,
)
from actionreel.failures import caught_failure, failure_of, interrupted, overdue
from actionreel.models import (
    OPEN_STATUSES,
    Failure,
    ProviderAnswer,
    Video,
    VideoJob,
    VideoStatus,
    file_key,
)
from actionreel.mp4 import whole_mp4
from actionreel.ports import Services
from actionreel.posters import store_poster
from actionreel.schedule import first_wait, next_wait

LAG_SECONDS = 60  # a provider may need that long until it knows a job that it has just accepted

_ENDINGS: dict[str, VideoStatus] = {
    "outcome_unknown": "unknown",
    "expired": "expired",
    "cancelled": "cancelled",
}


def create(job: VideoJob, services: Services) -> VideoJob:
    """Asks the provider for the video, once.

    The record says `submitting` before the request leaves, so that no second run of this task can
    send another. Raises ProviderThrottledError and ProviderUnavailableError, with the record back
    at `queued`, where it is certain that no job was made.
    """
    try:
        wait = _first_wait(job, services)
        services.videos.advance(job.tenant, job.video_id, {"queued"}, status="submitting")
    except StaleVideoError as stale:
        return _as_recorded(job, stale.video)
    except Exception as error:  # whatever it was, nothing was asked of the provider yet
        raise RecordUnavailableError("The record of this video cannot be written.") from error
    try:
        answer = services.provider(job.provider).create(job.request)
    except (ProviderThrottledError, ProviderUnavailableError):
        services.videos.advance(job.tenant, job.video_id, {"submitting"}, status="queued")
        raise
    except ProviderError as error:
        return _ended(job, failure_of(error))
    submitted_at = services.now()
    accepted = job.model_copy(update={"submitted_at": submitted_at, "handle": answer.handle})
    try:
        services.videos.advance(
            job.tenant,
            job.video_id,
            {"submitting"},
            **_accepted(accepted),
            progress=answer.progress,
            next_check_at=submitted_at + timedelta(seconds=wait),
        )
    except StaleVideoError as stale:
        return _as_recorded(accepted, stale.video)
    except Exception:  # the document has the handle: the next task brings the record up to date
        return _heard(accepted, answer, wait)
    return _heard(accepted, answer, wait)


def poll(job: VideoJob, services: Services) -> VideoJob:
    """Looks at the job once. Trouble with the look is not trouble with the job: we look again.

    Gives up with `timeout` when the model's deadline has passed.
    """
    assert job.handle is not None and job.submitted_at is not None
    now = services.now()
    elapsed = (now - job.submitted_at).total_seconds()
    trouble: str | None = None
    try:
        answer = services.provider(job.provider).poll(job.handle)
    except JobNotFoundError as error:
        job = job.model_copy(update={"not_found": job.not_found + 1})
        if elapsed > LAG_SECONDS and job.not_found > 1:
            return _ended(job, failure_of(error, maybe_charged=True))
        answer = ProviderAnswer(phase="pending")
    except ProviderError as error:
        answer = ProviderAnswer(phase="pending")
        trouble = str(error)
    else:
        job = job.model_copy(update={"not_found": 0})
    job = job.model_copy(update={"trouble": trouble})
    if answer.phase != "pending":
        return _heard(job, answer, 0)

    remaining = job.deadline_seconds - elapsed
    if remaining <= 0:
        return _ended(job, overdue(job, elapsed))
    wait = max(1, min(next_wait(elapsed), round(remaining)))
    changes: dict[str, Any] = {"next_check_at": now + timedelta(seconds=wait)}
    if answer.progress is not None:
        changes["progress"] = answer.progress
    try:
        _advance(job, services, {"generating"}, **changes)
    except StaleVideoError as stale:
        return _as_recorded(job, stale.video)
    return _heard(job, answer, wait)


def store(job: VideoJob, services: Services) -> VideoJob:
    """Copies the finished file, and a poster if there is one, and completes the record.

    Raises AssetError and its kinds; nothing is kept of a file that is not whole.
    """
    assert job.handle is not None
    try:
        _advance(job, services, {"generating", "storing"}, status="storing", progress=100)
    except StaleVideoError as stale:
        return _as_recorded(job, stale.video)
    provider = services.provider(job.provider)
    with provider.open_video(job.handle) as asset:
        size = services.storage.save(
            file_key(job.tenant, job.video_id, "mp4"), whole_mp4(asset.chunks), "video/mp4"
        )
    services.videos.advance(
        job.tenant,
        job.video_id,
        {"storing"},
        status="completed",
        bytes=size,
        poster_key=store_poster(job, provider, services),
        completed_at=services.now(),
        cost_usd=_list_price(job, services) if job.cost_usd is None else job.cost_usd,
    )
    if job.took_seconds is not None and 0 < job.took_seconds <= job.deadline_seconds:
        services.videos.add_duration(job.request.model, job.took_seconds)
    return job


def fail(job: VideoJob, services: Services) -> VideoJob:
    """Writes on the record why there is no video. An ending that is there already stays."""
    video = services.videos.get(job.tenant, job.video_id)
    if video is None or not video.is_open:
        return job
    failure = job.failure or caught_failure(job.caught, video)
    status = _ENDINGS.get(failure.code, "failed")
    try:
        services.videos.advance(
            job.tenant, job.video_id, OPEN_STATUSES, status=status, failure=failure
        )
    except StaleVideoError as stale:
        return _as_recorded(job, stale.video)
    return job.model_copy(update={"status": "failed", "failure": failure})


def _first_wait(job: VideoJob, services: Services) -> int:
    model = services.registry.find(job.request.model)
    wait = first_wait(services.videos.durations(model.id), otherwise=model.first_wait_seconds)
    return min(wait, job.deadline_seconds)


def _accepted(job: VideoJob) -> dict[str, Any]:
    """What the record says of a job that the provider has accepted."""
    return {"status": "generating", "handle": job.handle, "submitted_at": job.submitted_at}


def _advance(
    job: VideoJob, services: Services, allowed: Collection[VideoStatus], **changes: Any
) -> None:
    """Changes the record; one that create could not write on is brought up to date as well."""
    try:
        services.videos.advance(job.tenant, job.video_id, allowed, **changes)
    except StaleVideoError as stale:
        if stale.video is None or stale.video.status != "submitting":
            raise
        changes = _accepted(job) | changes
        services.videos.advance(job.tenant, job.video_id, {"submitting"}, **changes)


def _list_price(job: VideoJob, services: Services) -> Decimal | None:
    try:
        return services.registry.find(job.request.model).list_price(job.request.seconds)
    except InvalidActionError:
        return None  # the model has left the registry since


def _heard(job: VideoJob, answer: ProviderAnswer, wait: int) -> VideoJob:
    """The document after the provider's answer. The first handle is kept if it gives no other."""
    return job.model_copy(
        update={
            "status": answer.phase,
            "handle": answer.handle if job.handle is None else job.handle,
            "wait_seconds": wait,
            "took_seconds": answer.took_seconds,
            "cost_usd": answer.cost_usd,
            "failure": answer.failure,
        }
    )


def _ended(job: VideoJob, failure: Failure) -> VideoJob:
    status = "unknown" if failure.code == "outcome_unknown" else "failed"
    return job.model_copy(update={"status": status, "failure": failure})


def _as_recorded(job: VideoJob, video: Video | None) -> VideoJob:
    """The document of an execution that found its record further on than it knew."""
    if video is None:
        return _ended(job, Failure(code="internal", message="The record of this video is gone."))
    known = {"handle": video.handle, "submitted_at": video.submitted_at}
    if video.status == "completed":
        return job.model_copy(update={**known, "status": "completed"})
    if video.status in ("generating", "storing"):
        return job.model_copy(update={**known, "status": "pending", "wait_seconds": 1})
    if video.status == "submitting":
        return _ended(job, interrupted())
    return job.model_copy(update={"status": "failed", "failure": video.failure})

"""The ledger around create: what the record says of a request, and where the execution goes then.

A request to a provider is sent under a fence, which the record holds while it is under way and
afterwards. Who writes names the fence that he knows, so that nobody who comes late writes over what
another request has come to.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from actionreel.errors import ActionreelError, OutcomeUnknownError, StaleVideoError
from actionreel.failures import failure_of
from actionreel.models import Failure, Video, VideoJob, VideoStatus
from actionreel.ports import Services
from actionreel.schedule import RECONCILE_WAITS, wait_to_ask_again

MAX_ASKS = 5
ASKS_BEFORE_THE_NEXT = 2  # at a provider that is not the last one


def ask_again(
    job: VideoJob,
    fence: str | None,
    error: ActionreelError,
    trouble: str | None = None,
    most: int = MAX_ASKS,
) -> VideoJob:
    """The document of an execution that asks the provider again, in a while: the request under
    `fence` is settled. After `most` of them it ends with `error`."""
    asks = job.asks + 1
    released = _without_job(job).model_copy(
        update={
            "released": (*job.released, fence) if fence else job.released,
            "asks": asks,
            "looks": 0,
            "unprovable": False,
            "caught": None,
        }
    )
    if asks >= most:
        return ended(released, failure_of(error))
    if isinstance(error, OutcomeUnknownError):  # the request before may still be worked on
        wait = RECONCILE_WAITS[asks - 1]
    else:
        wait = wait_to_ask_again(asks, getattr(error, "retry_after", None))
    said = {"trouble": trouble or str(error)}
    return released.model_copy(update={"status": "queued", "wait_seconds": wait, **said})


def asks_here(job: VideoJob, video: Video) -> int:
    """How often the provider is asked that refuses for now: less often where another comes next.

    Only there: a record that could not be written, or a request of which nobody knows what became
    of it, leads to no other provider, and so is not given up sooner either.
    """
    return ASKS_BEFORE_THE_NEXT if job.alternatives and not video.ambiguous else MAX_ASKS


def record_job(job: VideoJob, services: Services, **changes: Any) -> bool:
    """Writes on the record that the provider has accepted; False if its job is another video's.

    Raises StaleVideoError if the record does not wait for this request's answer.
    """
    assert job.handle is not None and job.submitted_at is not None
    accepted = {
        "status": "generating",
        "submitted_at": job.submitted_at,
        "next_check_at": job.submitted_at + timedelta(seconds=job.wait_seconds or 0),
    }
    return services.videos.take_job(
        job.provider,
        job.handle,
        job.tenant,
        job.video_id,
        {"submitting"},
        expect={"fence": job.fence},
        **(accepted | changes),
    )


def advance(
    job: VideoJob, services: Services, allowed: Collection[VideoStatus], **changes: Any
) -> None:
    """Changes the record; one that create could not write on is brought up to date as well.

    Raises StaleVideoError if the record has gone another way.
    """
    try:
        services.videos.advance(
            job.tenant, job.video_id, allowed, expect={"fence": job.fence}, **changes
        )
    except StaleVideoError as stale:
        behind = stale.video is not None and stale.video.status == "submitting"
        if not (behind and stale.video.fence == job.fence and record_job(job, services, **changes)):
            raise


def ended(job: VideoJob, failure: Failure) -> VideoJob:
    """The document of an execution that ends without a video."""
    status = "unknown" if failure.maybe_charged else "failed"
    return job.model_copy(update={"status": status, "failure": failure})


def as_recorded(job: VideoJob, video: Video | None) -> VideoJob:
    """The document of an execution that found its record further on than it knew."""
    if video is None:
        return ended(job, Failure(code="internal", message="The record of this video is gone."))
    known = {"handle": video.handle, "submitted_at": video.submitted_at, "fence": video.fence}
    job = where_asked(job, video)
    if video.status == "completed":
        return job.model_copy(update={**known, "status": "stored"})
    if video.status in ("generating", "storing"):
        return job.model_copy(update={**known, "status": "pending", "wait_seconds": 1})
    if video.is_open:
        return _without_job(job).model_copy(update={"status": "ambiguous", "wait_seconds": 1})
    return job.model_copy(update={"status": "failed", "failure": video.failure})


def where_asked(job: VideoJob, video: Video) -> VideoJob:
    """The document with the provider that the record's last request went to: another run may have
    gone elsewhere, and a handle or a list of one provider says nothing to another."""
    if (video.provider, video.model) == (job.provider, job.request.model):
        return job
    recorded = video.job()
    names = ("provider", "request", "deadline_seconds", "alternatives", "notices")
    return job.model_copy(update={name: getattr(recorded, name) for name in names})


def _without_job(job: VideoJob) -> VideoJob:
    """A job that is not this video's after all must not stand in the way of the next one."""
    return job.model_copy(update={"handle": None, "submitted_at": None})

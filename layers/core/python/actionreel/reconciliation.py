"""What became of a request to a provider that went unanswered: the task `Reconcile Video`.

It never asks for a video itself. It finds the job, or sends the execution back to where providers
are asked, or says that nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from actionreel.errors import (
    JobNotFoundError,
    NotListedError,
    OutcomeUnknownError,
    ProviderError,
    RecordUnavailableError,
    StaleVideoError,
)
from actionreel.failures import INTERRUPTED, interrupted
from actionreel.ledger import as_recorded, ask_again, ended, record_job, where_asked
from actionreel.models import Recovery, Video, VideoJob
from actionreel.offers import order_to_find
from actionreel.ports import Services
from actionreel.schedule import RECONCILE_WAITS

CLOCK_SKEW = timedelta(minutes=15)  # between our clocks and the provider's


def reconcile(job: VideoJob, services: Services) -> VideoJob:
    """Finds out how the last request for this video stands, and where to go from here."""
    video = services.videos.get(job.tenant, job.video_id)
    if video is None or video.status not in ("queued", "submitting"):
        return as_recorded(job, video).model_copy(update={"caught": None})
    if video.status == "queued" or video.fence in job.released:
        unasked = RecordUnavailableError("This video could not be sent to the provider.")
        return ask_again(job, video.fence, unasked)
    job = where_asked(job, video)
    same = job.fence == video.fence
    told = same and job.caught is None and job.looks == 0
    before = {} if same else {"looks": 0, "unprovable": False}  # those were for an older request
    job = job.model_copy(update={"fence": video.fence, "caught": None, **before})
    try:
        video = _mark(job, services, ambiguous=True)
        recovery = services.provider(job.provider).recovery
        return _WAYS[recovery](job, video, services, told)
    except StaleVideoError as stale:
        return as_recorded(job, stale.video)


def _ask_with_same_key(job: VideoJob, video: Video, services: Services, told: bool) -> VideoJob:
    """The provider gives the same job for the same key, so asking again is finding out."""
    return ask_again(job, video.fence, OutcomeUnknownError(INTERRUPTED))


def _look_in_list(job: VideoJob, video: Video, services: Services, told: bool) -> VideoJob:
    """Takes the job that is there and is nobody's. If there is none when no request can be on its
    way any more, the provider is asked once more; a list that cannot tell ends in `unknown`."""
    asked_at = video.asked_at or video.created_at
    try:
        provider = services.provider(job.provider)
        found = provider.find(order_to_find(job, services), since=asked_at - CLOCK_SKEW)
    except NotListedError:
        return _give_up(job, video, services, told)
    except JobNotFoundError as error:
        job = job.model_copy(update={"unprovable": True})
        return _look_later(job, str(error)) or ended(job, interrupted())
    except ProviderError as error:
        return _look_later(job, str(error)) or ended(job, interrupted())
    for handle in found:
        adopted = job.model_copy(
            update={"handle": handle, "submitted_at": asked_at, "wait_seconds": 1, "looks": 0}
        )
        if record_job(adopted, services):
            return adopted.model_copy(update={"status": "pending"})
    if later := _look_later(job, "The provider does not list this video."):
        return later
    if video.resent or job.unprovable:
        return ended(job, interrupted())
    _mark(job, services, resent=True)
    return ask_again(job, video.fence, OutcomeUnknownError(INTERRUPTED))


def _give_up(job: VideoJob, video: Video, services: Services, told: bool) -> VideoJob:
    """Nobody can tell. But a request that was only cut off from us may yet write its answer."""
    later = None if told else _look_later(job, "The request was cut off.")
    return later or ended(job, interrupted())


_WAYS: dict[Recovery, Callable[[VideoJob, Video, Services, bool], VideoJob]] = {
    "key": _ask_with_same_key,
    "list": _look_in_list,
    "none": _give_up,
}


def _look_later(job: VideoJob, trouble: str) -> VideoJob | None:
    """Another look in a while; None when there were enough."""
    if job.looks >= len(RECONCILE_WAITS):
        return None
    wait = RECONCILE_WAITS[job.looks]
    return job.model_copy(
        update={
            "status": "ambiguous",
            "looks": job.looks + 1,
            "wait_seconds": wait,
            "trouble": trouble,
        }
    )


def _mark(job: VideoJob, services: Services, **changes: Any) -> Video:
    now: datetime = services.now()
    return services.videos.advance(
        job.tenant,
        job.video_id,
        {"submitting"},
        expect={"fence": job.fence},
        next_check_at=now,
        **changes,
    )

"""Videos whose execution is dead, or was never born: resumed, or closed with the truth.

An execution can end without writing an ending: States.Runtime and States.DataLimitExceeded pass
every Catch, and so do a time-out of the whole machine and an operator. What has been paid for is
then not given up: a new execution goes on where the record says, and never asks a second time. So
does one for a video that has ended, if its result was not told yet to who waits for it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from actionreel.deliveries import give_up
from actionreel.endings import close
from actionreel.errors import StaleVideoError, WorkflowError
from actionreel.failures import caught_failure
from actionreel.models import OPEN_STATUSES, Video
from actionreel.ports import Services

OVERDUE_AFTER = timedelta(minutes=5)  # without a look: it is asked if the execution lives
LEFT_ALONE = timedelta(minutes=10)  # that long when it does
START_WITHIN = timedelta(hours=1)  # what could not be started by then is closed
MAX_RESUMES = 3
MAX_RESUMES_TO_TELL = 6
SWEPT_AT_ONCE = 200
_TRIES = 3

logger = logging.getLogger(__name__)


def execution_ended(
    tenant: str, video_id: str, execution: str, services: Services, *, stopped: bool
) -> None:
    """Sees to the record of a video whose execution has ended. `stopped` by somebody: then it is
    closed, else resumed; a record that has its ending, or another execution by now, is left."""
    for _ in range(_TRIES):
        video = services.videos.get(tenant, video_id)
        if video is None or video.execution != execution:
            return
        if not (video.is_open or video.owes_delivery):
            return
        try:
            _close(video, services) if stopped and video.is_open else _resume(video, services)
            return
        except StaleVideoError:
            continue  # a function of that execution is still writing: look again


def sweep(services: Services) -> int:
    """Sees to every video of which there was no news for too long; returns how many."""
    overdue = services.videos.overdue(services.now() - OVERDUE_AFTER, SWEPT_AT_ONCE)
    for video in overdue:
        try:
            _tend(video, services)
        except StaleVideoError:
            continue  # there is news of it
        except Exception:  # one bad record must not keep the others from being seen to
            logger.exception("a video could not be seen to", extra={"video_id": video.video_id})
            with suppress(Exception):
                _leave(video, services)
    _tell_alarms(services)
    return len(overdue)


def _tell_alarms(services: Services) -> None:
    """How much is open, since when, and what today has cost; trouble with it stops nothing."""
    now = services.now()
    try:
        since = services.videos.open_since()
        services.measure("OpenVideos", len(since))
        oldest = (now - min(since)).total_seconds() if since else 0
        services.measure("OldestOpenVideoSeconds", max(0, oldest))
        today = services.accounts.usage(None, [now.date()])[now.date()]
        services.measure("SpendTodayUSD", float(today.usd))
    except Exception:
        logger.exception("the alarms could not be told")


def _tend(video: Video, services: Services) -> None:
    state = services.workflow.state(video)
    if state == "ended":
        _resume(video, services)
    elif state == "running":
        _leave(video, services)
    elif video.status == "queued" and services.now() - video.created_at > START_WITHIN:
        _close(video, services)
    else:
        services.workflow.start(video)
        _leave(video, services)


def _leave(video: Video, services: Services) -> None:
    """Puts the video to the end of the line."""
    services.videos.advance(
        video.tenant,
        video.video_id,
        {video.status},
        expect={"fence": video.fence, "next_check_at": video.next_check_at},
        next_check_at=services.now() + LEFT_ALONE,
    )


def _resume(video: Video, services: Services) -> None:
    """Starts another execution: its Create finds the record and asks nothing that was asked."""
    if video.is_open and video.resumes >= MAX_RESUMES:
        _close(video, services)
        return
    if video.resumes >= MAX_RESUMES_TO_TELL:
        give_up(video, services, "Telling it was broken off again and again; it may be there.")
        return
    resumed = services.videos.advance(
        video.tenant,
        video.video_id,
        OPEN_STATUSES if video.is_open else {video.status},
        expect={"resumes": video.resumes},
        resumes=video.resumes + 1,
    )
    try:
        services.workflow.start(resumed)
    except WorkflowError:
        logger.warning("an execution could not be resumed", extra={"video_id": video.video_id})


def _close(video: Video, services: Services) -> None:
    """Ends the record. Its execution is dead, so that another one has to tell the end, if somebody
    waits for it."""
    closed = close(video, caught_failure(None, video), services)
    if closed.owes_delivery:
        _resume(closed, services)

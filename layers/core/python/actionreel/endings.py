"""How a video ends without a file: the task `Fail Video`, and the words that it writes."""

from __future__ import annotations

from decimal import Decimal

from actionreel.errors import StaleVideoError
from actionreel.failures import caught_failure, tainted
from actionreel.models import Failure, Video, VideoJob, VideoStatus
from actionreel.ports import Metric, Services

_METRICS: dict[VideoStatus, Metric] = {
    "failed": "VideosFailed",
    "cancelled": "VideosCancelled",
    "expired": "VideosExpired",
    "unknown": "VideosUnknown",
}
_ENDINGS: dict[str, VideoStatus] = {"expired": "expired", "cancelled": "cancelled"}


def fail(job: VideoJob, services: Services) -> VideoJob:
    """Writes on the record why there is no video. An ending that is there already stays.

    Raises StaleVideoError if the record changes meanwhile: look again.
    """
    video = services.videos.get(job.tenant, job.video_id)
    if video is None or not video.is_open:
        status = "stored" if video is not None and video.status == "completed" else "failed"
        return job.model_copy(update={"status": status})
    failure = job.failure or caught_failure(job.caught, video)
    ours = video.fence in (job.fence, *job.released)
    if video.status != "queued" and not ours and not failure.maybe_charged:
        failure = tainted(failure)  # somebody else has asked for it meanwhile
    closed = close(video, failure, services, job.cost_usd)
    return job.model_copy(update={"status": "failed", "failure": closed.failure})


def close(
    video: Video, failure: Failure, services: Services, cost_usd: Decimal | None = None
) -> Video:
    """Ends the record. `failed` is only what has certainly cost nothing: what may have been charged
    is `unknown`, and so is everything after a request of which nobody knew what became of it.

    Raises StaleVideoError if the record is not as `video` says any more, unless it has ended.
    """
    if video.ambiguous and not failure.maybe_charged:
        failure = tainted(failure)
    status: VideoStatus = _ENDINGS.get(
        failure.code, "unknown" if failure.maybe_charged else "failed"
    )
    try:
        closed = services.videos.advance(
            video.tenant,
            video.video_id,
            {video.status},
            expect={"fence": video.fence},
            status=status,
            failure=failure,
            cost_usd=cost_usd,
            **video.owed,
        )
        services.measure(_METRICS[status])
        return closed
    except StaleVideoError as stale:
        if not isinstance(stale.video, Video) or stale.video.is_open:
            raise
        return stale.video

"""Cancelling a video: the verb behind `DELETE /videos/{videoId}`."""

from __future__ import annotations

from collections.abc import Collection

from actionreel.errors import RequestError, StaleVideoError
from actionreel.messages import find
from actionreel.models import Cancellation, Failure, Video, VideoStatus
from actionreel.ports import Services

_BEFORE = "This video was cancelled before the provider was asked for it."
_AFTER = "This video was cancelled at the provider, which may still charge for it."
_PERHAPS = (
    "This video was cancelled here; a request to the provider that was not clearly answered may"
    " have started it all the same, and may be charged."
)
ASKED_NOW = "The provider is being asked for this video; try again in a minute."
_IN_DOUBT = (
    "The provider did not answer, and we are finding out whether it has begun this video; try again"
    " in a minute."
)


def cancel(tenant: str, video_id: str, services: Services) -> Cancellation:
    """Cancels the video if that is possible, and says whether it was.

    Raises VideoNotFoundError; RequestError (409) while the provider is being asked for the video,
    because nobody knows yet what there is to cancel; ProviderError if it cannot be reached.
    """
    video = find(tenant, video_id, services)
    if video.status in ("queued", "submitting"):
        return _closed(video, {"queued"}, services)
    if video.status == "generating" and video.handle is not None:
        outcome = services.provider(video.provider).cancel(video.handle)
        if outcome == "cancelled":
            return _closed(video, {"generating", "storing"}, services)
        return Cancellation(outcome, video)
    return _as_it_is(video)


def _closed(video: Video, allowed: Collection[VideoStatus], services: Services) -> Cancellation:
    begun = video.status == "generating"
    message = _AFTER if begun else _PERHAPS if video.ambiguous else _BEFORE
    charged = begun or video.ambiguous
    failure = Failure(code="cancelled", message=message, maybe_charged=charged)
    try:
        closed = services.videos.advance(
            video.tenant,
            video.video_id,
            allowed,
            expect={"fence": video.fence},
            status="cancelled",
            failure=failure,
            **video.owed,
        )
    except StaleVideoError as stale:
        if not isinstance(stale.video, Video) or stale.video.is_open:
            why = _IN_DOUBT if stale.video and stale.video.ambiguous else ASKED_NOW
            raise RequestError(409, "not_now", why) from None
        return _as_it_is(stale.video)
    services.measure("VideosCancelled")
    return Cancellation("cancelled", closed)


def _as_it_is(video: Video) -> Cancellation:
    return Cancellation("cancelled" if video.status == "cancelled" else "too_late", video)

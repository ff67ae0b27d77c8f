"""Records in, what the chat shows out: VIDEO_PENDING, CHAT_VIDEO or an error. Pure.

Links lead to us: they keep working, because each use of one asks for a freshly signed file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from actionreel.api_models import CancellationView, DeliveryView, VideoError, VideoView
from actionreel.errors import ActionreelError, KeyUnavailableError, QuotaError
from actionreel.links import Links
from actionreel.models import Cancellation, Failure, Video
from actionreel.uploads import address

Result = dict[str, Any]

_SHOWN_STATUS = {"submitting": "queued"}
_MESSAGES = {
    "queued": "The video is about to be made. Ask again with continueVideoPolling.",
    "generating": "The video is being made. Ask again with continueVideoPolling.",
    "storing": "The video is made and is being stored. Ask again with continueVideoPolling.",
}
_IN_DOUBT = (
    "The provider did not answer; we are finding out whether it has begun. Ask again with"
    " continueVideoPolling."
)
_NO_LINK = (
    "The video is made, but its link cannot be given at the moment. Ask again with"
    " continueVideoPolling."
)
NO_REASON = Failure(code="internal", message="This video ended without a reason on its record.")


def response(results: Sequence[Result], meta: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the answer to a message."""
    if not results:
        return {"type": "CONTINUE"}
    return {"type": "RESPONSE", "results": list(results), **meta}


def result(
    outcome: Video | ActionreelError, now: datetime, links: Links, meta: Mapping[str, Any]
) -> Result:
    """What one action came to. A finished video whose link cannot be made now is still pending:
    what else the message began must not get lost with it."""
    if isinstance(outcome, ActionreelError):
        return {
            "error": str(outcome),
            "code": outcome.code,
            **another_try(outcome),
            **meta,
        }
    notices = {"notices": list(outcome.notices)} if outcome.notices else {}
    if outcome.is_open:
        return {"type": "VIDEO_PENDING", "data": _pending(outcome, now), **notices, **meta}
    if outcome.status == "completed":
        try:
            return {"type": "CHAT_VIDEO", "data": _finished(outcome, links), **notices, **meta}
        except KeyUnavailableError:
            return {"type": "VIDEO_PENDING", "data": _without_link(outcome), **notices, **meta}
    failure = outcome.failure or NO_REASON
    return {
        "error": failure.message,
        "code": failure.code,
        "retryable": failure.retryable,
        "videoId": outcome.video_id,
        **({"maybeCharged": True} if failure.maybe_charged else {}),
        **notices,
        **meta,
    }


def another_try(error: Exception) -> dict[str, Any]:
    """Whether the same may work later, and when, in seconds, if that is known."""
    retryable = isinstance(error, ActionreelError) and error.retryable
    seconds = error.retry_after if isinstance(error, QuotaError) else None
    when = {} if seconds is None else {"retryAfterSeconds": math.ceil(seconds)}
    return {"retryable": retryable, **when}


def _pending(video: Video, now: datetime) -> dict[str, Any]:
    status = _SHOWN_STATUS.get(video.status, video.status)
    return {
        "videoId": video.video_id,
        "message": _IN_DOUBT if _is_in_doubt(video) else _MESSAGES[status],
        "status": status,
        "progress": video.progress,
        "retryAfterSeconds": retry_after_seconds(video, now),
    }


def retry_after_seconds(video: Video, now: datetime) -> int:
    """When asking again can bring news: a second after our own next look at the provider."""
    if _is_in_doubt(video):
        return 10
    if video.status != "generating" or video.next_check_at is None:
        return 2
    return min(max(math.ceil((video.next_check_at - now).total_seconds()) + 1, 1), 60)


def _is_in_doubt(video: Video) -> bool:
    return video.ambiguous and video.status in ("queued", "submitting")


def _finished(video: Video, links: Links) -> dict[str, Any]:
    return {
        "videoId": video.video_id,
        "videoUrl": video_url(video, links),
        "posterUrl": poster_url(video, links),
    }


def _without_link(video: Video) -> dict[str, Any]:
    return {
        "videoId": video.video_id,
        "message": _NO_LINK,
        "status": "storing",
        "progress": video.progress,
        "retryAfterSeconds": 10,
    }


def video_url(video: Video, links: Links) -> str | None:
    """Our lasting link to the file, None while there is none. Raises KeyUnavailableError."""
    return links.content(video) if video.status == "completed" else None


def poster_url(video: Video, links: Links) -> str | None:
    """Our lasting link to the still image, None where there is none. Raises
    KeyUnavailableError."""
    return links.poster(video) if video.poster_key else None


CANCELLATIONS = {
    "cancelled": "The video is cancelled.",
    "too_late": "It is too late to cancel this video.",
    "unsupported": "This provider cannot cancel a video that it has begun; it goes on.",
}


def cancellation_view(cancellation: Cancellation, links: Links) -> CancellationView:
    """What came of a cancellation, as the API shows it."""
    return CancellationView(
        outcome=cancellation.outcome,
        message=CANCELLATIONS[cancellation.outcome],
        video=view(cancellation.video, links),
    )


def view(video: Video, links: Links) -> VideoView:
    """The record, as the API shows it. Raises KeyUnavailableError."""
    failure, place = video.failure, video.place
    shown = set(VideoView.model_fields) & set(Video.model_fields) - {"delivery"}
    return VideoView.model_validate(
        {
            **video.model_dump(include=shown),
            "input_reference_url": address(video.input_reference_url),
            "video_url": video_url(video, links),
            "poster_url": poster_url(video, links),
            "error": failure
            and VideoError(code=failure.code, message=failure.message, retryable=failure.retryable),
            "maybe_charged": bool(failure and failure.maybe_charged),
            "delivery": place
            and DeliveryView(
                to=place.platform, status=video.delivery, reason=video.delivery_reason
            ),
        }
    )

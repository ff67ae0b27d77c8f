"""Making a video anew with another prompt, where its model can."""

from __future__ import annotations

from typing import Any

from actionreel.errors import InvalidActionError, RequestError
from actionreel.messages import as_message, find, keep_one
from actionreel.models import Choice, Video, VideoRequest
from actionreel.offers import new_video
from actionreel.ports import Services


def remix(
    tenant: str,
    video_id: str,
    prompt: str,
    services: Services,
    base_url: str | None = None,
    *,
    message_id: str | None = None,
    **known: Any,
) -> Video:
    """Starts a video that the same provider makes of this one; once for a `message_id`. `known` is
    what its record has besides.

    Raises VideoNotFoundError, RequestError (409) before the video is completed, InvalidActionError
    where its model cannot do that, QuotaError, MessageMismatchError.
    """
    video = find(tenant, video_id, services)
    if video.status != "completed":
        raise RequestError(409, "not_ready", "Only a video that is completed can be remixed.")
    choice = where_made(video, services)
    if video.handle is None:
        raise _cannot(video)
    request = VideoRequest(
        prompt=prompt,
        model=video.model,
        seconds=video.seconds,
        size=video.size,
        remixes=video.handle,
    )
    made = new_video(
        request,
        (),
        services,
        [choice],
        tenant=tenant,
        remix_of=video_id,
        message_id=message_id,
        base_url=base_url,
        **known,
    )
    message = as_message({"remix": video_id, "prompt": prompt}, message_id)
    return keep_one(made, message, tenant, services)


def where_made(video: Video, services: Services) -> Choice:
    """The only place where a remix of the video, or one that is itself a remix, can be made: where
    that was made. Raises InvalidActionError if that cannot remix, or not any more."""
    offer = services.registry.offer(video.model, video.provider)
    if offer is None or not offer.remixes:
        raise _cannot(video)
    return video.choice


def _cannot(video: Video) -> InvalidActionError:
    return InvalidActionError(f"{video.model} at {video.provider} cannot remix a video.")

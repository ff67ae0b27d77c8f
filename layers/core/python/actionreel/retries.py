"""Trying a video again: the verb behind `POST /videos/{videoId}/retry`."""

from __future__ import annotations

from collections.abc import Sequence

from actionreel import budgets
from actionreel.accounts import Caps
from actionreel.errors import QuotaError, RequestError, StaleVideoError, VideoNotFoundError
from actionreel.messages import find, start
from actionreel.models import Place, Video, VideoRequest
from actionreel.offers import new_video
from actionreel.ports import Services
from actionreel.remixes import where_made

_REFUSED = {
    "completed": "This video was made; there is nothing to try again.",
    "cancelled": "This video was cancelled; ask for a new one.",
}
_RETRY_DELETED = "This video was made again, and that was deleted; ask for a new one."
_OPEN = "This video is still being made."
_MAY_BE_CHARGED = (
    "The provider may have made this video, and may charge for it. To have it made again all the"
    ' same, send {"acceptDoubleCharge": true}.'
)


def retry(
    tenant: str,
    video_id: str,
    services: Services,
    *,
    accept_double_charge: bool = False,
    place: Place | None = None,
) -> Video:
    """Makes a video that failed, expired or is unknown again, as a new video; returns that. Its
    result goes to `place`, or else where the older one's went.

    However often it is tried, there is one retry of a video: another one gives the same. Raises
    VideoNotFoundError; RequestError (409) if there is nothing to try again, or if it may have been
    charged and that is not accepted; InvalidActionError if its model is gone; QuotaError.
    """
    older = find(tenant, video_id, services)
    if older.retried_as is not None:
        return _known(older, services)
    if older.is_open:
        raise RequestError(409, "not_now", _OPEN)
    if older.status in _REFUSED:
        raise RequestError(409, "nothing_to_retry", _REFUSED[older.status])
    if older.status == "unknown" and not accept_double_charge:
        raise RequestError(409, "may_be_charged", _MAY_BE_CHARGED)
    video = _again(older, services, place or _same(older.place))

    def write(kept: list[Video], caps: Sequence[Caps]) -> None:
        services.videos.add_retry(kept[0], caps)

    try:
        found = budgets.within(tenant, [video], services, write)[video.video_id]
    except StaleVideoError:  # somebody else has tried it again meanwhile, or deleted it
        older = find(tenant, video_id, services)
        if older.retried_as is None:
            raise
        return _known(older, services)
    if isinstance(found, QuotaError):
        raise found
    return start(found, services)


def _known(older: Video, services: Services) -> Video:
    """The retry that there is; started once more, in case that was cut off. Raises RequestError
    (409) if it was deleted."""
    try:
        video = find(older.tenant, older.retried_as or "", services)
    except VideoNotFoundError:
        raise RequestError(409, "nothing_to_retry", _RETRY_DELETED) from None
    return start(video, services) if video.status == "queued" else video


def _same(place: Place | None) -> Place | None:
    """The place once more; an answer that waited to be filled there is filled."""
    return place and place.model_copy(update={"deferred": False})


def _again(older: Video, services: Services, place: Place | None) -> Video:
    """The same once more; a model that was switched off meanwhile gives way to another, except for
    a remix: nobody else has what it is made of."""
    choices = [where_made(older, services)] if older.remixes is not None else []
    model, notice = services.registry.choose(older.model)
    length, size = (
        model.nearest_length(older.seconds),
        older.size and model.nearest_size(older.size),
    )
    request = VideoRequest(
        prompt=older.prompt,
        model=model.id,
        seconds=length,
        size=size,
        input_reference_url=older.input_reference_url,
        remixes=older.remixes,
    )
    return new_video(
        request,
        (*older.notices, *([notice] if notice else [])),
        services,
        choices,
        tenant=older.tenant,
        remix_of=older.remix_of,
        retry_of=older.video_id,
        conversation_id=older.conversation_id,
        base_url=older.base_url,
        place=place,
    )

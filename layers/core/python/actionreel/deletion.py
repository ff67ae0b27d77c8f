"""Deleting a video that has ended: its files go, and its tenant sees it no more."""

from __future__ import annotations

from contextlib import suppress

from actionreel.errors import AssetError, RequestError, StaleVideoError
from actionreel.messages import find
from actionreel.models import file_key
from actionreel.ports import Services
from actionreel.uploads import uploaded

_OPEN = "This video is still being made. Cancel it first: DELETE /videos/{}."
_UNTOLD = "The result of this video is still being sent to the chat that waits for it."


def delete(tenant: str, video_id: str, services: Services) -> None:
    """Deletes the files of a video, then hides its record, which goes on to count.

    Raises VideoNotFoundError; RequestError (409) while it is being made; AssetError if the files
    cannot be deleted now: then it is still there, and it can be tried again.
    """
    video = find(tenant, video_id, services)
    if video.is_open or video.owes_delivery:
        why = _OPEN.format(video_id) if video.is_open else _UNTOLD
        raise RequestError(409, "not_now", why)
    own = (file_key(tenant, video_id, "mp4"), video.poster_key)
    services.storage.delete([key for key in own if key])
    try:
        video = services.videos.advance(tenant, video_id, {video.status}, deleted_at=services.now())
    except StaleVideoError:  # it cannot have changed, so it is gone
        return
    # A start image is its retry's, if there is one; from here on there will be none.
    image = None if video.retried_as else uploaded(video.input_reference_url)
    with suppress(AssetError):  # the bucket's lifecycle rule takes what this cannot
        services.storage.delete([image] if image else [])

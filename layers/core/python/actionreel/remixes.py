"""Making a video anew with another prompt, where its model can."""

from __future__ import annotations

from collections.abc import Sequence

from actionreel import budgets
from actionreel.accounts import Caps
from actionreel.errors import InvalidActionError, QuotaError, RequestError
from actionreel.messages import find, start
from actionreel.models import Choice, Video, VideoRequest
from actionreel.offers import new_video
from actionreel.ports import Services


def remix(
    tenant: str, video_id: str, prompt: str, services: Services, base_url: str | None = None
) -> Video:
    """Starts a video that the same provider makes of this one.

    Raises VideoNotFoundError, RequestError (409) before the video is completed, InvalidActionError
    where its model cannot do that, QuotaError.
    """
    video = find(tenant, video_id, services)
    if video.status != "completed":
        raise RequestError(409, "not_ready", "Only a video that is completed can be remixed.")
    offer = services.registry.offer(video.model, video.provider)
    if offer is None or not offer.remixes or video.handle is None:
        raise InvalidActionError(f"{video.model} at {video.provider} cannot remix a video.")
    request = VideoRequest(
        prompt=prompt,
        model=video.model,
        seconds=video.seconds,
        size=video.size,
        remixes=video.handle,
    )
    named = {name: getattr(video, name) for name in Choice.model_fields}
    choices = [Choice.model_validate(named)]
    known = {"tenant": tenant, "remix_of": video_id, "base_url": base_url}
    made = new_video(request, (), services, choices, **known)

    def write(kept: list[Video], caps: Sequence[Caps]) -> None:
        services.videos.add(tenant, kept, None, caps)

    outcome = budgets.within(tenant, [made], services, write)[made.video_id]
    if isinstance(outcome, QuotaError):
        raise outcome
    return start(outcome, services)

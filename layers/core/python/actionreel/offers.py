"""Where a video is asked for: the order for a provider, and the next one after a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uuid6 import uuid7

from actionreel.errors import AssetUnavailableError, InvalidActionError, ProviderRejectedError
from actionreel.models import Choice, Video, VideoJob, VideoRequest
from actionreel.orders import Image, Offer, Order
from actionreel.ports import Services
from actionreel.reference_images import check, scaled
from actionreel.uploads import uploaded
from actionreel.url_guard import check_public_url

# What another provider may see otherwise. Moderation is a judgement on the prompt, which is not to
# be shopped around, and what is wrong with the tag is wrong everywhere.
_MAY_BE_ACCEPTED_ELSEWHERE = (
    "provider_rejected",
    "provider_unavailable",
    "rate_limited",
    "quota",
    "invalid_input",
)
_REASONS = {
    "provider_unavailable": "could not be reached",
    "rate_limited": "had too many requests",
    "quota": "has no credit left",
}


def new_video(
    request: VideoRequest,
    notices: Sequence[str],
    services: Services,
    choices: Sequence[Choice] = (),
    **known: Any,
) -> Video:
    """The record of a video that is to be made, with all places where it can be asked for: the
    `choices`, or those of the registry.

    Raises InvalidActionError where there is none.
    """
    first, *others = choices or services.registry.choices(request)
    now = services.now()
    return Video(
        video_id=str(uuid7()),
        provider=first.provider,
        deadline_seconds=first.deadline_seconds,
        alternatives=tuple(others),
        notices=tuple(notices),
        created_at=now,
        next_check_at=now,
        **request.model_dump(),
        **known,
    )


def order(job: VideoJob, services: Services, image: Image | None = None) -> Order:
    """What the job's provider is asked for.

    Raises ProviderRejectedError if the model has left the registry.
    """
    request = job.request
    offer = services.registry.offer(request.model, job.provider)
    if offer is None:
        raise ProviderRejectedError(f"{request.model} is no longer offered at {job.provider}.")
    if image and offer.exact_image:
        request = request.model_copy(update={"size": f"{image.width}x{image.height}"})
    if image is None and (key := uploaded(request.input_reference_url)):
        link = services.storage.link(key, key.rpartition("/")[2], download=False)
        request = request.model_copy(update={"input_reference_url": link})
    callback = services.callback_url(job)
    return Order(request, offer, key=job.video_id, callback_url=callback, image=image)


def order_to_find(job: VideoJob, services: Services) -> Order:
    """What a lost request asked for. A model that has left the registry since goes by its own
    name: its job is there all the same."""
    offer = services.registry.offer(job.request.model, job.provider)
    known = offer or Offer(provider=job.provider, name=job.request.model)
    return Order(job.request, known, key=job.video_id)


def start_image(job: VideoJob, services: Services) -> Image | None:
    """The start image for a provider that takes bytes, in the size of the video where it must be;
    None where there is none, or the provider fetches it.

    Raises InvalidActionError if it cannot be had.
    """
    url = job.request.input_reference_url
    if url is None:
        return None
    offer = services.registry.offer(job.request.model, job.provider)
    key = uploaded(url)
    if offer is None or offer.takes_image != "bytes":
        if key is None:
            check_public_url(url)
        else:
            _kept(key, services)  # or its link leads nowhere
        return None
    image = check(services.fetch(url) if key is None else _kept(key, services))
    if not offer.exact_image:
        return image
    model = services.registry.find(job.request.model)
    return scaled(image, model.nearest_size(f"{image.width}x{image.height}"))


def _kept(key: str, services: Services) -> bytes:
    try:
        return services.storage.read(key)
    except AssetUnavailableError:
        raise InvalidActionError(
            "The image that came with this is no longer kept; send it once more."
        ) from None


def asked_for(job: VideoJob) -> dict[str, Any]:
    """What the record says of a request that is about to be sent."""
    request = {name: getattr(job.request, name) for name in ("model", "seconds", "size")}
    ours = ("provider", "deadline_seconds", "alternatives", "notices")
    return request | {name: getattr(job, name) for name in ours}


def or_next(job: VideoJob, video: Video) -> VideoJob:
    """The document that asks the next provider, where this one certainly refused; or else as it is.

    Never after a request of which nobody knew what became of it: that one may be paid for.
    """
    failure = job.failure
    if (
        failure is None
        or failure.maybe_charged
        or failure.code not in _MAY_BE_ACCEPTED_ELSEWHERE
        or video.ambiguous
        or not job.alternatives
    ):
        return job
    following, *rest = job.alternatives
    used = following.model if following.model != job.request.model else following.provider
    reason = _REASONS.get(failure.code, "refused")
    changed = [
        f"{now} in place of {asked}"
        for asked, now in (
            (f"{job.request.seconds} seconds", f"{following.seconds} seconds"),
            (job.request.size, following.size),
        )
        if now != asked
    ]
    told = ", ".join([used, *changed])
    notice = f"{job.request.model} at {job.provider} {reason}; used {told}"
    request = {"model": following.model, "seconds": following.seconds, "size": following.size}
    return job.model_copy(
        update={
            "status": "queued",
            "failure": None,
            "wait_seconds": 1,
            "asks": 0,
            "released": tuple(dict.fromkeys((*job.released, video.fence or ""))),
            "provider": following.provider,
            "deadline_seconds": following.deadline_seconds,
            "request": job.request.model_copy(update=request),
            "alternatives": tuple(rest),
            "notices": (*job.notices, notice),
            "fence": None,
        }
    )

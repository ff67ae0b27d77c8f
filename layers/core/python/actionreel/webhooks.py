"""What a provider tells of its jobs without being asked.

A webhook only wakes: what became of the job is for the poll to find out that follows. So one that
is forged, late or repeated costs a poll at the most, and one that gets lost a longer wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from actionreel import signatures
from actionreel.errors import RequestError
from actionreel.models import Handle
from actionreel.ports import Services
from actionreel.webhook_tokens import is_deployment_token, read_token

Headers = Mapping[str, str]

_NUDGES = 3  # of one webhook, if a wait begins under our hands
_SCHEMES: dict[str, Callable[..., bool]] = {
    "openai_videos": signatures.standard_webhooks,
    "openrouter": signatures.openrouter,
    "replicate": signatures.standard_webhooks,
}
_FOR_ALL_JOBS = "openai_videos"  # its webhooks are set up once, and name the job


def receive(provider: str, token: str, headers: Headers, body: bytes, services: Services) -> None:
    """Ends the wait for the video that a webhook is about. `token` is the end of its address.

    Raises RequestError for an address that we gave to nobody (404) and for a signature that is not
    the provider's (401); ProviderUnavailableError and WorkflowError where it may come again.
    """
    if provider == _FOR_ALL_JOBS:
        known = is_deployment_token(services.webhook_key(), provider, token)
        owner = None
    else:
        owner = _addressee(provider, token, services)
        known = owner is not None
    if not known:
        raise RequestError(404, "not_found", "There is no such webhook.")
    if not _is_signed(provider, headers, body, services):
        raise RequestError(401, "bad_signature", "The signature is not the provider's.")
    if provider == _FOR_ALL_JOBS:
        handle = _job(body)
        owner = services.videos.owner_of(provider, handle) if handle else None
    if owner is not None:
        nudge(*owner, services)


def nudge(tenant: str, video_id: str, services: Services) -> None:
    """Ends the wait for a video's job, or has the next one end at once if there is none now."""
    video = services.videos.get(tenant, video_id)
    if video is None or video.status not in ("submitting", "generating"):
        return
    for _ in range(_NUDGES):
        token = services.videos.wake_token(tenant, video_id)
        if token is not None and services.workflow.wake(token):
            return
        if services.videos.add_nudge(tenant, video_id, tried=token):
            return


def _addressee(provider: str, token: str, services: Services) -> tuple[str, str] | None:
    """The video that the address was given for, if it is one of this provider's."""
    if provider not in (*_SCHEMES, "fal"):
        return None
    named = read_token(services.webhook_key(), provider, token)
    video = services.videos.get(*named) if named else None
    return named if video is not None and video.provider == provider else None


def _is_signed(provider: str, headers: Headers, body: bytes, services: Services) -> bool:
    """Where no secret is configured, who knows the address of a video is believed; the one address
    for all jobs is not enough."""
    if provider == "fal":
        return signatures.fal(services.fal_keys(), headers, body, services.now())
    secret = services.signature_secret(provider)
    if not secret:
        return provider != _FOR_ALL_JOBS
    return _SCHEMES[provider](secret, headers, body, services.now())


def _job(body: bytes) -> Handle | None:
    """The job that an event of the OpenAI Videos protocol is about; None if it is about none."""
    try:
        event: Any = json.loads(body)
        kind, job_id = event["type"], event["data"]["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    about_a_video = isinstance(kind, str) and kind.startswith("video.")
    return {"id": job_id} if about_a_video and isinstance(job_id, str) else None

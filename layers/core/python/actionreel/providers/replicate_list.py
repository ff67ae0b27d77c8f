"""Replicate's list of predictions, and which of them can be ours. Pure.

Source: replicate.com/docs, List predictions: 100 a page, newest first, each with its `input` until
that is deleted, an hour after its end.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

from actionreel.errors import JobNotFoundError, NotListedError
from actionreel.models import Handle
from actionreel.orders import Order
from actionreel.providers.answers import Document, job_id, trouble
from actionreel.providers.http_api import Answer
from actionreel.providers.openai_list import Page
from actionreel.uploads import uploaded

_UNREADABLE = "The provider's list cannot be read."


def page(answer: Answer) -> Page:
    """Reads a page; `created_at` becomes seconds since 1970, `following` is a URL.

    Raises NotListedError where there is no list, ProviderError for trouble.
    """
    if answer.status in (404, 405, 410):
        raise NotListedError("The provider has no list of its jobs.")
    if not answer.ok:
        raise trouble(answer.status)
    jobs, following = answer.document.get("results"), answer.document.get("next", "")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise NotListedError(_UNREADABLE)
    if following is not None and not isinstance(following, str):
        raise NotListedError(_UNREADABLE)
    return Page([job | {"created_at": _seconds(job.get("created_at"))} for job in jobs], following)


def handles(jobs: list[Document], order: Order) -> list[Handle]:
    """The jobs with this prompt and start image, those of the same model first.

    Raises NotListedError if one does not tell its input or its id: it may be ours. JobNotFoundError
    if none has our image, but one our prompt: that is somebody else's, or tells it in another way.
    """
    if not all(isinstance(job.get("input"), dict) and job["input"] for job in jobs):
        raise NotListedError("The provider's list does not tell the prompts.")
    prompt = order.request.prompt.strip()
    asked = {str(value).strip() for value in order.fields().values() if prompt in str(value)}
    ours = [job for job in jobs if asked & {str(value).strip() for value in job["input"].values()}]
    ours = _of_its_image(ours, order)
    ours.sort(key=lambda job: job.get("model") == order.name, reverse=True)
    ids = [job_id(job.get("id")) for job in ours]
    if None in ids:
        raise NotListedError("The provider's list does not tell the ids.")
    return [{"id": found} for found in ids]


def _of_its_image(jobs: list[Document], order: Order) -> list[Document]:
    """Those that start from the same image: with another one it is somebody else's."""
    image = order.request.input_reference_url
    if image is None:
        names = order.offer.image_input.keys()
        return [job for job in jobs if not any(job["input"].get(name) for name in names)]
    place = quote(uploaded(image) or "") or image  # a link that we signed, for what we keep
    same = [job for job in jobs if any(place in str(value) for value in job["input"].values())]
    if jobs and not same:
        raise JobNotFoundError("The provider's list has no video that starts from this image.")
    return same


def _seconds(created: object) -> float | None:
    """In seconds since 1970; None where the provider does not say it."""
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(str(created))
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    return None

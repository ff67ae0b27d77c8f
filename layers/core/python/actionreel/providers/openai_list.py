"""The list of jobs of the OpenAI Videos protocol, and which of them can be ours. Pure.

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it.
"""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from actionreel.errors import NotListedError
from actionreel.models import Handle
from actionreel.orders import Order
from actionreel.providers.answers import Document, is_number, job_id, trouble
from actionreel.providers.http_api import Answer

_REMIX_OF = "remixed_from_video_id"
_NO_LIST = (400, 404, 405, 410, 501)


class Page(NamedTuple):
    """A page of the list. `following` is the id to go on after: None where the server says that it
    was the last page."""

    jobs: list[Document]
    following: str | None


def page(answer: Answer) -> Page:
    """Reads a page. Raises NotListedError where there is no list, or none that tells the prompts,
    ProviderError for trouble."""
    if answer.status in _NO_LIST:
        raise NotListedError("The provider has no list of its jobs.")
    if not answer.ok:
        raise trouble(answer.status)
    data = answer.document.get("data")
    if not isinstance(data, list) or not all(isinstance(job, dict) for job in data):
        raise NotListedError("The provider's list cannot be read.")
    if not all(isinstance(job.get("prompt"), str) for job in data):
        raise NotListedError("The provider's list does not tell the prompts.")
    if answer.document.get("has_more") is False or not data:
        return Page(data, None)
    last = job_id(data[-1].get("id"))
    if last is None:
        raise NotListedError("The provider's list cannot be read to its end.")
    return Page(data, last)


def made_since(jobs: list[Document], since: datetime) -> list[Document]:
    """The jobs that are not older. One that does not tell its age may be of now."""
    return [job for job in jobs if _created_at(job) >= since.timestamp()]


def is_newest_first(jobs: list[Document]) -> bool:
    """Whether no job is younger than the one before it: not every server does as it is asked."""
    ages = [_created_at(job) for job in jobs]
    return all(before >= after for before, after in pairwise(ages))


def handles(jobs: list[Document], order: Order) -> list[Handle]:
    """The jobs with this prompt, those that agree in model, length and size first.

    Servers write those in ways of their own, so they are not demanded: a job that is overlooked
    would be paid for twice. Raises NotListedError if one cannot be told by its id, or by what it
    starts from: with another image or video it would be somebody else's, and not for us to see.
    """
    ours = [job for job in jobs if str(job["prompt"]).strip() == order.request.prompt.strip()]
    if ours and order.has_image:
        raise NotListedError("The provider's list does not tell the start images.")
    ours = [job for job in ours if _is_made_anew_of(job, order.request.remixes)]
    ours.sort(key=lambda job: _agreement(job, order), reverse=True)
    ids = [job_id(job.get("id")) for job in ours]
    if None in ids:
        raise NotListedError("The provider's list does not tell the ids.")
    return [{"id": found} for found in ids]


def _is_made_anew_of(job: Document, handle: Handle | None) -> bool:
    """Whether it is a remix of that video; of none, where there is none."""
    if handle is not None and _REMIX_OF not in job:
        raise NotListedError("The provider's list does not tell what is a remix.")
    return (job.get(_REMIX_OF) or None) == (handle and handle["id"])


def _agreement(job: Document, order: Order) -> int:
    request = order.request
    seconds = (request.seconds, str(request.seconds))
    asked = {"model": (order.name,), "seconds": seconds, "size": (request.size,)}
    return sum(job.get(name) in values for name, values in asked.items())


def _created_at(job: Document) -> int | float:
    """In seconds since 1970; of now or later, where the server does not say it."""
    created = job.get("created_at")
    return created if is_number(created) and created > 0 else math.inf

"""Replicate's API: a job is a prediction.

    POST {base}/models/{owner}/{name}/predictions    asks for a video
    GET  {base}/predictions                          the predictions, newest first
    GET  {base}/predictions/{id}                     says how one stands, and where its file is
    POST {base}/predictions/{id}/cancel              stops it

Input, output and file are deleted an hour after the end.

Source: replicate.com/docs (HTTP API, prediction deadlines), as replicate 1.0.7 speaks it. That
moderation shows only in a text is told by those who met it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from actionreel import transport
from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    ProviderError,
)
from actionreel.models import Asset, CancelOutcome, Failure, Handle, ProviderAnswer, Recovery
from actionreel.orders import Order
from actionreel.providers import answers, openai_list, replicate_list
from actionreel.providers.config import ProviderConfig
from actionreel.providers.http_api import CANCEL_SECONDS, POLL_SECONDS, Answer, HttpApi, bearer

BASE_URL = "https://api.replicate.com/v1"
LIST_SECONDS = 50.0  # for all its pages
LIST_PAGES = 10

# A run may take 30 minutes, a wait for one as long as it likes: what we have given up must not
# start, and be charged, hours later.
CANCEL_AFTER = "60m"

_MODERATION = re.compile("sensitive|flagged|nsfw|E005", re.IGNORECASE)
_WAIT = re.compile(r"~(\d{1,4}) ?s")
_PROGRESS = re.compile(r"(\d{1,3})%\|")  # as tqdm writes it, the last being the latest


class Replicate:
    """Replicate, with the key of an account."""

    recovery: Recovery = "list"

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        body: dict[str, Any] = {"input": order.fields()}
        if order.callback_url:
            body |= {"webhook": order.callback_url, "webhook_events_filter": ["completed"]}
        answer = self._api.create(
            f"/models/{quote(order.name)}/predictions",
            headers={"Cancel-After": CANCEL_AFTER},
            json=body,
        )
        if not answer.ok:
            raise _refusal(answer)
        job = _job(answer.document).model_copy(update={"webhook": bool(order.callback_url)})
        handle: Handle = {"id": answers.job_id(answer.document.get("id"))}
        return answers.accepted(handle, **job.model_dump(exclude={"handle"}))

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises."""
        return _job(self._look(handle))

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """Predictions with this prompt and start image, made after `since`; those of the same model
        come first.

        Raises NotListedError where it cannot be told from the list that a prediction is not there,
        JobNotFoundError while the list is empty, or only other images are in it.
        """
        transport.within(LIST_SECONDS)
        listed: list[answers.Document] = []
        empty = True
        path: str | None = "/predictions"
        for _ in range(LIST_PAGES):
            if not path or not self._api.is_own(path):
                raise NotListedError("The provider's list cannot be read to its end.")
            page = replicate_list.page(self._api.ask("GET", path, seconds=None))
            recent = openai_list.made_since(page.jobs, since)
            listed += recent
            empty = empty and not page.jobs
            seen_all = len(recent) < len(page.jobs) and openai_list.is_newest_first(page.jobs)
            if page.following is None or seen_all:
                if empty:
                    raise JobNotFoundError("The provider's list is empty.")
                return replicate_list.handles(listed, order)
            path = page.following
        raise NotListedError("The provider's list is too long to find this video in it.")

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops the job; the time that it has run is charged."""
        transport.within(CANCEL_SECONDS)
        try:
            phase = answers.phase(self._look(handle, None)["status"])
        except JobNotFoundError:
            return "too_late"
        if phase != "pending":
            return "too_late"
        answer = self._api.ask("POST", f"{_path(handle)}/cancel", seconds=None)
        if not answer.ok and answer.status != 404:
            raise answers.trouble(answer.status)
        stopped = answer.ok and answers.phase(answer.document.get("status")) != "completed"
        return "cancelled" if stopped else "too_late"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, where its prediction says that it is. See VideoProvider."""
        try:
            url = answers.file_url(self._look(handle).get("output"))
        except JobNotFoundError as gone:
            raise AssetUnavailableError(str(gone)) from None
        if url is None:
            raise AssetUnavailableError("Replicate names no file of this video.")
        with self._api.open(url) as chunks:
            yield Asset(chunks)

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """Replicate makes no still images."""
        raise AssetUnavailableError("Replicate makes no still images.")

    def _look(self, handle: Handle, seconds: float | None = POLL_SECONDS) -> answers.Document:
        answer = self._api.ask("GET", _path(handle), seconds=seconds)
        if answer.status in (404, 410):
            raise JobNotFoundError("Replicate no longer knows this video.")
        if not answer.ok:
            raise answers.trouble(answer.status)
        if not isinstance(answer.document.get("status"), str):
            raise answers.unreadable()
        return answer.document


def adapter(config: ProviderConfig) -> Replicate:
    """The adapter of a deployment."""
    return Replicate(HttpApi(config.base_url(BASE_URL), config.key, bearer, config.client))


def _path(handle: Handle) -> str:
    return f"/predictions/{quote(str(handle['id']), safe='')}"


def _job(said: answers.Document) -> ProviderAnswer:
    """What the document of a prediction says, in our words."""
    failure = _failure(said)
    phase = answers.phase(said.get("status"))
    if failure and failure.code != "cancelled":
        phase = "failed"
    metrics, logs = said.get("metrics"), said.get("logs")
    took = metrics.get("predict_time") if isinstance(metrics, dict) else None
    shown = _PROGRESS.findall(logs) if isinstance(logs, str) else []
    return ProviderAnswer(
        phase=phase,
        progress=answers.progress(int(shown[-1])) if shown and phase == "pending" else None,
        failure=failure,
        took_seconds=round(took) if answers.is_number(took) else None,
    )


def _failure(said: answers.Document) -> Failure | None:
    """Why there is no film. A prediction that succeeded has lost it when it is looked at late."""
    phase = answers.phase(said.get("status"))
    if phase == "completed":
        return None if answers.file_url(said.get("output")) else answers.expired()
    if str(said.get("status")).lower() == "aborted":  # before it began: that is not charged
        message = "The provider did not begin this video in time."
        return Failure(code="timeout", message=message, retryable=True)
    if phase == "cancelled":
        return answers.cancelled()
    return answers.failed(*_error(said)) if phase == "failed" else None


def _refusal(answer: Answer) -> ProviderError:
    words, reason = _error(answer.document)
    wait = _WAIT.search(reason)
    seconds = float(wait[1]) if wait else None
    return answers.refusal(answer.status, words, reason, answer.headers, seconds)


def _error(said: answers.Document) -> tuple[str, str]:
    """The machine's words, of which there is only what a text gives away, and the reader's."""
    reason = answers.text(said.get("error") or said.get("detail") or said.get("title")).strip()
    return "moderation" if _MODERATION.search(reason) else "", reason

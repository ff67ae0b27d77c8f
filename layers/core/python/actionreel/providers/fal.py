"""fal's queue: every model that fal.ai runs.

    POST {base}/{model}?fal_webhook={url}    puts a request into the queue
    GET  {status_url}                        how it stands: 202 until it has ended, well or not
    GET  {response_url}                      what came of it: the film's address, or an error
    PUT  {cancel_url}                        takes it out of the queue, or tells it to stop

The three URLs come with the first answer; they have only a part of the model's name in them and
cannot be made of it. The queue repeats attempts that broke down on fal's side, up to ten times, and
charges for none of them; `X-Fal-No-Retry` is therefore not sent: a video that would have come at
the second attempt would be lost, and nothing saved.

Source: fal.ai/docs (queue, model errors, request errors), as fal_client 1.0.3 speaks it.
"""

from __future__ import annotations

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
from actionreel.failures import failure_of
from actionreel.models import Asset, CancelOutcome, Failure, Handle, ProviderAnswer, Recovery
from actionreel.orders import Order
from actionreel.providers import answers
from actionreel.providers.config import ProviderConfig
from actionreel.providers.http_api import CANCEL_SECONDS, POLL_SECONDS, Answer, HttpApi

BASE_URL = "https://queue.fal.run"

# Answers about the look, not about the job: whatever was done with the request stays done.
_TROUBLE = (401, 402, 403, 408, 409, 425, 429)


class Fal:
    """The queue, with the key of an account."""

    recovery: Recovery = "none"

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        webhook = {"fal_webhook": order.callback_url} if order.callback_url else {}
        answer = self._api.create(f"/{quote(order.name)}", params=webhook, json=order.fields())
        if not answer.ok:
            raise _refusal(answer)
        handle: Handle = {"id": answers.job_id(answer.document.get("request_id"))}
        for name in ("status_url", "response_url", "cancel_url"):
            handle[name] = self._own(answer.document.get(name))
        return answers.accepted(handle, webhook=bool(webhook))

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """The queue has no list of its requests."""
        raise NotListedError("fal has no list of its requests.")

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises.

        A request that has ended may have failed: only its result tells.
        """
        transport.within(POLL_SECONDS)
        status = self._look(handle["status_url"])
        word = status.document.get("status")
        if not status.ok or (status.status != 202 and not isinstance(word, str)):
            raise answers.unreadable()
        phase = answers.phase(word)
        if phase == "completed" and not status.document.get("error"):
            return _result(self._look(handle["response_url"]), status.document)
        if phase == "pending":
            return ProviderAnswer(phase="pending")
        return _ended(status)

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Takes the request out of the queue. One that runs is only told to stop: whether it does
        is the model's affair, and it may be charged for either way."""
        answer = self._api.ask("PUT", str(handle["cancel_url"]), seconds=CANCEL_SECONDS)
        if answer.status in (400, 404, 410):
            return "too_late"
        if not answer.ok:
            raise answers.trouble(answer.status)
        return "cancelled"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, where its result says that it is. See VideoProvider."""
        transport.within(POLL_SECONDS)
        try:
            url = _film(self._look(handle["response_url"]))
        except JobNotFoundError as gone:
            raise AssetUnavailableError(str(gone)) from None
        if url is None:
            raise AssetUnavailableError("fal names no file of this video.")
        with self._api.open(url) as chunks:
            yield Asset(chunks)

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """fal makes no still images."""
        raise AssetUnavailableError("fal makes no still images.")

    def _look(self, url: Any) -> Answer:
        """What is at one of the job's URLs, if it is about the job; the model's error can be."""
        answer = self._api.ask("GET", str(url), seconds=None)
        if answer.status in (404, 410):
            raise JobNotFoundError("fal no longer knows this video.")
        final = _is_final(answer) or (400 <= answer.status < 500 and answer.status not in _TROUBLE)
        if answer.ok or final:
            return answer
        raise answers.trouble(answer.status)

    def _own(self, url: Any) -> str | None:
        """The URL, if the key may go there: what an answer names is a stranger's word."""
        return url if isinstance(url, str) and self._api.is_own(url) else None


def adapter(config: ProviderConfig) -> Fal:
    """The adapter of a deployment."""

    def headers(key: str) -> dict[str, str]:
        return {"Authorization": f"Key {key}"}

    return Fal(HttpApi(config.base_url(BASE_URL), config.key, headers, config.client))


def _is_final(answer: Answer) -> bool:
    """Whether fal says that the same request would fail again."""
    return answer.headers.get("x-fal-retryable", "").lower() == "false"


def _film(result: Answer) -> str | None:
    return answers.file_url(result.document.get("video"))


def _result(result: Answer, status: answers.Document) -> ProviderAnswer:
    """What came of a request that ended without an error of the queue's own."""
    if not result.ok:
        return _ended(result)
    if not result.document:
        raise answers.unreadable()
    if _film(result) is None:
        return ProviderAnswer(phase="failed", failure=_no_film(result))
    metrics = status.get("metrics")
    took = metrics.get("inference_time") if isinstance(metrics, dict) else None
    seconds = round(took) if answers.is_number(took) else None
    return ProviderAnswer(phase="completed", took_seconds=seconds)


def _ended(answer: Answer) -> ProviderAnswer:
    """A request that ended without a film: cancelled, refused for what was asked, or broken."""
    words, reason = _error(answer.document)
    if words == "client_cancelled":
        return ProviderAnswer(phase="cancelled", failure=answers.cancelled())
    if answer.status in (400, 413, 422):
        failure = failure_of(answers.refusal(answer.status, words, reason))
    else:
        failure = answers.failed(words, reason)
        if _is_final(answer):
            failure = failure.model_copy(update={"retryable": False})
    return ProviderAnswer(phase="failed", failure=failure)


def _no_film(result: Answer) -> Failure:
    """A result without a film, which may have been charged."""
    failure = answers.failed(*_error(result.document))
    return failure.model_copy(update={"maybe_charged": True, "retryable": False})


def _refusal(answer: Answer) -> ProviderError:
    words, reason = _error(answer.document)
    if answer.status == 403:  # a locked account says only in words that it has no credit
        words += f" {reason}"
    return answers.refusal(answer.status, words, reason, answer.headers)


def _error(said: answers.Document) -> tuple[str, str]:
    """The machine's words and the reader's: of a model's errors, a list, or of the queue's own."""
    detail = said.get("detail")
    if not isinstance(detail, list):
        return answers.text(said.get("error_type")), answers.text(said.get("error") or detail)
    errors = [error for error in detail if isinstance(error, dict)]
    words = " ".join(answers.text(error.get("type")) for error in errors)
    return words, answers.text("; ".join(answers.text(error.get("msg")) for error in errors))

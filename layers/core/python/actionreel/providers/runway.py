"""Runway's API.

    POST   {base}/v1/text_to_video, /v1/image_to_video   asks for a video
    GET    {base}/v1/tasks/{id}      says how it stands; links to the file are made anew each time
    DELETE {base}/v1/tasks/{id}      stops it, or deletes a finished one

Source: docs.dev.runwayml.com, API version 2024-11-06, as the runwayml SDK 5.24.0 speaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from urllib.parse import quote

from actionreel import transport
from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
)
from actionreel.models import Asset, CancelOutcome, Handle, ProviderAnswer, Recovery
from actionreel.orders import Order
from actionreel.providers import answers
from actionreel.providers import runway_answers as said
from actionreel.providers.config import ProviderConfig
from actionreel.providers.http_api import CANCEL_SECONDS, HttpApi, bearer

BASE_URL = "https://api.dev.runwayml.com"
API_VERSION = "2024-11-06"


class Runway:
    """Runway, with the key of an account."""

    recovery: Recovery = "none"

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        body = {"model": order.name, "promptText": order.request.prompt, **order.fields()}
        path = "/v1/image_to_video" if order.has_image else "/v1/text_to_video"
        answer = self._api.create(path, json=body)
        if not answer.ok:
            raise said.refusal(answer)
        return answers.accepted({"id": answers.job_id(answer.document.get("id"))})

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """Runway has no list of tasks."""
        raise NotListedError("Runway has no list of its tasks.")

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the task stands. See VideoProvider for what it raises."""
        return said.job(self._api.look(_path(handle)))

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops the task. Deleting a finished one would lose the film, so it is looked at first."""
        transport.within(CANCEL_SECONDS)
        try:
            phase = answers.phase(self._api.look(_path(handle), seconds=None)["status"])
        except JobNotFoundError:
            return "too_late"
        if phase != "pending":
            return "too_late"
        answer = self._api.ask("DELETE", _path(handle), seconds=None)
        if not answer.ok and answer.status != 404:
            raise answers.trouble(answer.status)
        return "cancelled" if answer.ok else "too_late"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, by a link that is fresh. See VideoProvider for what it raises."""
        try:
            link = answers.file_url(self._api.look(_path(handle)).get("output"))
        except JobNotFoundError as gone:
            raise AssetUnavailableError(str(gone)) from None
        if link is None:
            raise AssetUnavailableError("Runway names no file of this video.")
        with self._api.open(link) as chunks:
            yield Asset(chunks)

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """Runway makes no still images."""
        raise AssetUnavailableError("Runway makes no still images.")


def adapter(config: ProviderConfig) -> Runway:
    """The adapter of a deployment."""

    def headers(key: str) -> dict[str, str]:
        return bearer(key) | {"X-Runway-Version": API_VERSION}

    return Runway(HttpApi(config.base_url(BASE_URL), config.key, headers, config.client))


def _path(handle: Handle) -> str:
    return f"/v1/tasks/{quote(str(handle['id']), safe='')}"

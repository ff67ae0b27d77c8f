"""OpenRouter's video generation: many models in one normalised schema.

    POST {base}/videos               asks for a video: 202
    GET  {base}/videos/{id}          says how it stands, and where the file is
    GET  {base}/videos/{id}/content  streams the file, with the key

The documents are those of the OpenAI Videos protocol, but for their files: `urls` are signed and
want no key. A job is looked at by its id: the `polling_url` of an answer is never followed.

Source: openrouter.ai/docs (video generation), and the openrouter SDK 1.3.84.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from actionreel.errors import AssetUnavailableError, JobNotFoundError, NotListedError
from actionreel.models import Asset, CancelOutcome, Handle, ProviderAnswer, Recovery
from actionreel.orders import Order
from actionreel.providers import answers
from actionreel.providers import openai_answers as said
from actionreel.providers.config import ProviderConfig
from actionreel.providers.http_api import HttpApi, bearer

BASE_URL = "https://openrouter.ai/api/v1"


class OpenRouter:
    """OpenRouter, with the key of an account."""

    recovery: Recovery = "none"

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        body: dict[str, Any] = {
            "model": order.name,
            "prompt": order.request.prompt,
            **order.fields(),
            **({"callback_url": order.callback_url} if order.callback_url else {}),
        }
        answer = self._api.create("/videos", json=body)
        if not answer.ok:
            raise said.refusal(answer)
        job = said.job(answer.document).model_dump(exclude={"handle", "webhook"})
        return answers.accepted(said.created(answer), webhook=bool(order.callback_url), **job)

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """OpenRouter has no list of jobs."""
        raise NotListedError("OpenRouter has no list of its jobs.")

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises."""
        return said.job(self._api.look(_path(handle)))

    def cancel(self, handle: Handle) -> CancelOutcome:
        """A job cannot be stopped; whether it has ended can be told."""
        try:
            phase = self.poll(handle).phase
        except JobNotFoundError:
            return "too_late"
        return "unsupported" if phase == "pending" else "too_late"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, by a link that is fresh. See VideoProvider for what it raises."""
        try:
            signed = answers.file_url(self._api.look(_path(handle)).get("urls"))
        except JobNotFoundError as gone:
            raise AssetUnavailableError(str(gone)) from None
        with self._api.open(signed or f"{_path(handle)}/content?index=0") as chunks:
            yield Asset(chunks)

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """OpenRouter makes no still images."""
        raise AssetUnavailableError("OpenRouter makes no still images.")


def adapter(config: ProviderConfig) -> OpenRouter:
    """The adapter of a deployment."""
    return OpenRouter(HttpApi(config.base_url(BASE_URL), config.key, bearer, config.client))


def _path(handle: Handle) -> str:
    return f"/videos/{quote(str(handle['id']), safe='')}"

"""The OpenAI Videos protocol: the adapter for every server that speaks it, in its dialect.

    POST   {base}/videos                 asks for a video
    POST   {base}/videos/{id}/remix      asks for one that is made of another
    GET    {base}/videos                 the jobs, newest first
    GET    {base}/videos/{id}            says how one stands
    DELETE {base}/videos/{id}            stops it, at servers that can
    GET    {base}/videos/{id}/content    streams the file (variant=thumbnail: a still image)

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it; LiteLLM
1.109.1, SGLang's and vLLM-Omni's server sources for their dialects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import httpx

from actionreel import transport
from actionreel.errors import (
    AssetIncompleteError,
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    ProviderRejectedError,
)
from actionreel.models import Asset, CancelOutcome, Handle, ProviderAnswer, Recovery
from actionreel.orders import Order
from actionreel.providers import answers, openai_list
from actionreel.providers import openai_answers as said
from actionreel.providers.config import ProviderConfig
from actionreel.providers.http_api import (
    CANCEL_SECONDS,
    DOWNLOAD_SECONDS,
    HttpApi,
    Key,
    bearer,
)

LIST_SECONDS = 50.0  # for all its pages
POSTER_SECONDS = 60.0
LIST_LIMIT, LIST_PAGES = 100, 10

# Servers that delete finished videos only, or have no such route.
_CANNOT_CANCEL = (400, 403, 404, 405, 410, 422, 501)


@dataclass(frozen=True)
class Dialect:
    """How a kind of server differs: form fields in place of JSON, lengths as numbers, the field
    for the address of a start image, whether it has posters, and whether its documents may name
    another place for the file (SGLang's object storage)."""

    form: bool = False
    number_of_seconds: bool = False
    image: Literal["input_reference", "reference_url", "image_reference"] = "input_reference"
    posters: bool = False
    file_elsewhere: bool = False


DIALECTS = {
    "openai": Dialect(posters=True),
    "litellm": Dialect(),
    "sglang": Dialect(number_of_seconds=True, image="reference_url", file_elsewhere=True),
    "vllm-omni": Dialect(form=True, image="image_reference"),
}


class OpenAIVideos:
    """A server at `base_url` (with its `/v1`). `key` gives the key at the moment it is needed.

    `recovery` is what the server can do about a create that went unanswered: `list` its jobs with
    their prompts, honour an Idempotency-Key (`key`), or neither. `webhooks` says that it was told
    where to call when a job has ended.
    """

    def __init__(
        self,
        base_url: str,
        key: Key,
        recovery: Recovery = "list",
        client: httpx.Client | None = None,
        dialect: Dialect = DIALECTS["openai"],
        webhooks: bool = False,
    ) -> None:
        self.recovery: Recovery = recovery
        self._api = HttpApi(base_url, key, bearer, client)
        self._dialect = dialect
        self._webhooks = webhooks

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        headers = {"Idempotency-Key": order.key} if self.recovery == "key" else {}
        path, body = "/videos", self._body(order)
        if order.request.remixes is not None:
            path, body = f"{_path(order.request.remixes)}/remix", _remix(order)
        answer = self._api.create(path, headers=headers, **body)
        if not answer.ok:
            raise said.refusal(answer)
        job = said.job(answer.document).model_dump(exclude={"handle", "webhook"})
        return answers.accepted(said.created(answer), webhook=self._webhooks, **job)

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises."""
        return said.job(self._api.look(_path(handle)))

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """Jobs with this prompt, made after `since`; those that agree in more come first.

        Raises NotListedError where the server has no list, or none from which it can be told that
        a job is not there; JobNotFoundError while the list is empty.
        """
        transport.within(LIST_SECONDS)
        listed: dict[str, answers.Document] = {}
        params: dict[str, str | int] = {"limit": LIST_LIMIT, "order": "desc"}
        for _ in range(LIST_PAGES):
            page = openai_list.page(self._api.ask("GET", "/videos", seconds=None, params=params))
            new = listed | {str(job.get("id")): job for job in page.jobs}
            recent = openai_list.made_since(page.jobs, since)
            seen_all = len(recent) < len(page.jobs) and openai_list.is_newest_first(page.jobs)
            if page.following is None or seen_all or len(new) == len(listed):
                return _candidates(list(new.values()), order, since)
            listed = new
            params["after"] = page.following
        raise NotListedError("The provider's list is too long to find this video in it.")

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops the job, if the server can. Deleting a finished one would lose the film, so it is
        looked at first."""
        transport.within(CANCEL_SECONDS)
        try:
            phase = answers.phase(self._api.look(_path(handle), seconds=None).get("status"))
        except JobNotFoundError:
            return "too_late"
        if phase != "pending":
            return "too_late"
        answer = self._api.ask("DELETE", _path(handle), seconds=None)
        if answer.status in _CANNOT_CANCEL:
            return "unsupported"
        if not answer.ok:
            raise answers.trouble(answer.status)
        return "cancelled"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, as it streams. See VideoProvider for what it raises."""
        url = self._uploaded(handle) if self._dialect.file_elsewhere else None
        with self._api.open(url or f"{_path(handle)}/content", DOWNLOAD_SECONDS) as chunks:
            yield Asset(chunks)

    @contextmanager
    def open_poster(self, handle: Handle) -> Iterator[Asset]:
        """A still image; raises AssetUnavailableError where the server has none."""
        if not self._dialect.posters:
            raise AssetUnavailableError("This provider makes no still images.")
        path = f"{_path(handle)}/content?variant=thumbnail"
        with self._api.open(path, POSTER_SECONDS) as chunks:
            yield Asset(chunks)

    def _uploaded(self, handle: Handle) -> str | None:
        """Where the server has put the file, if not behind `/content`."""
        try:
            job = self._api.look(_path(handle))
        except JobNotFoundError:
            raise AssetUnavailableError("The provider no longer has this video.") from None
        if answers.phase(job["status"]) == "pending":
            raise AssetIncompleteError("The provider has not finished this video.")
        url = str(job.get("url"))
        known = url.startswith("http://") and self._api.is_own(url)
        return url if known or url.startswith("https://") else None

    def _body(self, order: Order) -> dict[str, Any]:
        """The body of a create, as httpx takes it. What the offer says of it comes last."""
        request, dialect = order.request, self._dialect
        fields: dict[str, Any] = {
            "model": order.name,
            "prompt": request.prompt,
            "seconds": request.seconds if dialect.number_of_seconds else str(request.seconds),
        }
        if request.size is not None:
            fields["size"] = request.size
        if order.has_image and order.image is None:
            url = request.input_reference_url
            fields[dialect.image] = url if dialect.image == "reference_url" else {"image_url": url}
        fields |= order.fields()
        if order.image is None and not dialect.form:
            return {"json": fields}
        # Texts go as files without names, too, so that httpx writes a form even without a file.
        files: dict[str, Any] = {name: (None, _text(value)) for name, value in fields.items()}
        if order.image:
            kind = order.image.media_type
            name = f"image.{kind.rpartition('/')[2]}"
            files["input_reference"] = (name, order.image.content, kind)
        return {"files": files}


def _remix(order: Order) -> dict[str, Any]:
    return {"json": {"prompt": order.request.prompt}}


def adapter(config: ProviderConfig) -> OpenAIVideos:
    """The adapter of a deployment. Raises ProviderRejectedError without an address."""
    base_url = config.options.get("base_url")
    if not base_url:
        raise ProviderRejectedError(
            "No OpenAI-compatible server is configured: set the ProviderBaseUrl parameter."
        )
    recovery: Any = config.options.get("recovery", "list")
    dialect = DIALECTS[config.options.get("dialect", "openai")]
    webhooks = bool(config.options.get("webhooks"))
    return OpenAIVideos(base_url, config.key, recovery, config.client, dialect, webhooks)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _path(handle: Handle) -> str:
    return f"/videos/{quote(str(handle['id']), safe='')}"


def _candidates(listed: list[answers.Document], order: Order, since: datetime) -> list[Handle]:
    """An empty list proves nothing: it may be behind, and some servers forget their jobs or keep
    them elsewhere."""
    if not listed:
        raise JobNotFoundError("The provider's list is empty.")
    return openai_list.handles(openai_list.made_since(listed, since), order)

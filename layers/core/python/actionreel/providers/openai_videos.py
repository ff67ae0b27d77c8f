"""The OpenAI Videos protocol: the adapter for every server that speaks it.

    POST   {base}/videos                 asks for a video
    GET    {base}/videos                 the jobs, newest first
    GET    {base}/videos/{id}            says how one stands
    DELETE {base}/videos/{id}            stops it, at servers that can
    GET    {base}/videos/{id}/content    streams the file (variant=thumbnail: a still image)

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from actionreel.errors import (
    JobNotFoundError,
    NotListedError,
    OutcomeUnknownError,
    ProviderError,
    ProviderUnavailableError,
)
from actionreel.models import (
    Asset,
    CancelOutcome,
    Handle,
    ProviderAnswer,
    Recovery,
    VideoRequest,
)
from actionreel.providers import openai_answers as said
from actionreel.providers import openai_list, transport
from actionreel.providers.downloads import download

CREATE_SECONDS = 50.0
POLL_SECONDS = 20.0
LIST_SECONDS = 50.0  # for all its pages
CANCEL_SECONDS = 20.0  # for both exchanges: API Gateway waits for 30
DOWNLOAD_SECONDS = 720.0
POSTER_SECONDS = 60.0
LIST_LIMIT, LIST_PAGES = 100, 10

# Nothing was sent: the connection never came to be.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

# Servers that delete finished videos only, or have no such route.
_CANNOT_CANCEL = (400, 403, 404, 405, 410, 422, 501)


class OpenAIVideos:
    """A server at `base_url` (with its `/v1`). `key` gives the key at the moment it is needed.

    `recovery` is what the server can do about a create that went unanswered: `list` its jobs with
    their prompts, honour an Idempotency-Key (`key`), or neither.
    """

    def __init__(
        self,
        base_url: str,
        key: Callable[[], str],
        recovery: Recovery = "list",
        client: httpx.Client | None = None,
    ) -> None:
        self.recovery: Recovery = recovery
        self._base = base_url.rstrip("/")
        self._key = key
        self._client = client or transport.client()

    def create(self, request: VideoRequest, key: str) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        secret = self._key()
        headers = _bearer(secret) | ({"Idempotency-Key": key} if self.recovery == "key" else {})
        transport.within(CREATE_SECONDS)
        try:
            with self._client.stream(
                "POST", f"{self._base}/videos", json=_create_body(request), headers=headers
            ) as response:
                body = transport.read_answer(response)
        except _NEVER_SENT:
            raise ProviderUnavailableError("The provider cannot be reached.") from None
        except httpx.HTTPError:
            raise OutcomeUnknownError(said.unknown("did not answer")) from None
        document = said.document(body, secret)
        if not response.is_success:
            raise said.refusal(response.status_code, document, response.headers)
        job_id = said.job_id(document)
        if job_id is None:
            raise OutcomeUnknownError(said.unknown("gave an answer that cannot be read"))
        return said.answer(document, {"id": job_id})

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises."""
        transport.within(POLL_SECONDS)
        return self._look(handle)

    def _look(self, handle: Handle) -> ProviderAnswer:
        status, document = self._ask("GET", self._url(handle))
        if status == 404:
            raise JobNotFoundError("The provider no longer knows this video.")
        if not 200 <= status < 300:
            raise said.trouble(status)
        if not isinstance(document.get("status"), str):
            raise ProviderError("The provider gave an answer that cannot be read.")
        return said.answer(document, None)

    def find(self, request: VideoRequest, since: datetime) -> list[Handle]:
        """Jobs with this prompt, made after `since`; those that agree in more come first.

        Raises NotListedError where the server has no list, or none from which it can be told that
        a job is not there.
        """
        transport.within(LIST_SECONDS)
        listed: dict[str, said.Document] = {}
        params: dict[str, str | int] = {"limit": LIST_LIMIT, "order": "desc"}
        for _ in range(LIST_PAGES):
            page = openai_list.page(*self._ask("GET", f"{self._base}/videos", params))
            new = listed | {str(job.get("id")): job for job in page.jobs}
            recent = openai_list.made_since(page.jobs, since)
            seen_all = len(recent) < len(page.jobs) and openai_list.is_newest_first(page.jobs)
            if page.following is None or seen_all or len(new) == len(listed):
                return self._candidates(list(new.values()), request, since)
            listed = new
            params["after"] = page.following
        raise NotListedError("The provider's list is too long to find this video in it.")

    def _candidates(
        self, listed: list[said.Document], request: VideoRequest, since: datetime
    ) -> list[Handle]:
        """An empty list proves nothing: some servers forget their jobs, or keep them elsewhere."""
        if not listed:
            raise NotListedError("The provider's list is empty.")
        return openai_list.handles(openai_list.made_since(listed, since), request)

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops the job, if the server can. Deleting a finished one would lose the film, so it is
        looked at first."""
        transport.within(CANCEL_SECONDS)
        try:
            phase = self._look(handle).phase
        except JobNotFoundError:
            return "too_late"
        if phase != "pending":
            return "too_late"
        status, _ = self._ask("DELETE", self._url(handle))
        if status in _CANNOT_CANCEL:
            return "unsupported"
        if not 200 <= status < 300:
            raise said.trouble(status)
        return "cancelled"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        """The finished file, as it streams. See VideoProvider for what it raises."""
        with self._open(handle, {}, DOWNLOAD_SECONDS) as asset:
            yield asset

    @contextmanager
    def open_poster(self, handle: Handle) -> Iterator[Asset]:
        """A still image; raises AssetUnavailableError where the server has none."""
        with self._open(handle, {"variant": "thumbnail"}, POSTER_SECONDS) as asset:
            yield asset

    @contextmanager
    def _open(self, handle: Handle, params: dict[str, str], seconds: float) -> Iterator[Asset]:
        url = f"{self._url(handle)}/content{'?' if params else ''}{urlencode(params)}"
        headers = _bearer(self._key())
        with download(self._client, url, headers, seconds, trusted=self._base) as chunks:
            yield Asset(chunks=chunks)

    def _ask(
        self, method: str, url: str, params: dict[str, str | int] | None = None
    ) -> tuple[int, said.Document]:
        """The status and the document of an answer, within the time that the caller has set. Raises
        ProviderUnavailableError."""
        secret = self._key()
        try:
            with self._client.stream(
                method, url, params=params, headers=_bearer(secret)
            ) as response:
                body = transport.read_answer(response)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ProviderUnavailableError("The provider cannot be reached.") from None
        return response.status_code, said.document(body, secret)

    def _url(self, handle: Handle) -> str:
        return f"{self._base}/videos/{quote(str(handle['id']), safe='')}"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _create_body(request: VideoRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "seconds": str(request.seconds),
    }
    if request.size is not None:
        body["size"] = request.size
    if request.input_reference_url is not None:
        body["input_reference"] = {"image_url": request.input_reference_url}
    return body

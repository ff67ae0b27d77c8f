"""A provider's HTTP API: one exchange at a time, with the key that the operator gave.

The rules that every provider shares are here: a create is sent once, and what its silence means; a
key that is refused is read anew, once; a key goes to the provider's own origin and into no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from actionreel import transport
from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderUnavailableError,
)
from actionreel.providers import answers
from actionreel.providers.downloads import download

CREATE_SECONDS = 50.0
POLL_SECONDS = 20.0
CANCEL_SECONDS = 20.0  # for all its exchanges: API Gateway waits for 30
DOWNLOAD_SECONDS = 720.0

# Nothing was sent: the connection never came to be.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


class Key(Protocol):
    """Gives the provider's key; `fresh`, for one that was refused, asks past every cache."""

    def __call__(self, *, fresh: bool = False) -> str: ...


@dataclass(frozen=True)
class Answer:
    """What a provider said: the HTTP status, the JSON object, empty if it was anything else, and
    the headers."""

    status: int
    document: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it is an answer to what was asked, and no refusal or trouble."""
        return 200 <= self.status < 300


class HttpApi:
    """The API at `base_url`. `headers` makes the headers that every request needs of the key."""

    def __init__(
        self,
        base_url: str,
        key: Key,
        headers: Callable[[str], dict[str, str]],
        client: httpx.Client | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._headers = headers
        self._client = client or transport.client()

    def create(self, path: str, *, headers: Mapping[str, str] = {}, **body: Any) -> Answer:
        """Asks for a job, once; `body` is httpx's `json`, or `data` and `files`.

        Raises ProviderUnavailableError where nothing was sent, OutcomeUnknownError where nobody can
        tell what became of it. What the provider answered is for the caller to judge.
        """
        transport.within(CREATE_SECONDS)
        try:
            return self._exchange("POST", self._url(path), headers, **body)
        except _NEVER_SENT:
            raise ProviderUnavailableError("The provider cannot be reached.") from None
        except httpx.HTTPError:
            raise OutcomeUnknownError(answers.unknown("did not answer")) from None

    def ask(
        self, method: str, path: str, *, seconds: float | None = POLL_SECONDS, **options: Any
    ) -> Answer:
        """An exchange that may be repeated: a look, a list, a wish to cancel.

        It has `seconds`, or with None what is left of the time that the caller has set. Raises
        ProviderUnavailableError where there was no answer.
        """
        if seconds is not None:
            transport.within(seconds)
        try:
            return self._exchange(method, self._url(path), {}, **options)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ProviderUnavailableError("The provider cannot be reached.") from None

    def look(self, path: str, *, seconds: float | None = POLL_SECONDS) -> dict[str, Any]:
        """The document of a job, with its `status`; `seconds` as in `ask`.

        Raises JobNotFoundError where there is none, ProviderError for trouble.
        """
        answer = self.ask("GET", path, seconds=seconds)
        if answer.status == 404:
            raise JobNotFoundError("The provider no longer knows this video.")
        if not answer.ok:
            raise answers.trouble(answer.status)
        if not isinstance(answer.document.get("status"), str):
            raise answers.unreadable()
        return answer.document

    @contextmanager
    def open(self, url: str, seconds: float = DOWNLOAD_SECONDS) -> Iterator[Iterator[bytes]]:
        """The file at a path of the API, or at the URL of a stranger. See `downloads.download`."""
        key = self._key()
        with ExitStack() as opened:
            try:
                chunks = opened.enter_context(self._download(url, key, seconds))
            except AssetUnavailableError as error:
                changed = self._key(fresh=True) if error.status == 401 else key
                if changed == key:
                    raise
                chunks = opened.enter_context(self._download(url, changed, seconds))
            yield chunks

    def is_own(self, url: str) -> bool:
        """Whether the URL leads to the provider's own origin, where its key may go."""
        try:
            ours, theirs = httpx.URL(self.base_url), httpx.URL(self._url(url))
        except httpx.InvalidURL:
            return False
        return (ours.scheme, ours.host, ours.port) == (theirs.scheme, theirs.host, theirs.port)

    def _download(
        self, url: str, key: str, seconds: float
    ) -> AbstractContextManager[Iterator[bytes]]:
        headers = self._headers(key)
        return download(self._client, self._url(url), headers, seconds, trusted=self.base_url)

    def _exchange(self, method: str, url: str, more: Mapping[str, str], **options: Any) -> Answer:
        key = self._key()
        answer = self._once(method, url, key, more, **options)
        if answer.status != 401:
            return answer
        changed = self._key(fresh=True)  # the operator may have put another one in its place
        return answer if changed == key else self._once(method, url, changed, more, **options)

    def _once(
        self, method: str, url: str, key: str, more: Mapping[str, str], **options: Any
    ) -> Answer:
        headers = self._headers(key) | dict(more)
        with self._client.stream(method, url, headers=headers, **options) as response:
            body = transport.read_answer(response)
        return Answer(response.status_code, answers.document(body, key), response.headers)

    def _url(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else self.base_url + path


def bearer(key: str) -> dict[str, str]:
    """The header that most providers want the key in."""
    return {"Authorization": f"Bearer {key}"}

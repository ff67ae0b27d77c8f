"""One exchange with a chat platform: what came back, or which kind of trouble it was.

What matters afterwards is whether the message may have been taken. It certainly was not where no
connection came to be, and where an answer says so (429, any other 4xx). Silence, an answer that was
cut off and a 5xx say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from actionreel import transport
from actionreel.errors import ChatInDoubtError, ChatThrottledError, ChatUnavailableError

SECONDS = 20.0
UPLOAD_SECONDS = 120.0
_LONGEST_SECONDS = 10.0**9

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


@dataclass(frozen=True)
class Answer:
    """What was answered, below 500 and no 429: the status, and the JSON object, empty if it was
    anything else."""

    status: int
    document: dict[str, Any]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def exchange(
    client: httpx.Client,
    name: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] = {},
    seconds: float = SECONDS,
    reads: bool = True,
    wait: Callable[[dict[str, Any]], object] | None = None,
    **body: Any,
) -> Answer:
    """Sends one request, once; `body` is httpx's `json`, `data`, `files` or `content`. `name` is
    what the reader knows the other side by: no address and no key comes into an error. Unless it
    `reads`, the status is all that counts of the answer. `wait` finds the seconds to wait in the
    body of a 429, for those who do not say it in `Retry-After`.

    Raises ChatUnavailableError, ChatThrottledError or ChatInDoubtError. All else that was answered
    is for the caller to judge.
    """
    transport.within(seconds)
    try:
        with client.stream(method, url, headers=dict(headers), **body) as response:
            status, retry_after = response.status_code, response.headers.get("retry-after", "")
            content = transport.read_answer(response) if reads else b""
    except _NEVER_SENT:
        raise ChatUnavailableError(f"{name} cannot be reached.") from None
    except httpx.HTTPError:
        raise ChatInDoubtError(f"{name} did not answer.") from None
    if status == 429:
        found = wait(_document(content)) if wait else None
        asked = _finite(found) or _seconds(retry_after)
        raise ChatThrottledError(f"{name} has too many requests.", asked)
    if status >= 500 or status in (408, 425):
        raise ChatInDoubtError(f"{name} has trouble of its own (HTTP {status}).")
    return Answer(status, _document(content))


def _seconds(retry_after: str) -> float | None:
    return _finite(float(retry_after)) if retry_after.isascii() and retry_after.isdigit() else None


def _finite(found: object) -> float | None:
    """A number of seconds, at most some years; None for anything else, NaN included."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if 0 <= found <= _LONGEST_SECONDS else None


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

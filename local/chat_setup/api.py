"""HTTP to the platforms and to the deployment, for whoever sits at the keyboard."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from local.chat_setup.walk import SetupError

SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back; the document is the body's JSON, None if it is none."""

    status: int
    document: Any
    headers: Mapping[str, str]

    def get(self, *names: str) -> Any:
        """What is at that place of the document; None if there is nothing."""
        found = self.document
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


def call(name: str, method: str, url: str, **options: Any) -> Answer:
    """One request, within 20 s from byte to byte. Raises SetupError if there is no answer; without
    the URL, which may hold a token."""
    try:
        answer = httpx.request(method, url, timeout=SECONDS, verify=_trust(), **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SetupError(f"{name} cannot be reached ({type(error).__name__}).") from None
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        document = None
    return Answer(answer.status_code, document, answer.headers)


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # parsing the certificates takes longer than a request

"""Callbacks: a result, sent to a program's own address as a Standard Webhooks message.

The address is a stranger's: it is reached on public addresses over https only, unless the owner has
named its origin; redirects are not followed, and what is answered is not read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import httpx

from actionreel import transport
from actionreel.chat.exchange import exchange
from actionreel.errors import ChatRefusedError, ChatUnavailableError, UnsafeUrlError
from actionreel.signatures import sign_standard_webhooks
from actionreel.url_guard import check_url, is_at

SECONDS = 15.0
_GONE = 410
_NAME = "The address of the callback"


class SignedCallbacks:
    """Programs that check signatures. `secret` gives what they are made with (`whsec_` and base64);
    `origins` may be called although they are not public."""

    def __init__(self, secret: Callable[[], str], origins: Collection[str]) -> None:
        self._secret = secret
        self._origins = frozenset(origins)

    def call(self, url: str, message_id: str, document: Mapping[str, Any]) -> None:
        """Sends the message, once. The same `message_id` is for the same message: who gets it twice
        knows it by that. See Callbacks for what it raises."""
        body = json.dumps(document).encode()
        sent_at = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": sign_standard_webhooks(self._secret(), message_id, sent_at, body),
        }
        try:
            with self._client(url) as client:
                sent: Any = {"headers": headers, "content": body}
                answer = exchange(client, _NAME, "POST", url, seconds=SECONDS, reads=False, **sent)
        except UnsafeUrlError as unsafe:
            raise ChatRefusedError(f"{_NAME} {unsafe.reason}.") from None
        refused = f"{_NAME} refused the message (HTTP {answer.status})."
        if answer.status == _GONE or 300 <= answer.status < 400:
            raise ChatRefusedError(refused)
        if not answer.ok:  # it may be on its way up, as the standard has it
            raise ChatUnavailableError(refused)

    def _client(self, url: str) -> httpx.Client:
        """Raises UnsafeUrlError for an address that must not be called."""
        if is_at(url, self._origins):
            return transport.client()
        check_url(url)
        return transport.public_client()


def callbacks(secret: Callable[[], str], origins: Collection[str]) -> SignedCallbacks:
    """The callbacks of a deployment."""
    return SignedCallbacks(secret, origins)

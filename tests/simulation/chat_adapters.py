"""Our side of the simulated chats: speaks to them as the product's adapters do, through `exchange`,
so that each request can go wrong as theirs can. Telegram's shows a video and takes the announcement
back; Discord's puts it into the announcement, or into the answer that waits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from actionreel import transport
from actionreel.chat.exchange import SECONDS, UPLOAD_SECONDS, exchange
from actionreel.chats import Address, ChatMessage, Film, Received, Reply, Told
from actionreel.errors import ChatInDoubtError, ChatRefusedError
from tests.simulation.chatroom import PLATFORMS, TOKEN

UPLOAD_LIMITS = {"telegram": 20_000, "discord": 5000}  # some films are too large for the second
SIGNING_SECRET = "signing-secret-simulated-0123456789"
SECTIONS = {
    platform: {"bot_token": TOKEN, "signing_secret": SIGNING_SECRET} for platform in PLATFORMS
}


class _MissingError(ChatRefusedError):
    """What was to be changed is not there."""


class SimulatedChat:
    """An adapter of ChatPlatform; `section` gives the platform's, `url` is where the chats are."""

    def __init__(self, platform: str, section: Callable[[str], Mapping[str, str]], url: str):
        self._platform, self._section, self._url = platform, section, url
        self.upload_limit = UPLOAD_LIMITS[platform]
        self.repeats_safely = platform == "discord"

    def post(self, address: Address, told: Told, key: str) -> str:
        document = self._new(address, "messages", {**_fields(told), "key": key})
        if not isinstance(document.get("id"), str):
            raise ChatInDoubtError("The chat did not say which message it wrote.")
        return str(document["id"])

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        self._send("PUT", f"messages/{message_id}", _fields(told))

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        content = base64.b64encode(film.content()).decode()
        fields = {**_fields(told), "link": None, "film": content}
        if announcement is None or not self.repeats_safely:
            self._new(address, "videos", {**fields, "key": key})
            return False
        try:
            self._send("PUT", f"messages/{announcement}/video", fields)
        except _MissingError:
            self._new(address, "videos", {**fields, "key": key})
            return False
        return True

    def take_back(self, address: Address, message_id: str) -> None:
        with suppress(_MissingError):
            self._send("DELETE", f"messages/{message_id}", {})

    def _new(self, address: Address, path: str, fields: dict[str, Any]) -> Mapping[str, Any]:
        if address.place.deferred and address.reply_token:
            video = "/video" if path == "videos" else ""
            with suppress(_MissingError):
                return self._send("PUT", f"answers/{address.reply_token}{video}", fields)
        return self._send("POST", path, fields)

    def _send(self, method: str, path: str, fields: dict[str, Any]) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {self._section(self._platform)['bot_token']}"}
        url = f"{self._url}/{self._platform}/{path}"
        sent: dict[str, Any] = {"headers": headers, "json": fields}
        seconds = UPLOAD_SECONDS if "film" in fields else SECONDS
        with transport.client() as client:
            answer = exchange(client, "The chat", method, url, seconds=seconds, **sent)
        if answer.status == 404:
            raise _MissingError("The chat does not know the message.")
        if not answer.ok:
            raise ChatRefusedError(f"The chat refused it (HTTP {answer.status}).")
        return answer.document


class SimulatedReader:
    """A ChatReader: a request holds the ChatMessage as it is, signed."""

    def verify(
        self, section: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime
    ) -> bool:
        signature = _signature(section["signing_secret"], body)
        return hmac.compare_digest(signature, headers.get("x-signature", ""))

    def read(self, section: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Received:
        return Received(Reply(), ChatMessage.model_validate(json.loads(body)))


def signed(body: str) -> dict[str, str]:
    """The headers of a request of a platform's."""
    signature = _signature(SIGNING_SECRET, body.encode())
    return {"content-type": "application/json", "x-signature": signature}


def _signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _fields(told: Told) -> dict[str, Any]:
    buttons = [button.value for button in told.buttons]
    return {"text": told.text, "link": told.link, "buttons": buttons}

"""Telegram on this machine: a person who writes to a bot and presses its buttons, and the Bot API.

The person is in a private chat with the bot. Updates carry the secret of the webhook, and come
again, the same, when they are not answered with 2xx.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

from werkzeug.wrappers import Request, Response

from local.chat.room import Room, Shown
from local.chat.telegram_methods import (
    MAX_UPLOAD,
    USER,
    USERNAME,
    BotApi,
    Webhook,
    chat,
)

ANSWER_SECONDS = 10.0
REPEATS = 3

_METHOD = re.compile(r"/bot([^/]+)/(\w+)$")
_MARKS = re.compile(r"(?:(?<=\s)|^)(/\w{1,32}(?:@\w{5,32})?|@\w{5,32})")


class FakeTelegram:
    """A bot and one person. Tests set the attributes without an underscore: whether the person has
    blocked the bot, and how many of the next calls are answered with 429."""

    name = "telegram"

    def __init__(self) -> None:
        self.room = Room()
        self.section = {
            "bot_token": f"{7_000_000_000 + secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}",
            "secret_token": secrets.token_urlsafe(24),
            "username": USERNAME,
        }
        self.refusals: list[str] = []
        self.blocked = False
        self.rate_limited = 0
        self.answer_seconds = ANSWER_SECONDS
        self.pause_seconds = 0.5  # before an update comes again
        self.webhook = Webhook()
        self.queries: set[str] = set()  # presses that were not answered
        self._api = BotApi(self)
        self._numbers = itertools.count(1)
        self._updates = itertools.count(secrets.randbelow(10**8) + 1)
        self._lock = threading.Lock()

    def new_number(self) -> int:
        """The number of the next message or file."""
        return next(self._numbers)

    def connect(self, base_url: str, webhook_url: str) -> None:
        """See FakePlatform."""
        self.section["base_url"] = base_url.rstrip("/")
        self.webhook = Webhook(webhook_url, self.section["secret_token"])

    def application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """See FakePlatform."""
        request = Request(environ)
        request.max_content_length = MAX_UPLOAD + 100_000  # the rest of a form is small
        request.max_form_memory_size = None
        path = _METHOD.search(request.path)
        with self._lock, request:  # which closes the files of a form
            if path:
                status, document = self._api.call(path[1], path[2], request)
            else:
                self.refusals.append(f"{request.method} {request.path}")
                status = 404
                document = {"ok": False, "error_code": 404, "description": "Not Found"}
        response = Response(json.dumps(document), status, content_type="application/json")
        return response(environ, start_response)

    def write(self, text: str) -> str:
        """See FakePlatform."""
        said = self.room.add(Shown(str(self.new_number()), "you", text))
        marks = _entities(text)
        message = {
            "message_id": int(said.id),
            "from": _person(),
            "chat": chat(),
            "date": int(time.time()),
            "text": text,
            **({"entities": marks} if marks else {}),
        }
        self._send("message", message)
        return said.id

    def press(self, message_id: str, value: str) -> None:
        """See FakePlatform. Raises RuntimeError if there is no such button, too."""
        message = self._api.messages.get(int(message_id), {})
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        if value not in (button.get("callback_data") for row in rows for button in row):
            raise RuntimeError("the message has no such button")
        query = str(secrets.randbits(62))
        self.queries.add(query)
        pressed = {
            "id": query,
            "from": _person(),
            "message": message,
            "chat_instance": "-3141592653589793238",
            "data": value,
        }
        self._send("callback_query", pressed)

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        """Sends an update, again and again if need be. Raises RuntimeError with what getWebhookInfo
        has to say of it."""
        if self.webhook.kinds and kind not in self.webhook.kinds:
            return
        body = json.dumps({"update_id": next(self._updates), kind: content}).encode()
        for attempt in range(REPEATS + 1):
            if attempt:
                time.sleep(self.pause_seconds)
            self.webhook.trouble = self._post(body)
            if not self.webhook.trouble:
                return
        raise RuntimeError(self.webhook.trouble)

    def _post(self, body: bytes) -> str:
        """Sends an update once; returns what is wrong with the answer."""
        headers = {"Content-Type": "application/json"}
        if self.webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.webhook.secret
        try:
            request = urllib.request.Request(self.webhook.url, body, headers, method="POST")
            with urllib.request.urlopen(request, timeout=self.answer_seconds) as answer:
                answer.read(1024 * 1024)
        except urllib.error.HTTPError as refused:
            refused.close()
            return f"Wrong response from the webhook: {refused.code} {refused.reason}"
        except TimeoutError:
            return "Read timeout expired"
        except (OSError, HTTPException, ValueError):
            return "Connection failed"
        return ""


def _person() -> dict[str, Any]:
    return {"id": USER, "is_bot": False, "first_name": "You", "language_code": "en"}


def _entities(text: str) -> list[dict[str, Any]]:
    """The commands and mentions in a text, where Telegram counts them to be."""
    return [
        {
            "type": "bot_command" if mark[1].startswith("/") else "mention",
            "offset": len(text[: mark.start()].encode("utf-16-le")) // 2,
            "length": len(mark[1]),
        }
        for mark in _MARKS.finditer(text)
    ]

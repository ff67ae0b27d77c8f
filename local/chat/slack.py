"""Slack on this machine: a person who writes and presses, and the Web API for the app.

The person's direct messages go out as events, what begins with a slash as a slash command from the
channel; all of it is shown in one room. Requests are signed, answered within 3 s or failed, and an
event that was not taken is sent a second time. Response URLs work 5 times in 30 minutes.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from local.chat.room import Room, Shown
from local.chat.slack_methods import (
    APP,
    BOT,
    CHANNEL,
    DIRECT,
    TEAM,
    RefusalError,
    WebApi,
    read_arguments,
    shown,
)

USER = "U0LOCALYOU"
ANSWER_SECONDS = 3.0
RESPONSE_URL_USES, RESPONSE_URL_SECONDS = 5, 30 * 60

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass
class _ResponseUrl:
    """Where an answer to a command or press goes; `original` is the message that it can replace."""

    opened: float
    channel: str
    original: str | None = None
    uses: int = 0


class FakeSlack:
    """A workspace with one app in it. Tests set the attributes without an underscore: what the app
    lacks, whether it is in the channel, and how many of the next calls are answered with 429."""

    name = "slack"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.room = Room()
        self.section = {
            "signing_secret": secrets.token_hex(16),
            "bot_token": f"xoxb-local-{secrets.token_hex(12)}",
        }
        self.refusals: list[str] = []
        self.missing_scopes: set[str] = set()
        self.bot_in_channel = True
        self.rate_limited = 0
        self.answer_seconds = ANSWER_SECONDS
        self._clock = clock
        self._webhook_url = ""
        self._response_urls: dict[str, _ResponseUrl] = {}
        self._api = WebApi(self)
        self._lock = threading.Lock()

    def connect(self, base_url: str, webhook_url: str) -> None:
        """See FakePlatform."""
        self.section["base_url"], self._webhook_url = base_url.rstrip("/"), webhook_url

    def application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """See FakePlatform. Serves the methods, the addresses of uploads and response URLs."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
        with self._lock:
            status, headers, answer = self._answer(environ, kind, body)
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        said = "text/plain" if isinstance(answer, str) else f"{_JSON}; charset=utf-8"
        lines = {"Content-Type": said, "Content-Length": str(len(content)), **headers}
        start_response(status, [*lines.items()])
        return [content]

    def write(self, text: str) -> str:
        """See FakePlatform."""
        if text.startswith("/"):
            return self._command(text)
        said = self._say(text, DIRECT)
        event = {
            "type": "message",
            "channel": DIRECT,
            "channel_type": "im",
            "user": USER,
            "text": _typed(text),
            "ts": said.id,
            "event_ts": said.id,
            "team": TEAM,
        }
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(self._clock()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        }
        content = json.dumps(body).encode()
        try:
            self._send(_JSON, content)
        except RuntimeError as trouble:
            retried = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": str(trouble)}
            self._send(_JSON, content, retried)
        return said.id

    def press(self, message_id: str, value: str) -> None:
        """See FakePlatform. Raises RuntimeError if there is no such button, too."""
        pressed = self.room.get(message_id)
        blocks = self._api.blocks[message_id]
        buttons = [
            {**element, "block_id": block["block_id"], "action_ts": self.room.new_id()}
            for block in blocks
            for element in block.get("elements", ())
            if element["value"] == value
        ]
        if not buttons:
            raise RuntimeError("the message has no such button")
        channel = self._api.channels[message_id]
        thread = {"thread_ts": pressed.thread} if pressed.thread else {}
        payload = {
            "type": "block_actions",
            "user": {"id": USER, "username": "you", "team_id": TEAM},
            "api_app_id": APP,
            "token": "unused",
            "container": {
                "type": "message",
                "message_ts": message_id,
                "channel_id": channel,
                "is_ephemeral": pressed.only_you,
                **thread,
            },
            "trigger_id": f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}",
            "team": {"id": TEAM, "domain": "local"},
            "channel": {"id": channel, "name": "local"},
            "message": {"type": "message", "ts": message_id, "blocks": blocks, **thread},
            "response_url": self._response_url(channel, message_id),
            "actions": buttons[:1],
        }
        self._send(_FORM, urlencode({"payload": json.dumps(payload)}).encode())

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers that say that a body comes from here, now."""
        sent_at = str(int(self._clock()))
        key = self.section["signing_secret"].encode()
        digest = hmac.new(key, f"v0:{sent_at}:".encode() + body, "sha256").hexdigest()
        return {"X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": f"v0={digest}"}

    def _say(self, text: str, channel: str, *, only_you: bool = False) -> Shown:
        said = self.room.add(Shown(self.room.new_id(), "you", text, only_you=only_you))
        self._api.channels[said.id] = channel
        return said

    def _command(self, text: str) -> str:
        said = self._say(text, CHANNEL, only_you=True)
        command, _, rest = text.partition(" ")
        form = {
            "team_id": TEAM,
            "team_domain": "local",
            "channel_id": CHANNEL,
            "channel_name": "general",
            "user_id": USER,
            "user_name": "you",
            "command": command,
            "text": _escaped(rest),
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url(CHANNEL),
            "trigger_id": f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}",
        }
        try:
            answer = self._send(_FORM, urlencode(form).encode())
        except RuntimeError as trouble:
            self.room.remove(said.id)
            word = "operation_timeout" if str(trouble) == "http_timeout" else "dispatch_failed"
            raise RuntimeError(f'{command} failed with the error "{word}"') from None
        if answer.get("text"):
            aside = answer.get("response_type") != "in_channel"
            self.room.add(Shown(self.room.new_id(), "bot", answer["text"], only_you=aside))
        return said.id

    def _send(self, kind: str, body: bytes, more: Mapping[str, str] = {}) -> dict[str, Any]:
        """Sends a request to the app. Raises RuntimeError with Slack's word for the trouble."""
        headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0", **self.signed(body), **more}
        request = urllib.request.Request(self._webhook_url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.answer_seconds) as answer:
                content = answer.read(1024 * 1024)
        except urllib.error.HTTPError as refused:
            refused.close()
            raise RuntimeError("http_error") from None
        except TimeoutError:
            raise RuntimeError("http_timeout") from None
        except OSError:
            raise RuntimeError("connection_failed") from None
        found = json.loads(content) if content[:1] == b"{" else {}
        return found if isinstance(found, dict) else {}

    def _response_url(self, channel: str, original: str | None = None) -> str:
        token = secrets.token_urlsafe(16).replace("-", "_")
        self._response_urls[token] = _ResponseUrl(self._clock(), channel, original)
        return f"{self.section['base_url']}/commands/{token}"

    def _answer(self, environ: dict[str, Any], kind: str, body: bytes) -> tuple[str, Any, Any]:
        """The status, further headers, and a text or a document."""
        path = re.search(r"/(?:(upload|commands)/)?([\w.]+)$", environ["PATH_INFO"])
        if path is None or environ["REQUEST_METHOD"] != "POST":
            self.refusals.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return "404 Not Found", {}, "not found"
        if self.rate_limited > 0:
            self.rate_limited -= 1
            limited = {"ok": False, "error": "ratelimited"}
            return "429 Too Many Requests", {"Retry-After": "3"}, limited
        if path[1] == "upload":
            status = self._api.upload(path[2], body)
            return status, {}, f"OK - {len(body)}" if status.startswith("200") else "error"
        if path[1] == "commands":
            status, answer = self._respond(path[2], kind, body)
            return status, {}, answer
        bearer = str(environ.get("HTTP_AUTHORIZATION", ""))
        return "200 OK", {}, self._api.call(path[2], bearer, kind, body)

    def _respond(self, token: str, kind: str, body: bytes) -> tuple[str, Any]:
        """What is posted to a response URL."""
        url = self._response_urls.get(token)
        if url is None or self._clock() - url.opened > RESPONSE_URL_SECONDS:
            return "404 Not Found", {"ok": False, "error": "expired_url"}
        if url.uses >= RESPONSE_URL_USES:
            return "404 Not Found", {"ok": False, "error": "used_url"}
        try:
            arguments = read_arguments(kind, body)
            if error := self._api.message_error(arguments, 40_000):
                raise RefusalError(error)
        except RefusalError as refusal:
            self.refusals.append(f"response_url: {refusal}")
            return "400 Bad Request", {"ok": False, "error": str(refusal)}
        url.uses += 1
        found = shown(arguments)
        aside = arguments.get("response_type", "ephemeral") != "in_channel"
        written = url.original  # what was pressed on; a command has nothing that can be replaced
        if arguments.get("replace_original") and written:
            self.room.edit(written, **found)
        else:
            written = self.room.add(Shown(self.room.new_id(), "bot", only_you=aside, **found)).id
        self._api.keep(written, url.channel, arguments)
        return "200 OK", "ok"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _typed(text: str) -> str:
    """What Slack makes of what a person types: escaped, with its links marked."""
    return re.sub(r"https?://[^\s<>|]+", r"<\g<0>>", _escaped(text))

"""Slack's Web API: writes and edits messages, and shows videos in a channel or thread.

    POST {base}/chat.postMessage, {base}/chat.update       a message and its edits: JSON
    POST {base}/chat.delete                                the message that told the progress: JSON
    POST {base}/files.getUploadURLExternal                 where the file's bytes go: a form
    POST that address                                      the bytes
    POST {base}/files.completeUploadExternal               shows the file: a form

Only the last of the three steps of a file makes it seen, so only that one can be in doubt. Slack
answers 200 to what it refuses, with `"ok": false` and a code. Where the app is not in the channel,
the `response_url` of a command or press answers, 5 times in 30 minutes; a message that was written
so has no id that we learn, "" here, and cannot be changed.

Sources: docs.slack.dev (the methods' pages, rate limits, response_url), and slack_sdk 3.47.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from actionreel import transport
from actionreel.chat import slack, slack_text
from actionreel.chat.config import ChatConfig
from actionreel.chat.exchange import SECONDS, UPLOAD_SECONDS, Answer, exchange
from actionreel.chats import Address, Film, Told
from actionreel.errors import (
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)

BASE_URL = "https://slack.com/api"
UPLOAD_LIMIT = 50 * 1024 * 1024  # ours, since a file is in memory whole: Slack takes 1 GB

_UPLOAD_HOSTS = ("slack.com", ".slack.com")
_NOT_THERE = ("not_in_channel", "channel_not_found")
_TOKEN_REFUSED = (
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
)
_THROTTLED = ("ratelimited", "rate_limited")
_IN_DOUBT = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_HINTS = {
    "missing_scope": "the app needs all its scopes, and to be installed again",
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "invite the app to the channel",
    "is_archived": "the channel is archived",
}


class _CodedError(ChatRefusedError):
    """A refusal with Slack's code for it."""

    def __init__(self, code: str) -> None:
        hint = f": {_HINTS[code]}" if code in _HINTS else ""
        super().__init__(f"Slack refused it ({code}){hint}.")
        self.word = code


class Slack:
    """Slack, as the app of the section's `bot_token`."""

    upload_limit = UPLOAD_LIMIT
    repeats_safely = False

    def __init__(self, config: ChatConfig) -> None:
        self._config = config

    def post(self, address: Address, told: Told, key: str) -> str:
        """Writes a message. See ChatPlatform for what it raises; Slack knows no keys."""
        fields = {**_to(address), **slack.message(told), "unfurl_links": False}
        try:
            posted = self._call("chat.postMessage", json=fields)
        except _CodedError as refused:
            if refused.word not in _NOT_THERE or not address.reply_token:
                raise
            self._respond(address, told)
            return ""
        if not isinstance(posted.get("ts"), str):
            raise ChatInDoubtError("Slack did not say which message it wrote.")
        return str(posted["ts"])

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        """Changes a message. See ChatPlatform for what it raises."""
        if not message_id:
            raise _CodedError("not_in_channel")
        where = {"channel": address.place.channel, "ts": message_id}
        self._call("chat.update", json={**where, **slack.message(told)})

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        """Shows a video, below the announcement. See ChatPlatform for what it raises."""
        if film.size > UPLOAD_LIMIT:
            raise ChatRefusedError("The file is larger than 50 MB.")
        content = film.content()
        try:
            file_id = self._upload(film.filename, content)
        except ChatInDoubtError as doubt:
            raise ChatUnavailableError(str(doubt)) from None  # nobody sees the file yet
        to = _to(address)
        fields = {
            **({"thread_ts": to["thread_ts"]} if "thread_ts" in to else {}),
            "files": json.dumps([{"id": file_id, "title": film.filename}]),
            "channel_id": to["channel"],
            "initial_comment": slack_text.escaped(told.text, slack.MAX_TEXT),
        }
        self._call("files.completeUploadExternal", data=fields)
        return False

    def take_back(self, address: Address, message_id: str) -> None:
        """Deletes a message. See ChatPlatform for what it raises."""
        try:
            self._call("chat.delete", json={"channel": address.place.channel, "ts": message_id})
        except _CodedError as refused:
            if refused.word != "message_not_found":
                raise

    def _upload(self, filename: str, content: bytes) -> str:
        """Gives Slack the bytes, and returns the file's id."""
        fields = {"filename": filename, "length": str(len(content))}
        place = self._call("files.getUploadURLExternal", data=fields)
        url, file_id = place.get("upload_url"), place.get("file_id")
        if not (isinstance(url, str) and isinstance(file_id, str)):
            raise ChatUnavailableError("Slack did not say where the file goes.")
        if not slack.leads_to(url, _UPLOAD_HOSTS, self._config.section()):
            raise ChatRefusedError("Slack sent the file to an address that is not its own.")
        kind = {"Content-Type": "application/octet-stream"}
        answer = _post(url, kind, UPLOAD_SECONDS, content=content)
        if not answer.ok:
            raise ChatRefusedError(f"Slack refused the file (HTTP {answer.status}).")
        return file_id

    def _respond(self, address: Address, told: Told) -> None:
        """Answers where the command came from: for all to see, or, what would have to be changed
        later, for who gave it."""
        url = address.reply_token
        if not url:
            raise _CodedError("not_in_channel")
        if not slack.leads_to(url, slack.RESPONSE_HOSTS, self._config.section()):
            raise ChatRefusedError("Slack's address for the answer is not its own.")
        kind = "ephemeral" if told.passing else "in_channel"
        how = {"response_type": kind, "replace_original": False}
        shown = Told(told.text) if told.passing else told
        _check(_post(url, json={**how, **slack.message(shown)}), said_ok=True)

    def _call(self, method: str, **body: Any) -> Mapping[str, Any]:
        """Calls a method; with a token that is read afresh, once more, if this one is refused."""
        try:
            return self._ask(self._config.section(), method, body)
        except _CodedError as refused:
            if refused.word not in _TOKEN_REFUSED:
                raise
        return self._ask(self._config.section(fresh=True), method, body)

    def _ask(
        self, section: Mapping[str, str], method: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        token = section.get("bot_token", "")
        if not (token and token.isascii() and token.isprintable()):
            raise _CodedError("not_authed")
        base = section.get("base_url", "").rstrip("/") or BASE_URL
        headers = {"Authorization": f"Bearer {token}"}
        if "json" in body:
            headers["Content-Type"] = "application/json; charset=utf-8"  # it warns without charset
        return _check(_post(f"{base}/{method}", headers, **body))


def adapter(config: ChatConfig) -> Slack:
    """The adapter of a deployment."""
    return Slack(config)


def _to(address: Address) -> dict[str, str]:
    thread = address.place.thread
    return {"channel": address.place.channel, **({"thread_ts": thread} if thread else {})}


def _post(
    url: str, headers: Mapping[str, str] = {}, seconds: float = SECONDS, **body: Any
) -> Answer:
    with transport.client() as client:
        return exchange(client, "Slack", "POST", url, headers=headers, seconds=seconds, **body)


def _check(answer: Answer, *, said_ok: bool = False) -> Mapping[str, Any]:
    """What was answered, if it was done. `said_ok`: success need not be told in JSON."""
    done = answer.document.get("ok", said_ok or None)
    if answer.ok and done is True:
        return answer.document
    code = answer.document.get("error")
    if code in _THROTTLED:
        raise ChatThrottledError("Slack has too many requests.")
    if code in _IN_DOUBT or (answer.ok and done is not False):
        raise ChatInDoubtError("Slack has trouble of its own.")
    if isinstance(code, str) and _CODE.fullmatch(code):
        raise _CodedError(code)
    raise ChatRefusedError(f"Slack refused it (HTTP {answer.status}).")

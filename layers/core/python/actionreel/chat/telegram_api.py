"""Telegram's Bot API: writes and edits messages, and shows videos.

    POST {base}/bot{token}/sendMessage, .../editMessageText    a message and its edits: JSON
    POST {base}/bot{token}/sendVideo     with the file's address: JSON; or with its bytes: a form
    POST {base}/bot{token}/deleteMessage                       the message that told the progress

Telegram fetches files of up to 20 MB itself and takes up to 50 MB; what it could not fetch it
answers with 400, so that nothing was shown, and then it is given the bytes. The token is part of
every address: neither comes into an error or a log.

Sources: core.telegram.org/bots/api (making requests, sending files, the methods), and
python-telegram-bot 22.8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from actionreel import transport
from actionreel.chat import telegram
from actionreel.chat.config import ChatConfig
from actionreel.chat.exchange import SECONDS, UPLOAD_SECONDS, Answer, exchange
from actionreel.chats import Address, Film, Told
from actionreel.errors import ChatInDoubtError, ChatRefusedError
from actionreel.models import Place

BASE_URL = "https://api.telegram.org"
# Telegram says 20 MB and 50 MB, and not of how many bytes: the smaller ones are right either way.
FETCH_LIMIT = 20_000_000
UPLOAD_LIMIT = 50_000_000

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# What it says of a refusal is for developers, and may hold names: what we know of it we say
# ourselves.
_NOT_MODIFIED = "message is not modified"
_GONE = "message to delete not found"
_HINTS = {
    "blocked by the user": "the bot was blocked",
    "user is deactivated": "the account is gone",
    "can't initiate conversation": "write to the bot first",
    "was kicked": "the bot was taken out of the group",
    "not a member": "the bot is not in the group",
    "not enough rights": "the bot may not write there",
    "have no rights": "the bot may not write there",
    "chat_write_forbidden": "the bot may not write there",
    "chat not found": "the chat is gone",
    "message thread not found": "the topic is gone",
    "topic_closed": "the topic is closed",
    "upgraded to a supergroup": "the group has become another one",
    "message to edit not found": "the message is gone",
    "message can't be edited": "the message can be edited no more",
}


class _AnsweredError(ChatRefusedError):
    """A refusal, with the status of the answer and what Telegram said; only we read that."""

    def __init__(self, status: int, description: str = "") -> None:
        self.status, self.description = status, description.lower()
        self.hint = next((it for said, it in _HINTS.items() if said in self.description), "")
        if status in (401, 404) and not self.hint:
            self.hint = "the bot's token is not right"
        if status == 403 and not self.hint:
            self.hint = "the bot may not write there"
        super().__init__(f"Telegram refused it (HTTP {status}){self.hint and f': {self.hint}'}.")


class Telegram:
    """Telegram, as the bot of the section's `bot_token`."""

    upload_limit = UPLOAD_LIMIT
    repeats_safely = False

    def __init__(self, config: ChatConfig) -> None:
        self._config = config

    def post(self, address: Address, told: Told, key: str) -> str:
        """Writes a message. See ChatPlatform for what it raises; Telegram knows no keys."""
        posted = self._call("sendMessage", json={**_to(address.place), **telegram.message(told)})
        number = posted.get("message_id") if isinstance(posted, dict) else None
        if not isinstance(number, int):
            raise ChatInDoubtError("Telegram did not say which message it wrote.")
        return str(number)

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        """Changes a message. See ChatPlatform for what it raises."""
        where = {"chat_id": address.place.channel, "message_id": _number(message_id)}
        try:
            self._call("editMessageText", json={**where, **telegram.message(told)})
        except _AnsweredError as refused:
            if _NOT_MODIFIED not in refused.description:
                raise

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        """Shows a video, below the announcement. See ChatPlatform for what it raises."""
        if film.size > UPLOAD_LIMIT:
            raise ChatRefusedError("The file is larger than 50 MB.")
        fields = {
            **_to(address.place),
            "caption": telegram.plain(told.text, telegram.MAX_CAPTION),
            "supports_streaming": True,
            **telegram.keyboard(told),
        }
        if not self._sent_by_url(fields, film):
            form = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in fields.items()
            }
            file = (film.filename, film.content(), "video/mp4")
            self._call("sendVideo", UPLOAD_SECONDS, data=form, files={"video": file})
        return False

    def take_back(self, address: Address, message_id: str) -> None:
        """Deletes a message of the last 48 hours. See ChatPlatform for what it raises."""
        where = {"chat_id": address.place.channel, "message_id": _number(message_id)}
        try:
            self._call("deleteMessage", json=where)
        except _AnsweredError as refused:
            if _GONE not in refused.description:
                raise

    def _sent_by_url(self, fields: Mapping[str, Any], film: Film) -> bool:
        """Whether Telegram fetched the file and showed it."""
        if film.size > FETCH_LIMIT or not self._can_fetch(film.url):
            return False
        try:
            self._call("sendVideo", UPLOAD_SECONDS, json={**fields, "video": film.url})
        except _AnsweredError as refused:
            if refused.status != 400 or refused.hint:  # it would not have the bytes, either
                raise
            return False
        return True

    def _can_fetch(self, url: str) -> bool:
        """Telegram fetches https; one that is played on this machine fetches from it, too."""
        base = urlsplit(self._config.section().get("base_url", ""))
        at_home = base.scheme == "http" and base.hostname in _LOOPBACK
        return url.startswith("https://") or (at_home and url.startswith("http://"))

    def _call(self, method: str, seconds: float = SECONDS, **body: Any) -> Any:
        """Calls a method; with a token that is read afresh, once more, if this one is refused."""
        try:
            return self._ask(self._config.section(), method, seconds, body)
        except _AnsweredError as refused:
            if refused.status not in (401, 404):
                raise
        return self._ask(self._config.section(fresh=True), method, seconds, body)

    def _ask(
        self, section: Mapping[str, str], method: str, seconds: float, body: Mapping[str, Any]
    ) -> Any:
        token = section.get("bot_token", "").strip()
        if not _TOKEN.fullmatch(token):  # which would lead to another address
            raise _AnsweredError(401)
        base = section.get("base_url", "").rstrip("/") or BASE_URL
        url = f"{base}/bot{token}/{method}"
        with transport.client() as client:
            answer = exchange(
                client, "Telegram", "POST", url, seconds=seconds, wait=_retry_after, **body
            )
        return _result(answer)


def adapter(config: ChatConfig) -> Telegram:
    """The adapter of a deployment."""
    return Telegram(config)


def _to(place: Place) -> dict[str, Any]:
    """The fields that say where a message goes; it goes there even if what it answers is gone."""
    to: dict[str, Any] = {"chat_id": place.channel}
    if place.thread:
        to["message_thread_id"] = _number(place.thread)
    if place.reply_to:
        answered = {"message_id": _number(place.reply_to), "allow_sending_without_reply": True}
        to["reply_parameters"] = answered
    return to


def _number(text: str) -> int:
    """An id; raises ChatRefusedError for what none of our messages has."""
    if not _NUMBER.fullmatch(text):
        raise ChatRefusedError("Telegram has no such message.")
    return int(text)


def _retry_after(document: dict[str, Any]) -> object:
    parameters = document.get("parameters")
    return parameters.get("retry_after") if isinstance(parameters, dict) else None


def _result(answer: Answer) -> Any:
    """What was answered, if it was done."""
    done = answer.document.get("ok")
    if answer.ok and done is True:
        return answer.document.get("result")
    if answer.ok and done is not False:
        raise ChatInDoubtError("Telegram has trouble of its own.")
    said = answer.document.get("description")
    raise _AnsweredError(answer.status, said if isinstance(said, str) else "")

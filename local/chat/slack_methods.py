"""The methods of Slack's Web API that an app needs to show videos, strict about their arguments.

Errors are Slack's own codes. What an app can break is noted in `refusals`; what only happens to it
(no scope, not in the channel, too many requests) is not.

Sources: docs.slack.dev, the pages of the methods and of Block Kit.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from local.chat.room import Room, Shown

TEAM, APP, BOT, BOT_ID = "T0LOCAL001", "A0LOCAL001", "U0LOCALBOT", "B0LOCALBOT"
CHANNEL, DIRECT = "C0LOCAL001", "D0LOCAL001"
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
MAX_FILE = 1024**3

_TS = re.compile(r"\d{10}\.\d{6}")
_LINK = re.compile(r"<(https?://[^<>|]+)(?:\|[^<>]*)?>")
_NOT_OURS = ("missing_scope", "not_in_channel")


class Workspace(Protocol):
    """Whose methods these are."""

    room: Room
    section: dict[str, str]
    refusals: list[str]
    missing_scopes: set[str]
    bot_in_channel: bool


@dataclass
class _File:
    """A file on its way: the address of its upload works once, and so does its completion."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    completed: bool = False


class RefusalError(Exception):
    """A call that is answered with an error code."""


class WebApi:
    """The methods. `channels` and `blocks` are those of each message, by its id."""

    def __init__(self, workspace: Workspace) -> None:
        self.channels: dict[str, str] = {}
        self.blocks: dict[str, list[dict[str, Any]]] = {}
        self._of = workspace
        self._files: dict[str, _File] = {}  # by the last part of the address of its upload

    def call(self, method: str, bearer: str, kind: str, body: bytes) -> dict[str, Any]:
        """Answers a call with a body of that content type, in Slack's words."""
        try:
            return {"ok": True, **self._call(method, bearer, kind, body)}
        except RefusalError as refusal:
            error = str(refusal)
            if error not in _NOT_OURS:
                self._of.refusals.append(f"{method}: {error}")
            needed = {"needed": SCOPES[method]} if error == "missing_scope" else {}
            return {"ok": False, "error": error, **needed}

    def upload(self, token: str, content: bytes) -> str:
        """Takes the bytes of a file; gives the HTTP status."""
        file = self._files.get(token)
        if file is None or file.content is not None or len(content) != file.length:
            self._of.refusals.append("upload: not the address or the length that was agreed on")
            return "400 Bad Request"
        file.content = content
        return "200 OK"

    def keep(self, message_id: str, channel: str, arguments: dict[str, Any]) -> None:
        """Remembers where a message is, and its blocks, which get an id each."""
        blocks = _decoded(arguments.get("blocks"))
        self.channels[message_id] = channel
        self.blocks[message_id] = [
            {"block_id": secrets.token_hex(3), **block} for block in blocks or ()
        ]

    @staticmethod
    def message_error(arguments: dict[str, Any], max_text: int) -> str | None:
        """What is wrong with a message's text and blocks."""
        text, blocks = arguments.get("text", ""), _decoded(arguments.get("blocks", []))
        if not isinstance(text, str) or not isinstance(blocks, list):
            return "invalid_arguments"
        if not text and not blocks:
            return "no_text"
        if len(text) > max_text:
            return "msg_too_long"
        return _blocks_error(blocks)

    def _call(self, method: str, bearer: str, kind: str, body: bytes) -> dict[str, Any]:
        methods = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "files.getUploadURLExternal": self._get_upload_url,
            "files.completeUploadExternal": self._complete_upload,
        }
        if method not in methods:
            raise RefusalError("unknown_method")
        if not bearer.startswith("Bearer "):
            raise RefusalError("not_authed")
        if bearer != f"Bearer {self._of.section['bot_token']}":
            raise RefusalError("invalid_auth")
        if SCOPES.get(method) in self._of.missing_scopes:
            raise RefusalError("missing_scope")
        return methods[method](read_arguments(kind, body))

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"url": "https://local.slack.com/", "team": "Local", "user": "actionreel"} | {
            "team_id": TEAM,
            "user_id": BOT,
            "bot_id": BOT_ID,
        }

    def _post_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"))
        thread = self._thread(arguments, channel)
        if error := self.message_error(arguments, 40_000):
            raise RefusalError(error)
        message = Shown(self._of.room.new_id(), "bot", thread=thread, **shown(arguments))
        self.keep(message.id, channel, arguments)
        self._of.room.add(message)
        return {"channel": channel, "ts": message.id, "message": {"text": message.text}}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"))
        message_id = arguments.get("ts")
        if not isinstance(message_id, str) or not message_id:
            raise RefusalError("invalid_arguments")
        if self.channels.get(message_id) != channel:
            raise RefusalError("message_not_found")
        if error := self.message_error(arguments, 4_000):
            raise RefusalError(error)
        try:
            if self._of.room.get(message_id).author != "bot":
                raise RefusalError("cant_update_message")
            edited = self._of.room.edit(message_id, **shown(arguments))
        except KeyError:
            raise RefusalError("message_not_found") from None
        self.keep(message_id, channel, arguments)
        return {"channel": channel, "ts": message_id, "text": edited.text}

    def _delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, message_id = self._channel(arguments.get("channel")), arguments.get("ts")
        if self.channels.get(str(message_id)) != channel:
            raise RefusalError("message_not_found")
        if self._of.room.get(str(message_id)).author != "bot":
            raise RefusalError("cant_delete_message")
        self._of.room.remove(str(message_id))
        del self.channels[str(message_id)]
        return {"channel": channel, "ts": message_id}

    def _get_upload_url(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name, length = arguments.get("filename"), str(arguments.get("length", ""))
        if not name or not length:
            raise RefusalError("missing_argument")
        if not length.isdecimal() or not int(length):
            raise RefusalError("invalid_arguments")
        if int(length) > MAX_FILE:
            raise RefusalError("file_upload_size_restricted")
        token, file_id = secrets.token_hex(16), f"F{secrets.token_hex(5).upper()}"
        self._files[token] = _File(file_id, str(name), int(length))
        url = f"{self._of.section['base_url']}/upload/{token}"
        return {"upload_url": url, "file_id": file_id}

    def _complete_upload(self, arguments: dict[str, Any]) -> dict[str, Any]:
        files = _decoded(arguments.get("files"))
        if not isinstance(files, list) or not files:
            raise RefusalError("invalid_arguments")
        channel = self._channel(arguments.get("channel_id"))
        thread = self._thread(arguments, channel)
        known = {it.id: it for it in self._files.values() if not it.completed}
        named = [known.get(str(it.get("id"))) if isinstance(it, dict) else None for it in files]
        done = [it for it in named if it is not None]
        if len(done) < len(files):
            raise RefusalError("file_not_found")
        if any(it.content is None for it in done):
            raise RefusalError("file_update_failed")
        comment = shown({"text": arguments.get("initial_comment", "")})
        for file in done:
            file.completed = True
            message = Shown(
                self._of.room.new_id(),
                "bot",
                thread=thread,
                video=file.content,
                filename=file.name,
                **comment,
            )
            self.keep(message.id, channel, {})
            self._of.room.add(message)
        return {"files": [{"id": it.id, "title": it.name} for it in done]}

    def _channel(self, channel: Any) -> str:
        if channel not in (CHANNEL, DIRECT):
            raise RefusalError("channel_not_found")
        if channel == CHANNEL and not self._of.bot_in_channel:
            raise RefusalError("not_in_channel")
        return str(channel)

    def _thread(self, arguments: dict[str, Any], channel: str) -> str | None:
        thread = arguments.get("thread_ts")
        if thread is None:
            return None
        if not isinstance(thread, str) or not _TS.fullmatch(thread):
            raise RefusalError("invalid_thread_ts")
        if self.channels.get(thread) != channel:
            raise RefusalError("thread_not_found")
        return thread


def read_arguments(kind: str, body: bytes) -> dict[str, Any]:
    """The arguments in a body of that content type. Raises RefusalError."""
    try:
        if kind == "application/json":
            found = json.loads(body or b"{}")  # as slack_sdk asks who it is
        elif kind == "application/x-www-form-urlencoded":
            found = dict(parse_qsl(body.decode(), strict_parsing=bool(body)))
        else:
            raise RefusalError("invalid_post_type")
    except ValueError:
        error = "invalid_json" if kind == "application/json" else "invalid_form_data"
        raise RefusalError(error) from None
    if not isinstance(found, dict):
        raise RefusalError("json_not_object")
    return found


def shown(arguments: dict[str, Any]) -> dict[str, Any]:
    """A message as a person sees it: its blocks, or its text if it has none."""
    blocks = _decoded(arguments.get("blocks")) or []
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    text = "\n".join(texts) if blocks else arguments.get("text", "")
    link = _LINK.search(text)
    elements = [it for block in blocks for it in block.get("elements", ())]
    plain = _LINK.sub("", text).strip().replace("&lt;", "<").replace("&gt;", ">")
    return {
        "text": plain.replace("&amp;", "&"),
        "url": link[1].replace("&amp;", "&") if link else "",
        "buttons": tuple((it["text"]["text"], it["value"]) for it in elements),
    }


def _decoded(value: Any) -> Any:
    """An argument that forms have as JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return ...  # is neither a list nor a dict


def _blocks_error(blocks: list[Any]) -> str | None:
    """The sections and buttons that Slack takes; other kinds of blocks are not ours."""
    if len(blocks) > 50:
        return "invalid_blocks"
    texts = 0
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "section" and _is_text(block.get("text"), ("mrkdwn", "plain_text"), 3000):
            texts += len(block["text"]["text"])
        elif kind != "actions" or not _are_buttons(block.get("elements")):
            return "invalid_blocks"
    return "msg_blocks_too_long" if texts > 13_000 else None


def _is_text(value: Any, kinds: tuple[str, ...], limit: int) -> bool:
    text = value.get("text") if isinstance(value, dict) and value.get("type") in kinds else None
    return isinstance(text, str) and 0 < len(text) <= limit


def _are_buttons(elements: Any) -> bool:
    if not isinstance(elements, list) or not 0 < len(elements) <= 25:
        return False
    ids = [str(it.get("action_id")) for it in elements if isinstance(it, dict)]
    return len({*ids}) == len(elements) and all(
        it.get("type") == "button"
        and _is_text(it.get("text"), ("plain_text",), 75)
        and len(str(it.get("action_id"))) <= 255
        and isinstance(it.get("value"), str)
        and len(it["value"]) <= 2000
        for it in elements
    )

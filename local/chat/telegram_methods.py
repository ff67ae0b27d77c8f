"""The methods of Telegram's Bot API that a bot needs to show videos, strict about their arguments.

Errors are in Telegram's own words. What a bot can break is noted in `refusals`; what only happens
to it (blocked, a file that cannot be fetched, a message that is gone) is not.

Sources: core.telegram.org/bots/api, the methods' sections, and python-telegram-bot 22.8.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from local.chat.room import Room, Shown
from local.loopback import HOST

CHAT, USER, USERNAME = 7_000_001, 7_000_001, "actionreel_local_bot"
MAX_FETCH, MAX_UPLOAD = 20_000_000, 50_000_000  # of a video, in bytes
FETCH_SECONDS = 10.0

_NOT_OURS = (
    "blocked by the user",
    "message is not modified",
    "message to edit not found",
    "message to delete not found",
    "failed to get HTTP URL content",
    "Too Many Requests",
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Account(Protocol):
    """Whose methods these are."""

    room: Room
    section: dict[str, str]
    refusals: list[str]
    blocked: bool
    rate_limited: int
    queries: set[str]
    webhook: Webhook

    def new_number(self) -> int: ...


@dataclass
class Webhook:
    """What setWebhook said; `trouble` is what became of the last update."""

    url: str = ""
    secret: str = ""
    kinds: list[str] = field(default_factory=list)
    trouble: str = ""


class RefusalError(Exception):
    """A call that is answered with an error; `parameters` go with it."""

    def __init__(self, status: int, description: str, parameters: Any = None) -> None:
        super().__init__(description)
        self.status, self.parameters = status, parameters


class BotApi:
    """The methods. `messages` are those that the bot wrote, as it is told of them, by number."""

    def __init__(self, account: Account) -> None:
        self.messages: dict[int, dict[str, Any]] = {}
        self._of = account

    def call(self, token: str, method: str, request: Request) -> tuple[int, dict[str, Any]]:
        """Answers a call: the status, and the document."""
        try:
            return 200, {"ok": True, "result": self._call(token, method, request)}
        except RefusalError as refusal:
            said = str(refusal)
            if not any(it in said for it in _NOT_OURS):
                self._of.refusals.append(f"{method}: {said}")
            more = {"parameters": refusal.parameters} if refusal.parameters else {}
            document = {"ok": False, "error_code": refusal.status, "description": said, **more}
            return refusal.status, document

    def _call(self, token: str, method: str, request: Request) -> Any:
        if token != self._of.section["bot_token"]:
            raise RefusalError(401, "Unauthorized")
        methods = {
            "getMe": self._get_me,
            "setWebhook": self._set_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "setMyCommands": self._set_my_commands,
            "sendMessage": self._send_message,
            "editMessageText": self._edit_message_text,
            "deleteMessage": self._delete_message,
            "sendVideo": self._send_video,
            "answerCallbackQuery": self._answer_callback_query,
        }
        if method not in methods:
            raise RefusalError(404, "Not Found")
        if self._of.rate_limited > 0:
            self._of.rate_limited -= 1
            said = "Too Many Requests: retry after 3"
            raise RefusalError(429, said, {"retry_after": 3})
        return methods[method](_arguments(request))

    def _get_me(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            **_bot(self._of),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def _set_webhook(self, arguments: dict[str, Any]) -> bool:
        url, secret = str(arguments.get("url", "")), str(arguments.get("secret_token", ""))
        parts = urlsplit(url)
        if url and parts.scheme != "https" and parts.hostname not in (HOST, "localhost"):
            said = "bad webhook: An HTTPS URL must be provided for webhook"
            raise RefusalError(400, f"Bad Request: {said}")
        if secret and not _SECRET.fullmatch(secret):
            said = "secret token contains unallowed characters"
            raise RefusalError(400, f"Bad Request: {said}")
        kinds = _decoded(arguments.get("allowed_updates", []))
        self._of.webhook = Webhook(url, secret, kinds if isinstance(kinds, list) else [])
        return True

    def _get_webhook_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        webhook = self._of.webhook
        trouble = {"last_error_message": webhook.trouble, "last_error_date": int(time.time())}
        return {
            "url": webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": 0,
            **({"allowed_updates": webhook.kinds} if webhook.kinds else {}),
            **(trouble if webhook.trouble else {}),
        }

    def _set_my_commands(self, arguments: dict[str, Any]) -> bool:
        commands = _decoded(arguments.get("commands"))
        if not isinstance(commands, list) or len(commands) > 100:
            raise RefusalError(400, "Bad Request: can't parse commands: expected an Array")
        for it in commands:
            described = isinstance(it, dict) and 0 < _units(it.get("description")) <= 256
            if not described or not _COMMAND.fullmatch(str(it.get("command"))):
                raise RefusalError(400, "Bad Request: BOT_COMMAND_INVALID")
        return True

    def _send_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        of_chat, text = self._check_chat(arguments), _text(arguments)
        return self._keep({**of_chat, "text": text}, arguments, text=text)

    def _edit_message_text(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._check_chat(arguments)
        message = self.messages.get(_integer(arguments, "message_id"))
        if message is None:
            raise RefusalError(400, "Bad Request: message to edit not found")
        text, keyboard = _text(arguments), _keyboard(arguments)
        if "text" not in message:
            raise RefusalError(400, "Bad Request: there is no text in the message to edit")
        if (text, keyboard) == (message["text"], message.get("reply_markup")):
            said = (
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
            raise RefusalError(400, f"Bad Request: {said}")
        message.pop("reply_markup", None)
        message |= {"text": text, "edit_date": int(time.time())}
        message |= {"reply_markup": keyboard} if keyboard else {}
        self._of.room.edit(str(message["message_id"]), **_shown(text, keyboard))
        return message

    def _delete_message(self, arguments: dict[str, Any]) -> bool:
        self._check_chat(arguments)
        number = _integer(arguments, "message_id")
        try:
            self._of.room.remove(str(number))
        except KeyError:
            raise RefusalError(400, "Bad Request: message to delete not found") from None
        self.messages.pop(number, None)
        return True

    def _send_video(self, arguments: dict[str, Any]) -> dict[str, Any]:
        of_chat = self._check_chat(arguments)
        caption, video = str(arguments.get("caption", "")), arguments.get("video")
        if _units(caption) > 1024:
            raise RefusalError(400, "Bad Request: message caption is too long")
        if not video:
            raise RefusalError(400, "Bad Request: there is no video in the request")
        name, content = _fetched(video) if isinstance(video, str) else video
        described = {
            "file_id": f"BAACAgIAAx{self._of.new_number():06}",
            "file_unique_id": f"AgADxw{len(content)}",
            "width": 1280,
            "height": 720,
            "duration": 4,
            "file_name": name,
            "mime_type": "video/mp4",
            "file_size": len(content),
        }
        of_chat |= {"video": described, **({"caption": caption} if caption else {})}
        return self._keep(of_chat, arguments, text=caption, video=content, filename=name)

    def _answer_callback_query(self, arguments: dict[str, Any]) -> bool:
        query = str(arguments.get("callback_query_id", ""))
        if query not in self._of.queries:
            said = "query is too old and response timeout expired or query ID is invalid"
            raise RefusalError(400, f"Bad Request: {said}")
        self._of.queries.discard(query)
        return True

    def _check_chat(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The fields of a message in the chat that the arguments name."""
        if not arguments.get("chat_id"):
            raise RefusalError(400, "Bad Request: chat_id is empty")
        if str(arguments["chat_id"]) != str(CHAT):
            raise RefusalError(400, "Bad Request: chat not found")
        if self._of.blocked:
            raise RefusalError(403, "Forbidden: bot was blocked by the user")
        if arguments.get("message_thread_id"):
            raise RefusalError(400, "Bad Request: message thread not found")
        answered = _decoded(arguments.get("reply_parameters", {}))
        if not isinstance(answered, dict):
            raise RefusalError(400, "Bad Request: can't parse reply parameters JSON object")
        if answered and not answered.get("allow_sending_without_reply"):
            try:
                self._of.room.get(str(_integer(answered, "message_id")))
            except KeyError:
                said = "message to be replied not found"
                raise RefusalError(400, f"Bad Request: {said}") from None
        return {"from": _bot(self._of), "chat": chat(), "date": int(time.time())}

    def _keep(
        self, content: dict[str, Any], arguments: dict[str, Any], *, text: str, **video: Any
    ) -> dict[str, Any]:
        keyboard = _keyboard(arguments)
        message = {"message_id": self._of.new_number(), **content}
        message |= {"reply_markup": keyboard} if keyboard else {}
        self.messages[message["message_id"]] = message
        self._of.room.add(
            Shown(str(message["message_id"]), "bot", **_shown(text, keyboard), **video)
        )
        return message


def chat() -> dict[str, Any]:
    """The private chat of the person with the bot."""
    return {"id": CHAT, "type": "private", "first_name": "You"}


def _bot(account: Account) -> dict[str, Any]:
    number = int(account.section["bot_token"].partition(":")[0])
    return {"id": number, "is_bot": True, "first_name": "Actionreel", "username": USERNAME}


def _arguments(request: Request) -> dict[str, Any]:
    """The arguments of a call: JSON, a form, or a form with files; of the query, too."""
    try:
        if request.mimetype == "application/json":
            found = json.loads(request.get_data())
            if not isinstance(found, dict):
                raise ValueError("no object")
            return {**request.args, **found}
        files = {name: (it.filename or "", it.read()) for name, it in request.files.items()}
        arguments: dict[str, Any] = {**request.args, **request.form, **files}
        for name, value in arguments.items():
            if isinstance(value, str) and value.startswith("attach://"):
                arguments[name] = files.get(value.removeprefix("attach://"))
    except RequestEntityTooLarge:
        raise RefusalError(413, "Request Entity Too Large") from None
    except ValueError:
        raise RefusalError(400, "Bad Request: can't parse JSON object") from None
    if any(len(content) > MAX_UPLOAD for _, content in files.values()):
        raise RefusalError(413, "Request Entity Too Large")
    return arguments


def _text(arguments: Mapping[str, Any]) -> str:
    text = arguments.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RefusalError(400, "Bad Request: message text is empty")
    if _units(text) > 4096:
        raise RefusalError(400, "Bad Request: message is too long")
    return text


def _keyboard(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inline keyboard that a message is to have; other kinds are not ours."""
    found = _decoded(arguments.get("reply_markup"))
    if found is None:
        return None
    rows = found.get("inline_keyboard") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise RefusalError(400, "Bad Request: object expected as reply markup")
    for button in (button for row in rows for button in row):
        if not isinstance(button, dict) or not _units(button.get("text")):
            said = 'can\'t parse inline keyboard button: Field "text" must be of type String'
            raise RefusalError(400, f"Bad Request: {said}")
        data, url = button.get("callback_data"), button.get("url")
        if (data is None) is (url is None):
            said = "text buttons are unallowed in the inline keyboard"
            raise RefusalError(400, f"Bad Request: {said}")
        if data is not None and not (isinstance(data, str) and 0 < len(data.encode()) <= 64):
            raise RefusalError(400, "Bad Request: BUTTON_DATA_INVALID")
        if url is not None and urlsplit(str(url)).scheme not in ("http", "https"):
            said = f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol"
            raise RefusalError(400, f"Bad Request: {said}")
    return found if any(rows) else None


def _shown(text: str, keyboard: dict[str, Any] | None) -> dict[str, Any]:
    """A message as a person sees it."""
    buttons = [it for row in (keyboard or {}).get("inline_keyboard", ()) for it in row]
    return {
        "text": text,
        "url": next((it["url"] for it in buttons if "url" in it), ""),
        "buttons": tuple((it["text"], it["callback_data"]) for it in buttons if "url" not in it),
    }


def _fetched(url: str) -> tuple[str, bytes]:
    """The name and content of a file that is given by its address."""
    parts = urlsplit(url)
    at_home = parts.scheme == "http" and parts.hostname in (HOST, "localhost")
    if parts.scheme != "https" and not at_home:
        said = "wrong file identifier/HTTP URL specified"
        raise RefusalError(400, f"Bad Request: {said}")
    try:
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:
            kind, content = answer.headers.get_content_type(), answer.read(MAX_FETCH + 1)
    except OSError:
        raise RefusalError(400, "Bad Request: failed to get HTTP URL content") from None
    if len(content) > MAX_FETCH:
        raise RefusalError(400, "Bad Request: failed to get HTTP URL content")
    if kind != "video/mp4":
        raise RefusalError(400, "Bad Request: wrong type of the web page content")
    return parts.path.rpartition("/")[2], content


def _integer(arguments: Mapping[str, Any], name: str) -> int:
    try:
        return int(arguments.get(name, 0))
    except (TypeError, ValueError):
        said = f'Bad Request: can\'t parse field "{name}": must be a Number'
        raise RefusalError(400, said) from None


def _decoded(value: Any) -> Any:
    """An argument that forms have as JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return ...  # is neither a list nor a dict


def _units(text: Any) -> int:
    """The length of a text as Telegram counts; 0 for what is none."""
    return len(text.encode("utf-16-le", errors="replace")) // 2 if isinstance(text, str) else 0

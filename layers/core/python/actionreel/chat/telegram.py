"""Telegram's updates and messages: what people write, and presses of buttons. Pure.

In private chats everything is for us. In groups it is what begins with `/video` or names us: the
section's `username` says who we are, and a command for `/video@another_bot` is nobody's here.
Telegram counts in UTF-16 units, so an emoji before a mention counts as two. In plain text it finds
links and @names by itself, and notifies whoever is named; that cannot be switched off, so a name is
written with an invisible character in it.

What bots write counts only if the section's `owner_bots` (ids with commas between) names them.

Sources: core.telegram.org/bots/api (Update, Message, MessageEntity, InlineKeyboardButton), and
python-telegram-bot 22.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from actionreel import signatures
from actionreel.chats import ChatMessage, Kind, Received, Reply, Told, pressed
from actionreel.errors import RequestError
from actionreel.models import Place

MAX_TEXT = 4096  # UTF-16 units, as all lengths of text here
MAX_CAPTION = 1024
MAX_CALLBACK_DATA = 64  # bytes

_IGNORED = Received(Reply())
_GROUPS = ("group", "supergroup")
_COMMAND = re.compile(r"/(\w{1,32})(?:@(\w{1,64}))?(?:\s+(.*))?", re.DOTALL)
_SPOKEN = re.compile(r"video(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
_BOT_ID = re.compile(r"[0-9]{1,20}")
_NAME = re.compile(r"(?<!\w)@(?=[A-Za-z0-9_])")  # where TDLib, its library for clients, finds one
_ID_BITS = 64  # ids have at most 52 significant bits

Strings = Mapping[str, str]


def verify(section: Strings, headers: Strings, body: bytes, now: datetime) -> bool:
    """Whether this comes with the section's `secret_token`, which setWebhook told Telegram."""
    return signatures.telegram(section.get("secret_token", ""), headers)


def read(section: Strings, headers: Strings, body: bytes) -> Received:
    """What a verified request is. Raises RequestError (400) for one that cannot be read."""
    try:
        # Half surrogate pairs, NaN and great depth are no JSON to it.
        update = from_json(body, allow_inf_nan=False)
    except ValueError:
        update = None
    if not isinstance(update, dict):
        raise RequestError(400, "unreadable", "The request is none of Telegram's.")
    number = _id(update, "update_id")
    if not number:
        return _IGNORED
    bot_id = _bot_id(section)
    event_id = f"{bot_id}:{number}" if bot_id else number
    if "callback_query" in update:
        return _press(event_id, _inner(update, "callback_query"))
    return _message(section, event_id, _inner(update, "message"))


def message(told: Told) -> dict[str, Any]:
    """What sendMessage and editMessageText take: plain text, and buttons under it."""
    return {
        "text": plain(told.text, MAX_TEXT) or "…",
        "link_preview_options": {"is_disabled": True},
        **keyboard(told),
    }


def keyboard(told: Told) -> dict[str, Any]:
    """The field of the buttons, the link's in a row above the others; an edit without the field
    takes those away that were there."""
    rows: list[list[dict[str, str]]] = []
    if told.link:
        rows.append([{"text": "Watch", "url": told.link}])
    buttons = [
        {"text": button.label, "callback_data": button.value}
        for button in told.buttons
        # One that Telegram refuses would cost the whole message.
        if len(button.value.encode()) <= MAX_CALLBACK_DATA
    ]
    rows += [buttons] if buttons else []
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def plain(text: str, limit: int) -> str:
    """The text as we write it: it names nobody, and has at most so many units."""
    return cut(_NAME.sub("@\N{WORD JOINER}", text), limit)


def cut(text: str, limit: int) -> str:
    """The text without the space around it, cut to so many units and not within a character."""
    units = text.strip().encode("utf-16-le", errors="replace")[: 2 * limit]
    return units.decode("utf-16-le", errors="ignore").rstrip()


def _message(section: Strings, event_id: str, document: dict[str, Any]) -> Received:
    chat, sender = _inner(document, "chat"), _inner(document, "from")
    place = _place(document, sender)
    text, entities = _written(document)
    # What a channel says is shown in its group once more, as if somebody there had written it.
    if place is None or not text.strip() or document.get("is_automatic_forward"):
        return _IGNORED
    if sender.get("is_bot") is not False:
        if not _is_owners_bot(section, place.author or ""):
            return _IGNORED
        return _received("tags", event_id, place, text.strip())
    if chat.get("type") in _GROUPS:
        words, named = _without_mention(section, text, entities)
        return _said(section, event_id, place, words.strip(), private=False, named=named)
    if chat.get("type") == "private":
        return _said(section, event_id, place, text.strip(), private=True, named=True)
    return _IGNORED


def _said(
    section: Strings, event_id: str, place: Place, text: str, *, private: bool, named: bool
) -> Received:
    """What a person says: a command, or words for the model where they are for us."""
    command = _COMMAND.fullmatch(text)
    if command is not None:
        name, bot, wish = command[1].lower(), command[2], (command[3] or "").strip()
        if bot is not None and bot.lower() != _username(section):
            return _IGNORED
        if name == "video":
            return _wish(event_id, place, wish)
        if name in ("start", "help") and (private or named or bot is not None):
            return _received("help", event_id, place)
    if not named:
        return _IGNORED
    spoken = _SPOKEN.fullmatch(text)
    if spoken is not None:
        return _wish(event_id, place, (spoken[1] or "").strip())
    return _received("talk", event_id, place, text) if text else _wish(event_id, place, "")


def _wish(event_id: str, place: Place, wish: str) -> Received:
    if wish.lower() in ("", "help"):
        return _received("help", event_id, place)
    return _received("command", event_id, place, wish)


def _press(event_id: str, query: dict[str, Any]) -> Received:
    """A press of a button; its message may be too old to be shown, but has its place. The answer
    ends the spinner that Telegram shows on the button."""
    value, query_id = pressed(query.get("data")), query.get("id")
    place = _place(_inner(query, "message"), _inner(query, "from"))
    if value is None or place is None:
        return _IGNORED
    message = _received("button", event_id, place, value).message
    if not isinstance(query_id, str):
        return Received(Reply(), message)
    done = {"method": "answerCallbackQuery", "callback_query_id": query_id}
    return Received(Reply(body=done), message)


def _place(document: dict[str, Any], sender: dict[str, Any]) -> Place | None:
    """Where a message is, as answers to it need it; `sender` is who wrote it or pressed on it."""
    channel, author = _id(_inner(document, "chat"), "id"), _id(sender, "id")
    number = _id(document, "message_id")
    if not (channel and author and number):
        return None
    # In other groups the id is there too, and is only the first message's of those that answer it.
    in_topic = document.get("is_topic_message") is True
    return Place(
        platform="telegram",
        channel=channel,
        thread=(_id(document, "message_thread_id") or None) if in_topic else None,
        reply_to=number,
        author=author,
    )


def _written(document: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The text, or the caption of a photo or file, and what Telegram found in it."""
    field, marks = ("text", "entities")
    if not isinstance(document.get(field), str):
        field, marks = ("caption", "caption_entities")
    text, entities = document.get(field), document.get(marks)
    found = entities if isinstance(entities, list) else []
    return (text if isinstance(text, str) else ""), [it for it in found if isinstance(it, dict)]


def _without_mention(
    section: Strings, text: str, entities: list[dict[str, Any]]
) -> tuple[str, bool]:
    """The text without the mentions of us, and whether there were any."""
    units, kept, position = text.encode("utf-16-le"), [], 0
    us, bot_id = _username(section), _bot_id(section)
    for start, end, entity in sorted(_spans(entities, len(units)), key=lambda it: it[:2]):
        shown = units[start:end].decode("utf-16-le", errors="replace").lower()
        by_name = entity.get("type") == "mention" and us and shown == f"@{us}"
        by_id = entity.get("type") == "text_mention" and bot_id
        if by_name or (by_id and _id(_inner(entity, "user"), "id") == bot_id):
            kept.append(units[position:start])
            position = max(position, end)
    if not kept:
        return text, False
    kept.append(units[position:])
    return b"".join(kept).decode("utf-16-le", errors="replace"), True


def _spans(entities: list[dict[str, Any]], size: int) -> list[tuple[int, int, dict[str, Any]]]:
    """Where the entities begin and end, in bytes of the text as UTF-16."""
    spans = []
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if isinstance(offset, int) and isinstance(length, int) and offset >= 0 and length > 0:
            start, end = 2 * offset, 2 * (offset + length)
            if end <= size:
                spans.append((start, end, entity))
    return spans


def _is_owners_bot(section: Strings, bot: str) -> bool:
    """Never our own: what we say must not come back to us."""
    owners = [it.strip() for it in section.get("owner_bots", "").split(",")]
    return bot in filter(None, owners) and bot != _bot_id(section)


def _bot_id(section: Strings) -> str:
    """Our own id, with which the token begins."""
    number, colon, _ = section.get("bot_token", "").strip().partition(":")
    return number if colon and _BOT_ID.fullmatch(number) else ""


def _username(section: Strings) -> str:
    return section.get("username", "").strip().removeprefix("@").lower()


def _received(kind: Kind, event_id: str, place: Place, text: str = "") -> Received:
    return Received(Reply(), ChatMessage(kind=kind, event_id=event_id, place=place, text=text))


def _inner(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _id(document: dict[str, Any], name: str) -> str:
    """An id as text, empty if it is none."""
    found = document.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found.bit_length() > _ID_BITS:
        return ""
    return str(found)

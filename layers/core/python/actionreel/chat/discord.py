"""Discord's interactions and messages: slash commands and presses of buttons. Pure.

Discord wants an answer within 3 s. A command's is a deferred one, which shows that something is to
come; a press's says nothing. Messages of a channel do not arrive here: for those, an app would have
to hold a connection open.

Sources: discord.com/developers/docs (interactions, application commands, message components,
message resource), and discord.py 2.7.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from actionreel import signatures
from actionreel.chats import Button, ChatMessage, Kind, Received, Reply, Told, pressed
from actionreel.errors import RequestError
from actionreel.models import Place

MAX_CONTENT = 2000  # counted as UTF-16 does, which is never less than Discord's own count
_MAX_LABEL, _MAX_LINK, _MAX_BUTTONS = 80, 512, 5

_PING, _COMMAND, _COMPONENT, _AUTOCOMPLETE = 1, 2, 3, 4  # types of interactions
_PONG, _DEFERRED_MESSAGE, _DEFERRED_UPDATE, _CHOICES = 1, 5, 6, 8  # types of answers
_CHAT_INPUT = 1  # a slash command: not one of the menus of users and messages
_ATTACHMENT = 11
_ROW, _BUTTON = 1, 2
_SECONDARY, _DANGER, _LINK = 2, 4, 5
_SHAPES = ("portrait", "landscape", "square")

Strings = Mapping[str, str]


def verify(section: Strings, headers: Strings, body: bytes, now: datetime) -> bool:
    """Whether Discord signed this, at most five minutes ago, for the section's `public_key`."""
    return signatures.discord(section.get("public_key", ""), headers, body, now)


def read(section: Strings, headers: Strings, body: bytes) -> Received:
    """What a verified interaction is. Raises RequestError (400) for one that cannot be read."""
    try:
        interaction = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise _unreadable() from None
    kind = interaction.get("type") if isinstance(interaction, dict) else None
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise _unreadable()
    if kind == _PING:
        return _answered(_PONG)
    if kind == _COMMAND:
        return _command(interaction)
    if kind == _COMPONENT:
        return _press(interaction)
    if kind == _AUTOCOMPLETE:
        return Received(Reply(body={"type": _CHOICES, "data": {"choices": []}}))
    return _answered(_DEFERRED_UPDATE)


def message(told: Told) -> dict[str, Any]:
    """What every way of writing and editing a message takes. It pings nobody; a message without
    buttons says so, or an edit would leave those that were there."""
    text, buttons = told.text, [_element(button) for button in told.buttons]
    if told.link and len(told.link) <= _MAX_LINK:
        buttons.append({"type": _BUTTON, "style": _LINK, "label": "Watch", "url": told.link})
    elif told.link:
        text = f"{_cut(text, MAX_CONTENT - len(told.link) - 1)}\n{told.link}"
    rows = [{"type": _ROW, "components": buttons[:_MAX_BUTTONS]}] if buttons else []
    return {
        "content": _cut(_undisguised(text), MAX_CONTENT) or "…",
        "allowed_mentions": {"parse": []},
        "components": rows,
    }


def _command(interaction: dict[str, Any]) -> Received:
    data = _inner(interaction, "data")
    name = _text(data, "name") if data.get("type", _CHAT_INPUT) == _CHAT_INPUT else ""
    kind: Kind = "help"
    text = ""
    if name == "video" and (text := _wish(data)):
        kind = "command"
    elif name == "ask" and (text := _options(data).get("words", "").strip()):
        kind = "talk"
    place = _place(interaction, deferred=True)
    return _received(_DEFERRED_MESSAGE, kind, interaction, place, text)


def _wish(data: dict[str, Any]) -> str:
    """The options as `/video` takes them in a line, the prompt last, behind the `--` that ends
    them: whatever it holds, it is the prompt. Empty without one."""
    options = _options(data)
    prompt = options.get("prompt", "").strip()
    words: list[str] = []
    for name, joint in (("seconds", ""), ("model", "-"), ("image", "%20")):
        value = joint.join(options.get(name, "").split()).lstrip("-–—")  # noqa: RUF001
        words += [f"--{name}", value] if value else []
    shape = options.get("shape", "").strip().lower()
    words += [f"--{shape}"] if shape in _SHAPES else []
    return " ".join([*words, "--", prompt]) if prompt else ""


def _options(data: dict[str, Any]) -> dict[str, str]:
    """The values by name, as text; an attached file, whatever its option is called, is `image`."""
    given = data.get("options")
    found: dict[str, str] = {}
    for option in given if isinstance(given, list) else ():
        if not isinstance(option, dict):
            continue
        value = option.get("value")
        if option.get("type") == _ATTACHMENT:
            attachments = _inner(_inner(data, "resolved"), "attachments")
            found["image"] = _text(_inner(attachments, str(value)), "url")
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found[_text(option, "name")] = str(value)
    return found


def _press(interaction: dict[str, Any]) -> Received:
    value = pressed(_inner(interaction, "data").get("custom_id"))
    if value is None:
        return _answered(_DEFERRED_UPDATE)
    shown = _text(_inner(interaction, "message"), "id") or None
    place = _place(interaction, reply_to=shown)
    return _received(_DEFERRED_UPDATE, "button", interaction, place, value)


def _place(interaction: dict[str, Any], **fields: Any) -> Place:
    user = _inner(_inner(interaction, "member"), "user") or _inner(interaction, "user")
    channel = _text(interaction, "channel_id") or _text(_inner(interaction, "channel"), "id")
    author = _text(user, "id")
    if not (channel and author):
        raise _unreadable()
    return Place(platform="discord", channel=channel, author=author, **fields)


def _received(
    answer: int, kind: Kind, interaction: dict[str, Any], place: Place, text: str
) -> Received:
    event_id, token = _text(interaction, "id"), _text(interaction, "token")
    if not (event_id and token):
        raise _unreadable()
    written = ChatMessage(kind=kind, event_id=event_id, place=place, text=text, reply_token=token)
    return Received(Reply(body={"type": answer}), written)


def _answered(answer: int) -> Received:
    return Received(Reply(body={"type": answer}))


def _element(button: Button) -> dict[str, Any]:
    return {
        "type": _BUTTON,
        "style": _SECONDARY if button.deed == "retry" else _DANGER,
        "label": _cut(button.label, _MAX_LABEL),
        "custom_id": button.value,
    }


def _undisguised(text: str) -> str:
    """Without links that show another text than their address: Discord makes those for apps."""
    return text.replace("](", "]\\(")


def _cut(text: str, limit: int) -> str:
    """At most so many UTF-16 units, and no half of a surrogate pair."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * limit:
        return units.decode("utf-16-le", "ignore")
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def _unreadable() -> RequestError:
    return RequestError(400, "unreadable", "The request is none of Discord's.")


def _inner(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _text(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    return found if isinstance(found, str) else ""

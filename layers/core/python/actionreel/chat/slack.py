"""Slack's requests and messages: events, slash commands and presses of buttons. Pure.

A mention in a channel arrives as `app_mention` and as `message`: only the first counts. What bots
write counts only if the section's `owner_bots` (ids with commas between) names them.

Sources: docs.slack.dev (Events API, slash commands, block_actions payloads, Block Kit), and
slack_sdk 3.47.0.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic_core import from_json

from actionreel import signatures
from actionreel.chat import slack_text
from actionreel.chats import Button, ChatMessage, Kind, Received, Reply, Told, pressed
from actionreel.errors import RequestError
from actionreel.models import Place

RESPONSE_HOSTS = ("hooks.slack.com",)
MAX_TEXT = 4000  # of `text`, which is what notifications show: chat.update takes no more
MAX_BLOCKS_TEXT = 12_000  # of all blocks: Slack refuses more than about 13,000 (undocumented)

_IGNORED = Received(Reply())
_FORM = "application/x-www-form-urlencoded"
_SPOKEN = (None, "file_share", "thread_broadcast")  # subtypes of what a person says
_COMMAND = re.compile(r"/?video(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)

Strings = Mapping[str, str]


def verify(section: Strings, headers: Strings, body: bytes, now: datetime) -> bool:
    """Whether Slack signed this, at most five minutes ago, with the section's `signing_secret`."""
    return signatures.slack(section.get("signing_secret", ""), headers, body, now)


def read(section: Strings, headers: Strings, body: bytes) -> Received:
    """What a verified request is. Raises RequestError (400) for one that cannot be read."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind != _FORM:
            return _event(section, _document(body))
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
        if "payload" in form:
            return _interaction(section, _document(form["payload"]))
    except ValueError:
        raise RequestError(400, "unreadable", "The request is none of Slack's.") from None
    return _slash_command(section, form)


def message(told: Told) -> dict[str, Any]:
    """What chat.postMessage, chat.update and a response_url take: the text, for notifications, and
    blocks, which are what people see."""
    texts = slack_text.sections(told.text or "…", MAX_BLOCKS_TEXT)
    if told.link:
        texts.append(slack_text.link(told.link))
    blocks: list[dict[str, Any]] = [
        # verbatim: names and addresses in it are left as they are
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        for text in texts
    ]
    if told.buttons:
        blocks.append({"type": "actions", "elements": [_element(it) for it in told.buttons]})
    return {"text": slack_text.escaped(told.text, MAX_TEXT) or "…", "blocks": blocks}


def leads_to(url: object, hosts: tuple[str, ...], section: Strings) -> bool:
    """Whether the URL is https at one of these hosts, or is at the server of the `base_url`, which
    the deployment trusts already. A host that begins with a dot stands for all below it."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or "\\" in url:
        return False
    try:
        parts, base = urlsplit(url), urlsplit(section.get("base_url", ""))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if base.netloc and (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return True
    known = any(host.endswith(it) if it.startswith(".") else host == it for it in hosts)
    return parts.scheme == "https" and known and port in (None, 443) and "@" not in parts.netloc


def _document(content: bytes | str) -> dict[str, Any]:
    """A JSON object; raises ValueError. Half surrogate pairs, NaN and great depth are none."""
    found = from_json(content, allow_inf_nan=False)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _event(section: Strings, document: dict[str, Any]) -> Received:
    if document.get("type") == "url_verification":
        return Received(Reply(body={"challenge": _text(document, "challenge")}))
    event, event_id = _inner(document, "event"), _text(document, "event_id")
    spoken = event.get("type") in ("app_mention", "message") and not event.get("hidden")
    if document.get("type") != "event_callback" or not event_id or not spoken:
        return _IGNORED
    channel, sent_at = _text(event, "channel"), _text(event, "ts")
    direct = event.get("channel_type") == "im"
    place = Place(
        platform="slack",
        channel=channel,
        thread=_text(event, "thread_ts") or (None if direct else sent_at),
        reply_to=sent_at,
        author=_text(event, "bot_id") or _text(event, "user"),
    )
    if not (channel and sent_at and place.author):
        return _IGNORED
    if event.get("bot_id") or event.get("subtype") == "bot_message":
        if not _is_owners_bot(section, document, event):
            return _IGNORED
        written = slack_text.plain(_text(event, "text"))
        return _received("tags", event_id, place, written) if written else _IGNORED
    if event.get("subtype") not in _SPOKEN or (event["type"] == "message" and not direct):
        return _IGNORED
    return _said(
        event_id, place, slack_text.plain(_without_mention(document, _text(event, "text")))
    )


def _is_owners_bot(section: Strings, document: dict[str, Any], event: dict[str, Any]) -> bool:
    """Never our own: what we say must not come back to us."""
    ours = bool(document.get("api_app_id")) and event.get("app_id") == document["api_app_id"]
    owners = [bot.strip() for bot in section.get("owner_bots", "").split(",")]
    return (
        event["type"] == "message" and not ours and _text(event, "bot_id") in filter(None, owners)
    )


def _said(event_id: str, place: Place, text: str) -> Received:
    """What a person says to us: words for the model, unless they begin as a command does."""
    command = _COMMAND.fullmatch(text)
    wish = (command[1] or "").strip() if command else text
    if wish.lower() in ("", "help"):
        return _received("help", event_id, place)
    return _received("command" if command else "talk", event_id, place, wish)


def _slash_command(section: Strings, form: Strings) -> Received:
    """`/video`, or whatever the owner called it. Slack's own checks of the address bring none."""
    trigger, channel, author = (form.get(it, "") for it in ("trigger_id", "channel_id", "user_id"))
    if not (form.get("command") and trigger and channel and author):
        return _IGNORED
    place = Place(platform="slack", channel=channel, author=author)
    wish = slack_text.plain(form.get("text", ""))
    kind: Kind = "help" if wish.lower() in ("", "help") else "command"
    url = form.get("response_url")
    text = wish if kind == "command" else ""
    return _received(kind, _digest(trigger), place, text, _response_url(section, url))


def _interaction(section: Strings, payload: dict[str, Any]) -> Received:
    """A press of a button; nothing else that people can do with our messages is one of ours."""
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    value = pressed(action.get("value")) if isinstance(action, dict) else None
    channel = _text(_inner(payload, "channel"), "id")
    author, trigger = _text(_inner(payload, "user"), "id"), _text(payload, "trigger_id")
    told = value and payload.get("type") == "block_actions" and channel and author and trigger
    if not (value and told):
        return _IGNORED
    shown = _inner(payload, "message")
    place = Place(
        platform="slack",
        channel=channel,
        thread=_text(shown, "thread_ts") or None,
        reply_to=_text(shown, "ts") or None,
        author=author,
    )
    url = _response_url(section, payload.get("response_url"))
    return _received("button", _digest(trigger), place, value, url)


def _received(
    kind: Kind, event_id: str, place: Place, text: str = "", reply_token: str | None = None
) -> Received:
    written = ChatMessage(
        kind=kind, event_id=event_id, place=place, text=text, reply_token=reply_token
    )
    return Received(Reply(), written)


def _response_url(section: Strings, url: object) -> str | None:
    return url if isinstance(url, str) and leads_to(url, RESPONSE_HOSTS, section) else None


def _digest(trigger_id: str) -> str:
    """A trigger lets who has it open windows at that person's: only its digest is kept."""
    return hashlib.sha256(trigger_id.encode()).hexdigest()


def _without_mention(document: dict[str, Any], text: str) -> str:
    """The text without the mention of us; if Slack does not say who we are, the first one."""
    said = document.get("authorizations")
    bots = (
        [it for it in said if isinstance(it, dict) and it.get("is_bot") is True]
        if isinstance(said, list)
        else []
    )
    us = _text(bots[0], "user_id") if bots else ""
    name = re.escape(us) if us else "[UW][A-Z0-9]+"
    return re.sub(rf"<@{name}(?:\|[^<>]*)?>", "", text, count=0 if us else 1)


def _element(button: Button) -> dict[str, Any]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": button.label[:75]},
        "action_id": button.deed,
        "value": button.value,
    }


def _inner(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _text(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    return found if isinstance(found, str) else ""

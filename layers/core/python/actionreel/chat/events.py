"""Messages that a program sends for a chat, signed as Standard Webhooks: what a bot of the owner's
own, or an application without a platform of ours, posts to `/chat/events`. Pure.

    {"text": "...", "from": "assistant", "to": {"platform": "slack", "channel": "C1"}}
    {"text": "...", "to": {"callbackUrl": "https://..."}}

`from` says who wrote the text: of an `assistant` the tags are acted on, a `user` is answered by the
deployment's model. The event's identity is its `webhook-id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic.alias_generators import to_camel

from actionreel import signatures
from actionreel.chats import ChatMessage, Received, Reply
from actionreel.errors import RequestError
from actionreel.models import Place

MAX_TEXT_BYTES = 200 * 1024

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    """A part of the body; a field that is unknown is refused, for it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, hide_input_in_errors=True)


class _Chat(_Part):
    platform: Literal["slack", "discord", "telegram"]
    channel: _Name
    thread: _Name | None = None
    reply_to: _Name | None = None


class _Program(_Part):
    callback_url: Annotated[str, Field(min_length=1, max_length=2048)]


def _target(to: Any) -> str:
    """Which of the two was meant, so that a mistake in it is told of that one alone."""
    return _PROGRAM if isinstance(to, dict) and "callbackUrl" in to else _CHAT


_CHAT, _PROGRAM = " chat", " program"  # no field has such a name
_Target = Annotated[
    Annotated[_Chat, Tag(_CHAT)] | Annotated[_Program, Tag(_PROGRAM)], Discriminator(_target)
]


class _Event(_Part):
    text: str
    sender: Literal["assistant", "user"] = Field(default="assistant", alias="from")
    to: _Target
    ask_model: bool = False


def verify(
    section: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Whether who holds the section's `signing_secret` signed this, at most five minutes ago."""
    return signatures.standard_webhooks(section.get("signing_secret", ""), headers, body, now)


def read(section: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Received:
    """What a verified request is. Raises RequestError: 400 if it cannot be read, 413 if its text is
    too long, 422 for a user who would have nowhere to be answered."""
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        raise RequestError(400, "unreadable", _sentence(error)) from None
    if len(event.text.encode()) > MAX_TEXT_BYTES:
        raise RequestError(413, "too_large", "The text can have at most 200 KB.")
    if isinstance(event.to, _Program) and (event.sender == "user" or event.ask_model):
        raise RequestError(422, "invalid_request", "A model can answer in chats only.")
    message = ChatMessage(
        kind="tags" if event.sender == "assistant" else "talk",
        event_id=headers.get("webhook-id", ""),
        place=_place(event),
        text=event.text,
    )
    return Received(Reply(202, {"accepted": True}), message)


def _place(event: _Event) -> Place:
    if isinstance(event.to, _Program):
        return Place(platform="callback", url=event.to.callback_url)
    return Place(
        platform=event.to.platform,
        channel=event.to.channel,
        thread=event.to.thread,
        reply_to=event.to.reply_to,
        follows_up=event.ask_model,
    )


def _sentence(error: ValidationError) -> str:
    """What is wrong, without the values: they may be secrets."""
    found = [
        f"{_field(it['loc'])}: {it['msg']}"
        for it in error.errors(include_input=False, include_context=False, include_url=False)[:5]
    ]
    return f"{'; '.join(found)}."


def _field(names: tuple[int | str, ...]) -> str:
    """The name of a field, which may be of any length where it is a stranger's."""
    shown = [str(name)[:40] for name in names if name not in (_CHAT, _PROGRAM)]
    return ".".join(shown) or "the body"

"""What comes from chat platforms: taken in before it is answered for, and never twice."""

from __future__ import annotations

import hashlib

from actionreel.api_keys import HOME_TENANT, is_tenant
from actionreel.chats import ChatMessage, Headers, Reply, Section, Turn
from actionreel.errors import ChatUnavailableError, RequestError, UnsafeUrlError
from actionreel.ports import Services
from actionreel.url_guard import check_url, is_at

MAX_TURN_BYTES = 300 * 1024  # a record can have 400 KB


def receive(
    platform: str, headers: Headers, body: bytes, base_url: str, services: Services
) -> Reply:
    """Writes down the message that a platform's request holds, starts the execution that answers
    it, and gives the reply to the request; a message that comes again starts nothing. Its tenant is
    the one that the platform's section of the secret names.

    Raises RequestError: 404 for a platform that we do not know, 401 for a request that is not the
    platform's, 400 for one that cannot be read, 413 for one that is too long, 422 for a callback
    that must not be called. ChatUnavailableError and WorkflowError: it is to come again.
    """
    reader = services.chat_reader(platform)
    if reader is None:
        raise RequestError(404, "not_found", "There is no such chat platform.")
    section = services.chat_section(platform)
    if not reader.verify(section, headers, body, services.now()):
        raise RequestError(401, "bad_signature", "The signature is not the platform's.")
    tenant = section.get("tenant", "").strip() or HOME_TENANT
    if not is_tenant(tenant):
        raise ChatUnavailableError(f"The secret's section {platform} has a tenant that is none.")
    received = reader.read(section, headers, body)
    message = received.message
    if message is not None:
        _check_callback(message, services)
        turn_id = _turn_id(platform, message.event_id)
        if platform != "events" and not _is_welcome(section, message):
            message = message.model_copy(update={"kind": "refused", "text": ""})
        # What a bot was told to make is anybody's there to cancel.
        author = None if message.kind == "tags" else message.place.author
        place = message.place.model_copy(update={"turn_id": turn_id, "author": author})
        turn = Turn(
            tenant=tenant,
            turn_id=turn_id,
            message=message.model_copy(update={"place": place}),
            base_url=base_url,
            received_at=services.now(),
        )
        if len(turn.model_dump_json().encode()) > MAX_TURN_BYTES:
            raise RequestError(413, "too_large", "The message is too long.")
        services.chats.add_turn(turn)
        services.start_turn(tenant, turn_id)
    return received.reply


def _check_callback(message: ChatMessage, services: Services) -> None:
    """A video must not be made for a program that cannot be told. Raises RequestError (422)."""
    url = message.place.url
    if url is None or is_at(url, services.callback_origins):
        return
    try:
        check_url(url)
    except UnsafeUrlError as unsafe:
        raise RequestError(422, "invalid_request", f"callbackUrl {unsafe.reason}.") from None


def _is_welcome(section: Section, message: ChatMessage) -> bool:
    """Whether the owner lets this be used there, and by whoever wrote: where the section names
    `channels` or `users` (ids with commas between), it is those. Bots have a list of their own."""
    for field, given in (("channels", message.place.channel), ("users", message.place.author)):
        named = [one.strip() for one in section.get(field, "").split(",") if one.strip()]
        if named and given not in named and not (field == "users" and message.kind == "tags"):
            return False
    return True


def _turn_id(platform: str, event_id: str) -> str:
    """The same for each delivery of an event, and for no other event."""
    return hashlib.sha256(f"{platform}\n{event_id}".encode(errors="replace")).hexdigest()[:40]

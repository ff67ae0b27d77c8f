"""Discord's HTTP API on this machine: messages by an interaction's token or as the bot, and the
registration of commands. What it refuses is in `discord_rules`.

Source: discord.com/developers/docs (webhook, message and application resources, rate limits).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.chat import discord_rules as rules
from local.chat.discord_rules import RefusedError
from local.chat.discord_state import Interaction, State
from local.chat.room import Shown

NONCE_SECONDS = 300.0  # "the past few minutes"
RETRY_AFTER = 0.3

_ROUTES = Map(
    [
        Rule("/applications/@me", endpoint="me", methods=["GET"]),
        Rule("/applications/<app>/commands", endpoint="register", methods=["PUT"]),
        Rule("/webhooks/<app>/<token>", endpoint="follow_up", methods=["POST"]),
        Rule(
            "/webhooks/<app>/<token>/messages/<name>", endpoint="fill", methods=["PATCH", "DELETE"]
        ),
        Rule("/channels/<channel>/messages", endpoint="create", methods=["POST"]),
        Rule("/channels/<channel>/messages/<name>", endpoint="change", methods=["PATCH", "DELETE"]),
    ]
)
_FOR_THE_BOT = ("me", "register", "create", "change")


class _EarlyError(RefusedError):
    """An interaction that Discord has not heard the answer to: no fault of the app, whose work can
    be done before its answer has come. It is to come again."""


def respond(state: State, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers a request (WSGI)."""
    status, retry = 200, {}
    with Request(environ) as request:
        request.get_data()  # whole, whatever the answer is: who is still sending would not read it
        try:
            with state.lock:
                answer = _answer(state, request)
        except RefusedError as refusal:
            status, answer = refusal.status, refusal.body
            if status == 429:
                retry = {"Retry-After": str(math.ceil(RETRY_AFTER)), "X-RateLimit-Scope": "user"}
            elif not isinstance(refusal, _EarlyError):
                state.refusals.append(f"{request.method}: {refusal} ({refusal.body['code']}).")
    response = Response(json.dumps(answer), status, retry, content_type="application/json")
    return response(environ, start_response)


def _answer(state: State, request: Request) -> Any:
    if state.rate_limited > 0:
        state.rate_limited -= 1
        wait = {"retry_after": RETRY_AFTER, "global": False}
        raise RefusedError(429, 0, "You are being rate limited.", **wait)
    try:
        endpoint, names = _ROUTES.bind_to_environ(request.environ).match()
    except HTTPException:
        raise RefusedError(*rules.NOT_FOUND) from None
    if endpoint in _FOR_THE_BOT:
        if request.headers.get("Authorization") != f"Bot {state.bot_token}":
            raise RefusedError(*rules.UNAUTHORIZED)
        return _as_bot(state, endpoint, names, request)
    interaction = _interaction(state, names)
    # As Discord still does, for old apps: what follows a deferral at once is the answer.
    original = _shown_as(state, interaction.original)
    waits = original is not None and original.pending
    name = names.get("name", "@original" if waits else None)
    if name is None:
        created = _create(state, *_body(request))
        interaction.messages.add(created["id"])
        return created
    message_id = interaction.original if name == "@original" else name
    if message_id is None or message_id not in {*interaction.messages, interaction.original}:
        raise RefusedError(*rules.UNKNOWN_MESSAGE)
    if request.method == "DELETE":
        return _delete(state, message_id)
    return _change(state, message_id, *_body(request))


def _as_bot(state: State, endpoint: str, names: Mapping[str, Any], request: Request) -> Any:
    if endpoint == "me":
        return {"id": state.application_id, "name": "actionreel", "bot_public": True}
    if endpoint == "register":
        commands: Any = request.get_json(silent=True)
        if names["app"] != state.application_id:
            raise RefusedError(403, 20012, "You are not authorized to perform this action")
        rules.check_commands(commands)
        state.commands[:] = [{**command, "id": state.new_id()} for command in commands]
        return state.commands
    if names["channel"] != state.channel_id:
        raise RefusedError(*rules.UNKNOWN_CHANNEL)
    if request.method == "DELETE":
        return _delete(state, names["name"])
    payload, files = _body(request)
    if endpoint == "change":
        return _change(state, names["name"], payload, files)
    reference = payload.get("message_reference") or {"fail_if_not_exists": False}
    there = _shown_as(state, reference.get("message_id"))
    if reference.get("fail_if_not_exists", True) and there is None:
        raise rules.invalid("message_reference", "Unknown message")
    nonce, now = str(payload.get("nonce", "")), state.clock()
    if nonce and payload.get("enforce_nonce") is True:
        earlier, at = state.nonces.get(nonce, ("", 0.0))
        if earlier and now - at < NONCE_SECONDS:
            return state.document(earlier)
    created = _create(state, payload, files)
    if nonce:
        state.nonces[nonce] = created["id"], now
    return created


def _interaction(state: State, names: Mapping[str, Any]) -> Interaction:
    found = state.interactions.get(names["token"])
    if found is None or names["app"] != state.application_id:
        raise RefusedError(*rules.UNKNOWN_WEBHOOK)
    if not found.answered:
        raise _EarlyError(*rules.UNKNOWN_WEBHOOK)
    if state.clock() >= found.until:
        raise RefusedError(*rules.EXPIRED)
    return found


def _body(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The message, and its files by the names of their parts, checked."""
    files = {name: file.read() for name, file in request.files.items()}
    try:
        form = request.form.get("payload_json")
        payload = json.loads(form) if form is not None else request.get_json(silent=True)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise RefusedError(400, 50109, "The request body contains invalid JSON.")
    rules.check_message(payload, files)
    payload["filenames"] = [file.filename or "" for file in request.files.values()]
    return payload, files


def _create(state: State, payload: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    if not payload.get("content") and not files:
        raise RefusedError(*rules.EMPTY)
    message_id = state.new_id()
    state.room.add(Shown(id=message_id, author="bot", **_shown(payload, files)))
    state.components[message_id] = payload.get("components") or []
    return state.document(message_id)


def _change(
    state: State, message_id: str, payload: dict[str, Any], files: dict[str, bytes]
) -> dict[str, Any]:
    """Changes what the payload names, and leaves the rest."""
    before = _shown_as(state, message_id)
    if before is None:
        raise RefusedError(*rules.UNKNOWN_MESSAGE)
    if before.author != "bot":
        raise RefusedError(*rules.ANOTHER_AUTHOR)
    after = _shown(payload, files)
    if not (after.get("text", before.text) or after.get("video", before.video)):
        raise RefusedError(*rules.EMPTY)
    state.room.edit(message_id, **after, pending=False)
    if "components" in payload:
        state.components[message_id] = payload["components"] or []
    return state.document(message_id)


def _delete(state: State, message_id: str) -> dict[str, Any]:
    if _shown_as(state, message_id) is None:
        raise RefusedError(*rules.UNKNOWN_MESSAGE)
    state.room.remove(message_id)
    return {}


def _shown(payload: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """What of a message in the room the payload says; a link to a video stands for the video."""
    shown: dict[str, Any] = {}
    if "content" in payload:
        shown["text"] = payload["content"] or ""
    if "components" in payload:
        buttons = rules.buttons_of(payload["components"] or [])
        named = [
            (button["label"], button["custom_id"]) for button in buttons if "url" not in button
        ]
        shown["buttons"] = tuple(named)
        shown["url"] = next((button["url"] for button in buttons if "url" in button), "")
    if files:
        shown["video"], shown["filename"] = next(iter(files.values())), payload["filenames"][0]
    elif payload.get("attachments") == []:
        shown["video"], shown["filename"] = None, ""
    return shown


def _shown_as(state: State, message_id: Any) -> Shown | None:
    """The message in the room, if it is still there."""
    try:
        return state.room.get(str(message_id))
    except KeyError:
        return None

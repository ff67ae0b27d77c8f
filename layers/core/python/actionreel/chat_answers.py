"""What is done about a message that was written in a chat: the task `Answer Message`.

Each step leaves a mark on the turn's record, so that the task can be tried again: what the model
wrote is kept before it is acted on, its videos are known by the turn's id, and its words are said
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from actionreel import messages, results, telling
from actionreel.actions import find_actions, without_actions
from actionreel.announcements import address, announce, ending
from actionreel.api_models import ActionsRequest
from actionreel.cancellation import ASKED_NOW, cancel
from actionreel.chats import Line, Told, Turn, TurnRef
from actionreel.commands import USAGE, tag_of
from actionreel.deliveries import point_at
from actionreel.errors import (
    ActionreelError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
    ProviderError,
    RequestError,
    StaleVideoError,
    VideoNotFoundError,
)
from actionreel.instructions import instructions
from actionreel.models import Place, Video
from actionreel.ports import Services
from actionreel.retries import retry

MAX_WRITTEN_BYTES = 90_000  # beside a message of 300 KB, in a record of 400 KB
RESULT = "Result of your action: "
_IN_CHATS = (
    "\nYou are in a chat. It shows each video by itself when it is ready, and tells how it comes"
    " on: do not ask for it with continueVideoPolling, and do not give its address.\n"
)
_EXCUSE = "Something went wrong on our side, and this message could not be answered."
_UNREACHABLE = "The model cannot be reached at the moment; please write that again later."
_OF_THE_MODEL = (ChatUnavailableError.__name__, ChatThrottledError.__name__)
_NO_MODEL = f"There is no model here to talk to. {USAGE}"
_SILENT = "The model had nothing to say."
_NOT_WELCOME = "The owner of this bot has not let you use it here."
_NO_LINK = "Its link cannot be given at the moment; ask for it again in a minute."
_NOT_YOURS = "Only who asked for this video can do that."


def answer(ref: TurnRef, services: Services) -> TurnRef:
    """Does what the message asks for; with `caught`, says that it could not be done.

    Raises ChatThrottledError and ChatUnavailableError where trying again may help.
    """
    turn = services.chats.turn(ref.tenant, ref.turn_id)
    if turn is None:
        return ref
    if ref.caught is not None:
        _excuse(turn, ref.caught, services)
        return ref
    message = turn.message
    match message.kind:
        case "command":
            _command(turn, services)
        case "tags":
            _act(turn, message.text, services)
        case "talk" if services.user_tags and find_actions(message.text):
            _act(turn, message.text, services)
        case "talk" | "result":
            _talk(turn, services)
        case "button":
            _say(turn, _press(turn, services), services)
        case "help":
            _say(turn, USAGE, services)
        case "refused":
            _say(turn, _NOT_WELCOME, services)
    return ref


def _command(turn: Turn, services: Services) -> None:
    try:
        tag = tag_of(turn.message.text, services.registry)
    except ActionreelError as error:
        _say(turn, str(error), services)
        return
    _act(turn, tag, services)


def _talk(turn: Turn, services: Services) -> None:
    """Has the model answer, and acts on its tags."""
    model, message = services.chat_model, turn.message
    if model is None:
        _say(turn, _NO_MODEL, services)
        return
    asked = f"{RESULT}{message.text}" if message.kind == "result" else message.text
    line = Line(role="user", text=asked)
    written = turn.written
    if written is None:
        before = services.chats.lines(turn.tenant, message.place)
        try:
            reply = model.reply(instructions(services.registry) + _IN_CHATS, [*before, line])
        except ChatRefusedError as error:
            _say(turn, str(error), services)
            return
        reply = reply.encode()[:MAX_WRITTEN_BYTES].decode(errors="ignore") or _SILENT
        written = services.chats.keep_written(turn.tenant, turn.turn_id, reply)
    memory = (line, Line(role="assistant", text=written))
    _act(turn, written, services, without_actions(written), memory)


def _act(
    turn: Turn, text: str, services: Services, words: str = "", memory: tuple[Line, ...] = ()
) -> None:
    """Acts on the tags of a text. Says its `words`, and what could not be done; then tells how its
    videos come on."""
    place = turn.message.place
    wanted = place.model_copy(
        update={
            "deferred": place.deferred and not words,
            "follows_up": place.follows_up or (bool(memory) and services.chat_follow_up),
        }
    )
    request = ActionsRequest(
        text=text, message_id=turn.turn_id, conversation_id=_conversation(place)
    )
    try:
        outcomes = messages.act(request, turn.tenant, services, turn.base_url, wanted)
    except RequestError as error:  # more tags than there can be answers
        _say(turn, str(error), services)
        return
    if place.platform == "callback":
        _call_back(turn, outcomes, services)
        return
    started, told = [], [words]
    for action, outcome in zip(find_actions(text), outcomes, strict=True):
        if not isinstance(outcome, Video):
            told.append(str(outcome))
        elif action.name == "createAIVideo":
            started.append(outcome)
        else:
            told.append(_how(outcome, services))
    filled = any(video.place and video.place.deferred for video in started)
    _say(_apart(turn) if filled else turn, "\n".join(filter(None, told)), services, memory)
    for video in started:
        announce(video, services)


def _press(turn: Turn, services: Services) -> str:
    """Does what a button says; returns what there is to say about it, if anything."""
    deed, _, video_id = turn.message.text.partition(":")
    author = turn.message.place.author
    try:
        video = messages.find(turn.tenant, video_id, services)
    except VideoNotFoundError as unknown:
        return str(unknown)
    if video.place is None:
        return str(VideoNotFoundError())
    if video.place.author not in (None, author):
        return _NOT_YOURS
    said = _cancel(video, services) if deed == "cancel" else _make_again(video, turn, services)
    return said and f"{telling.quoted(video)}: {said}"


def _make_again(video: Video, turn: Turn, services: Services) -> str:
    """See _press. The button with "anyway" in its name accepts that it may be charged twice."""
    again = services.videos.get(turn.tenant, video.retried_as) if video.retried_as else None
    if again is not None and again.deleted_at is None:
        announce(again, services)
        return "This was made again already." if not again.is_open else ""
    try:
        again = retry(
            turn.tenant,
            video.video_id,
            services,
            accept_double_charge=turn.message.text.startswith("retry_anyway:"),
            place=turn.message.place,
        )
    except StaleVideoError:
        return "This video is changing at the moment; try that again."
    except ActionreelError as error:
        return str(error)
    point_at(video.model_copy(update={"retried_as": again.video_id}), services)  # without a button
    announce(again, services)
    return ""


def _cancel(video: Video, services: Services) -> str:
    """See _press. Raises RequestError while the provider is asked: that takes seconds, and the task
    is tried again. A doubt takes minutes. Of a cancelled video its own message tells."""
    try:
        done = cancel(video.tenant, video.video_id, services)
    except RequestError as not_now:
        if not video.ambiguous:
            raise
        return f"It cannot be cancelled now. {not_now}"
    except ProviderError as error:
        return f"It was not cancelled, as far as we know. {error} Try that again in a minute."
    if done.outcome != "cancelled":
        return results.CANCELLATIONS[done.outcome]
    point_at(done.video, services)  # its execution will say it as well, when its wait is over
    return ""


def _say(turn: Turn, text: str, services: Services, memory: tuple[Line, ...] = ()) -> None:
    """Says the words of a turn, once; where an answer waits to be filled, that can be repeated."""
    place = turn.message.place
    if place.platform == "callback" or not (text or memory):
        return
    first = services.chats.claim_words(turn.tenant, turn.turn_id)
    if not first and not place.deferred:
        return
    try:
        if text:
            to = address(turn.tenant, place, services)
            services.chat(place.platform).post(to, Told(text), key=turn.turn_id)
    except ChatRefusedError:
        return  # there is nobody left to tell
    except ChatInDoubtError as error:
        if place.deferred:
            services.chats.give_words_back(turn.tenant, turn.turn_id)
            raise ChatUnavailableError(str(error)) from None
        return
    except (ChatThrottledError, ChatUnavailableError):
        services.chats.give_words_back(turn.tenant, turn.turn_id)
        raise
    if memory and first:
        services.chats.add_lines(turn.tenant, place, memory)


def _call_back(turn: Turn, outcomes: list[messages.Outcome], services: Services) -> None:
    """Tells a program what could not be begun; what was is told when it ends."""
    links = services.links(turn.base_url)
    refused = [
        results.result(outcome, services.now(), links, {})
        for outcome in outcomes
        if not isinstance(outcome, Video)
    ]
    if refused:
        document = {
            "type": "message.refused",
            "timestamp": turn.received_at.isoformat(),
            "data": {"eventId": turn.message.event_id, "results": refused},
        }
        with suppress(ChatRefusedError):  # there is nobody left to tell
            services.callbacks.call(turn.message.place.url or "", turn.turn_id, document)


def _how(video: Video, services: Services) -> str:
    """How a video stands that the message asks for."""
    try:
        told = telling.progress(video) if video.is_open else ending(video, services)
    except ChatUnavailableError:  # what else the message asks for is done and told all the same
        return f"{telling.quoted(video)} is ready. {_NO_LINK}"
    return f"{told.text} {told.link}" if told.link else told.text


def _conversation(place: Place) -> str:
    names = (place.platform, place.channel, place.thread or "")
    return ":".join(names).rstrip(":")[:200]


def _apart(turn: Turn) -> Turn:
    """The turn with its words beside an answer that waits to be filled: a video's fills that."""
    message = turn.message
    place = message.place.model_copy(update={"deferred": False})
    return turn.model_copy(update={"message": message.model_copy(update={"place": place})})


def _excuse(turn: Turn, caught: Mapping[str, Any], services: Services) -> None:
    """Says that a message could not be answered, by the name of the error alone; unless something
    was said, or videos were begun for it, which tell of themselves."""
    if turn.said or services.videos.made_videos(turn.tenant, turn.turn_id):
        return
    error, kind = str(caught.get("Error")), turn.message.kind
    excuse = _EXCUSE
    if turn.written is not None:
        excuse = without_actions(turn.written) or _EXCUSE  # it was the chat that had trouble
    elif kind in ("talk", "result") and error in _OF_THE_MODEL:
        excuse = _UNREACHABLE
    elif kind == "button" and error == RequestError.__name__:
        excuse = ASKED_NOW
    _say(turn, excuse, services)

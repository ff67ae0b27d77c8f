"""What must hold after every run of those who wait for results: told once, or why not (I7)."""

from __future__ import annotations

import re
from collections import Counter

from actionreel.models import Place, Video, file_key
from tests.simulation import aws
from tests.simulation.chatroom import Shown
from tests.simulation.people import People
from tests.simulation.world import World

# Reasons that do not say that nothing was shown.
_DOUBT = re.compile("may be there|did not answer|trouble of its own|did not say|broken off")
_TELLERS = ("AnswerMessageFunction", "DeliverResultFunction", "ChatFunction")
_NOT_NOW = "RequestError"  # what is asked for in between can only be done later
_ENDED = ("is ready.", "There is no video of ")
_MADE = re.compile("(about to be made|being made|made, and on its way here|in doubt: )")


def check(world: World, people: People, *, faultless: bool) -> None:
    """Notes every violation in the world."""
    for video in aws.records().values():
        if video.place is not None:
            _check_told(world, video, video.place)
            if faultless and video.delivery != "delivered":
                world.violate("I0", f"nothing went wrong, and {_name(video)} was not told")
    _check_words(world, people, faultless=faultless)
    for invocation in world.invocations:
        outcome = invocation.outcome
        if outcome is None or outcome.error in ("", _NOT_NOW) or invocation.struck:
            continue
        if invocation.function in _TELLERS:
            world.violate("I12", f"{invocation.function} fails by itself: {outcome.report}")


def _check_told(world: World, video: Video, place: Place) -> None:
    name = _name(video)
    if video.delivery not in ("delivered", "not_delivered"):
        world.violate("I7", f"{name} is {video.delivery} for ever")
    if video.delivery == "not_delivered" and not video.delivery_reason:
        world.violate("I7", f"{name} was not told, and nobody says why")
    if place.platform == "callback":
        told = sum(message_id == video.video_id for message_id, _ in world.chatroom.called)
    else:
        shown = world.chatroom.about(video.video_id)
        _check_shown(world, video, shown)
        told = sum(_tells(message, video) for message in shown)
    if video.delivery == "delivered" and not told and not _taken_away(world, video):
        world.violate("I7", f"{name} is said to be told, and is not")
    doubt = _DOUBT.search(video.delivery_reason or "")
    if video.delivery == "not_delivered" and told and not doubt:
        world.violate("I7", f"{name} was told, and is said not to be: {video.delivery_reason}")


def _check_shown(world: World, video: Video, shown: list[Shown]) -> None:
    """At most one film, of this very video; and nothing that goes on telling of its making."""
    name = _name(video)
    films = [message for message in shown if message.film is not None]
    if len(films) > 1:
        world.violate("I7", f"{name} is shown {len(films)} times")
    content = aws.stored(file_key(video.tenant, video.video_id, "mp4"))
    if any(message.film != content for message in films):
        world.violate("I7", f"{name} is shown as another film")
    for message in shown:
        if message.text.startswith(_ENDED) or not _MADE.search(message.text):
            continue
        known = message.id == video.announcement
        excused = message.untold or video.delivery == "not_delivered"
        if not excused if known else not _wronged(world):
            world.violate("I7", f"{name} has ended, and {message.id} says: {message.text}")


def _tells(message: Shown, video: Video) -> bool:
    """Whether the message tells the end."""
    if video.status == "completed":
        linked = message.link is not None and video.video_id in message.link
        return message.film is not None or linked
    reason = video.failure.message if video.failure else ""
    return message.text.startswith(_ENDED[1]) and reason in message.text


def _taken_away(world: World, video: Video) -> bool:
    """Whether a message that told it was there, and somebody has deleted it."""
    names = {video.video_id, f"{video.video_id}-progress"}
    return any(
        message.gone and names & set(message.keys) and _tells(message, video)
        for message in world.chatroom.messages
    )


def _check_words(world: World, people: People, *, faultless: bool) -> None:
    """The words of an answer are said once at most; a call for help has no other answer."""
    said = Counter(key for message in world.chatroom.messages for key in message.keys)
    turns = aws.turns()
    for message in people.messages:
        turn = turns.get(message.id) if message.in_chat else None
        if turn is None:
            continue
        words = len({shown.id for shown in world.chatroom.about(turn.turn_id)})
        if words > 1:
            world.violate("I7", f"the answer to {message.id} was said {words} times")
        if faultless and not message.prompts and not said[turn.turn_id]:
            world.violate("I0", f"nothing went wrong, and {message.id} was not answered")


def _wronged(world: World) -> bool:
    """Whether anything went wrong: what was written may be known to nobody then."""
    return world.crash_at is not None or any(fault.struck for fault in world.faults)


def _name(video: Video) -> str:
    return video.video_id[-4:]

"""The one message of a chat that tells how a video comes on: written once, then edited.

It can do without: trouble with it is nobody's trouble but its own.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

from actionreel import telling
from actionreel.chats import Address, Told, reply_token
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatUnavailableError,
    KeyUnavailableError,
    StaleVideoError,
)
from actionreel.models import OPEN_STATUSES, Place, Video
from actionreel.ports import Services


def announce(video: Video, services: Services) -> None:
    """Writes the message, or edits it if it says something else by now. At most one is ever
    written: one that may have been is not written again."""
    place = video.place
    if place is None or place.platform == "callback" or not video.is_open:
        return
    told = telling.progress(video)
    with suppress(ChatError, StaleVideoError):
        if video.announcement is not None:
            _edit(video, place, told, services)
        elif not video.announcing:
            _write(video, place, told, services)


def ending(video: Video, services: Services) -> Told:
    """What became of a video. Raises ChatUnavailableError if its link cannot be made now: it is
    told when it can be."""
    try:
        return telling.ended(video, services.links(video.base_url or ""))
    except KeyUnavailableError as error:
        raise ChatUnavailableError(str(error)) from None


def address(tenant: str, place: Place, services: Services) -> Address:
    """The place, with what lets us answer there while that can be used."""
    turn = services.chats.turn(tenant, place.turn_id) if place.turn_id else None
    return Address(place, reply_token(turn, services.now()) if turn else None)


def _edit(video: Video, place: Place, told: Told, services: Services) -> None:
    if told.text == video.shown or not video.announcement:
        return
    chat, to = services.chat(place.platform), address(video.tenant, place, services)
    shown = told.text
    try:
        chat.edit(to, video.announcement, told)
    except ChatInDoubtError:
        shown = ""  # it may say anything now
    try:
        services.videos.advance(video.tenant, video.video_id, OPEN_STATUSES, shown=shown)
    except StaleVideoError as stale:
        if isinstance(stale.video, Video):  # it has ended: the message must not take that back
            chat.edit(to, video.announcement, ending(stale.video, services))


def _write(video: Video, place: Place, told: Told, services: Services) -> None:
    names = video.tenant, video.video_id
    _claim(video, services)
    to = address(video.tenant, place, services)
    try:
        written = services.chat(place.platform).post(to, told, key=f"{video.video_id}-progress")
    except ChatInDoubtError:
        return
    except ChatError:
        services.videos.advance(*names, OPEN_STATUSES, announcing=False)
        raise
    now = services.videos.advance(*names, _ANY, announcement=written, shown=told.text)
    if not now.is_open and not now.owes_delivery:  # its end was told meanwhile, elsewhere
        services.chat(place.platform).edit(to, written, ending(now, services))


_ANY = (*OPEN_STATUSES, "completed", "failed", "cancelled", "expired", "unknown")


def _claim(video: Video, services: Services) -> None:
    """Takes the right to write the message. Raises StaleVideoError if somebody else has it."""
    us = str(uuid4())
    try:
        services.videos.advance(
            video.tenant,
            video.video_id,
            OPEN_STATUSES,
            expect={"announcing": False, "announcement": None},
            announcing=True,
            announcer=us,
        )
    except StaleVideoError as stale:
        if not isinstance(stale.video, Video) or stale.video.announcer != us:
            raise

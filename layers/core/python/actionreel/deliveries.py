"""Telling a result to the place that waits for it: the task `Deliver Result`.

The record says how far that is. It says `sending` before a video is sent that a second sending
would show twice; whoever finds it so, or hears nothing, does not send it again: the message that
told the progress then leads to the video, and an edit can be repeated without harm. Where there is
no such message, the record says that nobody knows whether the video has arrived.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from actionreel import results
from actionreel.announcements import address, announce, ending
from actionreel.chat_ports import ChatPlatform
from actionreel.chats import Address, ChatMessage, Film, Told, Turn
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
    KeyUnavailableError,
    StaleVideoError,
)
from actionreel.models import DeliveryStatus, Place, Video, VideoJob, file_key
from actionreel.ports import Services

# Seconds between the tries: an hour and eight minutes altogether, or two hours and more where each
# refusal asks for the longest wait that is granted.
WAITS = (2, 5, 15, 30, 60, 120, 300, 600, 1200, 1800)
_LONGEST_RETRY_AFTER = 600
_KNOWN_BY_ITS_KEY = timedelta(minutes=2)
_PASSING = (ChatThrottledError, ChatUnavailableError, ChatInDoubtError)


def tell(job: VideoJob, services: Services) -> VideoJob:
    """The tasks `Report Progress` and `Deliver Result`: tells what there is to tell. It is the
    record that says which: an execution may know less than that."""
    video = services.videos.get(job.tenant, job.video_id)
    if video is not None and video.is_open:
        announce(video, services)
        return job
    return deliver(job, services)


def deliver(job: VideoJob, services: Services) -> VideoJob:
    """Tells the result, once. What passes is tried again `later`; what does not is recorded."""
    video = services.videos.get(job.tenant, job.video_id)
    if video is None or video.place is None or video.is_open:
        return _told(job)
    if video.owes_delivery:
        last = job.tellings >= len(WAITS)
        try:
            video = _settle(video, services, _try(video, services, last=last), last=last)
        except _PASSING as error:
            return _later(job, error)
        except StaleVideoError:
            return _later(job)  # another run of this task is at it
    try:
        _follow_up(video, services)
    except _PASSING as error:
        if job.tellings < len(WAITS):
            return _later(job, error)
    return _told(job)


def give_up(video: Video, services: Services, reason: str) -> None:
    """Notes that the result was not told. Raises StaleVideoError if the record changes under our
    hands. It writes to no chat: who calls it may not."""
    now = services.videos.get(video.tenant, video.video_id)
    if now is not None and now.owes_delivery:
        _note(now, services, reason)


def _try(video: Video, services: Services, *, last: bool) -> str | None:
    """Tells the result; returns why not, or None. Raises what passes, unless it is the `last` try:
    then at least the message that told the progress says what became of the video."""
    assert video.place is not None
    try:
        _deliver(video, video.place, services)
        return None
    except ChatRefusedError as error:
        return str(error)
    except _PASSING as error:
        if not last:
            raise
        return None if point_at(video, services) else str(error)


def point_at(video: Video, services: Services) -> bool:
    """Has the message that told the progress tell the result; False if it cannot."""
    place = video.place
    if place is None or place.platform == "callback" or video.announcement is None:
        return False
    with suppress(ChatError):
        to = address(video.tenant, place, services)
        services.chat(place.platform).edit(to, video.announcement, ending(video, services))
        return True
    return False


def _settle(video: Video, services: Services, reason: str | None, *, last: bool) -> Video:
    """Notes what came of the delivery: that it was made, or the reason why it was not.

    A message that was to tell the progress, and was written meanwhile, must not go on saying that
    the video is being made: it is mended before. Raises what passes of that, but not the `last`
    time, and StaleVideoError if the record changes under our hands.
    """
    now = services.videos.get(video.tenant, video.video_id)
    if now is None or not now.owes_delivery:
        return now or video
    if now.announcement != video.announcement and not point_at(now, services) and not last:
        raise ChatUnavailableError("The message that tells the progress could not be changed.")
    return _note(now, services, reason)


def _note(video: Video, services: Services, reason: str | None) -> Video:
    noted = services.videos.advance(
        video.tenant,
        video.video_id,
        {video.status},
        expect={"delivery": video.delivery, "announcement": video.announcement},
        delivery="not_delivered" if reason else "delivered",
        delivery_reason=reason,
    )
    if reason:
        services.measure("ResultsNotDelivered")
    return noted


def _deliver(video: Video, place: Place, services: Services) -> None:
    if place.platform == "callback":
        services.callbacks.call(place.url or "", video.video_id, _callback(video, services))
        return
    chat = services.chat(place.platform)
    to = address(video.tenant, place, services)
    if video.delivery == "sending" and not _repeats_safely(video, chat, services):
        _say(video, to, chat, services, in_doubt=True)
    elif video.status == "completed" and (video.bytes or 0) <= chat.upload_limit:
        _send(video, to, chat, services)
    else:
        _say(video, to, chat, services)


def _repeats_safely(video: Video, chat: ChatPlatform, services: Services) -> bool:
    """A message of its own is known by its key for some minutes only; an edit always is."""
    if not chat.repeats_safely or video.announcement is not None:
        return chat.repeats_safely
    since = video.sending_since
    return since is not None and services.now() - since < _KNOWN_BY_ITS_KEY


def _send(video: Video, to: Address, chat: ChatPlatform, services: Services) -> None:
    """Shows the video itself; where the platform will not have it, the link."""
    key = file_key(video.tenant, video.video_id, "mp4")
    filename = f"{video.video_id}.mp4"
    film = Film(
        filename=filename,
        size=video.bytes or 0,
        url=services.storage.link(key, filename, download=False),
        content=lambda: _content(key, services),
    )
    told = ending(video, services)
    sending = _mark(video, services, "sending")
    try:
        replaced = chat.send_video(to, video.announcement, told, film, video.video_id)
    except ChatInDoubtError:
        if chat.repeats_safely:
            raise
        _say(sending, to, chat, services, in_doubt=True)
    except ChatRefusedError:
        _say(_mark(sending, services, "owed"), to, chat, services)
    except ChatError:
        _mark(sending, services, "owed")
        raise
    else:
        if video.announcement and not replaced:
            _take_back(chat, to, video.announcement, told)


def _content(key: str, services: Services) -> bytes:
    """The file. Trouble with it says nothing about the chat: nothing was sent."""
    try:
        return services.storage.read(key)
    except Exception:
        raise ChatUnavailableError("The file cannot be read now.") from None


def _take_back(chat: ChatPlatform, to: Address, announcement: str, told: Told) -> None:
    """What told the progress must not go on saying that the video is being made. Trouble with that
    which passes is met as a doubt is: the next run has the message lead to the video."""
    try:
        chat.take_back(to, announcement)
    except ChatRefusedError:
        with suppress(ChatRefusedError):
            chat.edit(to, announcement, told)


def _say(
    video: Video, to: Address, chat: ChatPlatform, services: Services, *, in_doubt: bool = False
) -> None:
    """Tells the result in words: in the message that told the progress, or in a new one."""
    told = ending(video, services)
    if video.announcement is not None:
        try:
            chat.edit(to, video.announcement, told)
            return
        except ChatRefusedError:
            pass  # it is gone, or can be edited no more
    if in_doubt:
        raise ChatRefusedError("Nobody can say whether the chat took it; it may be there.")
    sending = _mark(video, services, "sending")
    try:
        chat.post(to, told, key=video.video_id)
    except ChatInDoubtError as error:
        if chat.repeats_safely:
            raise
        raise ChatRefusedError(f"{error} It may be there.") from None
    except ChatError:
        _mark(sending, services, "owed")
        raise


def _mark(video: Video, services: Services, delivery: DeliveryStatus) -> Video:
    """Raises StaleVideoError if somebody else has come further meanwhile. A mark whose answer got
    lost, and that is then found there, is our own."""
    us, begins = str(uuid4()), delivery == "sending" and video.delivery != "sending"
    try:
        return services.videos.advance(
            video.tenant,
            video.video_id,
            {video.status},
            expect={"delivery": video.delivery},
            delivery=delivery,
            deliverer=us,
            **({"sending_since": services.now()} if begins else {}),
        )
    except StaleVideoError as stale:
        if isinstance(stale.video, Video) and stale.video.deliverer == us:
            return stale.video
        raise


def _told(job: VideoJob) -> VideoJob:
    return job.model_copy(update={"tell": None})


def _later(job: VideoJob, error: ChatError | None = None) -> VideoJob:
    wait = WAITS[min(job.tellings, len(WAITS) - 1)]
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        wait = max(1, min(round(asked) + 1, _LONGEST_RETRY_AFTER))
    told = {"tell": "later", "wait_seconds": wait, "tellings": job.tellings + 1}
    return job.model_copy(update=told)


def result_of(video: Video, services: Services) -> dict[str, Any]:
    """The result as `POST /actions` would give it. Raises ChatUnavailableError if its link cannot
    be made now: whoever is told a result is not told it again."""
    links = services.links(video.base_url or "")
    try:
        results.video_url(video, links)
    except KeyUnavailableError as error:
        raise ChatUnavailableError(str(error)) from None
    return results.result(video, services.now(), links, {})


def _callback(video: Video, services: Services) -> dict[str, Any]:
    kind = "video.completed" if video.status == "completed" else "video.failed"
    at = (video.completed_at or services.now()).isoformat()
    return {"type": kind, "timestamp": at, "data": result_of(video, services)}


def _follow_up(video: Video, services: Services) -> None:
    """Has the model see the result, if it wanted to; a message leads to a few turns at most."""
    place = video.place
    if place is None or not place.follows_up or not place.turn_id:
        return
    before = services.chats.turn(video.tenant, place.turn_id)
    if before is None or services.chat_model is None:
        return
    text = json.dumps(result_of(video, services))
    root, turn_id = before.root or before.turn_id, f"{video.video_id}-result"
    if not services.chats.take_turn(video.tenant, root, turn_id):
        return
    message = ChatMessage(
        kind="result",
        event_id=turn_id,
        place=place.model_copy(update={"deferred": False, "turn_id": turn_id}),
        text=text,
        reply_token=before.message.reply_token,
    )
    services.chats.add_turn(
        Turn(
            tenant=video.tenant,
            turn_id=turn_id,
            message=message,
            base_url=before.base_url,
            received_at=before.received_at,
            root=root,
        )
    )
    services.start_turn(video.tenant, turn_id)

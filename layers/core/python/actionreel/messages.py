"""A message in, what came of each of its actions out: the verb behind `POST /actions`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from actionreel import budgets
from actionreel.accounts import Caps
from actionreel.actions import Action, find_actions
from actionreel.api_models import ActionsRequest
from actionreel.errors import (
    ActionreelError,
    InvalidActionError,
    MessageSeenError,
    QuotaError,
    RequestError,
    TooManyActionsError,
    VideoNotFoundError,
    WorkflowError,
)
from actionreel.models import MessageSeen, Place, Video, is_video_id
from actionreel.offers import new_video
from actionreel.ports import Services
from actionreel.video_request import polled_video_id, video_request

MAX_CREATES = 5
MAX_POLLS = 100
MAX_ANSWER_BYTES = 4 * 1024**2  # Lambda gives back at most 6 MB
RESULT_BYTES = 1000  # of a result without its meta, and more

_DELETED = "The video that this made was deleted. Ask anew for it, under another id."

Outcome = Video | ActionreelError


def act(
    message: ActionsRequest,
    tenant: str,
    services: Services,
    base_url: str | None = None,
    place: Place | None = None,
) -> list[Outcome]:
    """Acts on every tag of the message; an outcome for each, in the order of the text.

    A message that came before (same `message_id`, same text) starts nothing and gives the outcomes
    of the videos that it made then. `base_url` is the address by which the caller reached us, where
    providers reach us, too; `place` is where the results go. Raises MessageMismatchError if it came
    with another text.
    """
    actions = find_actions(message.text)
    _check_answer_size(len(actions), message.meta)
    polls = [action for action in actions if action.name == "continueVideoPolling"]
    creates = [action for action in actions if action.name == "createAIVideo"]
    outcomes = {
        "continueVideoPolling": iter(_poll(polls, tenant, services)),
        "createAIVideo": iter(_create(creates, message, tenant, services, base_url, place)),
    }
    return [next(outcomes[action.name]) for action in actions]


def create(
    body: dict[str, object],
    tenant: str,
    services: Services,
    base_url: str | None = None,
    *,
    message_id: str | None = None,
    **known: Any,
) -> Video:
    """Starts one video, asked for by what a tag would hold; for callers that write no tags.

    The same `message_id` and body give the same video. `known` is what its record has besides.
    Raises InvalidActionError, QuotaError and MessageMismatchError.
    """
    message, action = as_message(body, message_id), Action("createAIVideo", body)
    planned = _planned(action, 1, message, tenant, services, base_url, None, **known)
    return keep_one(planned, message, tenant, services)


def as_message(asked: dict[str, object], message_id: str | None) -> ActionsRequest:
    """The message that stands for a request without tags: the same for the same request."""
    text = json.dumps(asked, sort_keys=True, default=str)
    return ActionsRequest(text=text, message_id=message_id)


def keep_one(planned: Outcome, message: ActionsRequest, tenant: str, services: Services) -> Video:
    """Keeps what a message with one action makes, and starts it; raises why there is no video."""
    [outcome] = _keep([planned], message, tenant, services)
    if isinstance(outcome, ActionreelError):
        raise outcome
    return outcome


def find(tenant: str, video_id: str, services: Services) -> Video:
    """The record of a video; raises VideoNotFoundError for an id that is unknown, malformed,
    another tenant's or a deleted video's."""
    video = services.videos.get(tenant, video_id) if is_video_id(video_id) else None
    if video is None or video.deleted_at is not None:
        raise VideoNotFoundError
    return video


def _check_answer_size(results: int, meta: dict[str, Any]) -> None:
    """Every result repeats `meta`. What would be too long an answer must be said before anything
    is started, or paid videos would be answered with an error of Lambda's."""
    if results * (len(json.dumps(meta)) + RESULT_BYTES) > MAX_ANSWER_BYTES:
        raise RequestError(413, "too_large", "The text has too many tags for one answer.")


def _poll(actions: Sequence[Action], tenant: str, services: Services) -> list[Outcome]:
    """Looks all the videos up at once."""
    asked = [_asked_for(action, number) for number, action in enumerate(actions, 1)]
    ids = {video_id for video_id in asked if isinstance(video_id, str)}
    found = services.videos.get_many(tenant, ids) if ids else {}
    there = {name: video for name, video in found.items() if video.deleted_at is None}
    return [
        there.get(video_id) or VideoNotFoundError() if isinstance(video_id, str) else video_id
        for video_id in asked
    ]


def _asked_for(action: Action, number: int) -> str | ActionreelError:
    try:
        _at_most(MAX_POLLS, number, "videos can be asked for")
        video_id = polled_video_id(_body(action))
        return video_id if is_video_id(video_id) else VideoNotFoundError()
    except ActionreelError as error:
        return error


def _create(
    actions: Sequence[Action],
    message: ActionsRequest,
    tenant: str,
    services: Services,
    base_url: str | None,
    place: Place | None,
) -> list[Outcome]:
    """Plans a video for each of the actions, and makes those that can be made."""
    outcomes = [
        _planned(action, number, message, tenant, services, base_url, place)
        for number, action in enumerate(actions, 1)
    ]
    return _keep(outcomes, message, tenant, services)


def _keep(
    outcomes: list[Outcome], message: ActionsRequest, tenant: str, services: Services
) -> list[Outcome]:
    """Writes the records that were planned, then starts the executions; the order matters: what was
    promised to the caller is on record before anything runs. Of a message that came before it gives
    what came of it then.

    A message of which the caps allow nothing is not remembered: it can come again."""
    videos = [outcome for outcome in outcomes if isinstance(outcome, Video)]

    def write(kept: list[Video], caps: Sequence[Caps]) -> None:
        services.videos.add(tenant, kept, _seen(message, outcomes, kept), caps)

    if videos or message.message_id is not None:
        try:
            if seen := _seen(message, outcomes, []):
                services.videos.check_seen(tenant, seen)
            found = budgets.within(tenant, videos, services, write)
        except MessageSeenError as before:
            return _as_before(outcomes, before, tenant, services)
        outcomes = [
            found[outcome.video_id] if isinstance(outcome, Video) else outcome
            for outcome in outcomes
        ]
    return [
        start(outcome, services) if isinstance(outcome, Video) else outcome for outcome in outcomes
    ]


def _planned(
    action: Action,
    number: int,
    message: ActionsRequest,
    tenant: str,
    services: Services,
    base_url: str | None,
    place: Place | None,
    **known: Any,
) -> Outcome:
    """The record of a video that can be made, or why it cannot."""
    try:
        _at_most(MAX_CREATES, number, "videos can be started")
        request, notices = video_request(_body(action), services.registry)
        if place and number > 1:  # an answer that waits to be filled is filled once
            place = place.model_copy(update={"deferred": False})
        return new_video(
            request,
            notices,
            services,
            tenant=tenant,
            conversation_id=message.conversation_id,
            message_id=message.message_id,
            base_url=base_url,
            place=place,
            **known,
        )
    except ActionreelError as error:
        return error


def _at_most(limit: int, number: int, what: str) -> None:
    if number > limit:
        raise TooManyActionsError(f"At most {limit} {what} in one message.")


def _body(action: Action) -> dict[str, object]:
    if action.body is None:
        raise InvalidActionError(action.error or "")
    return action.body


def _as_before(
    now: list[Outcome], then: MessageSeenError, tenant: str, services: Services
) -> list[Outcome]:
    """What the actions of a message that came again give: what they gave then."""
    ids = [video_id for video_id in then.video_ids if video_id is not None]
    known = services.videos.get_many(tenant, ids) if ids else {}
    records: dict[str, Outcome] = {
        name: VideoNotFoundError(_DELETED) if record.deleted_at else record
        for name, record in known.items()
    }
    for record in known.values():
        if record.status == "queued":  # perhaps we were cut off before its execution was started
            start(record, services)
    refused = InvalidActionError("When this message came first, this could not be carried out.")
    capped = QuotaError("When this message came first, a cap did not allow this. Ask anew for it.")

    def gave(place: int, outcome: Outcome, video_id: str | None) -> Outcome:
        if place in then.capped:
            return capped
        return records.get(video_id or "") or (refused if isinstance(outcome, Video) else outcome)

    pairs = zip_longest(now, then.video_ids[: len(now)])
    return [gave(place, *pair) for place, pair in enumerate(pairs)]


def _seen(
    message: ActionsRequest, outcomes: Sequence[Outcome], kept: Sequence[Video]
) -> MessageSeen | None:
    if message.message_id is None:
        return None
    made = {video.video_id for video in kept}
    planned = [outcome.video_id if isinstance(outcome, Video) else None for outcome in outcomes]
    return MessageSeen(
        message_id=message.message_id,
        text_digest=hashlib.sha256(message.text.encode()).hexdigest(),
        video_ids=tuple(name if name in made else None for name in planned),
        capped=tuple(place for place, name in enumerate(planned) if name and name not in made),
    )


def start(video: Video, services: Services) -> Video:
    """Starts the execution of a video that waits for it. If that fails, the record stays as it is:
    it is promised to the caller by now, and the sweep starts what was not started."""
    with suppress(WorkflowError):
        services.workflow.start(video)
    return video

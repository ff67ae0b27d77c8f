"""The documents of Actionreel: what a video is, and what an execution knows.

Times are UTC, durations whole seconds, money US dollars. Documents are frozen: a change is a copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

VideoStatus = Literal[
    "queued",
    "submitting",
    "generating",
    "storing",
    "completed",
    "failed",
    "cancelled",
    "expired",
    "unknown",
]
OPEN_STATUSES: tuple[VideoStatus, ...] = ("queued", "submitting", "generating", "storing")

ErrorCode = Literal[
    "invalid_action",
    "too_many_actions",
    "not_found",
    "moderation",
    "invalid_input",
    "quota",
    "rate_limited",
    "provider_unavailable",
    "provider_rejected",
    "timeout",
    "expired",
    "cancelled",
    "outcome_unknown",
    "storage",
    "internal",
]


_VIDEO_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Whatever an adapter needs to find its job again: opaque to everybody else, at most 2 KB.
Handle = dict[str, JsonValue]

# How an adapter finds out what became of a create that went unanswered: it asks again with the same
# idempotency key, it lists the provider's jobs, or it cannot.
Recovery = Literal["key", "list", "none"]

ExecutionState = Literal["running", "ended", "absent"]

CancelOutcome = Literal["cancelled", "too_late", "unsupported"]

Platform = Literal["slack", "discord", "telegram", "callback"]

# Of a result to the place that waits for it: `owed` until it is `sending`, which is where it stays
# if nobody hears what became of that.
DeliveryStatus = Literal["owed", "sending", "delivered", "not_delivered"]


class Document(BaseModel):
    """Frozen, strict about unknown fields, and silent about values when it complains of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Passed(Document):
    """A document that passes between releases: what another one added to it is ignored."""

    model_config = ConfigDict(extra="ignore")


class VideoRequest(Passed):
    """What is asked of a provider, after the contract's rules: every value is one it offers.

    `remixes` is the handle of a job of the same provider's that this one makes anew.
    """

    prompt: str
    model: str
    seconds: int
    size: str | None = None
    input_reference_url: str | None = None
    remixes: Handle | None = None


class Place(Passed):
    """Where a result goes: a thread of a chat, or a program's address. Holds no secret of ours.

    `channel`, `thread`, `reply_to` and `author` are the platform's ids of the channel or chat, the
    thread in it, the message that is answered, and who wrote it. `turn_id` names the message's own
    record. `deferred` says that the platform shows an empty answer that is for this result to fill;
    `follows_up` that the model wants to see the result. `url` is a program's, for `callback`.
    """

    platform: Platform
    channel: str = ""
    thread: str | None = None
    reply_to: str | None = None
    author: str | None = None
    turn_id: str | None = None
    deferred: bool = False
    follows_up: bool = False
    url: str | None = None


class Choice(Passed):
    """A model at a provider, and what it would be asked for in place of the request's own."""

    provider: str
    model: str
    seconds: int
    size: str | None = None
    deadline_seconds: int


class Reservation(Passed):
    """What is counted for a video until it has ended: on the account of that day (of UTC), beside
    the video itself its seconds and the US dollars that it may cost."""

    day: date
    seconds: int
    usd: Decimal


class Failure(Passed):
    """Why there is no video. `message` is a sentence for the reader."""

    code: ErrorCode
    message: str
    retryable: bool = False
    maybe_charged: bool = False


class ProviderAnswer(Document):
    """What a provider said of a job, in our words.

    `took_seconds` is the provider's own figure for its work, `cost_usd` its own price, if given;
    `webhook` says that the provider will call us when the job has ended.
    """

    phase: Literal["pending", "completed", "failed", "cancelled"]
    handle: Handle | None = None
    progress: int | None = None
    failure: Failure | None = None
    took_seconds: int | None = None
    cost_usd: Decimal | None = None
    webhook: bool = False


@dataclass(frozen=True)
class Asset:
    """A file as a provider streams it."""

    chunks: Iterator[bytes]


@dataclass(frozen=True)
class StoredObject:
    """A file that a provider has put into a bucket of ours."""

    bucket: str
    key: str


class CaughtError(Passed):
    """An error as Step Functions writes it when a task's `Catch` takes it."""

    error: str = Field(alias="Error")
    cause: str = Field(alias="Cause", default="")


class VideoJob(Passed):
    """The state of the state machine: goes into every task and comes out of it.

    It is what this execution knows; the truth about a video is its record (`Video`). Provider and
    deadline are the model's at the start: an execution outlives changes of the registry.

    `status` says where it goes from here: `queued` to ask the provider (again), `ambiguous` to find
    out what became of a request, `pending` to look at the job, `completed` to fetch its file, the
    others to the end. `fence` names
    the request whose job this is; `released` those that certainly made none; `asks` and `looks`
    count the requests, and the looks for a lost one; `unprovable` says that it can be there without
    being listed. `alternatives` are where it is sent after a
    verified refusal, in order; `awaits_webhook` says that the provider may end a wait. `reports`
    says that somebody watches the progress, `tell` that somebody waits for the result: it is told
    `now`, or `later`, after the `tellings` that were in vain.
    """

    tenant: str
    video_id: str
    request: VideoRequest
    provider: str
    deadline_seconds: int
    alternatives: tuple[Choice, ...] = ()
    notices: tuple[str, ...] = ()
    base_url: str | None = None
    status: Literal[
        "queued", "ambiguous", "pending", "completed", "stored", "failed", "cancelled", "unknown"
    ] = "queued"
    fence: str | None = None
    released: tuple[str, ...] = ()
    asks: int = 0
    looks: int = 0
    unprovable: bool = False
    handle: Handle | None = None
    submitted_at: datetime | None = None
    wait_seconds: int | None = None
    awaits_webhook: bool = False
    not_found: int = 0
    took_seconds: int | None = None
    cost_usd: Decimal | None = None
    trouble: str | None = None
    failure: Failure | None = None
    caught: CaughtError | None = None
    reports: bool = False
    tell: Literal["now", "later"] | None = None
    tellings: int = 0


class Video(Document):
    """The record of a video. Its status moves forward (only from `submitting`, where the provider
    certainly made no job, back to `queued`); an ending is never overwritten.

    `failed` means that nothing was charged. What may have been charged ends `unknown`, unless it
    was cancelled or has expired. `fence` names the request that was sent last, at `asked_at`;
    `ambiguous` says that what became of one could not be told at some time, `resent` that another
    one followed it. `resumes` counts the executions that were started in place of a dead one.
    `model` and `provider` are what was asked last, `alternatives` what comes after a refusal;
    `base_url` is the address at which a provider's webhook reaches us. `place` is where the result
    goes, `delivery` how far it has come there, and `delivery_reason` why it did not;
    `announcement` is the message there that tells the progress, and `shown` what it says;
    `announcing` that it was written, or may have been. `announcer` and `deliverer` name the runs
    that noted that last, so that each knows its own note. `reservation` is what is counted for it.
    `deleted_at` hides the record from its tenant. `remix_of` is the video that this one makes anew,
    by the job `remixes`. `request_digest` tells a client's second try of a request.
    `link_revision` says how often its links were revoked.
    """

    tenant: str
    video_id: str
    status: VideoStatus = "queued"
    progress: int | None = None
    prompt: str
    model: str
    provider: str
    deadline_seconds: int = 1800
    seconds: int
    size: str | None = None
    input_reference_url: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    notices: tuple[str, ...] = ()
    alternatives: tuple[Choice, ...] = ()
    base_url: str | None = None
    remixes: Handle | None = None
    remix_of: str | None = None
    request_digest: str | None = None
    deleted_at: datetime | None = None
    retry_of: str | None = None
    retried_as: str | None = None
    created_at: datetime
    asked_at: datetime | None = None
    submitted_at: datetime | None = None
    next_check_at: datetime | None = None
    completed_at: datetime | None = None
    fence: str | None = None
    ambiguous: bool = False
    resent: bool = False
    resumes: int = 0
    handle: Handle | None = None
    bytes: int | None = None
    poster_key: str | None = None
    link_revision: int = 0
    failure: Failure | None = None
    cost_usd: Decimal | None = None
    reservation: Reservation | None = None
    place: Place | None = None
    announcing: bool = False
    announcer: str | None = None
    announcement: str | None = None
    shown: str | None = None
    delivery: DeliveryStatus | None = None
    delivery_reason: str | None = None
    deliverer: str | None = None
    sending_since: datetime | None = None

    def job(self) -> VideoJob:
        """The document that this video's execution starts with. It has no clock in it: the same
        record gives the same bytes."""
        asked = self.model_dump(include=set(VideoRequest.model_fields))
        return VideoJob(
            tenant=self.tenant,
            video_id=self.video_id,
            request=VideoRequest.model_validate(asked),
            provider=self.provider,
            deadline_seconds=self.deadline_seconds,
            alternatives=self.alternatives,
            notices=self.notices,
            base_url=self.base_url,
            reports=self.place is not None and self.place.platform != "callback",
            tell="now" if self.place else None,
        )

    @property
    def choice(self) -> Choice:
        """The offer that it was sent to last, or will be first."""
        return Choice.model_validate({name: getattr(self, name) for name in Choice.model_fields})

    @property
    def execution(self) -> str:
        """The name of the execution that makes this video."""
        return f"{self.video_id}-{self.resumes}" if self.resumes else self.video_id

    @property
    def is_open(self) -> bool:
        """Whether something may still happen to this video."""
        return self.status in OPEN_STATUSES

    @property
    def owes_delivery(self) -> bool:
        """Whether somebody waits for the result that this video has, and has not been told it."""
        return self.delivery in ("owed", "sending")

    @property
    def owed(self) -> dict[str, DeliveryStatus]:
        """What the record of this video says at its end, beside the end itself."""
        return {"delivery": "owed"} if self.place else {}


class Cancellation(NamedTuple):
    """What came of a wish to cancel, and the record afterwards."""

    outcome: CancelOutcome
    video: Video


def is_video_id(value: str) -> bool:
    """Whether this can be the id of a video: a UUID, as we write it."""
    return _VIDEO_ID.fullmatch(value) is not None


def file_key(tenant: str, video_id: str, extension: str) -> str:
    """Where a file of a video is kept in the bucket."""
    return f"videos/{tenant}/{video_id}.{extension}"


class MessageSeen(Document):
    """A message that was acted on: its id, a digest of its text, and for each of its creates the
    video that it made, None where it made none. `capped` are the places, from 0, of those that a
    cap refused."""

    message_id: str
    text_digest: str
    video_ids: tuple[str | None, ...]
    capped: tuple[int, ...] = ()

"""What crosses the API, in the shapes that the contract promises: camelCase names.

The OpenAPI schema is made of these.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.alias_generators import to_camel

from actionreel.models import CancelOutcome, DeliveryStatus, ErrorCode, Platform, VideoStatus

RESERVED_META = (  # what results have themselves, and `meta` cannot
    "type",
    "data",
    "results",
    "error",
    "code",
    "retryable",
    "retryAfterSeconds",
    "videoId",
    "maybeCharged",
    "notices",
)


class ApiDocument(BaseModel):
    """What crosses the API: camelCase names."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class ActionsRequest(ApiDocument):
    """The body of `POST /actions`. A field that is unknown is refused: it may be a `messageId`
    with another spelling, and then the message would count twice."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The assistant's message, as the model wrote it: 200 KB at most.")
    message_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Names this message: sent again, it starts nothing and gives the same results.",
    )
    conversation_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Kept on the records, and a filter of the list.",
    )
    callback_url: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="A public https address that the results are sent to, too.",
        json_schema_extra={"format": "uri"},
    )
    meta: dict[str, Any] = Field(
        default_factory=dict,
        description="Spread into every result: 16 KB at most.",
        json_schema_extra={"propertyNames": {"not": {"enum": list(RESERVED_META)}}},
    )


class ErrorBody(ApiDocument):
    """Every error of the API. `retryable` is there, and true, if the same request may work later;
    `retryAfterSeconds` if it is known when."""

    error: str
    code: str
    retryable: bool | None = None
    retry_after_seconds: int | None = None


class _Result(ApiDocument):
    """What all results have: notices if a value was changed, and the caller's `meta`."""

    model_config = ConfigDict(extra="allow")

    notices: list[str] | None = None


class PendingData(ApiDocument):
    """Where a video stands; `progress` in percent, if the provider tells."""

    video_id: str
    message: str
    status: Literal["queued", "generating", "storing"]
    progress: int | None
    retry_after_seconds: int


class PendingResult(_Result):
    """The video is being made."""

    type: Literal["VIDEO_PENDING"]
    data: PendingData


class ChatVideoData(ApiDocument):
    """Where the finished video is."""

    video_id: str
    video_url: str
    poster_url: str | None


class ChatVideoResult(_Result):
    """The video is there."""

    type: Literal["CHAT_VIDEO"]
    data: ChatVideoData


class ErrorResult(_Result):
    """There is no video; `error` is a sentence for the reader. `retryAfterSeconds` is there if it
    is known when another try can succeed, `maybeCharged` (true) if the provider may charge for a
    video that it has made or may have made."""

    error: str
    code: ErrorCode
    retryable: bool
    retry_after_seconds: int | None = None
    video_id: str | None = None
    maybe_charged: bool | None = None


class ActionsResponse(ApiDocument):
    """The body of the answer to `POST /actions`: CONTINUE if the text holds no action."""

    model_config = ConfigDict(extra="allow")

    type: Literal["RESPONSE", "CONTINUE"]
    results: list[PendingResult | ChatVideoResult | ErrorResult] | None = None


class VideoError(ApiDocument):
    """Why a video ended without a file, as its record shows it."""

    code: ErrorCode
    message: str
    retryable: bool


class DeliveryView(ApiDocument):
    """Where a result goes, and whether it was told there; `status` is None while the video is made,
    `reason` says why it was not told."""

    to: Platform
    status: DeliveryStatus | None
    reason: str | None


class VideoView(ApiDocument):
    """A record, as the API shows it."""

    video_id: str
    status: VideoStatus
    progress: int | None
    prompt: str
    model: str
    provider: str
    seconds: int
    size: str | None
    input_reference_url: str | None
    conversation_id: str | None
    message_id: str | None
    retry_of: str | None
    retried_as: str | None
    notices: list[str]
    created_at: datetime
    submitted_at: datetime | None
    completed_at: datetime | None
    video_url: str | None
    poster_url: str | None
    bytes: int | None
    error: VideoError | None
    maybe_charged: bool
    cost_usd: float | None
    delivery: DeliveryView | None


class RetryRequest(ApiDocument):
    """The body of `POST /videos/{videoId}/retry`."""

    model_config = ConfigDict(extra="forbid")

    accept_double_charge: StrictBool = False


class CancellationView(ApiDocument):
    """What came of a `DELETE /videos/{videoId}`, and the record afterwards."""

    outcome: CancelOutcome
    message: str
    video: VideoView


class VideoPage(ApiDocument):
    """The body of `GET /videos`: newest first; `cursor` asks for the next page."""

    videos: list[VideoView]
    cursor: str | None


class CapsView(ApiDocument):
    """How much may be made: each day, and at one time; null is no cap."""

    videos: int | None
    seconds: int | None
    usd: float | None
    concurrent: int | None


class UsedView(ApiDocument):
    """What was used on a day (of UTC): what was made, and what is reserved for what is being made;
    `usd` by list prices or what the provider says."""

    day: date
    videos: int
    seconds: int
    usd: float


class UsageView(ApiDocument):
    """The body of `GET /usage`: today, how much may be made, and the days before, newest first.

    `deploymentCaps` are those of all tenants together. `paused` says that no video is started now,
    `resetsAt` when the day's caps free.
    """

    today: UsedView
    running: int
    caps: CapsView
    deployment_caps: CapsView
    paused: bool
    resets_at: datetime
    days: list[UsedView]

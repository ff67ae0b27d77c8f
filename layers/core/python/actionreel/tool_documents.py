"""What the tools answer, compact for a model that reads it: what is not known is left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from actionreel.api_models import ApiDocument
from actionreel.models import CancelOutcome, ErrorCode, VideoStatus


class ToolVideo(ApiDocument):
    """A video: where it stands, what to do next, and where it is once it is completed."""

    video_id: str
    status: VideoStatus
    next: str | None = Field(default=None, description="what to do next, in a sentence")
    retry_after_seconds: int | None = Field(
        default=None, description="when asking again can bring news; there is no use in it before"
    )
    progress: int | None = Field(default=None, description="percent, if the provider tells")
    video_url: str | None = Field(default=None, description="the file, once it is completed")
    poster_url: str | None = None
    error: str | None = Field(default=None, description="why there is no video, for the reader")
    code: ErrorCode | None = None
    retryable: bool | None = Field(
        default=None, description="whether asking for the same video again may work"
    )
    maybe_charged: bool | None = Field(
        default=None, description="true if the video may have been paid for all the same"
    )
    prompt: str | None = None
    model: str
    seconds: int
    size: str | None = None
    created_at: datetime
    notices: list[str] | None = Field(
        default=None, description="what was changed about what was asked for"
    )


class ToolVideos(ApiDocument):
    """Videos, newest first; with a `cursor` there are more."""

    videos: list[ToolVideo]
    cursor: str | None = None


class ToolCancellation(ApiDocument):
    """What came of a cancellation, and the video afterwards."""

    outcome: CancelOutcome
    message: str
    video: ToolVideo


ToolAnswer = ToolVideo | ToolVideos | ToolCancellation


class ToolsView(ApiDocument):
    """Tools, in the form that a request to a model takes them in."""

    tools: list[dict[str, Any]]

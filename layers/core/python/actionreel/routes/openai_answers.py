"""What the OpenAPI document says of the door that speaks OpenAI's Videos API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from actionreel.routes.answers import MEANINGS

NAME = "video_0199f3a07c1e7d429a513f0b6c2d8e10"

VideoName = Annotated[
    str, Path(description="The id of a video, as this door writes it.", examples=[NAME])
]


class OpenAIProblem(BaseModel):
    """What went wrong; `param` is the field that it is about, if that is known."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIError(BaseModel):
    """Every error of this door."""

    error: OpenAIProblem


class OpenAIFailure(BaseModel):
    """Why there is no video."""

    code: str
    message: str


class OpenAIVideo(BaseModel):
    """A video; times are seconds since 1970."""

    id: str
    object: Literal["video"]
    created_at: int
    completed_at: int | None
    expires_at: int | None
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int
    model: str
    prompt: str
    seconds: str
    size: str
    remixed_from_video_id: str | None
    error: OpenAIFailure | None
    notices: list[str]


class OpenAIVideos(BaseModel):
    """A page of videos."""

    object: Literal["list"]
    data: list[OpenAIVideo]
    first_id: str | None
    last_id: str | None
    has_more: bool


class OpenAIDeleted(BaseModel):
    """The video is gone."""

    id: str
    object: Literal["video.deleted"]
    deleted: bool


class OpenAIModel(BaseModel):
    """A model that can be asked for."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class OpenAIModels(BaseModel):
    """The models."""

    object: Literal["list"]
    data: list[OpenAIModel]


_MEANINGS = MEANINGS | {
    400: "The request cannot be read, or not accepted",
    413: "The body has more than 4 MB",
    415: "The body is neither JSON nor a form",
}
_ERROR = {"application/json": {"model": OpenAIError}}


def wrong(*statuses: int) -> dict[int, Any]:
    """How the document describes the errors of a route of this door."""
    return {status: {"description": _MEANINGS[status], "content": _ERROR} for status in statuses}


def openai_gives(description: str, model: type[BaseModel], *statuses: int) -> dict[int, Any]:
    """How the document describes what a route of this door answers."""
    content = {"application/json": {"model": model}}
    return {200: {"description": description, "content": content}, **wrong(*statuses)}


def _or_null(*kinds: str) -> dict[str, Any]:
    return {"anyOf": [{"type": kind} for kind in (*kinds, "null")]}


_PROMPT = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4000,
    "pattern": r"\S",
    "description": "What the video shows.",
}
_JSON_FIELDS = {
    "prompt": _PROMPT,
    "model": {
        **_or_null("string"),
        "description": "One of /v1/models, or a name of OpenAI's; the default model without.",
    },
    "seconds": {
        **_or_null("string", "integer"),
        "description": "The nearest that the model offers is made.",
    },
    "size": {**_or_null("string"), "description": "Width x height; another is replaced."},
    "input_reference": {
        "type": "object",
        "properties": {"image_url": {"type": "string", "format": "uri"}},
        "required": ["image_url"],
        "description": "A start image: an https or a data address.",
    },
}
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
_FORM_FIELDS = {name: {"type": "string"} for name in ("model", "seconds", "size")}
_FORM = {"prompt": _PROMPT, **_FORM_FIELDS, "input_reference": _FILE}
_BOAT = {"prompt": "A paper boat drifts down a rainy street at dusk"}


def _body(fields: dict[str, Any], form: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """A body that the route reads by itself, because it can be a form."""
    shown = {"plain": {"summary": "As JSON", "value": example}}
    kinds = {"type": "object", "required": ["prompt"]}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": kinds | {"properties": fields}, "examples": shown},
                "multipart/form-data": {
                    "schema": kinds | {"properties": form},
                    "examples": {"plain": {"summary": "As a form", "value": example}},
                },
            },
        }
    }


CREATION = _body(_JSON_FIELDS, _FORM, {**_BOAT, "seconds": "4", "size": "1280x720"})
REMIX = _body({"prompt": _PROMPT}, {"prompt": _PROMPT}, {"prompt": "The same at night"})

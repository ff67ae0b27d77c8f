"""OpenAI's Videos API, served by us: software that was made for it has somewhere to go.

The same videos as at our own routes, the same accounts and the same guarantees. What the client
libraries do by themselves makes no second video: they try a POST again that had no answer.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from actionreel import bootstrap, http_api, messages, openai_door
from actionreel.deletion import delete
from actionreel.errors import RequestError, VideoNotFoundError
from actionreel.forms import read_form
from actionreel.models import Video, file_key
from actionreel.reference_images import check
from actionreel.remixes import remix
from actionreel.routes.answers import FOUND, allow, explain
from actionreel.routes.openai_answers import (
    CREATION,
    NAME,
    REMIX,
    OpenAIDeleted,
    OpenAIModels,
    OpenAIVideo,
    OpenAIVideos,
    VideoName,
    openai_gives,
    wrong,
)
from actionreel.uploads import Upload, upload_key

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

PREFIX = "/v1/"
MAX_BODY_MB = 4  # in base64 it has to fit into Lambda's 6
Variant = Literal["video", "thumbnail", "spritesheet"]


@router.post(
    "/v1/videos",
    summary="Create a video",
    description="Values that can be put right are, and `notices` says so. A second try of the "
    "client libraries, or the same `Idempotency-Key`, makes no second video.",
    responses=openai_gives("The video", OpenAIVideo, 400, 409, 413, 415, 429),
    openapi_extensions=CREATION,
)
def create_video() -> Response[dict[str, Any]]:
    event, services, tenant = _event(), bootstrap.services(), _tenant()
    body, image = openai_door.tag_body(_given(event))
    told = openai_door.digest(body, image)
    headers = event.get("headers", {})
    if str(headers.get("x-stainless-retry-count", "0")) != "0":
        before = services.videos.page(tenant, 100, None, None)[0]
        if (made := openai_door.second_try(before, told, services.now())) is not None:
            return _shown(made)
    if image is not None:
        found = check(image)
        extension = found.media_type.rpartition("/")[2]
        upload = Upload(upload_key(tenant, str(uuid4()), extension))
        services.storage.save(upload.key, iter([image]), found.media_type)
        body["input_reference_url"] = upload
    video = messages.create(
        body,
        tenant,
        services,
        http_api.link_base(event),
        message_id=_message_id(headers, told),
        request_digest=told,
    )
    return _shown(video)


@router.get(
    "/v1/videos",
    summary="List videos",
    description="A page of them; `last_id` as `after` gives the next.",
    responses=openai_gives("A page", OpenAIVideos, 400, 404),
)
def list_videos(
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.", examples=[20])] = 20,
    after: Annotated[
        str,
        Query(max_length=200, description="The last id of the page before.", examples=[NAME]),
    ] = "",
    order: Annotated[
        Literal["asc", "desc"], Query(description="By the time of creation.", examples=["desc"])
    ] = "desc",
) -> Response[dict[str, Any]]:
    services, tenant = bootstrap.services(), _tenant()
    start = openai_door.video_id(after) if after else None
    if start == "":
        raise VideoNotFoundError
    videos, following = services.videos.page(
        tenant, limit, start, None, oldest_first=order == "asc"
    )
    return _answer(openai_door.video_list(videos, more=following is not None))


@router.get(
    "/v1/videos/<name>",
    summary="Retrieve a video",
    description="An id that is unknown, malformed or another tenant's gets the same 404.",
    responses=openai_gives("The video", OpenAIVideo, 404),
)
def retrieve_video(name: VideoName) -> Response[dict[str, Any]]:
    return _shown(_video(name))


@router.delete(
    "/v1/videos/<name>",
    summary="Delete a video",
    description="The record and the files go; a video that is being made is not deleted (409).",
    responses=openai_gives("It is gone", OpenAIDeleted, 404, 409, 503),
)
def delete_video(name: VideoName) -> Response[dict[str, Any]]:
    delete(_tenant(), openai_door.video_id(name), bootstrap.services())
    return _answer({"id": name, "object": "video.deleted", "deleted": True})


@router.get(
    "/v1/videos/<name>/content",
    summary="Download a video",
    description="Leads to the file.",
    responses=FOUND | wrong(400, 404, 409),
)
def download_video(
    name: VideoName,
    variant: Annotated[
        Variant,
        Query(description="Of the video, or of its poster.", examples=["thumbnail"]),
    ] = "video",
) -> Response[str]:
    video = _video(name)
    if video.status != "completed":
        raise RequestError(409 if video.is_open else 404, "not_ready", "This video has no file.")
    key = file_key(_tenant(), video.video_id, "mp4") if variant == "video" else video.poster_key
    if key is None or variant == "spritesheet":
        raise RequestError(404, "not_found", f"This video has no {variant}.")
    link = bootstrap.services().storage.link(key, key.rpartition("/")[2], download=False)
    return Response(302, headers={"Location": link, "Cache-Control": "no-store"}, body="")


@router.post(
    "/v1/videos/<name>/remix",
    summary="Remix a video",
    description="A new video from one that is there, where the model can.",
    responses=openai_gives("The new video", OpenAIVideo, 400, 404, 409, 413, 415, 429),
    openapi_extensions=REMIX,
)
def remix_video(name: VideoName) -> Response[dict[str, Any]]:
    given, event = _given(_event()), _event()
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > 4000:
        raise RequestError(400, "invalid_value", "prompt must have 1 to 4,000 characters.")
    base = http_api.link_base(event)
    origin = openai_door.video_id(name)
    return _shown(remix(_tenant(), origin, prompt.strip(), bootstrap.services(), base))


@router.get(
    "/v1/models",
    summary="List models",
    description="Those that have what they need here, a key above all.",
    responses=openai_gives("The models", OpenAIModels),
)
def list_models() -> Response[dict[str, Any]]:
    _tenant()
    return _answer(openai_door.model_list(bootstrap.services().registry))


def on_error(error: Exception) -> Response[dict[str, Any]]:
    """An error as OpenAI tells it. A client library tries some of them again by itself: not those
    that stay as they are."""
    status, message, code = explain(error)
    status = 400 if status == 422 else status
    param = openai_door.param_of(message) if status == 400 else None
    stays = {"x-should-retry": "false"} if status in (409, 429) else {}
    body = openai_door.error_body(status, code, message, param)
    headers = {**stays, **allow(error)}
    return Response(status, "application/json", body, headers=headers)


def _video(name: str) -> Video:
    return messages.find(_tenant(), openai_door.video_id(name), bootstrap.services())


def _given(event: dict[str, Any]) -> dict[str, Any]:
    """The fields of the body: JSON, or a form."""
    content_type = str(event.get("headers", {}).get("content-type", ""))
    kind, body = content_type.partition(";")[0].strip().lower(), http_api.body_bytes(event)
    if len(body) > MAX_BODY_MB * 1024**2:
        raise RequestError(413, "too_large", f"The body can have at most {MAX_BODY_MB} MB.")
    if kind == "multipart/form-data":
        return dict(read_form(body, content_type))
    if kind != "application/json":
        known = "application/json or multipart/form-data"
        raise RequestError(415, "unsupported_media_type", f"The Content-Type must be {known}.")
    http_api.check_json(body, MAX_BODY_MB)  # there may be an image in it
    found = json.loads(body)
    if not isinstance(found, dict):
        raise RequestError(400, "invalid_value", "The body must be a JSON object.")
    return found


def _message_id(headers: dict[str, str], told: str) -> str | None:
    """A key of the caller's makes its request repeatable; beside those of our own door."""
    key = str(headers.get("idempotency-key", ""))
    if len(key) > 200:
        raise RequestError(400, "invalid_value", "Idempotency-Key can have at most 200 characters.")
    return f"v1:{key}" if key else None


def _event() -> dict[str, Any]:
    event: dict[str, Any] = router.current_event.raw_event
    return event


def _tenant() -> str:
    return http_api.tenant(_event())


def _shown(video: Video) -> Response[dict[str, Any]]:
    return _answer(openai_door.video_object(video))


def _answer(document: dict[str, Any]) -> Response[dict[str, Any]]:
    return Response(200, "application/json", document)

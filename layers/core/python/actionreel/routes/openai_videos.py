"""OpenAI's Videos API, served by us: software that was made for it has somewhere to go.

The same videos as at our own routes, the same accounts and the same guarantees. What the client
libraries do by themselves makes no second video: they try a POST again that had no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Query

from actionreel import bootstrap, http_api, messages, openai_door
from actionreel.deletion import delete
from actionreel.errors import (
    ActionreelError,
    AssetError,
    QuotaError,
    RequestError,
    VideoNotFoundError,
)
from actionreel.forms import read_form
from actionreel.models import Video, file_key
from actionreel.reference_images import check
from actionreel.remixes import remix
from actionreel.routes.answers import FOUND, explain, headers_of, to_file
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
from actionreel.routes.router import Router
from actionreel.uploads import Upload, new_upload
from actionreel.video_request import video_request

router = Router()

PREFIX = "/v1/"
MAX_BODY_MB = 4  # in base64 it has to fit into Lambda's 6
MAX_KEY = 190  # characters; the id of a message has no more room
Variant = Literal["video", "thumbnail", "spritesheet"]
_OF_A_VIDEO = re.compile(
    "(GET|DELETE) /v1/videos/[^/]+|GET /v1/videos/[^/]+/content|POST /v1/videos/[^/]+/remix"
)


@router.post(
    "/v1/videos",
    summary="Create a video",
    description="Values that can be put right are, and `notices` says so. A second try of the "
    "client libraries, or the same `Idempotency-Key`, makes no second video.",
    responses=openai_gives("The video", OpenAIVideo, 400, 404, 413, 415, 429),
    openapi_extensions=CREATION,
)
def create_video() -> Response[dict[str, Any]]:
    event, services, tenant = router.event, bootstrap.services(), router.tenant
    body, image = openai_door.tag_body(_given(event))
    told = openai_door.digest(body, image)
    message_id = _message_id(event)
    if (made := _second_try(event, told)) is not None:
        return _shown(made)
    upload = None
    if image is not None:
        found = check(image)
        body["input_reference_url"] = upload = new_upload(tenant, found)
        video_request(body, services.registry)  # nothing is kept for what cannot be made
        services.storage.save(upload.key, iter([image]), found.media_type)
    base, known = router.base_url, {"message_id": message_id, "request_digest": told}
    try:
        video = messages.create(body, tenant, services, base, **known)
    except ActionreelError:  # certainly nothing was made
        _drop(upload)
        raise
    if upload is not None and video.input_reference_url != upload.url:  # it was made before
        _drop(upload)
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
    start = openai_door.video_id(after) if after else None
    if start == "":
        raise VideoNotFoundError
    found = list(islice(_videos(limit + 1, start, oldest_first=order == "asc"), limit + 1))
    return _answer(openai_door.video_list(found[:limit], more=len(found) > limit))


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
    delete(router.tenant, openai_door.video_id(name), bootstrap.services())
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
        if video.is_open:
            raise RequestError(409, "not_ready", "This video has no file yet.")
        raise RequestError(404, "not_found", "This video has no file.")
    key = file_key(router.tenant, video.video_id, "mp4") if variant == "video" else video.poster_key
    if key is None or variant == "spritesheet":
        raise RequestError(404, "not_found", f"This video has no {variant}.")
    return to_file(key, router.method)


@router.post(
    "/v1/videos/<name>/remix",
    summary="Remix a video",
    description="A new video from one that is there, where the model can.",
    responses=openai_gives("The new video", OpenAIVideo, 400, 404, 409, 413, 415, 429),
    openapi_extensions=REMIX,
)
def remix_video(name: VideoName) -> Response[dict[str, Any]]:
    given, event = _given(router.event), router.event
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > 4000:
        raise RequestError(400, "invalid_value", "prompt must have 1 to 4,000 characters.")
    origin, prompt = openai_door.video_id(name), prompt.strip()
    told = openai_door.digest({"remix": origin, "prompt": prompt}, None)
    known = {"message_id": _message_id(event), "request_digest": told}
    if (made := _second_try(event, told)) is not None:
        return _shown(made)
    base = router.base_url
    return _shown(remix(router.tenant, origin, prompt, bootstrap.services(), base, **known))


@router.get(
    "/v1/models",
    summary="List models",
    description="Those that have what they need here, a key above all.",
    responses=openai_gives("The models", OpenAIModels),
)
def list_models() -> Response[dict[str, Any]]:
    _ = router.tenant  # nobody without a key
    return _answer(openai_door.model_list(bootstrap.services().registry))


def on_error(error: Exception) -> Response[dict[str, Any]]:
    """An error as OpenAI tells it. A client library tries some of them again by itself: not those
    that stay as they are."""
    if isinstance(error, NotFoundError) and _OF_A_VIDEO.fullmatch(_address()):
        error = VideoNotFoundError()  # an id with characters that no route takes
    status, message, code = explain(error)
    status = 400 if status == 422 else status
    param = openai_door.param_of(message) if status == 400 else None
    if isinstance(error, QuotaError) and error.soon:
        code = "rate_limit_exceeded"
    # A second try after a 429 could not be told from one whose first made an equal video.
    stays = {"x-should-retry": "false"} if status in (409, 429) else {}
    body = openai_door.error_body(status, code, message, param)
    headers = {**stays, **headers_of(error)}
    return Response(status, "application/json", body, headers=headers)


def _video(name: str) -> Video:
    return messages.find(router.tenant, openai_door.video_id(name), bootstrap.services())


def _videos(
    at_a_time: int, start: str | None = None, *, oldest_first: bool = False
) -> Iterator[Video]:
    """The videos after that one, read as far as they are asked for. A page of ours may be short, or
    have nothing in it, where much was deleted; clients of OpenAI's take that for the end."""
    tenant, videos = router.tenant, bootstrap.services().videos
    while True:
        found, start = videos.page(tenant, at_a_time, start, None, oldest_first=oldest_first)
        yield from found
        if start is None:
            return


def _second_try(event: dict[str, Any], told: str) -> Video | None:
    """What the same request made, if a client's library says that it tries it once more; by its
    key it is known without that."""
    tries = str(event.get("headers", {}).get("x-stainless-retry-count", "0"))
    if tries == "0" or _message_id(event) is not None:
        return None
    return openai_door.second_try(_videos(100), told, bootstrap.services().now())


def _drop(upload: Upload | None) -> None:
    with suppress(AssetError):  # the bucket's lifecycle rule takes what this cannot
        bootstrap.services().storage.delete([upload.key] if upload else [])


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


def _message_id(event: dict[str, Any]) -> str | None:
    """A key of the caller's makes its request repeatable; beside those of our own door."""
    key = str(event.get("headers", {}).get("idempotency-key", ""))
    if len(key) > MAX_KEY or not key.isprintable():
        most = f"Idempotency-Key can have at most {MAX_KEY} characters, all of them visible."
        raise RequestError(400, "invalid_value", most)
    return f"v1:{key}" if key else None


def _address() -> str:
    return f"{router.current_event.http_method} {router.current_event.path}"


def _shown(video: Video) -> Response[dict[str, Any]]:
    return _answer(openai_door.video_object(video))


def _answer(document: dict[str, Any]) -> Response[dict[str, Any]]:
    return Response(200, "application/json", document)

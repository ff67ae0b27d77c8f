"""The HTTP API: receives, hands on, and says in HTTP what came of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query

from actionreel import bootstrap, http_api, messages, results
from actionreel.api_models import (
    ActionsRequest,
    ActionsResponse,
    CancellationView,
    ErrorBody,
    RetryRequest,
    VideoPage,
    VideoView,
)
from actionreel.cancellation import cancel
from actionreel.errors import (
    InvalidActionError,
    MessageMismatchError,
    ProviderError,
    RequestError,
    VideoNotFoundError,
)
from actionreel.instructions import instructions
from actionreel.models import Place, Video, file_key, is_video_id
from actionreel.observability import logger
from actionreel.retries import retry

TENANT = "default"

app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)


def _errors(*statuses: int) -> dict[int, Any]:
    """How the schema describes the errors of a route."""
    content = {"application/json": {"model": ErrorBody}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


_MEANINGS = {
    302: "A link to the file, signed for 15 minutes",
    400: "The body cannot be read",
    404: "There is no such video",
    409: "Not now, or not in this state",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request can be read, but not accepted",
    503: "The provider cannot be reached",
}


def _gives(status: int, description: str, model: type[Any], *errors: int) -> dict[int, Any]:
    """How the schema describes what a route answers."""
    content = {"application/json": {"model": model}}
    return {status: {"description": description, "content": content}, **_errors(*errors)}


_FILE = {302: {"description": _MEANINGS[302]}, **_errors(404, 409)}


@app.post(
    "/actions",
    summary="Act on the tags of a model's message",
    responses=_gives(200, "What came of each action", ActionsResponse, 400, 413, 415, 422),
)
def post_actions(
    message: Annotated[ActionsRequest, Body()],
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)] = None,
) -> Response[dict[str, Any]]:
    http_api.check_sizes(message.text, message.meta)
    message_id = http_api.agreed_message_id(message.message_id, idempotency_key)
    message = message.model_copy(update={"message_id": message_id})
    services = bootstrap.services()
    base, place = _link_base(), None
    if message.callback_url is not None:
        http_api.check_callback_url(message.callback_url, services.callback_origins)
        place = Place(platform="callback", url=message.callback_url)
    outcomes = messages.act(message, TENANT, services, base, place)
    now = services.now()
    shown = [results.result(outcome, now, base, message.meta) for outcome in outcomes]
    return Response(200, "application/json", results.response(shown, message.meta))


@app.get("/videos", summary="Videos, newest first", responses=_gives(200, "A page", VideoPage, 422))
def list_videos(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: UUID | None = None,
    conversation_id: Annotated[str | None, Query(alias="conversationId", max_length=200)] = None,
) -> VideoPage:
    start = str(cursor) if cursor else None
    videos, following = bootstrap.services().videos.page(TENANT, limit, start, conversation_id)
    base = _link_base()
    return VideoPage(videos=[results.view(video, base) for video in videos], cursor=following)


@app.get(
    "/videos/<video_id>", summary="One video", responses=_gives(200, "Its record", VideoView, 404)
)
def get_video(video_id: str) -> VideoView:
    return results.view(_video(video_id), _link_base())


@app.delete(
    "/videos/<video_id>",
    summary="Cancel a video",
    responses=_gives(200, "What came of it", CancellationView, 404, 409, 503),
)
def delete_video(video_id: str) -> CancellationView:
    """Its function is CancelVideoFunction, which alone of the API's may talk to the provider."""
    done = cancel(TENANT, video_id, bootstrap.services())
    return results.cancellation_view(done, _link_base())


@app.post(
    "/videos/<video_id>/retry",
    summary="Make a video again",
    responses=_gives(202, "The new video", VideoView, 400, 404, 409, 413, 415, 422),
)
def retry_video(
    video_id: str, accepted: Annotated[RetryRequest | None, Body()] = None
) -> Response[dict[str, Any]]:
    double = accepted is not None and accepted.accept_double_charge
    video = retry(TENANT, video_id, bootstrap.services(), accept_double_charge=double)
    shown = results.view(video, _link_base()).model_dump(mode="json", by_alias=True)
    return Response(202, "application/json", shown)


@app.get("/videos/<video_id>/content", summary="The video's file", responses=_FILE)
def get_content(video_id: str, download: bool = False) -> Response[str]:
    video = _finished(video_id)
    return _redirect(file_key(TENANT, video.video_id, "mp4"), download=download)


@app.get("/videos/<video_id>/poster", summary="A still image of the video", responses=_FILE)
def get_poster(video_id: str) -> Response[str]:
    poster_key = _finished(video_id).poster_key
    if poster_key is None:
        raise RequestError(404, "not_found", "This video has no poster.")
    return _redirect(poster_key)


@app.get("/instructions", summary="The prompt text that teaches a model the tags")
def get_instructions() -> Response[str]:
    return Response(200, "text/plain; charset=utf-8", instructions(bootstrap.services().registry))


@app.get("/openapi.json", include_in_schema=False)
def get_openapi() -> Response[str]:
    schema = app.get_openapi_json_schema(title="Actionreel", version="1")
    return Response(200, "application/json", schema)


def _video(video_id: str) -> Video:
    known = is_video_id(video_id)
    video = bootstrap.services().videos.get(TENANT, video_id) if known else None
    if video is None:
        raise VideoNotFoundError
    return video


def _finished(video_id: str) -> Video:
    video = _video(video_id)
    if video.is_open:
        raise RequestError(409, "not_ready", "This video is not ready yet.")
    if video.status != "completed":
        failure = video.failure
        code = failure.code if failure else "internal"
        raise RequestError(404, code, failure.message if failure else "There is no file.")
    return video


def _redirect(key: str, *, download: bool = False) -> Response[str]:
    filename = key.rpartition("/")[2]
    link = bootstrap.services().storage.link(key, filename, download=download)
    return Response(302, headers={"Location": link, "Cache-Control": "no-store"}, body="")


def _link_base() -> str:
    return http_api.link_base(app.current_event.raw_event)


def _error(status: int, message: str, code: str) -> Response[dict[str, Any]]:
    return Response(status, "application/json", {"error": message, "code": code})


def on_error(error: Exception) -> Response[dict[str, Any]]:
    """The one place that turns errors into HTTP."""
    match error:
        case RequestError():
            return _error(error.status, str(error), error.word)
        case VideoNotFoundError():
            return _error(404, str(error), error.code)
        case NotFoundError():
            return _error(404, "There is nothing at this address.", "not_found")
        case MessageMismatchError():
            return _error(422, str(error), "message_mismatch")
        case InvalidActionError():
            return _error(422, str(error), error.code)
        case ProviderError():
            return _error(503, str(error), error.code)
        case RequestValidationError():
            return _error(422, http_api.invalid_fields(error.errors()), "invalid_request")
    logger.exception("request failed", extra={"error": type(error).__name__})
    return _error(500, "Something went wrong on our side.", "internal")


app.exception_handler([NotFoundError, RequestValidationError, Exception])(on_error)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    try:
        http_api.check_body(event)
    except RequestError as error:
        return http_api.error_answer(error)
    if "content-type" in event["headers"]:  # checked; the event handler knows one spelling only
        event["headers"]["content-type"] = "application/json"
    return app.resolve(event, context)

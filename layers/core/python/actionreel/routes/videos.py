"""The routes of messages and of videos."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query

from actionreel import bootstrap, http_api, messages, results
from actionreel.api_models import (
    ActionsRequest,
    ActionsResponse,
    CancellationView,
    RetryRequest,
    VideoPage,
    VideoView,
)
from actionreel.cancellation import cancel
from actionreel.errors import RequestError, StaleVideoError, VideoNotFoundError
from actionreel.instructions import instructions
from actionreel.links import open_token
from actionreel.models import Place, Video, file_key, is_video_id
from actionreel.retries import retry
from actionreel.routes.answers import FOUND, errors, gives, to_file
from actionreel.routes.examples import ACCEPTED, MESSAGES, TEXT, leads
from actionreel.routes.parameters import EXAMPLE_ID, VideoId
from actionreel.routes.router import Router

router = Router()

_LOOKS = ["GET", "HEAD"]  # a HEAD is how players and previews ask how large a file is
_Token = Annotated[
    str | None,
    Query(description="What the link of the record has here.", examples=["v1.17"]),
]


@router.post(
    "/actions",
    summary="Act on the tags of a model's message",
    description="A message without tags gives `CONTINUE`. Each tag has its result, in the order of "
    "the text: a create starts a video and gives `VIDEO_PENDING`, `continueVideoPolling` gives "
    "where a video stands. A tag that cannot be carried out is an error result, in a 200. The same "
    "`messageId` (or `Idempotency-Key`) with the same text starts nothing again.",
    responses=leads(
        gives(200, "What came of each action", ActionsResponse, 400, 413, 415, 422),
        200,
        "/results/0/data/videoId",
    ),
)
def post_actions(
    message: Annotated[ActionsRequest, Body(openapi_examples=MESSAGES)],
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            description="The same as `messageId`; where both are given they must be the same.",
            examples=["message-17"],
        ),
    ] = None,
) -> Response[dict[str, Any]]:
    http_api.check_sizes(message.text, message.meta)
    message_id = http_api.agreed_message_id(message.message_id, idempotency_key)
    message = message.model_copy(update={"message_id": message_id})
    services = bootstrap.services()
    place = None
    if message.callback_url is not None:
        http_api.check_callback_url(message.callback_url, services.callback_origins)
        place = Place(platform="callback", url=message.callback_url)
    outcomes = messages.act(message, router.tenant, services, router.base_url, place)
    now, links = services.now(), router.links
    shown = [results.result(outcome, now, links, message.meta) for outcome in outcomes]
    return Response(200, "application/json", results.response(shown, message.meta))


@router.get(
    "/videos",
    summary="Videos, newest first",
    description="A page of them; its `cursor` asks for the next one, and is null on the last.",
    responses=leads(gives(200, "A page", VideoPage, 422), 200, "/videos/0/videoId"),
)
def list_videos(
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.", examples=[20])] = 20,
    cursor: Annotated[
        UUID | None,
        Query(description="The `cursor` of the page before.", examples=[EXAMPLE_ID]),
    ] = None,
    conversation_id: Annotated[
        str | None,
        Query(
            alias="conversationId",
            max_length=200,
            description="Only those of this conversation.",
            examples=["conversation-4"],
        ),
    ] = None,
) -> VideoPage:
    start = str(cursor) if cursor else None
    videos, following = bootstrap.services().videos.page(
        router.tenant, limit, start, conversation_id
    )
    links = router.links
    return VideoPage(videos=[results.view(video, links) for video in videos], cursor=following)


@router.get(
    "/videos/<video_id>",
    summary="One video",
    description="An id that is unknown, malformed or another tenant's gets the same 404.",
    responses=gives(200, "Its record", VideoView, 404),
)
def get_video(video_id: VideoId) -> VideoView:
    return results.view(_video(video_id), router.links)


@router.delete(
    "/videos/<video_id>",
    summary="Cancel a video",
    description="What came of it is told with a 200, also where it is too late or the provider "
    "cannot cancel; nothing is deleted.",
    responses=gives(200, "What came of it", CancellationView, 404, 409, 503),
)
def delete_video(video_id: VideoId) -> CancellationView:
    """Its function is CancelVideoFunction, which alone of the API's may talk to the provider."""
    done = cancel(router.tenant, video_id, bootstrap.services())
    return results.cancellation_view(done, router.links)


@router.post(
    "/videos/<video_id>/retry",
    summary="Make a video again",
    description="For one that has ended without a file. Asked twice, it gives the same new video.",
    responses=leads(
        gives(202, "The new video", VideoView, 400, 404, 409, 413, 415, 422, 429), 202, "/videoId"
    ),
)
def retry_video(
    video_id: VideoId,
    accepted: Annotated[RetryRequest | None, Body(openapi_examples=ACCEPTED)] = None,
) -> Response[dict[str, Any]]:
    double = accepted is not None and accepted.accept_double_charge
    video = retry(router.tenant, video_id, bootstrap.services(), accept_double_charge=double)
    shown = results.view(video, router.links).model_dump(mode="json", by_alias=True)
    return Response(202, "application/json", shown)


@router.delete(
    "/videos/<video_id>/links",
    summary="Revoke the links of a video",
    description="All links that were given lead nowhere from now on. Who has followed one already "
    "has the file for up to 15 minutes.",
    responses=gives(200, "Its record, with new links", VideoView, 404, 503),
)
def revoke_links(video_id: VideoId) -> VideoView:
    try:
        video = bootstrap.services().videos.revoke_links(router.tenant, _video(video_id).video_id)
    except StaleVideoError:
        raise VideoNotFoundError from None
    return results.view(video, router.links)


# A chat and a <video> send no key. No authorizer sees these two: the token alone says whose they
# are, whatever else an event says.
@router.route(
    "/videos/<video_id>/content",
    method=_LOOKS,
    summary="The video's file",
    description="Leads to the file. Needs no key, but the token of the record's `videoUrl`. A video"
    " that has ended without a file gives a 404 with its reason.",
    responses=FOUND | errors(404, 409, 422, 503),
)
def get_content(
    video_id: VideoId,
    token: _Token = None,
    download: Annotated[
        bool, Query(description="Whether browsers save it, and do not play it.", examples=[True])
    ] = False,
) -> Response[str]:
    video = _linked(video_id, token)
    key = file_key(video.tenant, video.video_id, "mp4")
    return to_file(key, router.method, download=download)


@router.route(
    "/videos/<video_id>/poster",
    method=_LOOKS,
    summary="A still image of the video",
    description="Leads to an image; a video can be there without one, which is a 404.",
    responses=FOUND | errors(404, 409, 503),
)
def get_poster(video_id: VideoId, token: _Token = None) -> Response[str]:
    poster_key = _linked(video_id, token).poster_key
    if poster_key is None:
        raise RequestError(404, "not_found", "This video has no poster.")
    return to_file(poster_key, router.method)


@router.get(
    "/instructions",
    summary="The prompt text that teaches a model the tags",
    description="Made from the models that there are, so it promises nothing that is refused.",
    responses={200: {"description": "Append it to your system prompt", "content": TEXT}},
)
def get_instructions() -> Response[str]:
    return Response(200, "text/plain; charset=utf-8", instructions(bootstrap.services().registry))


def _video(video_id: str) -> Video:
    return messages.find(router.tenant, video_id, bootstrap.services())


def _linked(video_id: str, token: str | None) -> Video:
    """The finished video that the token opens; raises VideoNotFoundError for any other token."""
    services = bootstrap.services()
    grant = None
    if is_video_id(video_id):
        grant = open_token(services.link_key, token, video_id, services.now())
    if grant is None:
        raise VideoNotFoundError
    video = messages.find(grant.tenant, video_id, services)
    if video.link_revision != grant.revision:
        raise VideoNotFoundError
    if video.is_open:
        raise RequestError(409, "not_ready", "This video is not ready yet.")
    if video.status != "completed":
        failure = video.failure
        code = failure.code if failure else "internal"
        raise RequestError(404, code, failure.message if failure else "There is no file.")
    return video

"""The four tools of agents, carried out: a name and arguments in, what the model reads out.

The rules of the values are those of tags, so what can be put right is, with a notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actionreel import results
from actionreel.cancellation import cancel
from actionreel.errors import InvalidActionError, RequestError, VideoNotFoundError
from actionreel.links import Links
from actionreel.messages import create, find
from actionreel.models import Video, is_video_id
from actionreel.ports import Services
from actionreel.tool_documents import ToolAnswer, ToolCancellation, ToolVideo, ToolVideos
from actionreel.tool_schemas import LISTED, MAX_LISTED, MAX_REQUEST_ID, NAMES

MAX_LISTED_PROMPT = 200  # characters: a list is to fit into a model's memory

Arguments = Mapping[str, Any]

_WAIT = "Call get_video with this videoId in {} seconds, not before."
_READY = "The video is ready: give the reader videoUrl."
_AGAIN = (
    "Tell the reader. create_video may work now, with the same arguments, but for a requestId: that"
    " would give this video again."
)
_OVER = "Tell the reader. Do not ask for the same video again by yourself."


def check_name(name: str) -> None:
    """Raises RequestError (404), with the tools that there are, for another name."""
    if name not in NAMES:
        asked = name[:40].encode(errors="replace").decode()
        message = f"There is no tool {asked!r}. The tools are: {', '.join(NAMES)}."
        raise RequestError(404, "not_found", message)


def call(
    name: str,
    arguments: Arguments,
    tenant: str,
    services: Services,
    base_url: str,
    *,
    key: str | None = None,
) -> ToolAnswer:
    """Calls the tool of that name; `key` makes create_video repeatable, as a message's id does. A
    requestId is worth more: a model that asks once more makes a new call, with a new key.

    `base_url` is the address by which the caller reached us. Raises RequestError (404) for an
    unknown tool, InvalidActionError for bad arguments, and what the verbs raise.
    """
    check_name(name)
    links = services.links(base_url)
    match name:
        case "create_video":
            wish = dict(arguments)
            named = _request_id(wish.pop("requestId", None))
            video = create(wish, tenant, services, base_url, message_id=named or key)
            return shown(video, services, links)
        case "get_video":
            return shown(find(tenant, _video_id(name, arguments), services), services, links)
        case "list_videos":
            return _list(arguments, tenant, services, links)
    done = cancel(tenant, _video_id(name, arguments), services)
    return ToolCancellation(
        outcome=done.outcome,
        message=results.CANCELLATIONS[done.outcome],
        video=shown(done.video, services, links),
    )


def _request_id(given: Any) -> str | None:
    """The name by which a caller without headers makes create_video repeatable."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > MAX_REQUEST_ID:
        raise InvalidActionError(f"requestId must be a text of at most {MAX_REQUEST_ID} letters.")
    return f"tool:{given}"


def shown(video: Video, services: Services, links: Links) -> ToolVideo:
    """The video as a model is told of it."""
    return ToolVideo.model_validate(
        {
            **video.model_dump(
                include={
                    "video_id",
                    "status",
                    "progress",
                    "prompt",
                    "model",
                    "seconds",
                    "size",
                    "created_at",
                }
            ),
            "notices": list(video.notices) or None,
            "video_url": results.video_url(video, links),
            "poster_url": results.poster_url(video, links),
            **_what_follows(video, services),
        }
    )


def _what_follows(video: Video, services: Services) -> dict[str, Any]:
    if video.is_open:
        seconds = results.retry_after_seconds(video, services.now())
        return {"retry_after_seconds": seconds, "next": _WAIT.format(seconds)}
    if video.status == "completed":
        return {"next": _READY}
    failure = video.failure or results.NO_REASON
    return {
        "error": failure.message,
        "code": failure.code,
        "retryable": failure.retryable,
        "maybe_charged": failure.maybe_charged,
        "next": _AGAIN if failure.retryable else _OVER,
    }


def _list(arguments: Arguments, tenant: str, services: Services, links: Links) -> ToolVideos:
    cursor = arguments.get("cursor") or None
    if cursor is not None and not (isinstance(cursor, str) and is_video_id(cursor)):
        raise InvalidActionError("The cursor must be one that list_videos gave.")
    videos, following = services.videos.page(tenant, _limit(arguments), cursor, None)
    return ToolVideos(
        videos=[_short(shown(video, services, links)) for video in videos], cursor=following
    )


def _short(video: ToolVideo) -> ToolVideo:
    """Without the advice, and with the beginning of the prompt."""
    prompt = video.prompt or ""
    if len(prompt) > MAX_LISTED_PROMPT:
        prompt = f"{prompt[:MAX_LISTED_PROMPT]} ..."
    return video.model_copy(update={"prompt": prompt, "next": None})


def _limit(arguments: Arguments) -> int:
    value = arguments.get("limit")
    if value is None:
        return LISTED
    if isinstance(value, str) and len(value) < 10 and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_LISTED:
        raise InvalidActionError(f"The limit must be a whole number from 1 to {MAX_LISTED}.")
    return value


def _video_id(name: str, arguments: Arguments) -> str:
    """Raises InvalidActionError without one, VideoNotFoundError for what cannot be one."""
    value = arguments.get("videoId")
    if value is None:
        raise InvalidActionError(f"{name} needs a videoId: the one that create_video gave.")
    if not isinstance(value, str):
        raise VideoNotFoundError
    return value

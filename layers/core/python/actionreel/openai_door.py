"""Our videos in the words of OpenAI's Videos API: records in, its documents out. Pure.

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

from actionreel.errors import RequestError
from actionreel.forms import FormFile
from actionreel.models import Failure, Video
from actionreel.registry import Registry

Document = dict[str, Any]

FIELDS = ("prompt", "model", "seconds", "size", "input_reference")
_KNOWN = (*FIELDS, "input_reference[image_url]", "input_reference_url")
SECOND_TRY = timedelta(minutes=15)  # a client's own, of a request that had no answer
_ID = re.compile("video_([0-9a-f]{32})")
_STATUS = {
    "queued": "queued",
    "submitting": "queued",
    "generating": "in_progress",
    "storing": "in_progress",
    "completed": "completed",
}
_CODES = {
    "moderation": "moderation_blocked",
    "quota": "insufficient_quota",
    "invalid_action": "invalid_value",
    "invalid_request": "invalid_value",
}
_WORDS = {  # what our sentences call what has another name here
    "input_reference_url": "input_reference",
    "createAIVideo": "POST /videos",
    "This id (messageId, Idempotency-Key or requestId)": "This Idempotency-Key",
    "with another text": "with another request",
    "give each message its own": "give each request its own",
}
_PARAM = re.compile(r"(limit|order|after|variant): ")
_TYPES = {401: "authentication_error", 429: "insufficient_quota"}


def public_id(video_id: str) -> str:
    """What the video is called at this door."""
    return f"video_{UUID(video_id).hex}"


def video_id(name: str) -> str:
    """Our id of a video that is called so; one that there is not, for any other name."""
    found = _ID.fullmatch(name)
    return str(UUID(found[1])) if found else ""


def video_object(video: Video) -> Document:
    """The video, as OpenAI writes it; what else we know of it comes in `notices`."""
    done = video.status == "completed"
    return {
        "id": public_id(video.video_id),
        "object": "video",
        "created_at": _unix(video.created_at),
        "completed_at": _unix(video.completed_at) if video.completed_at else None,
        "expires_at": None,
        "status": _STATUS.get(video.status, "failed"),
        "progress": 100 if done else video.progress or 0,
        "model": video.model,
        "prompt": video.prompt,
        "seconds": str(video.seconds),
        "size": video.size or "",
        "remixed_from_video_id": public_id(video.remix_of) if video.remix_of else None,
        "error": None if done or video.is_open else _error_of(video.failure),
        "notices": [_in_their_words(notice) for notice in video.notices],
    }


def video_list(videos: Sequence[Video], *, more: bool) -> Document:
    """A page of videos."""
    data = [video_object(video) for video in videos]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    listed = {"object": "list", "data": data}
    return {**listed, "first_id": first, "last_id": last, "has_more": more}


def model_list(registry: Registry) -> Document:
    """The models that can be had here."""
    data = [
        {"id": model.id, "object": "model", "created": 0, "owned_by": "actionreel"}
        for model in registry.offered
    ]
    return {"object": "list", "data": data}


def error_body(status: int, code: str, message: str, param: str | None = None) -> Document:
    """An error, as OpenAI writes it."""
    if code == "rate_limit_exceeded":
        return {"error": {"message": message, "type": code, "param": param, "code": code}}
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    code, message = _CODES.get(code, code), _in_their_words(message)
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def tag_body(given: Mapping[str, Any]) -> tuple[dict[str, object], bytes | None]:
    """What a tag would say for the fields of a creation, and the image that came with them. Fields
    that there are not go on by their names, so that a notice says that they were ignored.

    Raises RequestError (400) for a reference that is none of those that OpenAI takes.
    """
    body: dict[str, object] = {
        name: given[name] for name in FIELDS[:4] if given.get(name) not in (None, "")
    }
    body |= dict.fromkeys(name for name in given if name not in _KNOWN)
    reference = given.get("input_reference") or None
    if reference is None and (url := given.get("input_reference[image_url]")):  # as forms write it
        reference = {"image_url": url}
    match reference:
        case None:
            return body, None
        case FormFile(content=content):
            return body, content
        case {"image_url": str(url)} if url[:5].lower() == "data:":
            return body, _data(url)
        case {"image_url": str(url)}:
            return {**body, "input_reference_url": url}, None
    raise RequestError(
        400,
        "invalid_value",
        'input_reference must be a file, or a document such as {"image_url": "https://..."}.',
    )


def digest(body: Mapping[str, object], image: bytes | None) -> str:
    """What tells two requests for the same video from all others."""
    written = json.dumps(body, sort_keys=True, default=str).encode()
    return hashlib.sha256(written + b"\0" + (image or b"")).hexdigest()


def second_try(newest_first: Iterable[Video], wanted: str, now: datetime) -> Video | None:
    """The video that a request made which is tried once more; None if it made none. Asks for no
    more of the videos than it has to see."""
    recent = takewhile(lambda video: now - video.created_at < SECOND_TRY, newest_first)
    return next((video for video in recent if video.request_digest == wanted), None)


def param_of(said: str) -> str | None:
    """The field that an error is about, as far as its sentence says so."""
    if named := _PARAM.match(said):
        return named[1]
    names = ("input_reference", "prompt", "model", "image")
    found = next((name for name in names if name in said.lower()), None)
    return "input_reference" if found == "image" else found


def _in_their_words(said: str) -> str:
    for ours, theirs in _WORDS.items():
        said = said.replace(ours, theirs)
    return said


def _data(url: str) -> bytes:
    head, _, content = url.partition(",")
    try:
        if not head.lower().endswith(";base64"):
            raise ValueError
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(
            400, "invalid_value", "A data: URL of input_reference must be in base64."
        ) from None


def _error_of(failure: Failure | None) -> Document:
    if failure is None:
        return {"code": "server_error", "message": "There is no reason on its record."}
    return {"code": _CODES.get(failure.code, failure.code), "message": failure.message}


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())

"""The rules of `createAIVideo` and `continueVideoPolling`: a tag's body in, what is asked for out.

What can be put right is put right, with a notice that says so; what cannot is an error. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from actionreel.errors import InvalidActionError, UnsafeUrlError
from actionreel.models import VideoRequest
from actionreel.registry import Registry, VideoModel
from actionreel.uploads import Upload
from actionreel.url_guard import check_url

MAX_PROMPT_CHARACTERS = 4000
MAX_URL_CHARACTERS = 2048
_FIELDS = ("prompt", "model", "seconds", "size", "input_reference_url")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def video_request(body: dict[str, Any], registry: Registry) -> tuple[VideoRequest, list[str]]:
    """What a `createAIVideo` body asks for, and the notices about what was changed.

    Raises InvalidActionError where it cannot be carried out.
    """
    prompt = _prompt(body.get("prompt"))
    model, notice = _model(body.get("model"), registry)
    notices = [notice] if notice else []
    seconds = _seconds(body.get("seconds"), model, notices)
    reference = _reference(body.get("input_reference_url"))
    size = _size(body.get("size"), model, reference, notices)
    ignored = [name for name in body if name not in _FIELDS]
    if ignored:
        notices.append(f"ignored: {', '.join(name[:40] for name in ignored[:10])}")
    request = VideoRequest(
        prompt=prompt, model=model.id, seconds=seconds, size=size, input_reference_url=reference
    )
    return request, notices


def polled_video_id(body: dict[str, Any]) -> str:
    """The id that a `continueVideoPolling` body names; raises InvalidActionError without one."""
    video_id = body.get("videoId")
    if video_id is None:
        raise InvalidActionError("continueVideoPolling needs a videoId.")
    return str(video_id)


def _prompt(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidActionError("A video needs a prompt: a text that describes it.")
    prompt = value.strip()
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise InvalidActionError(
            f"The prompt has {len(prompt):,} characters, and can have {MAX_PROMPT_CHARACTERS:,}."
        )
    return prompt


def _model(value: Any, registry: Registry) -> tuple[VideoModel, str | None]:
    if value and not isinstance(value, str):
        raise InvalidActionError("The model must be the name of a model.")
    return registry.choose(value or "")


def _seconds(value: Any, model: VideoModel, notices: list[str]) -> int:
    asked = _number(value)
    if asked is None:
        seconds = min(model.lengths)
        if value is not None:
            notices.append(f"seconds was not a number; used {seconds}")
        return seconds
    seconds = model.nearest_length(asked)
    if seconds != asked:
        notices.append(f"seconds {asked:g} is not offered by {model.id}; used {seconds}")
    return seconds


def _number(value: Any) -> float | None:
    """The number that the value is or spells; None if it is none. `True` is not a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        return None
    try:
        return float(value)
    except OverflowError:  # an integer beyond what a float holds
        return float("inf") if value > 0 else float("-inf")
    except (TypeError, ValueError):
        return None


def _size(value: Any, model: VideoModel, reference: str | None, notices: list[str]) -> str | None:
    if reference is not None:
        if value:
            notices.append("size is not used together with input_reference_url")
        return None
    if value in model.sizes:
        return str(value)
    default = model.sizes[0]
    if value:
        asked = value if isinstance(value, str) else "of that kind"
        notices.append(f"size {asked[:20]} is not offered by {model.id}; used {default}")
    return default


def _reference(value: Any) -> str | None:
    if isinstance(value, Upload):
        return value.url
    if not value:
        return None
    reason = "is too long" if len(str(value)) > MAX_URL_CHARACTERS else "is no text"
    try:
        if isinstance(value, str) and len(value) <= MAX_URL_CHARACTERS:
            check_url(value)
            return value
    except UnsafeUrlError as unsafe:
        reason = unsafe.reason
    raise InvalidActionError(
        f"The image's address (input_reference_url) {reason}. It must be the https address of a"
        " PNG, JPEG or WebP image."
    )

"""Errors in, failures out: what the reader is told, and whether it may have cost money. Pure."""

from __future__ import annotations

import json

from actionreel import errors
from actionreel.errors import (
    ActionreelError,
    AssetError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
)
from actionreel.models import CaughtError, Failure, Video, VideoJob

_OURS = "Something went wrong on our side while this video was being made."
INTERRUPTED = (
    "A request to the provider was not clearly answered: it may or may not have started this video,"
    " and may charge for it."
)
_WORDS = {
    "storage": "The video was made, but its file could not be stored.",
    "rate_limited": "The provider has too many requests at the moment.",
    "provider_unavailable": "The provider cannot be reached.",
    "provider_rejected": "The provider refused this video.",
    "outcome_unknown": "The provider may or may not have started this video, and may charge.",
}


def failure_of(error: ActionreelError, *, maybe_charged: bool = False) -> Failure:
    """What the reader is told of one of our own errors."""
    code = error.category if isinstance(error, ProviderRejectedError) else error.code
    charged = maybe_charged or isinstance(error, OutcomeUnknownError | AssetError)
    return Failure.model_validate(
        {
            "code": code,
            "message": str(error),
            "retryable": error.retryable and not charged,  # a model would pay twice
            "maybe_charged": charged,
        }
    )


def interrupted() -> Failure:
    """A request to the provider of which nobody knows what became of it."""
    return failure_of(OutcomeUnknownError(INTERRUPTED))


def tainted(failure: Failure) -> Failure:
    """The same failure of a video of which an earlier request may have made, and charged, a job."""
    return failure_of(OutcomeUnknownError(f"{INTERRUPTED} After that: {failure.message}"))


def overdue(job: VideoJob, elapsed: float) -> Failure:
    """A job that was not finished by its model's deadline, `elapsed` seconds after it began."""
    minutes = max(1, round(elapsed / 60))
    message = f"The provider did not finish this video within {minutes} min."
    if job.trouble:
        message += f" Its last answer: {job.trouble}"
    return Failure(code="timeout", message=message, maybe_charged=True)


def caught_failure(caught: CaughtError | None, video: Video) -> Failure:
    """What the reader is told of an error that the state machine caught.

    Only our own errors speak for themselves. Anything else (a crash, a time-out of a function) is
    told by how far the record had come: the text of a stranger's error is not for the chat.
    """
    known = getattr(errors, caught.error, None) if caught else None
    if caught and isinstance(known, type) and issubclass(known, ProviderError | AssetError):
        message = _cause_message(caught.cause) or _WORDS.get(known.code, _OURS)
        charged = video.status != "queued"
        return failure_of(known(message), maybe_charged=charged)
    if video.status == "submitting":
        return interrupted()
    if video.status == "storing":
        return failure_of(AssetError(_WORDS["storage"]))
    return Failure(
        code="internal",
        message=_OURS,
        retryable=video.status != "generating",
        maybe_charged=video.status == "generating",
    )


def _cause_message(cause: str) -> str:
    """The message within the JSON that Lambda writes as the cause of an error; empty if it is not
    that JSON (a long one is cut)."""
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return ""
    return message if isinstance(message, str) else ""

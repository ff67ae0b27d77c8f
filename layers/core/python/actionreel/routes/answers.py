"""What all routes of the HTTP API share: how errors become HTTP, and how the schema says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from actionreel import bootstrap, http_api
from actionreel.api_models import ErrorBody
from actionreel.errors import (
    AssetError,
    CrowdedError,
    InvalidActionError,
    MessageMismatchError,
    ProviderError,
    QuotaError,
    RequestError,
    VideoNotFoundError,
)
from actionreel.observability import logger
from actionreel.results import another_try


def errors(*statuses: int) -> dict[int, Any]:
    """How the schema describes the errors of a route."""
    content = {"application/json": {"model": ErrorBody}}
    return {status: {"description": MEANINGS[status], "content": content} for status in statuses}


MEANINGS = {
    302: "A link to the file, signed for 15 minutes",
    400: "The body cannot be read",
    404: "There is no such video",
    409: "Not now, or not in this state",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request can be read, but not accepted",
    429: "A cap is reached; the sentence says which, and when it frees",
    503: "It cannot be done now, but may be soon",
}

_LOCATION = {"description": "Where the file is.", "schema": {"type": "string", "format": "uri"}}
FOUND: dict[int, Any] = {302: {"description": MEANINGS[302], "headers": {"Location": _LOCATION}}}


def to_file(key: str, method: str, *, download: bool = False) -> Response[str]:
    """Leads whoever comes with that method to a file of the bucket, for 15 minutes; browsers save
    it where `download` says so."""
    filename = key.rpartition("/")[2]
    storage = bootstrap.services().storage
    link = storage.link(key, filename, download=download, head=method == "HEAD")
    secret = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(302, headers={"Location": link, **secret}, body="")


def gives(status: int, description: str, model: type[Any], *wrong: int) -> dict[int, Any]:
    """How the schema describes what a route answers."""
    content = {"application/json": {"model": model}}
    return {status: {"description": description, "content": content}, **errors(*wrong)}


class NoMethodError(RequestError):
    """The address is there, and takes these methods (405)."""

    def __init__(self, allowed: Sequence[str]) -> None:
        names = " and ".join(allowed)
        super().__init__(405, "wrong_method", f"This address takes {names} only.")
        self.allow = ", ".join(allowed)


def on_error(error: Exception) -> Response[dict[str, Any]]:
    """An error as our own routes tell it."""
    status, message, code = explain(error)
    advice = another_try(error)
    body = {"error": message, "code": code, **(advice if advice["retryable"] else {})}
    return Response(status, "application/json", body, headers=headers_of(error))


def headers_of(error: Exception) -> dict[str, Any]:
    """The headers that belong to a status: which methods there are (405), when to come again (429,
    in seconds, if that is known)."""
    match error:
        case NoMethodError():
            return {"Allow": error.allow}
        case QuotaError(retry_after=float() | int() as seconds):
            return {"Retry-After": str(math.ceil(seconds))}
    return {}


def explain(error: Exception) -> tuple[int, str, str]:
    """The one place that turns errors into HTTP: the status, a sentence, and its code."""
    match error:
        case RequestError():
            return error.status, str(error), error.word
        case VideoNotFoundError():
            return 404, str(error), error.code
        case NotFoundError():
            return 404, "There is nothing at this address.", "not_found"
        case MessageMismatchError():
            return 422, str(error), "message_mismatch"
        case QuotaError():
            return 429, str(error), error.code
        case InvalidActionError():
            return 422, str(error), error.code
        case ProviderError() | AssetError():
            return 503, str(error), error.code
        case CrowdedError():
            return 503, str(error), "busy"
        case RequestValidationError():
            return 422, http_api.invalid_fields(error.errors()), "invalid_request"
    logger.exception("request failed", extra={"error": type(error).__name__})
    return 500, "Something went wrong on our side.", "internal"

"""What the answers of the OpenAI Videos protocol mean, as tables. Pure.

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it, and the
error bodies of the servers that are compatible with it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard

from actionreel.errors import (
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Failure, Handle, ProviderAnswer

Document = dict[str, Any]

# What a job's status word means; a word that is not here is pending, until the deadline.
_PHASES = {
    **dict.fromkeys(("completed", "succeeded", "succeed", "success", "done"), "completed"),
    **dict.fromkeys(
        ("failed", "fail", "error", "expired", "incomplete", "budget_exceeded"), "failed"
    ),
    **dict.fromkeys(("cancelled", "canceled", "aborted", "deleted"), "cancelled"),
}

# What an HTTP status says of a create. Other 4xx are the provider's refusal, too; of these, and of
# all else (303 follows a POST that was carried out), nobody can tell whether the job was made.
_IN_DOUBT = (408, 409, 425)
_REFUSALS = {
    400: "invalid_input",
    401: "provider_rejected",
    402: "quota",
    403: "provider_rejected",
    404: "provider_rejected",
    405: "provider_rejected",
    410: "provider_rejected",
    413: "invalid_input",
    415: "provider_rejected",
    422: "invalid_input",
}
_SENTENCES = {
    "moderation": "The provider refused this video for its content.",
    "quota": "The account at the provider has no credit left.",
    "invalid_input": "The provider refused the request.",
    401: "The provider did not accept the deployment's key.",
    403: "The provider does not allow this deployment to make this video.",
    404: "The provider does not know this model, or has no video service at this address.",
}
_MODERATION = re.compile("moderation|policy|safety|content_filter")
# Proxies pass the word on as a message; in a text it must be plainer than in a code.
_MODERATION_TEXT = re.compile("content.policy|moderation|safety system|nsfw")
_QUOTA = re.compile("insufficient_quota|billing|budget")
_REASON_CHARACTERS = 300
_SECRET_CHARACTERS = 8
_ID_CHARACTERS = 1000  # a handle goes through every document of the execution


def document(body: bytes, key: str) -> Document:
    """The JSON object of an answer, empty if it is anything else; without the `key`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    for place, name in ((said, "detail"), (said.get("error"), "message")):
        if isinstance(place, dict) and isinstance(place.get(name), str):
            place[name] = _masked(place[name], key)
    return said


def _masked(reason: str, key: str) -> str:
    """A shorter key is a stand-in, such as servers without authentication are given, no secret."""
    return reason.replace(key, "***") if len(key) >= _SECRET_CHARACTERS else reason


def job_id(said: Document) -> str | None:
    """The id of the job, if the document names one that can be sent back."""
    found = said.get("id")
    if not isinstance(found, str) or found != _sayable(found, _ID_CHARACTERS):
        return None
    return found or None


def answer(said: Document, handle: Handle | None) -> ProviderAnswer:
    """What the document of a job says, in our words."""
    phase = _PHASES.get(str(said.get("status")).lower(), "pending")
    progress = said.get("progress")
    return ProviderAnswer.model_validate(
        {
            "phase": phase,
            "handle": handle,
            "progress": min(max(round(progress), 0), 100) if is_number(progress) else None,
            "failure": None if phase in ("pending", "completed") else _charged(phase, said),
            "took_seconds": _took_seconds(said),
            "cost_usd": _cost(said),
        }
    )


def _took_seconds(said: Document) -> int | None:
    """The provider's own figure for its work, by its own clock; None if it does not give both."""
    began, ended = said.get("created_at"), said.get("completed_at")
    if is_number(began) and is_number(ended) and 0 < began <= ended:
        return round(ended - began)
    return None


def _cost(said: Document) -> Decimal | None:
    """The price that servers such as OpenRouter name in `usage.cost`, in US dollars."""
    usage = said.get("usage")
    cost = usage.get("cost") if isinstance(usage, dict) else None
    try:
        price = Decimal("NaN" if cost is None or isinstance(cost, bool) else str(cost))
    except InvalidOperation:
        return None
    return price if price.is_finite() else None


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether that is a number that can be counted with."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _charged(phase: str, said: Document) -> Failure:
    """The failure of a job, which is taken to cost nothing unless the provider names a price."""
    failure = _job_failure(phase, said)
    if (_cost(said) or 0) <= 0:
        return failure
    return failure.model_copy(update={"maybe_charged": True, "retryable": False})


def _job_failure(phase: str, said: Document) -> Failure:
    """Why a job ended without a video, from the `error` of its document."""
    code, reason = _error(said)
    if phase == "cancelled":
        message = "This video was cancelled at the provider."
        return Failure(code="cancelled", message=message, maybe_charged=True)
    if str(said.get("status")).lower() == "expired":
        message = "This video expired at the provider."
        return Failure(code="expired", message=message, maybe_charged=True)
    if _MODERATION.search(code) or _MODERATION_TEXT.search(reason.lower()):
        return Failure(code="moderation", message=_sentence("moderation", reason))
    if _QUOTA.search(code):
        return Failure(code="quota", message=_sentence("quota", reason))
    message = f"The provider could not make this video{f': {reason}' if reason else '.'}"
    return Failure(code="provider_rejected", message=message, retryable=True)


def refusal(status: int, said: Document, headers: Mapping[str, str] = {}) -> ProviderError:
    """What an answer other than 2xx to a create means."""
    code, reason = _error(said)
    if status == 429 and not _QUOTA.search(code):
        return ProviderThrottledError(
            "The provider has too many requests at the moment.", retry_after(headers)
        )
    category = "quota" if status == 429 else _REFUSALS.get(status)
    if status in (301, 302, 307, 308):
        return ProviderRejectedError("The provider's address leads elsewhere (a redirect).")
    if category is None and 400 <= status < 500 and status not in _IN_DOUBT:
        category = "provider_rejected"
    if category is None:
        return OutcomeUnknownError(unknown(f"answered with an error (HTTP {status})"))
    if status in (400, 403, 422) and _MODERATION.search(code):
        category = "moderation"
    elif status == 400 and _QUOTA.search(code):
        category = "quota"
    if status in (401, 403, 404) and category == "provider_rejected":
        return ProviderRejectedError(_SENTENCES[status])  # their text may repeat the key
    return ProviderRejectedError(_sentence(category, reason), category)


def _sentence(category: str, reason: str) -> str:
    said = f" It says: {reason}" if reason else ""
    return _SENTENCES.get(category, f"The provider refused ({category}).") + said


def _error(said: Document) -> tuple[str, str]:
    """The machine's words and the reader's words of an error body, either of them maybe empty."""
    error = said.get("error")
    if not isinstance(error, dict):
        return "", _sayable(said.get("detail"))
    words = " ".join(str(error.get(name) or "") for name in ("code", "type")).lower()
    return words, _sayable(error.get("message"))


def _sayable(reason: Any, characters: int = _REASON_CHARACTERS) -> str:
    """A reason as it can be written down: a text, not too long, and of whole characters."""
    if not isinstance(reason, str):
        return ""
    return reason[:characters].encode(errors="replace").decode()


def unknown(what: str) -> str:
    """The sentence for a create of which nobody can tell what became of it."""
    return f"The provider {what}: it may or may not have started this video, and may charge for it."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """When to come back, in seconds, if the answer says so: `retry-after-ms`, or `Retry-After` as
    seconds or as a date. `headers` has lower-case names, or does not care."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(ValueError):
            return float(headers.get(name, "")) * unit
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
        return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None


def trouble(status: int) -> ProviderError:
    """What an answer other than 2xx to a poll means: nothing, for the job."""
    if status == 429:
        return ProviderThrottledError("The provider has too many requests at the moment (429).")
    if status in (401, 403):
        return ProviderRejectedError(f"The provider does not accept the key any more ({status}).")
    return ProviderUnavailableError(f"The provider answered with an error (HTTP {status}).")

"""What the answers of providers mean, as tables that all adapters share. Pure.

An adapter takes out of its provider's documents a status word, the machine's words for an error and
the reader's words; what those come to is said here, so that all providers fail alike. Words of
success and failure that are not in a table change nothing: the job is pending, until the deadline.
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
from typing import Any, Literal, TypeGuard

from actionreel.errors import (
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Failure, Handle, ProviderAnswer

Document = dict[str, Any]
Phase = Literal["pending", "completed", "failed", "cancelled"]

_PHASES: dict[str, Phase] = {
    **dict.fromkeys(("completed", "succeeded", "succeed", "success", "done"), "completed"),
    **dict.fromkeys(
        ("failed", "fail", "error", "expired", "incomplete", "budget_exceeded"), "failed"
    ),
    **dict.fromkeys(("cancelled", "canceled", "aborted", "deleted"), "cancelled"),
}

# What an HTTP status says of a create. Other 4xx are the provider's refusal, too; of these, and of
# all else (303 follows a POST that was carried out), nobody can tell whether the job was made.
_IN_DOUBT = (408, 409, 425, 499)
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
_MODERATION = re.compile("moderat|policy|safety|content_filter|content_checker|sensitive")
# Proxies pass the word on as a message; in a text it must be plainer than in a code.
_MODERATION_TEXT = re.compile(
    "content.?polic|content.?filter|moderation|safety.(system|filter|polic|guideline)|nsfw"
    "|flagged as sensitive|flagged by a content|sensitive words|prohibited content|responsible ai"
    "|usage (guideline|polic)|violat.{0,40}(polic|guideline)"
)
_QUOTA = re.compile("insufficient_quota|insufficient_credit|billing|budget|balance")
_REASON_CHARACTERS = 300
_SECRET_CHARACTERS = 8
_ID_CHARACTERS = 1000
_PRICE_DIGITS = 12  # after the point
_HANDLE_BYTES = 2048  # a handle goes through every document of the execution


def document(body: bytes, key: str) -> Document:
    """The JSON object of an answer, empty if it is anything else; without the `key`."""
    if len(key) >= _SECRET_CHARACTERS:  # a shorter one is a stand-in, no secret
        body = body.replace(key.encode(), b"***")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def phase(word: Any) -> Phase:
    """What a job's status word means, in any case of letters."""
    return _PHASES.get(word.lower(), "pending") if isinstance(word, str) else "pending"


def progress(value: Any) -> int | None:
    """A progress in percent, if it is one."""
    return min(max(round(value), 0), 100) if is_number(value) else None


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether that is a number that can be counted with."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def price(value: Any) -> Decimal | None:
    """A price in US dollars, if it is one: of so many digits that it can be counted."""
    try:
        amount = Decimal(str(value) if is_number(value) or isinstance(value, str) else "NaN")
        if not amount.is_finite() or amount < 0:
            return None
        rounded = round(amount, _PRICE_DIGITS)
    except InvalidOperation:
        return None
    return amount if amount == rounded else rounded


def file_url(output: Any) -> str | None:
    """The address of the file in what a job has made: a text, an object with a `url`, or the first
    such in a list; None if there is none."""
    for part in output if isinstance(output, list) else [output]:
        url = part.get("url") if isinstance(part, dict) else part
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            return url
    return None


def text(reason: Any, characters: int = _REASON_CHARACTERS) -> str:
    """A reason as it can be written down: a text, not too long, and of whole characters."""
    if not isinstance(reason, str):
        return ""
    return reason[:characters].encode(errors="replace").decode()


def job_id(value: Any) -> str | None:
    """The id of a job, if it is one that can be sent back."""
    if not isinstance(value, str) or value != text(value, _ID_CHARACTERS):
        return None
    return value or None


def accepted(handle: Handle, **said: Any) -> ProviderAnswer:
    """The answer to a create that the provider took on.

    Raises OutcomeUnknownError if the handle says nothing, or more than we can carry along: there is
    a job then that we cannot find again.
    """
    size = len(json.dumps(handle).encode())
    if not all(handle.values()) or not 2 < size <= _HANDLE_BYTES:
        raise OutcomeUnknownError(unknown("gave an answer that cannot be read"))
    return ProviderAnswer.model_validate({"phase": "pending", **said, "handle": handle})


def unknown(what: str) -> str:
    """The sentence for a create of which nobody can tell what became of it."""
    return f"The provider {what}: it may or may not have started this video, and may charge for it."


def failed(words: str, reason: str, cost_usd: Decimal | None = None) -> Failure:
    """Why a job ended without a video, of the machine's `words` and the reader's.

    It is taken to cost nothing unless the provider names a price.
    """
    words = words.lower()
    if _is_moderation(words, reason):
        failure = Failure(code="moderation", message=_sentence("moderation", reason))
    elif _QUOTA.search(words):
        failure = Failure(code="quota", message=_sentence("quota", reason))
    else:
        message = f"The provider could not make this video{f': {reason}' if reason else '.'}"
        failure = Failure(code="provider_rejected", message=message, retryable=True)
    if (cost_usd or 0) <= 0:
        return failure
    return failure.model_copy(update={"maybe_charged": True, "retryable": False})


def cancelled() -> Failure:
    """A job that somebody stopped at the provider."""
    message = "This video was cancelled at the provider."
    return Failure(code="cancelled", message=message, maybe_charged=True)


def expired() -> Failure:
    """A job that the provider gave up, or whose file it has deleted."""
    message = "This video expired at the provider."
    return Failure(code="expired", message=message, maybe_charged=True)


def refusal(
    status: int,
    words: str = "",
    reason: str = "",
    headers: Mapping[str, str] = {},
    wait: float | None = None,
) -> ProviderError:
    """What an answer other than 2xx to a create means, of the machine's `words` and the reader's.

    `wait` is when to come back, in seconds, where the provider does not say it in a header.
    """
    words = words.lower()
    # A proxy has a code of its own for each status, and passes the provider's on within the text.
    unpaid = _QUOTA.search(words) or "insufficient_quota" in reason
    if status == 429 and not unpaid:
        again = retry_after(headers)
        return ProviderThrottledError(
            "The provider has too many requests at the moment.", wait if again is None else again
        )
    category = "quota" if status == 429 else _REFUSALS.get(status)
    if status in (301, 302, 307, 308):
        return ProviderRejectedError("The provider's address leads elsewhere (a redirect).")
    if category is None and 400 <= status < 500 and status not in _IN_DOUBT:
        category = "provider_rejected"
    if category is None:
        return OutcomeUnknownError(unknown(f"answered with an error (HTTP {status})"))
    if status not in (401, 402, 404, 429) and _is_moderation(words, reason):
        category = "moderation"
    elif status in (400, 403) and unpaid:
        category = "quota"
    if status in (401, 403, 404) and category == "provider_rejected":
        return ProviderRejectedError(_SENTENCES[status])  # their text may repeat the key
    return ProviderRejectedError(_sentence(category, reason), category)


def trouble(status: int) -> ProviderError:
    """What an answer other than 2xx to a poll means: nothing, for the job."""
    if status == 429:
        return ProviderThrottledError("The provider has too many requests at the moment (429).")
    if status in (401, 403):
        return ProviderRejectedError(f"The provider does not accept the key any more ({status}).")
    return ProviderUnavailableError(f"The provider answered with an error (HTTP {status}).")


def unreadable() -> ProviderError:
    """A 2xx to a poll that says nothing of the job: the next one may."""
    return ProviderError("The provider gave an answer that cannot be read.")


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


def _is_moderation(words: str, reason: str) -> bool:
    return bool(_MODERATION.search(words) or _MODERATION_TEXT.search(reason.lower()))


def _sentence(category: str, reason: str) -> str:
    said = f" It says: {reason}" if reason else ""
    return _SENTENCES.get(category, f"The provider refused ({category}).") + said

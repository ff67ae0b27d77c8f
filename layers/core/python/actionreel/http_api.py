"""What API Gateway hands over (payload format 2.0), read with care. Pure.

A body that cannot be read is told apart here, before the event handler, which would answer some of
these bodies with a 500.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from actionreel.api_models import RESERVED_META
from actionreel.errors import RequestError, UnsafeUrlError
from actionreel.url_guard import check_url, is_at

MAX_BODY_BYTES = 1024 * 1024
MAX_TEXT_BYTES = 200 * 1024
MAX_META_BYTES = 16 * 1024

Event = Mapping[str, Any]


def check_body(event: Event) -> None:
    """Raises RequestError for a body that is too large (413), no JSON (415) or unreadable (400)."""
    posted = event["requestContext"]["http"]["method"] == "POST"
    path = event["rawPath"]
    calls_tool = path.startswith("/tools/")
    if not posted or not (calls_tool or path.endswith(("/actions", "/retry"))):
        return  # no other route of ours takes a body
    if (calls_tool or path.endswith("/retry")) and not event.get("body"):
        return  # a retry that accepts nothing, a tool without arguments
    kind = str(event.get("headers", {}).get("content-type", ""))
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "not_json", "The body must be JSON: Content-Type application/json.")
    check_json(body_bytes(event))


def check_json(body: bytes, most_mb: int = 1) -> None:
    """Raises RequestError for JSON that is too large (413) or unreadable (400)."""
    if len(body) > most_mb * 1024 * 1024:
        raise RequestError(413, "too_large", f"The body can have at most {most_mb} MB.")
    try:
        from_json(body, allow_inf_nan=False)  # refuses NaN, half surrogate pairs, great depth
        json.loads(body, parse_float=_finite)  # refuses numbers beyond Python's
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(" at line")[0][:100]
        raise RequestError(400, "unreadable", f"The body is not JSON: {reason}.") from None


def check_sizes(text: str, meta: Mapping[str, Any]) -> None:
    """Raises RequestError for a text (413) or a `meta` (413, 422) that we do not take."""
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise RequestError(413, "too_large", "The text can have at most 200 KB.")
    if len(json.dumps(meta)) > MAX_META_BYTES:
        raise RequestError(413, "too_large", "meta can have at most 16 KB.")
    taken = [name for name in RESERVED_META if name in meta]
    if taken:
        raise RequestError(
            422, "invalid_request", f"meta cannot hold {', '.join(taken)}: results have those."
        )


def agreed_message_id(message_id: str | None, idempotency_key: str | None) -> str | None:
    """The message's id, from the body or the Idempotency-Key header.

    Raises RequestError (422) if both are there and differ.
    """
    if message_id and idempotency_key and message_id != idempotency_key:
        raise RequestError(
            422, "invalid_request", "messageId and Idempotency-Key are there and differ."
        )
    return message_id or idempotency_key or None


def check_callback_url(url: str, origins: Collection[str]) -> None:
    """Raises RequestError (422) for an address that results cannot be sent to: it must be a plain
    https address, unless its origin is one of `origins`. Where it leads is checked at the call."""
    if is_at(url, origins):
        return
    try:
        check_url(url)
    except UnsafeUrlError as unsafe:
        raise RequestError(422, "invalid_request", f"callbackUrl {unsafe.reason}.") from None


def error_answer(error: RequestError) -> dict[str, Any]:
    """The error as API Gateway takes it."""
    return {
        "statusCode": error.status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(
            {"error": str(error), "code": error.word}
            | ({"retryable": True} if error.retryable else {})
        ),
    }


def to_json(document: Any) -> str:
    """A document as short as it can be written: escapes would be escaped once more on the way to
    Lambda, which gives back at most 6 MB."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="replace").decode()  # half a surrogate pair cannot be written down


def tenant(event: Event) -> str:
    """Whose request this is, as the authorizer says: nobody else is asked.

    Raises RequestError (401) for a request that no authorizer has seen.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    found = (authorizer.get("lambda") or {}).get("tenant")
    if not isinstance(found, str) or not found:
        raise RequestError(401, "unauthorized", "This needs an API key.")
    return found


def link_base(event: Event) -> str:
    """The address that the caller used for us, without a slash at its end."""
    headers = event.get("headers", {})
    host = headers.get("host") or event["requestContext"]["domainName"]
    base = f"{headers.get('x-forwarded-proto', 'https')}://{host}"
    return base.encode(errors="replace").decode()  # half a surrogate pair cannot be written down


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> str:
    """One sentence for what validation found, without the values that it found."""
    found = [
        f"{'.'.join(str(part)[:40] for part in error['loc'][1:]) or 'the body'}: {error['msg']}"
        for error in errors[:5]
    ]
    return f"{'; '.join(found)}."


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError("number out of range")
    return value


def body_bytes(event: Event) -> bytes:
    """The body as it was sent. Raises RequestError (400) if the event cannot be read."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, "unreadable", "The body is not readable.") from None

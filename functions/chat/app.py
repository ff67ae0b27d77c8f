"""Take in what is written in chats: `POST /chat/{platform}`."""

from __future__ import annotations

import json
from typing import Any

from actionreel import bootstrap, chat_inbox, http_api
from actionreel.chats import Reply
from actionreel.errors import ChatUnavailableError, RequestError, WorkflowError
from actionreel.observability import logger

bootstrap.prepare_for_chats()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    platform = (event.get("pathParameters") or {}).get("platform", "")
    try:
        answer = _answer(_receive(platform, event))
    except RequestError as error:
        answer = http_api.error_answer(error)
    except Exception as error:  # ours: it is to come again
        passes = isinstance(error, ChatUnavailableError | WorkflowError)
        tell = logger.warning if passes else logger.exception
        reason = str(error) if passes else None  # a sentence of ours, without secrets
        tell("message put off", extra={"error": type(error).__name__, "reason": reason})
        later = RequestError(503, "unavailable", "This cannot be taken in now.")
        answer = http_api.error_answer(later)
    logger.info("message", extra={"status": answer["statusCode"]})
    return answer


def _receive(platform: str, event: dict[str, Any]) -> Reply:
    body = http_api.body_bytes(event)
    if len(body) > http_api.MAX_BODY_BYTES:
        raise RequestError(413, "too_large", "The body can have at most 1 MB.")
    headers = {str(name).lower(): str(value) for name, value in event.get("headers", {}).items()}
    base_url = http_api.link_base(event)
    return chat_inbox.receive(platform, headers, body, base_url, bootstrap.services())


def _answer(reply: Reply) -> dict[str, Any]:
    if reply.body is None:
        return {"statusCode": reply.status}
    headers = {"Content-Type": "application/json"}
    return {"statusCode": reply.status, "headers": headers, "body": json.dumps(reply.body)}

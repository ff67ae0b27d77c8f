"""Hear from providers that a job has ended: `POST /webhooks/{provider}/{token}`."""

from __future__ import annotations

from typing import Any

from actionreel import bootstrap, http_api, webhooks
from actionreel.errors import ProviderUnavailableError, RequestError, WorkflowError
from actionreel.observability import logger


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out.

    The log says how it ended and not where it came: the address is a secret.
    """
    try:
        _receive(event)
        answer: dict[str, Any] = {"statusCode": 204}
    except RequestError as error:
        answer = http_api.error_answer(error)
    except (ProviderUnavailableError, WorkflowError) as error:  # ours: it is to come again
        logger.warning("webhook put off", extra={"error": type(error).__name__})
        later = RequestError(503, "unavailable", "This cannot be taken in now.")
        answer = http_api.error_answer(later)
    logger.info("webhook", extra={"status": answer["statusCode"]})
    return answer


def _receive(event: dict[str, Any]) -> None:
    body = http_api.body_bytes(event)
    if len(body) > http_api.MAX_BODY_BYTES:
        raise RequestError(413, "too_large", "The body can have at most 1 MB.")
    address = event.get("pathParameters") or {}
    headers = {str(name).lower(): str(value) for name, value in event.get("headers", {}).items()}
    webhooks.receive(
        address.get("provider", ""),
        address.get("token", ""),
        headers,
        body,
        bootstrap.services(),
    )

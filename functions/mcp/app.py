"""The tools for agents, by the Model Context Protocol: `POST /mcp`."""

from __future__ import annotations

from typing import Any

from actionreel import http_api
from actionreel.errors import RequestError
from actionreel.observability import logger
from actionreel.routes import mcp


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    try:
        answer = mcp.answer(event)
    except RequestError as error:
        answer = http_api.error_answer(error)
        if error.status == 405:
            answer["headers"]["Allow"] = "POST"
    logger.info("mcp", extra={"status": answer["statusCode"]})
    return answer

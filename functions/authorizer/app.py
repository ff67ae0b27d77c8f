"""Say whose request it is: the authorizer of the HTTP API (payload 2.0, simple responses)."""

from __future__ import annotations

from typing import Any

from actionreel import bootstrap
from actionreel.authorization import authorize
from actionreel.observability import logger


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What API Gateway asks for a request with an Authorization header; whom it does not name may
    not pass. An exception makes it answer 500: trouble of ours is no refusal."""
    authorization = str((event.get("headers") or {}).get("authorization", ""))
    caller = authorize(authorization, bootstrap.services())
    if caller is None:
        logger.info("refused")
        return {"isAuthorized": False}
    known = {name: value for name, value in caller._asdict().items() if value is not None}
    logger.info("admitted", extra=known)
    return {"isAuthorized": True, "context": known}

"""The route of what the API says of itself."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from actionreel.etags import etag, is_current
from actionreel.routes.document import Json, document
from actionreel.routes.router import Router

router = Router()

_made: dict[APIGatewayHttpResolver, Json] = {}  # takes a good part of a second, so made once
_TAG: dict[str, Any] = {
    "ETag": {"description": "Changes when the document does.", "schema": {"type": "string"}}
}
_DOCUMENT: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}


@router.get(
    "/openapi.json",
    summary="This document",
    description="Needs no key. With the `ETag` of an earlier answer in `If-None-Match`: a 304.",
    responses={
        200: {"description": "OpenAPI 3.1", "content": _DOCUMENT, "headers": _TAG},
        304: {"description": "It is as it was", "headers": _TAG},
    },
)
def get_openapi() -> Response[str]:
    app: Any = router.api_resolver
    if app not in _made:
        _made[app] = document(app)
    servers = [{"url": router.base_url, "description": "The address that you used"}]
    body = json.dumps(_made[app] | {"servers": servers})
    headers = {"ETag": etag(body), "Cache-Control": "no-cache"}
    if is_current(router.event.get("headers", {}).get("if-none-match", ""), headers["ETag"]):
        return Response(304, headers=headers, body="")
    return Response(200, "application/json", body, headers)

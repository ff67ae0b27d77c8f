"""The HTTP API: receives, hands on, and says in HTTP what came of it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from actionreel import http_api
from actionreel.errors import RequestError
from actionreel.routes import tools, usage, videos
from actionreel.routes.answers import on_error

app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)
app.include_router(videos.router)
app.include_router(usage.router)
app.include_router(tools.router)
app.exception_handler([NotFoundError, RequestValidationError, Exception])(on_error)


@app.get("/openapi.json", include_in_schema=False)
def get_openapi() -> Response[str]:
    schema = app.get_openapi_json_schema(title="Actionreel", version="1")
    return Response(200, "application/json", schema)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    try:
        http_api.check_body(event)
    except RequestError as error:
        return http_api.error_answer(error)
    if "content-type" in event["headers"]:  # checked; the event handler knows one spelling only
        event["headers"]["content-type"] = "application/json"
    return app.resolve(event, context)

"""The HTTP API: receives, hands on, and says in HTTP what came of it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from actionreel import http_api
from actionreel.errors import RequestError
from actionreel.routes import about, openai_videos, tools, usage, videos
from actionreel.routes.addresses import methods
from actionreel.routes.answers import NoMethodError, on_error

app = APIGatewayHttpResolver(
    enable_validation=True,
    response_validation_error_http_code=500,
    serializer=http_api.to_json,
)
app.include_router(about.router)
app.include_router(videos.router)
app.include_router(usage.router)
app.include_router(openai_videos.router)
app.include_router(tools.router)


def explain(error: Exception) -> Response[dict[str, Any]]:
    """Each door has its own form of errors."""
    at_openai_s = app.current_event.path.startswith(openai_videos.PREFIX)
    return openai_videos.on_error(error) if at_openai_s else on_error(error)


app.exception_handler([RequestValidationError, Exception])(explain)


@app.not_found
def on_no_route(error: NotFoundError) -> Response[dict[str, Any]]:
    allowed = methods(app, app.current_event.path)
    return explain(NoMethodError(allowed) if allowed else error)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    if event["rawPath"].startswith(openai_videos.PREFIX):
        return app.resolve(event, context)  # its routes read their bodies themselves
    try:
        http_api.check_body(event)
    except RequestError as error:
        return http_api.error_answer(error)
    if "content-type" in event["headers"]:  # checked; the event handler knows one spelling only
        event["headers"]["content-type"] = "application/json"
    return app.resolve(event, context)

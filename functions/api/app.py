"""The HTTP API: receives, hands on, and says in HTTP what came of it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from actionreel import http_api
from actionreel.errors import RequestError
from actionreel.routes import about, usage, videos
from actionreel.routes.addresses import methods
from actionreel.routes.answers import on_error, wrong_method

app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)
app.include_router(about.router)
app.include_router(videos.router)
app.include_router(usage.router)
app.exception_handler([RequestValidationError, Exception])(on_error)


@app.not_found
def on_no_route(error: NotFoundError) -> Response[dict[str, Any]]:
    allowed = methods(app, app.current_event.path)
    return wrong_method(allowed) if allowed else on_error(error)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway's HTTP API (payload format 2.0) in, its answer out."""
    try:
        http_api.check_body(event)
    except RequestError as error:
        return http_api.error_answer(error)
    if "content-type" in event["headers"]:  # checked; the event handler knows one spelling only
        event["headers"]["content-type"] = "application/json"
    return app.resolve(event, context)

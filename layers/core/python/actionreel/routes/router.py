"""A router of the HTTP API whose routes know who asks, and by which address."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from actionreel import bootstrap, http_api
from actionreel.links import Links


class Router(APIGatewayHttpRouter):
    """Powertools' router, and what is ours of the request that is being answered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def event(self) -> dict[str, Any]:
        """The event as API Gateway sent it."""
        event: dict[str, Any] = self.current_event.raw_event
        return event

    @property
    def method(self) -> str:
        """The method of the request, in capitals."""
        return str(self.event["requestContext"]["http"]["method"])

    @property
    def tenant(self) -> str:
        """Whose request this is; raises RequestError (401) if no authorizer has seen it."""
        return http_api.tenant(self.event)

    @property
    def base_url(self) -> str:
        """The address that the caller used for us, without a slash at its end."""
        return http_api.link_base(self.event)

    @property
    def links(self) -> Links:
        """What makes the links of videos, as this caller can use them."""
        return bootstrap.services().links(self.base_url)

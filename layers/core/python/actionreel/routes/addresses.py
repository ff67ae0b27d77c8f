"""Which methods an address takes: what is told who comes with another one (405)."""

from __future__ import annotations

import re

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

# What other functions answer. Their addresses with another method come to the API's $default route,
# because API Gateway finds no route for them; a test compares this with the template.
ELSEWHERE = {
    "/": {"GET"},
    "/static/{file}": {"GET"},
    "/docs": {"GET"},
    "/webhooks/{provider}/{token}": {"POST"},
    "/chat/{platform}": {"POST"},
    "/mcp": {"DELETE", "GET", "POST"},
}

_ELSEWHERE = [
    (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), taken)
    for path, taken in ELSEWHERE.items()
]


def methods(app: APIGatewayHttpResolver, path: str) -> list[str]:
    """The methods that there are for a path, sorted; none if there is nothing at this address."""
    # The resolver has no public way to ask for its routes; its version is pinned exactly.
    ours = {
        route.method
        for route in (*app._static_routes, *app._dynamic_routes)
        if route.rule.match(path)
    }
    return sorted(ours.union(*(taken for rule, taken in _ELSEWHERE if rule.fullmatch(path))))

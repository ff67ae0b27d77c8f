"""Messages of the Model Context Protocol as nobody should send them: most are nearly calls."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from actionreel.tool_schemas import NAMES
from tests.fuzz.requests import calls, nasty, text, values

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
METHODS = ["initialize", "ping", "tools/list", "server/discover", "notifications/x", "x"]
parts = st.sampled_from(["id", "params", "method", "jsonrpc"])
header_names = st.sampled_from(
    [
        "accept",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "origin",
        "x-forwarded-proto",
    ]
)


@st.composite
def protocol_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of the HTTP API at POST /mcp."""

    def odd(often: int) -> bool:
        return draw(st.integers(0, often)) == often

    name = draw(st.sampled_from(NAMES))
    params: Any = {"name": name, "arguments": draw(calls)}
    message: Any = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    if odd(3):
        message["method"] = draw(st.sampled_from(METHODS) | text)
    headers = {
        "host": "api.test",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }
    if odd(1):
        params["_meta"] = ENVELOPE
        headers["mcp-protocol-version"] = MODERN
        headers["mcp-method"], headers["mcp-name"] = str(message["method"]), name
    if odd(5):
        params[draw(st.sampled_from(["name", "arguments", "_meta"]))] = draw(values)
    if odd(5):
        message[draw(parts)] = draw(values)
    if odd(8):
        message.pop(draw(parts))
    if odd(20):
        message = [message]
    if odd(5):
        headers |= draw(st.dictionaries(header_names, text, max_size=2))
    body = json.dumps(message)
    if odd(10):
        body = draw(nasty).encode(errors="replace").decode()
    return {
        "version": "2.0",
        "routeKey": "POST /mcp",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": {"method": "POST", "path": "/mcp", "sourceIp": "203.0.113.7"},
            "requestId": "fuzz",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }

"""An ASGI application called once, with an event of API Gateway's HTTP API (payload format 2.0).

Each call has an event loop of its own, so it works in every thread, and nothing of a request is
left over for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from actionreel import http_api

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


def call(application: Application, event: http_api.Event) -> dict[str, Any]:
    """The application's answer, as API Gateway takes it; `scope["event"]` has the event.

    Raises RequestError (400) if the body cannot be read.
    """
    body = http_api.body_bytes(event)
    received: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await application(_scope(event), receive, send)

    asyncio.run(run())
    start = next(message for message in sent if message["type"] == "http.response.start")
    parts = (one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    headers = {  # without a type API Gateway would say that it is JSON
        "content-type": "text/plain; charset=utf-8",
        **{
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in start.get("headers", ())
        },
    }
    headers.pop("content-length", None)  # which whoever sends it counts
    status = int(start["status"])  # an application may give an enum
    return {"statusCode": status, "headers": headers, "body": b"".join(parts).decode()}


def _scope(event: http_api.Event) -> Message:
    http, headers = event["requestContext"]["http"], event.get("headers", {})
    path = str(event["rawPath"])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": http["method"],
        "scheme": headers.get("x-forwarded-proto", "https"),
        "path": path,
        "raw_path": quote(path, errors="replace").encode(),
        "root_path": "",
        "query_string": str(event.get("rawQueryString", "")).encode(errors="replace"),
        "headers": [
            (str(name).lower().encode("latin-1", "replace"), str(value).encode(errors="replace"))
            for name, value in headers.items()
        ],
        "client": None,
        "server": None,
        "event": event,
    }

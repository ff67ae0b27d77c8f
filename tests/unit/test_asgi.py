"""An ASGI application between an event of API Gateway and its answer."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from actionreel import asgi
from actionreel.errors import RequestError


def an_event(**changes: Any) -> dict[str, Any]:
    return {
        "rawPath": "/a b/é",
        "rawQueryString": "x=1",
        "headers": {"Host": "api.test", "x-forwarded-proto": "http", "x": "é\ud800"},
        "requestContext": {"http": {"method": "POST"}},
        "body": "aGFsbG8=",
        "isBase64Encoded": True,
        **changes,
    }


def test_the_request_is_handed_over() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([scope, await receive(), await receive()])
        await send({"type": "http.response.start", "status": 202, "headers": [(b"X-A", b"b")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": "zwö".encode()})

    event = an_event()
    assert asgi.call(application, event) == {
        "statusCode": 202,
        "headers": {"content-type": "text/plain; charset=utf-8", "x-a": "b"},
        "body": "one zwö",
    }
    scope, body, end = seen
    assert (scope["method"], scope["scheme"], scope["path"]) == ("POST", "http", "/a b/é")
    assert scope["raw_path"] == b"/a%20b/%C3%A9"
    assert scope["query_string"] == b"x=1"
    assert (b"host", b"api.test") in scope["headers"]
    assert scope["event"] is event
    assert body == {"type": "http.request", "body": b"hallo", "more_body": False}
    assert end == {"type": "http.disconnect"}


def test_it_works_in_every_thread() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(asgi.call(application, an_event())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
    assert answers == [said] * 4


def test_what_the_application_raises_is_raised() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        asgi.call(application, an_event())


def test_a_body_that_cannot_be_read_is_refused() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("must not be called")

    with pytest.raises(RequestError) as refused:
        asgi.call(application, an_event(body="!"))
    assert refused.value.status == 400

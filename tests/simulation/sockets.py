"""Our side of the wire: the adapter's sockets are real, and know of virtual time.

A provider that never answers must cost no real time: its server closes the connection and leaves a
note, and the stream on our side makes a time-out of that, for as long as it would have taken.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpcore
import httpx
import pytest

from actionreel import transport
from tests.simulation import chatroom
from tests.simulation import world as worlds
from tests.simulation.faults import Fault
from tests.simulation.replies import Reply
from tests.simulation.wire import Server
from tests.simulation.world import World


def patch(monkeypatch: pytest.MonkeyPatch, server: Server, connected: list[Any]) -> None:
    """Puts the world between the adapter and its sockets; notes who is connected to."""
    connect, read = transport._DeadlineBackend.connect_tcp, transport._DeadlineStream.read
    handle = transport._DeadlineTransport.handle_request
    plain_connect = socket.socket.connect

    def handle_request(self: Any, request: Any) -> Any:
        assert worlds.active is not None
        return exchange(worlds.active, server, request, lambda: handle(self, request))

    def connect_tcp(self: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        assert worlds.active is not None
        refusal, server.refusal = server.refusal, ""
        match refusal:
            case "refused":
                port = server.closed_port
            case "dns":
                raise httpcore.ConnectError("simulated: no such name")
            case "connect-timeout":
                worlds.active.sleep(transport.CONNECT_SECONDS)
                raise httpcore.ConnectTimeout("simulated")
        return connect(self, host, port, *args, **kwargs)

    def read_or_hang(self: Any, max_bytes: int, timeout: float | None = None) -> bytes:
        data = read(self, max_bytes, timeout)
        if not data and server.hung:
            server.hung = False
            assert worlds.active is not None
            left = transport._remaining(timeout, httpcore.ReadTimeout)  # raises, if none is
            worlds.active.sleep(left or 0)
            raise httpcore.ReadTimeout("simulated")
        return data

    def connect_noted(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple):
            connected.append(address[:2])
        plain_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_noted)
    monkeypatch.setattr(transport._DeadlineTransport, "handle_request", handle_request)
    monkeypatch.setattr(transport._DeadlineBackend, "connect_tcp", connect_tcp)
    monkeypatch.setattr(transport._DeadlineStream, "read", read_or_hang)


def exchange(
    world: World, server: Server, request: httpx.Request, send: Callable[[], httpx.Response]
) -> httpx.Response:
    """One request to the provider, a chat or a program, with whatever befalls it."""
    path, chat = request.url.path, request.url.path.startswith("/chat/")
    name = chatroom.operation(request.method, path) if chat else f"provider.{_operation(request)}"

    def carry_out(fault: Fault | None) -> httpx.Response:
        def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
            where = world.chatroom if chat else world.studio
            return where.answer(method, target, headers, body, fault)

        if chat:
            world.chatroom.tried(path, came_through=fault is None)
        server.answer, server.hung = answer, False
        server.refusal = fault.kind if fault else ""
        word = f" [{fault.kind} {fault.value or ''}]" if fault else ""
        try:
            response = send()
        except httpx.HTTPError as error:
            world.note(f"{name}{word}: {type(error).__name__}")
            raise
        world.note(f"{name}{word}: {response.status_code}")
        return response

    return world.request(name, carry_out)


def _operation(request: httpx.Request) -> str:
    path = request.url.path.partition("/videos")[2].strip("/")
    if request.method == "POST":
        return "create"
    if request.method == "DELETE":
        return "cancel"
    if not path:
        return "list"
    if not path.endswith("/content"):
        return "poll"
    return "poster" if request.url.query else "content"

"""A provider over sockets: it answers each route as a test says, and keeps what it was sent."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer: `body` is sent as it is if it is bytes, as JSON otherwise. With `drop` the
    connection is reset after the request has come, and nothing is said; with `cut` it ends before
    the last byte.

    In the texts of `body` and `headers`, `{base}` becomes the address of the server.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False


DROP = Reply(drop=True)


@dataclass(frozen=True)
class Sent:
    """A request as it came. `path` is with its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Routes = Mapping[str, Reply | Sequence[Reply]]


class ProviderServer:
    """`routes` gives the answers: "POST /videos" -> one, or several, the last one again and again.

    The path of a route is a regular expression for the whole path without its query. A request that
    fits none gets a 404 with an empty body, one with the key that it `refuses` a 401.
    """

    def __init__(self) -> None:
        self.routes: Routes = {}
        self.refuses: str | None = None
        self.requests: list[Sent] = []
        self._answered: dict[str, int] = {}
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                reply = provider._reply(
                    Sent(
                        self.command,
                        self.path,
                        {k.lower(): v for k, v in self.headers.items()},
                        body,
                    )
                )
                self.close_connection = True
                if reply.drop:
                    reset = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    self.connection.close()
                    return
                content = provider._filled(reply.body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value.replace("{base}", provider.url))
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content[:-1] if reply.cut else content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def play(self, *scenes: Routes) -> None:
        """Forgets what was, and answers as these say; a later one wins."""
        with self._lock:
            self.routes = {route: reply for scene in scenes for route, reply in scene.items()}
            self.requests, self._answered, self.refuses = [], {}, None

    def sent(self, method: str) -> list[Sent]:
        """The requests of that method."""
        return [request for request in self.requests if request.method == method]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _reply(self, sent: Sent) -> Reply:
        path = sent.path.partition("?")[0]
        with self._lock:
            self.requests.append(sent)
            if self.refuses and self.refuses in str(sent.headers):
                return Reply(401)
            for route, replies in self.routes.items():
                method, _, pattern = route.partition(" ")
                if method != sent.method or not re.fullmatch(pattern, path):
                    continue
                if isinstance(replies, Reply):
                    return replies
                turn = self._answered[route] = self._answered.get(route, 0) + 1
                return replies[min(turn, len(replies)) - 1]
        return Reply(404)

    def _filled(self, body: Any) -> bytes:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return content.replace(b"{base}", self.url.encode())


@contextmanager
def provider_server() -> Iterator[ProviderServer]:
    """A running server."""
    running = ProviderServer()
    try:
        yield running
    finally:
        running.close()

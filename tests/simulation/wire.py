"""The provider's socket: a real server on loopback."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

from tests.simulation.replies import Reply

HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: no goodbye

Answer = Callable[[str, str, dict[str, str], bytes], Reply]


class Server:
    """Answers one request for each connection, one after the other, with what `answer` says."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.hung = False  # the last exchange was left without an answer
        self.refusal = ""  # why the next connection does not come to be
        self._listening = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._closed = socket.socket()  # bound and not listening: refuses
        self._closed.bind((HOST, 0))
        self.closed_port: int = self._closed.getsockname()[1]
        threading.Thread(target=self._serve, name="provider", daemon=True).start()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """What PROVIDER_BASE_URL is."""
        return f"{self.origin}/v1"

    def close(self) -> None:
        """Ends the server."""
        self._closed.close()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._exchange(connection)

    def _exchange(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        method, target, _ = stream.readline().decode().split(" ")
        headers: dict[str, str] = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        assert self.answer is not None
        reply = self.answer(method, target, headers, body)
        self.hung = reply.ending == "hang"
        if reply.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if reply.ending in ("whole", "cut") or reply.keep is not None:
            connection.sendall(_bytes(reply))
        stream.close()


def _bytes(reply: Reply) -> bytes:
    """The answer on the wire: all of it, or only as much of its body as it keeps."""
    body = reply.body if reply.keep is None else reply.body[: reply.keep]
    headers = dict(reply.headers)
    match reply.framing:
        case "length":
            headers["Content-Length"] = str(len(reply.body))
        case "chunked":
            headers["Transfer-Encoding"] = "chunked"
            end = b"0\r\n\r\n" if reply.keep is None else b""
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n" + end
    lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body

"""Who may talk to the servers on loopback: this machine's programs, not every page of its browser.

Any web page can send requests to 127.0.0.1. It cannot hide that it does: its browser names the
page's origin, or the name that it believes to be talking to.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self
from urllib.parse import urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"

Application = Callable[..., Iterable[bytes]]


def serve(application: Application, port: int) -> BaseWSGIServer:
    """A server for this machine alone, bound to the port (0: a free one). Raises OSError."""
    # werkzeug ends the process if the port is taken; a socket of our own raises OSError.
    with socket.create_server((HOST, port)) as bound:
        return make_server(
            HOST,
            port,
            _guarded(application),
            threaded=True,
            request_handler=_Quiet,
            fd=bound.fileno(),
        )


class LoopbackServer:
    """A server for this machine alone, in threads of its own; a context manager. `port` 0 takes a
    free one."""

    def __init__(self, name: str, application: Application, port: int = 0) -> None:
        self._name, self._application, self._port = name, application, port
        self._server: BaseWSGIServer | None = None

    @property
    def url(self) -> str:
        """Its address. Raises RuntimeError if it is not started."""
        if self._server is None:
            raise RuntimeError(f"{self._name} is not started")
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> None:
        """Opens on 127.0.0.1. Raises OSError if the port is taken."""
        try:
            self._server = serve(self._application, self._port)
        except OSError as error:
            message = f"{self._name} cannot listen on port {self._port}: {error.strerror}"
            raise OSError(error.errno, message) from error
        # It looks every 0.05 seconds if it is to end.
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Closes. Twice is fine."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _guarded(application: Application) -> Application:
    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", HOST)
        origin = environ.get("HTTP_ORIGIN")
        ours = host.partition(":")[0] in (HOST, "localhost")
        if ours and (origin is None or urlsplit(origin).netloc == host):
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        error = {"error": "This address is for this machine only.", "code": "forbidden"}
        return [json.dumps(error).encode()]

    return guarded


class _Quiet(WSGIRequestHandler):
    """Without werkzeug's own log line."""

    def log(self, type: str, message: str, *args: Any) -> None: ...

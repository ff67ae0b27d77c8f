"""Who may talk to the servers on loopback: this machine's programs, not every page of its browser.

Any web page can send requests to 127.0.0.1. It cannot hide that it does: its browser names the
page's origin, or the name that it believes to be talking to.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
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

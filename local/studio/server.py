"""The studio as a server on this machine: HTTP around the calls of the protocol."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self

from local.studio.calls import Calls
from local.studio.jobs import Jobs
from local.studio.webhooks import Webhooks
from local.studio.words import ANSWERS

HOST = "127.0.0.1"


class Studio:
    """The server, its jobs, and the workers that render them; a context manager.

    `port` 0 takes a free one. `api_key` is the key that every call must bring. `workers` is how
    many films are rendered at once. `pace_seconds` is the least time from creation to completion.
    """

    def __init__(
        self, *, port: int = 0, api_key: str = "studio", workers: int = 2, pace_seconds: float = 5.0
    ) -> None:
        self._port, self._key = port, api_key
        self._workers, self._pace = workers, pace_seconds
        self._server: _Server | None = None

    def call(self, url: str, secret: str) -> None:
        """From now on, calls that address when a job ends, as OpenAI's project settings have it;
        `secret` (`whsec_` and base64) signs the calls. Raises RuntimeError if it is not open."""
        if self._server is None:
            raise RuntimeError("the studio is not open")
        jobs = self._server.jobs
        jobs.on_end = Webhooks(url, secret, jobs.closing).announce

    @property
    def url(self) -> str:
        """The base URL for a client of the protocol. Raises RuntimeError if it is not open."""
        if self._server is None:
            raise RuntimeError("the studio is not open")
        return f"http://{HOST}:{self._server.server_address[1]}/v1"

    def start(self) -> None:
        """Opens on 127.0.0.1, in threads of its own. Raises OSError if the port is taken."""
        try:
            self._server = _Server((HOST, self._port), _Handler)
        except OSError as error:
            message = f"the studio cannot listen on port {self._port}: {error.strerror}"
            raise OSError(error.errno, message) from error
        jobs = self._server.jobs = Jobs(self._workers)
        self._server.key, self._server.calls = self._key, Calls(jobs, self._pace)
        # It looks every 0.05 seconds if it is to end.
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Closes: ends ffmpeg, the workers and the server, deletes the films. Twice is fine."""
        if self._server:
            self._server.shutdown()
            self._server.jobs.close()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128  # the usual 5 turns away clients that come all at once

    key: str
    calls: Calls
    jobs: Jobs

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news, nor is what breaks off because the studio closes."""
        if not (self.jobs.closing.is_set() or isinstance(sys.exception(), ConnectionError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One request. The connection closes after it, so an answer can simply stay away."""

    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content_type = self.headers.get("Content-Type", "")
        key = self.headers.get("Idempotency-Key", "")
        answer = ANSWERS["401"]
        if self.headers.get("Authorization") == f"Bearer {self.server.key}":
            answer = self.server.calls.answer(self.command, self.path, body, content_type, key)
        self.server.jobs.closing.wait(answer.wait_seconds)
        if answer.status:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(answer.length or len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a poll a second would bury everything else."""

"""The chat platforms of this machine, and the window to write in them, on one loopback port.

Each platform's API is at `/{name}/api`; all else is the window's: its page, and its rooms as JSON.
What a web page elsewhere sends is refused by `loopback.serve`, by its Host and its Origin.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from werkzeug.exceptions import (
    BadGateway,
    BadRequest,
    Conflict,
    HTTPException,
    NotFound,
    UnsupportedMediaType,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import Map, Rule
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from local.chat.room import FakePlatform, Shown
from local.loopback import HOST, Application, LoopbackServer

MAX_BODY_BYTES = 100_000  # a message is at most 4,000 characters, of up to 12 bytes as JSON

_WINDOW = Path(__file__).parent / "window"
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; media-src 'self' http://127.0.0.1:* http://localhost:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class ChatServer(LoopbackServer):
    """The server of the platforms and their window.

    The platforms know no addresses before `connect`: only then is `sections` complete.
    """

    def __init__(self, platforms: Sequence[FakePlatform], port: int = 0) -> None:
        self._platforms = {platform.name: platform for platform in platforms}
        apis: dict[str, Application] = {
            f"/{name}/api": platform.application for name, platform in self._platforms.items()
        }
        window = DispatcherMiddleware(_Window(self._platforms), apis)
        super().__init__("the chat window", window, port)

    @property
    def sections(self) -> dict[str, dict[str, str]]:
        """What the deployment's secret holds for each platform, by its name."""
        return {name: platform.section for name, platform in self._platforms.items()}

    def connect(self, gateway_url: str) -> None:
        """Sets up the app on each platform: from now on its requests go to the gateway. Raises
        RuntimeError if the server is not started."""
        for name, platform in self._platforms.items():
            platform.connect(f"{self.url}/{name}/api", f"{gateway_url}/chat/{name}")


class _Window:
    """The window's page and its requests (WSGI)."""

    def __init__(self, platforms: dict[str, FakePlatform]) -> None:
        self._platforms = platforms
        self._files = {path.name: path.read_bytes() for path in _WINDOW.iterdir()}
        room, message = "/rooms/<name>", "/rooms/<name>/messages/<message_id>"
        self._map = Map(
            [
                Rule("/", methods=["GET"], endpoint=self._page),
                Rule("/<filename>", methods=["GET"], endpoint=self._page),
                Rule("/rooms", methods=["GET"], endpoint=self._rooms),
                Rule(room, methods=["GET"], endpoint=self._messages),
                Rule(room, methods=["POST"], endpoint=self._write),
                Rule(f"{message}/press", methods=["POST"], endpoint=self._press),
                Rule(f"{message}/video", methods=["GET"], endpoint=self._video),
            ]
        )

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        try:
            endpoint, parameters = self._map.bind(HOST).match(request.path, request.method)
            response: Response = endpoint(request, **parameters)
        except HTTPException as error:
            response = _refusal(error.code or 500, error.description or error.name)
        response.headers.update(_HEADERS)
        return response(environ, start_response)

    def _page(self, request: Request, filename: str = "index.html") -> Response:
        # A name is looked up here and never joined to a folder, so no request reaches another file.
        if filename not in self._files:
            raise NotFound("There is nothing at this address.")
        kind = _MEDIA_TYPES[Path(filename).suffix]
        return Response(self._files[filename], content_type=f"{kind}; charset=utf-8")

    def _rooms(self, request: Request) -> Response:
        return _json({"rooms": list(self._platforms)})

    def _messages(self, request: Request, name: str) -> Response:
        messages = self._platform(name).room.messages()
        response = _json({"messages": [_described(name, message) for message in messages]})
        # The tag changes with any message: who asks with the one that they have gets 304.
        response.add_etag()
        response.make_conditional(request)
        return response

    def _write(self, request: Request, name: str) -> Response:
        platform, text = self._platform(name), _field(request, "text")
        with _accepted():
            return _json({"id": platform.write(text)})

    def _press(self, request: Request, name: str, message_id: str) -> Response:
        platform, value = self._platform(name), _field(request, "value")
        if value not in (offered for _, offered in self._message(name, message_id).buttons):
            raise Conflict("This message does not have that button any more.")
        with _accepted():
            platform.press(message_id, value)
        return _json({"id": message_id})

    def _video(self, request: Request, name: str, message_id: str) -> Response:
        content = self._message(name, message_id).video
        if content is None:
            raise NotFound("There is no video in this message.")
        # Conditional: players ask for a file in ranges.
        file = io.BytesIO(content)
        return send_file(file, request.environ, mimetype="video/mp4", conditional=True, etag=False)

    def _platform(self, name: str) -> FakePlatform:
        if name not in self._platforms:
            raise NotFound("There is no such room.")
        return self._platforms[name]

    def _message(self, name: str, message_id: str) -> Shown:
        try:
            return self._platform(name).room.get(message_id)
        except KeyError:
            raise NotFound("There is no such message.") from None


def _described(name: str, message: Shown) -> dict[str, Any]:
    """A message as the window's script reads it; `video` is an address, or null."""
    video = message.url if urlsplit(message.url).scheme in ("http", "https") else None
    if message.video is not None:
        video = f"/rooms/{quote(name, '')}/messages/{quote(message.id, '')}/video"
    return {
        "id": message.id,
        "author": message.author,
        "text": message.text,
        "thread": message.thread,
        "pending": message.pending,
        "buttons": [{"label": label, "value": value} for label, value in message.buttons],
        "video": video,
        "filename": message.filename,
        "onlyYou": message.only_you,
    }


def _field(request: Request, name: str) -> str:
    """A text of the request's body. Raises BadRequest or UnsupportedMediaType."""
    if request.mimetype != "application/json":  # a form of another page cannot say that it is
        raise UnsupportedMediaType("Send JSON.")
    try:
        value = json.loads(request.get_data())[name]
        value.encode()  # half a character has no bytes, and no platform would take it
        if value.strip():
            return str(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise BadRequest(f"Send an object with {name!r}, a text that is not empty.")


@contextmanager
def _accepted() -> Iterator[None]:
    """Makes the platform's words for a request that was not accepted an answer: 502."""
    try:
        yield
    except RuntimeError as error:
        raise BadGateway(str(error)) from error


def _refusal(status: int, sentence: str) -> Response:
    return _json({"error": sentence}, status)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")

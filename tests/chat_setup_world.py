"""What `make chat` talks to, over sockets: a deployment that reads requests with the product's own
readers, and the APIs of Slack and Discord for setting up an app, strict about their contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from actionreel.chat import events, slack
from actionreel.chats import Headers, Section
from actionreel.errors import RequestError
from actionreel.http_api import error_answer
from local.chat.discord_rules import RefusedError, check_commands
from local.chat.telegram import FakeTelegram
from local.loopback import serve
from local.scripted_model import ScriptedModel

SIGNING_SECRET = "8f742231b10e8888abcd99edabcd85a5"
SLACK_TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
DISCORD_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
APPLICATION, PUBLIC_KEY = "198622483471925248", "ab" * 32
SCOPES = "app_mentions:read,chat:write,commands,files:write,im:history"

Answer = tuple[int, Any, dict[str, str]]


class World:
    """Both sides of the walk. `sections` gives what the deployment knows by now; the first
    `forgetful` requests to it find that it knows nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.sections: Callable[[str], Section] = lambda platform: {}
        self.forgetful = 0
        self.taken: list[str] = []  # the platforms whose requests the deployment believed
        self.scopes: str | None = SCOPES
        self.slack_user: dict[str, Any] = {"bot_id": "B19LU7CSY"}
        self.application: dict[str, Any] = {
            "id": APPLICATION,
            "name": "A \x1b[31mreel",
            "verify_key": PUBLIC_KEY,
            "interactions_endpoint_url": None,
        }
        self.commands: list[dict[str, Any]] = []
        self.trouble: Answer | None = None  # of every platform
        self.calls: list[tuple[str, str]] = []
        self.telegram = FakeTelegram()
        self.model = ScriptedModel()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead the walk here."""
        return {
            "SLACK_API_URL": f"{self.url}/slack",
            "DISCORD_API_URL": f"{self.url}/discord",
            "TELEGRAM_API_URL": f"{self.url}/telegram",
        }

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers a request (WSGI)."""
        request = Request(environ)
        side, _, path = request.path.strip("/").partition("/")
        if side == "telegram" and self.trouble is None:
            return self.telegram.application(environ, start_response)
        body = request.get_data()
        sides = {"chat": self._deployment, "slack": self._slack, "discord": self._discord}
        self.calls.append((request.method, request.path))
        if side in sides and (side == "chat" or self.trouble is None):
            status, document, headers = sides[side](path, request, body)
        else:
            status, document, headers = self.trouble or (404, None, {})
        content = json.dumps(document)
        response = Response(content, status, headers, content_type="application/json")
        return response(environ, start_response)

    def _deployment(self, platform: str, request: Request, body: bytes) -> Answer:
        section = self.sections(platform)
        if self.forgetful > 0:
            self.forgetful -= 1
            section = {}
        headers: Headers = {name.lower(): value for name, value in request.headers.items()}
        reader: Any = {"slack": slack, "events": events}.get(platform)
        if reader is None:
            return 404, {"message": "Not Found"}, {}
        try:
            if not reader.verify(section, headers, body, datetime.now(UTC)):
                raise RequestError(401, "bad_signature", "The signature is not the platform's.")
            self.taken.append(platform)
            reply = reader.read(section, headers, body).reply
            return reply.status, reply.body, {}
        except RequestError as error:
            answer = error_answer(error)
            return answer["statusCode"], json.loads(answer["body"]), {}

    def _slack(self, path: str, request: Request, body: bytes) -> Answer:
        if path != "auth.test" or request.method != "POST":
            return 200, {"ok": False, "error": "unknown_method"}, {}
        if request.mimetype not in ("application/x-www-form-urlencoded", "application/json"):
            return 200, {"ok": False, "error": "invalid_post_type"}, {}
        if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
            return 200, {"ok": False, "error": "invalid_auth"}, {}
        who = {"url": "https://example.slack.com/", "team": "Example", "user": "actionreel"}
        scopes = {} if self.scopes is None else {"x-oauth-scopes": self.scopes}
        return 200, {"ok": True, **who, "team_id": "T1", "user_id": "U1", **self.slack_user}, scopes

    def _discord(self, path: str, request: Request, body: bytes) -> Answer:
        if request.headers.get("Authorization") != f"Bot {DISCORD_TOKEN}":
            return 401, {"message": "401: Unauthorized", "code": 0}, {}
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            return 403, {"message": "Forbidden", "code": 40333}, {}
        match (request.method, path):
            case ("GET", "applications/@me"):
                return 200, self.application, {}
            case ("PATCH", "applications/@me"):
                return self._set_endpoint(json.loads(body))
            case ("GET", "applications/198622483471925248/commands"):
                return 200, self.commands, {}
            case ("PUT", "applications/198622483471925248/commands"):
                try:
                    check_commands(json.loads(body))
                except RefusedError as refused:
                    return refused.status, refused.body, {}
                self.commands = json.loads(body)
                return 200, self.commands, {}
        return 404, {"message": "404: Not Found", "code": 0}, {}

    def _set_endpoint(self, fields: Mapping[str, Any]) -> Answer:
        """As Discord does, which asks the address first: with a signature that only it can make."""
        url, known = fields["interactions_endpoint_url"], self.sections("discord")
        if self.forgetful > 0:
            self.forgetful -= 1
            known = {}
        if url != f"{self.url}/chat/discord" or known.get("public_key") != PUBLIC_KEY:
            said = {
                "code": "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID",
                "message": "The specified interactions endpoint url could not be verified.",
            }
            errors = {"interactions_endpoint_url": {"_errors": [said]}}
            return 400, {"message": "Invalid Form Body", "code": 50035, "errors": errors}, {}
        self.application["interactions_endpoint_url"] = url
        return 200, self.application, {}


@contextmanager
def world() -> Iterator[World]:
    """A running one."""
    made = World()
    server = serve(made.answer, 0)
    made.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    with made.model:
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

"""A chat platform for the tests of the window: its answers are what a test puts in its room."""

from __future__ import annotations

from typing import Any

from local.chat.room import Room, Shown


class Platform:
    """A FakePlatform. What is written gets an answer that is still to come."""

    def __init__(self, name: str) -> None:
        self.name, self.room = name, Room()
        self.section = {"bot_token": f"token of {name}"}
        self.refusals: list[str] = []
        self.answer_seconds = 3.0
        self.webhook_url = ""
        self.pressed: list[tuple[str, str]] = []
        self.trouble = ""  # what the platform says of a request that was not accepted

    def connect(self, base_url: str, webhook_url: str) -> None:
        self.section["base_url"], self.webhook_url = base_url, webhook_url

    def application(self, environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{self.name} {environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode()]

    def write(self, text: str) -> str:
        asked = self.room.add(Shown(self.room.new_id(), "you", text))
        if self.trouble:
            raise RuntimeError(self.trouble)
        self.room.add(Shown(self.room.new_id(), "bot", thread=asked.id, pending=True))
        return asked.id

    def press(self, message_id: str, value: str) -> None:
        if self.trouble:
            raise RuntimeError(self.trouble)
        self.pressed.append((message_id, value))

    def answer(self) -> str:
        """The id of the bot's last message."""
        return [message.id for message in self.room.messages() if message.author == "bot"][-1]

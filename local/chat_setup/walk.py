"""What the walks through all platforms share: the errors, the keyboard, and waiting."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

# The functions keep the secret for five minutes: so long may pass until they know a change of it.
TRIES, PAUSE_SECONDS = 23, 15.0
_MAX_SHOWN = 200

Section = Mapping[str, str]


class SetupError(Exception):
    """The walk ends here. The message is a sentence for the owner, and holds no secret."""


class Terminal:
    """Asks whoever sits there. What a variable of the environment says is not asked for; with `yes`
    nothing has to be agreed to. If nobody sits there, what is still to be asked is an error."""

    def __init__(
        self, environment: Mapping[str, str], *, interactive: bool, yes: bool = False
    ) -> None:
        self.environment = environment
        self._interactive = interactive
        self._yes = yes

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def value(self, variable: str, what: str, held: str = "", *, required: bool = True) -> str:
        """A secret, or anything else: it is never shown. Without an answer it stays as it is
        `held`. Raises SetupError if there is none, or one that no header can carry."""
        answer = self.environment.get(variable, "").strip()
        if not answer and self._interactive:
            how = "Enter keeps the one that is there" if held else "" if required else "Enter: none"
            answer = getpass.getpass(f"{what}{f' ({how})' if how else ''}: ").strip()
        answer = answer or held
        if not answer and required:
            raise SetupError(f"There is no {what}: set {variable}, or be there to be asked.")
        if not (answer.isascii() and answer.isprintable()) or (" " in answer and required):
            raise SetupError(f"That is no {what}: it has characters that none has.")
        return answer

    def agree(self, question: str) -> None:
        """Raises SetupError unless the owner says yes."""
        if self._yes:
            return
        if not self._interactive:
            raise SetupError(f"{question} Nobody is there to say so: give ARGS=--yes.")
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise SetupError("Then everything stays as it is.")


@dataclass(frozen=True)
class Walk:
    """A walk: where the deployment's API is, and what its stack says. `stored` is whether its
    secret is at hand; `model` whether a language model answers in chats; `secret_name` and
    `parameters` are empty for a deployment that is known by its address alone."""

    url: str
    terminal: Terminal
    secret_name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    ask: bool = False
    pause: Callable[[float], None] = time.sleep

    @property
    def stored(self) -> bool:
        return bool(self.secret_name)

    @property
    def model(self) -> bool:
        return self.ask or bool(self.parameters.get("ChatModel"))

    def base_url(self, variable: str, section: Section, usual: str) -> str:
        """Where a platform's API is: its own address, unless the environment or the section says
        another one."""
        said = self.terminal.environment.get(variable) or section.get("base_url") or usual
        return said.rstrip("/")

    def until_right(self, attempt: Callable[[], str | None], waiting: str) -> str | None:
        """Tries until nothing is wrong, as long as the functions may keep the old secret; returns
        what is wrong then. Tells once that it is `waiting`."""
        wrong = attempt()
        for number in range(TRIES):
            if wrong is None:
                break
            if number == 0:
                self.terminal.say(f"{waiting} (it can take five minutes) ...")
            self.pause(PAUSE_SECONDS)
            wrong = attempt()
        return wrong


class Platform(Protocol):
    """A module for each platform."""

    def collect(self, walk: Walk, held: Section) -> Section:
        """Tells the owner what to do there, asks for the credentials, and checks them. Returns what
        the section is to hold. Raises SetupError."""

    def connect(self, walk: Walk, section: Section) -> None:
        """Has the platform send its requests to the deployment, which knows the section by now.
        Raises SetupError."""

    def check(self, walk: Walk, section: Section) -> list[str]:
        """Looks how it stands, says what is right, and returns what is wrong, a sentence each."""


def shown(text: object) -> str:
    """What somebody else wrote, in one line and without what a terminal obeys."""
    line = " ".join(str(text).split())[:_MAX_SHOWN]
    return "".join(character if character.isprintable() else "?" for character in line)

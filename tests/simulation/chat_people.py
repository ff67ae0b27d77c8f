"""Who writes in the chats, and presses the buttons under what we say there."""

from __future__ import annotations

import functools
import json
from typing import Any

from tests.simulation.chat_adapters import signed
from tests.simulation.deeds import Message, Wish, event
from tests.simulation.functions import Functions
from tests.simulation.world import World

REDELIVERIES = (1.0, 2.0, 10.0, 60.0, 300.0)  # seconds until a platform tries again
_LOOKS = 5  # for a button
_VERBS = {"cancel": "cancel:", "retry": "retry:", "retry-anyway": "retry_anyway:"}


class ChatPeople:
    """The people of one run's chats, and the platforms that tell of what they do."""

    def __init__(self, world: World, functions: Functions) -> None:
        self.world = world
        self.functions = functions
        self.taken: list[str] = []  # the events that we said we had
        self.pressed: list[str] = []  # the values of the buttons

    def deliver(self, message: Message, at: float) -> None:
        """One delivery of a message, as by a platform that does not give up soon."""
        self.world.sleep(at)
        if message.secret is not None:
            self.world.chatroom.expect(message.secret)
        self._tell(message.by, message.event)

    def press(self, wish: Wish) -> None:
        """Presses one of the buttons for that, once one is shown."""
        world = self.world
        world.sleep(wish.at)
        for look in range(_LOOKS):
            shown = [
                (message.platform, button)
                for message in world.chatroom.messages
                for button in message.buttons
                if not message.gone and button.startswith(_VERBS[wish.verb])
            ]
            if shown:
                platform, value = shown[wish.index % len(shown)]
                self.pressed.append(value)
                told = event(platform, "button", f"press-{len(self.pressed)}", value)
                for number in range(wish.times):
                    tell = functools.partial(self._tell, platform, told)
                    world.spawn(f"press {len(self.pressed)}.{number + 1}", tell)
                return
            world.sleep(5 * 3.0**look)

    def _tell(self, platform: str, told: dict[str, Any]) -> None:
        """I12: an answer of 500 and more needs a fault that struck that very request."""
        world, body = self.world, json.dumps(told)
        for wait in REDELIVERIES:
            path = f"/chat/{platform}"
            status, said, invocation = self.functions.http(
                world, "POST", path, body, headers=signed(body)
            )
            world.note(f"POST {path} {told['event_id']}: {status}")
            world.answered.append(json.dumps(said))
            if status == 200:
                self.taken.append(told["event_id"])
                return
            if status < 500:
                world.violate("I12", f"a good event was refused: {status} {said}")
                return
            if not invocation.struck:
                world.violate("I12", f"{told['event_id']} was answered with {status}: {said}")
            world.sleep(wait)

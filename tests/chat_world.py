"""A world for chats: functions that can stop or die between any two of their outside calls, and a
platform that takes, refuses, or does not answer. The functions run as in `ledger_world`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from actionreel.chats import Address, Film, Told
from actionreel.errors import (
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from actionreel.models import Video, VideoJob, file_key
from tests.fake_chats import PLACE, FakeChat, Message
from tests.fakes import MP4, NOON, VIDEO_ID, a_video
from tests.ledger_world import Invocation, Task, World

Result = TypeVar("Result")

TROUBLES: dict[str, Exception] = {
    "throttled": ChatThrottledError("The chat has too many requests."),
    "unreached": ChatUnavailableError("The chat cannot be reached."),
    "refused": ChatRefusedError("The chat refused it."),
}
LOST = ChatInDoubtError("The chat did not answer.")


def is_ending(message: Message) -> bool:
    """Whether a message tells what became of a video."""
    ends = message.film or message.link or message.text.startswith("There is no video of")
    return bool(ends)


class StoppingChat(FakeChat):
    """A chat at which a function stops before each call, and again when it is done. `into` puts a
    video into the announcement; what is repeated safely is shown once."""

    def __init__(self, world: ChatWorld, *, safely: bool, into: bool) -> None:
        super().__init__(world.log)
        self.world, self.repeats_safely, self.into = world, safely, into
        self.by_key: dict[str, str] = {}

    def post(self, address: Address, told: Told, key: str) -> str:
        return self._around("post", lambda: self._once(key, Message(told.text, told.link)))

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        edit = super().edit
        try:
            self._around("edit", lambda: edit(address, message_id, told))
        except ChatRefusedError:
            self.messages.pop(message_id, None)  # it is gone: that is what a refusal means
            raise

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        def send() -> bool:
            shown = Message(told.text, told.link, film.content())
            if self.into and announcement in self.messages:
                self.messages[str(announcement)] = shown
                return True
            self._once(key, shown)
            return False

        return self._around("send", send)

    def take_back(self, address: Address, message_id: str) -> None:
        self._around("take back", lambda: self.messages.pop(message_id, None))

    def _once(self, key: str, message: Message) -> str:
        if self.repeats_safely and key in self.by_key:
            return self.by_key[key]
        message_id = f"m{len(self.by_key) + len(self.messages) + 1}"
        self.by_key[key] = message_id
        self.messages[message_id] = message
        return message_id

    def _around(self, name: str, do: Callable[[], Result]) -> Result:
        command = self.world.stop(name)
        if command in TROUBLES:
            raise TROUBLES[command]
        result = do()
        if self.world.stop(f"{name} done") == "lost":
            raise LOST
        return result


class ChatWorld(World):
    """One video with a place that waits for it."""

    def __init__(self, *, safely: bool = False, into: bool = False, **changes: Any) -> None:
        super().__init__()
        self.messenger: StoppingChat = StoppingChat(self, safely=safely, into=into)
        known = {"place": PLACE, "next_check_at": NOON, "base_url": "https://api.test"}
        self.videos.add("default", [a_video(**{**known, **changes})], None)
        self.storage.files[file_key("default", VIDEO_ID, "mp4")] = MP4, "video/mp4"

    @property
    def video(self) -> Video:
        return self.videos.records["default", VIDEO_ID]

    @property
    def films(self) -> int:
        return sum(message.film is not None for message in self.messenger.shown())

    def told_of(self, video: Video) -> bool:
        """Whether the chat shows what became of the video."""
        return any(is_ending(message) for message in self.messenger.shown())

    def spins(self) -> bool:
        """Whether the announcement still says that the video is being made."""
        said = self.messenger.messages.get(self.video.announcement or "")
        return said is not None and not is_ending(said)

    def begin_task(self, task: Task, job: VideoJob | None = None) -> Invocation:
        return Invocation(task, job or self.video.job(), self)

    def run(self, invocation: Invocation, commands: Mapping[str, str] = {}) -> None:
        """Lets a function go on to its end; `commands` says how, by where it stops."""
        while invocation.stopped_at is not None:
            self.step(invocation, commands.get(invocation.stopped_at, "go"))

    def run_until(self, invocation: Invocation, stops: int) -> bool:
        """Lets it go on for that many stops; False if it came to its end before."""
        for _ in range(stops):
            if invocation.stopped_at is None:
                return False
            self.step(invocation, "go")
        return invocation.stopped_at is not None

    def _start(self, video: Video) -> None:
        if video.execution not in [started.execution for started in self.workflow.started]:
            self.workflow.started.append(video)

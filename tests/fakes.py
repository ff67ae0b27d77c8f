"""The outside of Actionreel, in memory: each fake does what its port in ports.py promises.

Beside them, what the tests share: a record and its document, a small film, and tables of cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from actionreel.api_keys import ApiKey
from actionreel.chat_ports import ChatReader, ChatRepository
from actionreel.chats import Section
from actionreel.errors import AssetUnavailableError, KeyUnavailableError
from actionreel.links import Links
from actionreel.models import (
    Asset,
    CancelOutcome,
    ExecutionState,
    Failure,
    Handle,
    ProviderAnswer,
    Recovery,
    StoredObject,
    Video,
    VideoJob,
    VideoRequest,
    VideoStatus,
)
from actionreel.orders import Offer, Order
from actionreel.ports import Metric, Tokens
from actionreel.registry import Registry, VideoModel
from tests.fake_chats import FakeCallbacks, FakeChat, FakeChatModel, FakeChats
from tests.fake_repository import FakeVideoRepository

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINK_KEY = "what the links of videos are made with"
VIDEO_ID = "0199f3a0-0000-7000-8000-000000000001"


def seed_model(name: str, price: str, alias: str) -> VideoModel:
    """A model with the lengths and sizes of the seed's, at the OpenAI-compatible server."""
    offer = Offer(
        provider="openai_videos", name=name, takes_image="url", usd_per_second=Decimal(price)
    )
    return VideoModel(
        id=name,
        description=f"the seed's {name}",
        lengths=(4, 8, 12),
        sizes=("1280x720", "720x1280"),
        first_wait_seconds=3,
        offers=(offer,),
        aliases=(alias,),
    )


SEED = Registry(
    default="sora-2",
    models=(seed_model("sora-2", "0.10", "sora"), seed_model("sora-2-pro", "0.30", "sora-pro")),
)
REQUEST = VideoRequest(prompt="a paper boat", model="sora-2", seconds=8, size="1280x720")


# Properties are tried on the same examples in every run, however slow the machine is.
steady = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def cases(table: dict[str, Any]) -> list[Any]:
    """Parameters of a test, named: the values of the table, each with its key as its id."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), id=name)
        for name, value in table.items()
    ]


def box(kind: bytes, content: bytes = b"") -> bytes:
    """A box of an MP4."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


MP4 = box(b"ftyp", b"isom") + box(b"moov", b"m" * 20) + box(b"mdat", b"d" * 40)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 a still"


def a_video(**changes: Any) -> Video:
    """A record, queued at noon."""
    fields = {"tenant": "default", "video_id": VIDEO_ID, "created_at": NOON}
    return Video.model_validate(
        {**fields, "provider": "openai_videos", **REQUEST.model_dump(), **changes}
    )


def a_job(**changes: Any) -> VideoJob:
    """The document of that record's execution."""
    fields = {
        "tenant": "default",
        "video_id": VIDEO_ID,
        "request": REQUEST,
        "provider": "openai_videos",
        "deadline_seconds": 1800,
    }
    return VideoJob.model_validate({**fields, **changes})


HANDLE: Handle = {"id": "video_1"}
FENCE = "the request that was sent last"
PENDING = ProviderAnswer(phase="pending", handle=HANDLE)
DONE = ProviderAnswer(phase="completed", handle=HANDLE, took_seconds=142)
REFUSED = Failure(code="moderation", message="Refused for its content.")
OPEN: tuple[VideoStatus, ...] = ("queued", "submitting", "generating", "storing")
ENDED: tuple[VideoStatus, ...] = ("completed", "failed", "cancelled", "expired", "unknown")


def generating(**changes: Any) -> VideoJob:
    """The document of an execution that looks at a job of the provider."""
    known = {"status": "pending", "fence": FENCE, "handle": HANDLE, "submitted_at": NOON}
    return a_job(**{**known, **changes})


class FakeVideoStorage:
    """Files in a dictionary: key -> (bytes, content type).

    `trouble` has what saving a file with that extension raises.
    """

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.files: dict[str, tuple[bytes, str]] = {}
        self.trouble: dict[str, Exception] = {}

    def save(self, key: str, chunks: Iterator[bytes], content_type: str) -> int:
        body = b"".join(chunks)
        extension = key.rpartition(".")[2]
        if extension in self.trouble:
            raise self.trouble[extension]
        self.files[key] = body, content_type
        self.log.append(f"saved {extension}")
        return len(body)

    def copy(self, source: StoredObject, key: str, content_type: str) -> int:
        self.files[key] = f"{source.bucket}/{source.key}".encode(), content_type
        self.log.append(f"copied {key.rpartition('.')[2]}")
        return len(self.files[key][0])

    def read(self, key: str) -> bytes:
        if key not in self.files:
            raise AssetUnavailableError("There is no such file.")
        return self.files[key][0]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            if key in self.trouble:
                raise self.trouble[key]
            self.files.pop(key, None)

    def link(self, key: str, filename: str, *, download: bool, head: bool = False) -> str:
        return f"https://files.test/{key}?filename={filename}&download={download}&head={head}"


class FakeWorkflow:
    """Remembers every start; `trouble` is raised in place of the next calls.

    `ended` has the names of executions that were started and are over, `waiting` the tokens of
    waits that are not.
    """

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.started: list[Video] = []
        self.ended: set[str] = set()
        self.waiting: set[str] = set()
        self.trouble: Exception | None = None

    def start(self, video: Video) -> None:
        if self.trouble:
            raise self.trouble
        self.started.append(video)
        self.log.append("started")

    def state(self, video: Video) -> ExecutionState:
        if self.trouble:
            raise self.trouble
        if video.execution in self.ended:
            return "ended"
        names = [started.execution for started in self.started]
        return "running" if video.execution in names else "absent"

    def wake(self, token: str) -> bool:
        if self.trouble:
            raise self.trouble
        if token not in self.waiting:
            return False
        self.waiting.remove(token)
        self.log.append("woken")
        return True


Script = Sequence[bytes | Exception]


class FakeProvider:
    """Answers from a script: each call takes the next of `answers`, and raises what is an error.

    `listed` is what the lists show, one after the other, `stopping` what a cancellation comes to,
    `keys` are those that came with the creates. `video` and `poster` are what the files stream, or
    the error that opening one raises.
    """

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.recovery: Recovery = "none"
        self.keys: list[str] = []
        self.orders: list[Order] = []
        self.listed: list[list[Handle] | Exception] = []
        self.stopping: CancelOutcome | Exception = "unsupported"
        self.answers: list[ProviderAnswer | Exception] = []
        self.video: Script | Exception = [MP4]
        self.poster: Script | Exception = AssetUnavailableError("no poster")

    def create(self, order: Order) -> ProviderAnswer:
        self.log.append("asked")
        self.keys.append(order.key)
        self.orders.append(order)
        return self._next()

    def find(self, order: Order, since: datetime) -> list[Handle]:
        self.log.append("listed")
        found = self.listed.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def cancel(self, handle: Handle) -> CancelOutcome:
        self.log.append(f"cancelled {handle['id']}")
        if isinstance(self.stopping, Exception):
            raise self.stopping
        return self.stopping

    def poll(self, handle: Handle) -> ProviderAnswer:
        self.log.append(f"looked at {handle['id']}")
        return self._next()

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[Asset]:
        yield Asset(_stream(self.video))

    @contextmanager
    def open_poster(self, handle: Handle) -> Iterator[Asset]:
        yield Asset(_stream(self.poster))

    def _next(self) -> ProviderAnswer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _stream(script: Script | Exception) -> Iterator[bytes]:
    if isinstance(script, Exception):
        raise script
    return _played(script)


def _played(script: Script) -> Iterator[bytes]:
    for part in script:
        if isinstance(part, Exception):
            raise part
        yield part


class FakeKeys:
    """API keys in a dictionary, by their hashes."""

    def __init__(self) -> None:
        self.held: dict[str, ApiKey] = {}

    def get(self, key_hash: str) -> ApiKey | None:
        return self.held.get(key_hash)

    def add(self, key: ApiKey) -> None:
        self.held[key.key_hash] = key

    def of(self, tenant: str) -> list[ApiKey]:
        return [key for key in self.held.values() if key.tenant == tenant]

    def revoke(self, key: ApiKey, now: datetime) -> None:
        if key.revoked_at is None:
            self.held[key.key_hash] = key.model_copy(update={"revoked_at": now})


class FakeServices:
    """Everything together. `log` tells in which order the parts were used."""

    def __init__(self, *answers: ProviderAnswer | Exception) -> None:
        self.log: list[str] = []
        self.clock = NOON
        self.images: dict[str, bytes] = {}
        self.registry = SEED
        self.videos = FakeVideoRepository(self.log)
        self.accounts = self.videos.accounts
        self.keys = FakeKeys()
        self.tokens: Tokens | None = None
        self.storage = FakeVideoStorage(self.log)
        self.workflow = FakeWorkflow(self.log)
        self.studio = FakeProvider(self.log)
        self.studio.answers += answers
        self.secrets = {"webhooks": "what the tokens are made with", "links": LINK_KEY}
        self.keys_of_fal: Any = {}
        self.messenger = FakeChat(self.log)
        self.chats: ChatRepository = FakeChats()
        self.chat_model: FakeChatModel | None = None
        self.chat_follow_up = False
        self.user_tags = False
        self.callbacks = FakeCallbacks()
        self.callback_origins: tuple[str, ...] = ()
        self.sections: dict[str, Section] = {}
        self.readers: dict[str, ChatReader] = {}
        self.turns_started: list[str] = []
        self.measured: list[tuple[str, float]] = []

    def measure(self, metric: Metric, value: float = 1) -> None:
        self.measured.append((metric, value))

    def chat_section(self, platform: str) -> Section:
        return self.sections.get(platform, {})

    def chat_reader(self, platform: str) -> ChatReader | None:
        return self.readers.get(platform)

    def chat(self, platform: str) -> FakeChat:
        return self.messenger

    def start_turn(self, tenant: str, turn_id: str) -> None:
        if self.workflow.trouble:
            raise self.workflow.trouble
        self.turns_started.append(turn_id)

    def provider(self, name: str) -> FakeProvider:
        assert name == "openai_videos"
        return self.studio

    def callback_url(self, job: VideoJob) -> str | None:
        return job.base_url and f"{job.base_url}/webhooks/{job.provider}/{job.video_id}"

    def fetch(self, url: str) -> bytes:
        self.log.append(f"fetched {url}")
        return self.images[url]

    def webhook_key(self) -> str:
        return self.secrets["webhooks"]

    def links(self, base_url: str) -> Links:
        return Links(base_url, self.link_key, 365, self.clock)

    def link_key(self) -> str:
        if not self.secrets["links"]:
            raise KeyUnavailableError("The links cannot be made now.")
        return self.secrets["links"]

    def signature_secret(self, provider: str) -> str:
        return self.secrets.get(provider, "")

    def fal_keys(self) -> Any:
        if isinstance(self.keys_of_fal, Exception):
            raise self.keys_of_fal
        return self.keys_of_fal

    def now(self) -> datetime:
        return self.clock

    def wait(self, seconds: float) -> None:
        """Puts the clock forward."""
        self.clock += timedelta(seconds=seconds)


def at(status: str, *answers: ProviderAnswer | Exception, **changes: Any) -> FakeServices:
    """Services whose one record has that status, and whose provider answers so."""
    services = FakeServices(*answers)
    asked = {} if status == "queued" else {"fence": FENCE, "asked_at": NOON}
    accepted = status not in ("queued", "submitting")
    later = {"handle": HANDLE, "submitted_at": NOON} if accepted else {}
    video = a_video(**{"status": status, **asked, **later, **changes})
    services.videos.add("default", [video], None)
    services.log.clear()
    return services


def record(services: FakeServices, video_id: str = VIDEO_ID) -> Video:
    """The record as it stands."""
    return services.videos.records["default", video_id]


def failing(name: str, **changes: Any) -> Callable[[str, Mapping[str, Any]], None]:
    """A hook that is trouble with the writes of that name and with these changes."""

    def hook(write: str, changed: Mapping[str, Any]) -> None:
        if write == name and changes.items() <= changed.items():
            raise ConnectionError("DynamoDB")

    return hook

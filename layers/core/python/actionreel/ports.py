"""What the verbs need from the outside: Protocols that a few lines can fake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Literal, Protocol

from actionreel.accounts import NO_CAPS, Account, Amount, Caps
from actionreel.api_keys import ApiKey
from actionreel.chat_ports import Callbacks, ChatModel, ChatPlatform, ChatReader, ChatRepository
from actionreel.chats import Section
from actionreel.links import Links
from actionreel.models import (
    Asset,
    CancelOutcome,
    ExecutionState,
    Handle,
    MessageSeen,
    ProviderAnswer,
    Recovery,
    StoredObject,
    Video,
    VideoJob,
    VideoStatus,
)
from actionreel.orders import Order
from actionreel.registry import Registry

# What alarms and the dashboard of the template know; each is counted, or measured by the sweep.
Metric = Literal[
    "VideosCompleted",
    "VideosFailed",
    "VideosCancelled",
    "VideosExpired",
    "VideosUnknown",
    "ResultsNotDelivered",
    "OpenVideos",
    "OldestOpenVideoSeconds",
    "SpendTodayUSD",
]


class VideoProvider(Protocol):
    """A service that makes videos. Every method raises only ProviderError and its kinds."""

    @property
    def recovery(self) -> Recovery:
        """How to find out what became of a create that went unanswered."""

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once; the answer holds the handle of the job.

        Where `recovery` is `key`, all orders with the same key make one job. Raises
        ProviderRejectedError, ProviderThrottledError or ProviderUnavailableError where it is
        certain that no job was made by this request, OutcomeUnknownError for everything else.
        """

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """Jobs made after `since` that can be this order's, the likeliest first.

        Only where `recovery` is `list`. Raises NotListedError where the list cannot tell, now or
        later; JobNotFoundError while it has nothing, or only what may be somebody else's: that
        proves nothing.
        """

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. Raises JobNotFoundError if the provider does not know it."""

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops a job that is not finished, if the provider can."""

    def open_video(self, handle: Handle) -> AbstractContextManager[Asset | StoredObject]:
        """The finished file. Raises AssetError and its kinds, also while it is read."""

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """A still image of the video; raises AssetUnavailableError where there is none."""


class VideoRepository(Protocol):
    """The records of videos, and of the messages that made them."""

    def check_seen(self, tenant: str, message: MessageSeen) -> None:
        """Raises MessageSeenError or MessageMismatchError if the message is known."""

    def add(
        self,
        tenant: str,
        videos: Sequence[Video],
        message: MessageSeen | None,
        caps: Sequence[Caps] = NO_CAPS,
    ) -> None:
        """Writes all or none, with what is reserved for the videos on the accounts of the tenant
        and of the deployment. MessageSeenError or MessageMismatchError for a known message;
        CapReachedError if the `caps` of the two accounts do not allow it."""

    def get(self, tenant: str, video_id: str) -> Video | None:
        """The record, or None."""

    def get_many(self, tenant: str, video_ids: Collection[str]) -> dict[str, Video]:
        """The records that there are, by id. At most 100 ids."""

    def made_videos(self, tenant: str, message_id: str) -> bool:
        """Whether a message of that id came, and made a video."""

    def page(
        self,
        tenant: str,
        limit: int,
        cursor: str | None,
        conversation_id: str | None,
        *,
        oldest_first: bool = False,
    ) -> tuple[list[Video], str | None]:
        """Records that were not deleted, newest or oldest first, and the next page's cursor."""

    def add_retry(self, video: Video, caps: Sequence[Caps] = NO_CAPS) -> None:
        """Writes the video and notes it on the one that it is a retry of, both or none; what is
        reserved as `add` does it.

        Raises StaleVideoError, with that one's record, if it was retried before or is open.
        """

    def claim(
        self, tenant: str, video_id: str, fence: str, released: Collection[str], **changes: Any
    ) -> Video:
        """Takes the right to ask the provider, under a new `fence`: from `queued`, or from one
        of the requests `released`, of which it is certain that they made no job.

        Raises StaleVideoError if somebody else has it, or had it.
        """

    def advance(
        self,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any] = {},
        **changes: Any,
    ) -> Video:
        """Changes the record if its status is one of `allowed` and its fields are as expected;
        raises StaleVideoError if not. An ending settles what was reserved."""

    def revoke_links(self, tenant: str, video_id: str) -> Video:
        """Has all links of the video that there are lead nowhere from now on, whatever its status;
        StaleVideoError if there is no such video."""

    def take_job(
        self,
        provider: str,
        handle: Handle,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any] = {},
        **changes: Any,
    ) -> bool:
        """Makes a job this video's, once and for all, and puts its handle and the changes on the
        record as `advance` does, or neither; False if the job is another video's."""

    def owner_of(self, provider: str, handle: Handle) -> tuple[str, str] | None:
        """The tenant and the id of the video whose job that is; None if it is nobody's."""

    def wake_token(self, tenant: str, video_id: str) -> str | None:
        """The token of the video's last wait, which may be over; None if it had none."""

    def add_nudge(self, tenant: str, video_id: str, tried: str | None) -> bool:
        """Notes that the video's next wait is to end at once. False if it can have no
        job, or has another token by now than the one that was `tried` (None: none)."""

    def overdue(self, before: datetime, limit: int) -> list[Video]:
        """Videos that had to be looked at before that time, the most overdue first: open ones, and
        those whose result was not told yet."""

    def open_since(self) -> list[datetime]:
        """When each video was asked for that has not ended, or whose result was not told yet; of
        the first 10,000."""

    def durations(self, model: str) -> list[int]:
        """How many seconds the model's last videos took."""

    def add_duration(self, model: str, seconds: int) -> None:
        """Remembers how long one of the model's videos took."""


class AccountRepository(Protocol):
    """What was used, and how much may be; of a tenant, or of the whole deployment (None)."""

    def of(self, tenant: str, day: date) -> tuple[Account, Account]:
        """The accounts of the tenant and of the deployment, with what was used on that day."""

    def paused(self, tenant: str) -> bool:
        """Whether no video of the tenant is to be started now."""

    def usage(self, tenant: str | None, days: Sequence[date]) -> dict[date, Amount]:
        """What was used on each of the days, at most 100."""

    def set_caps(self, tenant: str | None, caps: Caps) -> None:
        """Gives the account caps of its own; where they say None, the general ones hold."""

    def pause(self, tenant: str | None, *, paused: bool) -> None:
        """Has no video started from now on, or has them started again."""


class KeyRepository(Protocol):
    """What is kept of API keys."""

    def get(self, key_hash: str) -> ApiKey | None:
        """What is kept of the key with that hash; None if there is none."""

    def add(self, key: ApiKey) -> None:
        """Keeps a new key."""

    def of(self, tenant: str) -> list[ApiKey]:
        """The tenant's keys, revoked ones too, the oldest first."""

    def revoke(self, key: ApiKey, now: datetime) -> None:
        """Has nobody come in with the key any more."""


class Tokens(Protocol):
    """JSON Web Tokens that somebody else issues."""

    def tenant(self, token: str) -> str | None:
        """Whose token it is, None for one that is not valid. Raises OSError if that cannot be
        found out now."""


class VideoStorage(Protocol):
    """The files."""

    def save(self, key: str, chunks: Iterator[bytes], content_type: str) -> int:
        """Stores what `chunks` yields, whole or not at all, and returns the number of bytes."""

    def copy(self, source: StoredObject, key: str, content_type: str) -> int:
        """Stores what another bucket holds, as `save` does, without its going through us."""

    def read(self, key: str) -> bytes:
        """A whole file, for whoever knows that it is not large. Raises AssetUnavailableError if it
        is not there."""

    def delete(self, keys: Sequence[str]) -> None:
        """Deletes the files that there are. Raises AssetError."""

    def link(self, key: str, filename: str, *, download: bool, head: bool = False) -> str:
        """An address that gives the file to whoever holds it, for 15 minutes; with `head` one for
        HEAD requests. Each takes the one method only."""


class Workflow(Protocol):
    """Whatever runs a job through its tasks."""

    def start(self, video: Video) -> None:
        """Starts the video's execution; starting it twice is starting it once."""

    def state(self, video: Video) -> ExecutionState:
        """How the video's execution stands. Raises WorkflowError."""

    def wake(self, token: str) -> bool:
        """Ends the wait with that token; False if it was over before. Raises WorkflowError."""


class Services(Protocol):
    """Everything together, as `bootstrap` makes it and tests fake it."""

    @property
    def videos(self) -> VideoRepository: ...
    @property
    def accounts(self) -> AccountRepository: ...
    @property
    def keys(self) -> KeyRepository: ...
    @property
    def tokens(self) -> Tokens | None:
        """What callers come with in place of API keys, if the deployment wants that."""

    @property
    def storage(self) -> VideoStorage: ...
    @property
    def workflow(self) -> Workflow: ...
    @property
    def registry(self) -> Registry: ...
    def provider(self, name: str) -> VideoProvider: ...
    def callback_url(self, job: VideoJob) -> str | None:
        """Where the job's provider may tell us that there is news; None if it cannot reach us."""

    def fetch(self, url: str) -> bytes:
        """The start image at a stranger's URL. Raises InvalidActionError."""

    def webhook_key(self) -> str:
        """What the tokens in the addresses of webhooks are made with; raises
        ProviderUnavailableError, as do `signature_secret` and `fal_keys`, if it cannot be read
        now."""

    def links(self, base_url: str) -> Links:
        """What makes the links of videos, for somebody who reached us at that address."""

    def link_key(self) -> str:
        """What the links of videos are made with; raises KeyUnavailableError if it cannot be read
        now."""

    def signature_secret(self, provider: str) -> str:
        """What the provider signs its webhooks with, empty if none is configured."""

    def fal_keys(self) -> Any:
        """The JSON Web Key Set of what fal signs its webhooks with."""

    @property
    def chats(self) -> ChatRepository: ...
    def chat_section(self, platform: str) -> Section:
        """What the deployment's secret holds for a chat platform; raises ChatUnavailableError if it
        cannot be read now."""

    def chat_reader(self, platform: str) -> ChatReader | None:
        """How that platform's requests are read; None for a platform that we do not know."""

    def chat(self, platform: str) -> ChatPlatform:
        """Where that platform's messages go."""

    @property
    def chat_model(self) -> ChatModel | None:
        """The model that answers messages; None if none is configured."""

    @property
    def chat_follow_up(self) -> bool:
        """Whether the model sees the results of its videos."""

    @property
    def user_tags(self) -> bool:
        """Whether tags that ordinary users type are acted on."""

    @property
    def callback_origins(self) -> Collection[str]:
        """Origins that may be called back although they are not public."""

    @property
    def callbacks(self) -> Callbacks: ...
    def start_turn(self, tenant: str, turn_id: str) -> None:
        """Starts the execution that answers a message; twice is once. Raises WorkflowError."""

    def measure(self, metric: Metric, value: float = 1) -> None:
        """Tells the operator's alarms. Never raises."""

    def now(self) -> datetime: ...

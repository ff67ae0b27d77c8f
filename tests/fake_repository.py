"""The records of videos in memory, written on the same conditions as in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from actionreel.accounts import NO_CAPS, Caps
from actionreel.errors import MessageMismatchError, MessageSeenError, StaleVideoError
from actionreel.models import OPEN_STATUSES, Handle, MessageSeen, Video, VideoStatus
from tests.fake_accounts import FakeAccounts

ENDED_BADLY: tuple[VideoStatus, ...] = ("failed", "expired", "unknown")


class FakeVideoRepository:
    """Records in a dictionary.

    `before` and `after` are called around every write, with its name and what it changes: what they
    raise is a write that was not made, or one whose answer got lost.
    """

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.accounts = FakeAccounts()
        self.before: Callable[[str, Mapping[str, Any]], None] = _nothing
        self.after: Callable[[str, Mapping[str, Any]], None] = _nothing
        self.records: dict[tuple[str, str], Video] = {}
        self.messages: dict[tuple[str, str], MessageSeen] = {}
        self.took: dict[str, list[int]] = {}
        self.owners: dict[tuple[str, str], tuple[str, str]] = {}
        self.tokens: dict[tuple[str, str], str] = {}
        self.nudged: set[tuple[str, str]] = set()

    def check_seen(self, tenant: str, message: MessageSeen) -> None:
        seen = self.messages.get((tenant, message.message_id))
        if seen is None:
            return
        if seen.text_digest != message.text_digest:
            raise MessageMismatchError("another text")
        raise MessageSeenError(list(seen.video_ids), seen.capped)

    def add(
        self,
        tenant: str,
        videos: Sequence[Video],
        message: MessageSeen | None,
        caps: Sequence[Caps] = NO_CAPS,
    ) -> None:
        if message is not None:
            self.check_seen(tenant, message)
        self.accounts.open(videos, caps)
        if message is not None:
            self.messages[tenant, message.message_id] = message
        for video in videos:
            self._write(video)

    def get(self, tenant: str, video_id: str) -> Video | None:
        if len(f"VIDEO#{video_id}".encode()) > 1024:
            raise RuntimeError("DynamoDB refuses a sort key of more than 1,024 bytes")
        return self.records.get((tenant, video_id))

    def get_many(self, tenant: str, video_ids: Collection[str]) -> dict[str, Video]:
        assert 1 <= len(set(video_ids)) == len(video_ids) <= 100, "as BatchGetItem demands"
        found = {video_id: self.get(tenant, video_id) for video_id in video_ids}
        return {video_id: video for video_id, video in found.items() if video}

    def made_videos(self, tenant: str, message_id: str) -> bool:
        seen = self.messages.get((tenant, message_id))
        return seen is not None and any(seen.video_ids)

    def page(
        self,
        tenant: str,
        limit: int,
        cursor: str | None,
        conversation_id: str | None,
        *,
        oldest_first: bool = False,
    ) -> tuple[list[Video], str | None]:
        found = [
            video
            for (owner, video_id), video in sorted(self.records.items(), reverse=not oldest_first)
            if owner == tenant
            and video.deleted_at is None
            and (cursor is None or (video_id > cursor if oldest_first else video_id < cursor))
            and conversation_id in (None, video.conversation_id)
        ]
        more = len(found) > limit
        return found[:limit], found[limit - 1].video_id if more else None

    def add_retry(self, video: Video, caps: Sequence[Caps] = NO_CAPS) -> None:
        older = self.get(video.tenant, video.retry_of or "")
        if older is None or older.retried_as or older.status not in ENDED_BADLY or older.deleted_at:
            raise StaleVideoError(older)
        self.accounts.open([video], caps)
        self._write(older.model_copy(update={"retried_as": video.video_id}))
        self._write(video)

    def claim(
        self, tenant: str, video_id: str, fence: str, released: Collection[str], **changes: Any
    ) -> Video:
        self.before("claim", changes)
        video = self.get(tenant, video_id)
        if video is None or not (
            video.status == "queued" or (video.status == "submitting" and video.fence in released)
        ):
            raise StaleVideoError(video)
        claimed = {**changes, "status": "submitting", "fence": fence}
        video = self._write(video.model_copy(update=claimed))
        self.after("claim", changes)
        return video

    def advance(
        self,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any] = {},
        **changes: Any,
    ) -> Video:
        self.before("advance", changes)
        video = self.get(tenant, video_id)
        if video is None or video.status not in allowed:
            raise StaleVideoError(video)
        if any(getattr(video, name) != value for name, value in expect.items()):
            raise StaleVideoError(video)
        kept = {name: value for name, value in changes.items() if value is not None}
        if changes.get("status") not in (None, *OPEN_STATUSES):
            if not video.is_open:
                raise StaleVideoError(video)
            self.accounts.close(video, changes)
        video = self._write(Video.model_validate(dict(video) | kept))
        self.after("advance", changes)
        return video

    def revoke_links(self, tenant: str, video_id: str) -> Video:
        self.before("revoke_links", {})
        video = self.get(tenant, video_id)
        if video is None:
            raise StaleVideoError(None)
        video = self._write(video.model_copy(update={"link_revision": video.link_revision + 1}))
        self.after("revoke_links", {})
        return video

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
        self.before("take_job", changes)
        job, video = (provider, str(handle)), self.get(tenant, video_id)
        if self.owners.get(job, (tenant, video_id)) != (tenant, video_id):
            return False
        if video is None or video.status not in allowed:
            raise StaleVideoError(video)
        if any(getattr(video, name) != value for name, value in expect.items()):
            raise StaleVideoError(video)
        self.owners[job] = (tenant, video_id)
        changes["handle"] = handle
        kept = {name: value for name, value in changes.items() if value is not None}
        self._write(Video.model_validate(dict(video) | kept))
        self.after("take_job", changes)
        return True

    def give_job(self, provider: str, handle: Handle, tenant: str, video_id: str) -> None:
        """For tests: the job is that video's."""
        self.owners[provider, str(handle)] = (tenant, video_id)

    def owner_of(self, provider: str, handle: Handle) -> tuple[str, str] | None:
        return self.owners.get((provider, str(handle)))

    def wake_token(self, tenant: str, video_id: str) -> str | None:
        return self.tokens.get((tenant, video_id))

    def add_nudge(self, tenant: str, video_id: str, tried: str | None) -> bool:
        self.before("add_nudge", {})
        video = self.get(tenant, video_id)
        if video is None or video.status not in ("submitting", "generating"):
            return False
        if self.tokens.get((tenant, video_id)) != tried:
            return False
        self.nudged.add((tenant, video_id))
        return True

    def begin_wait(self, tenant: str, video_id: str, token: str) -> bool:
        """For tests: what the state machine writes before it waits; False if it need not wait."""
        if (tenant, video_id) in self.nudged:
            self.nudged.remove((tenant, video_id))
            return False
        self.tokens[tenant, video_id] = token
        return True

    def overdue(self, before: datetime, limit: int) -> list[Video]:
        late = [
            video
            for video in self.records.values()
            if (video.is_open or video.owes_delivery)
            and video.next_check_at
            and video.next_check_at < before
        ]
        return sorted(late, key=lambda video: str(video.next_check_at))[:limit]

    def open_since(self) -> list[datetime]:
        waiting = (video for video in self.records.values() if video.is_open or video.owes_delivery)
        return [video.created_at for video in waiting]

    def durations(self, model: str) -> list[int]:
        return self.took.get(model, [])

    def add_duration(self, model: str, seconds: int) -> None:
        self.took.setdefault(model, []).append(seconds)

    def _write(self, video: Video) -> Video:
        before = self.records.get((video.tenant, video.video_id))
        self.records[video.tenant, video.video_id] = video
        if before is None or before.status != video.status:
            self.log.append(f"record {video.status}")
        return video


def _nothing(_: str, __: Mapping[str, Any]) -> None: ...

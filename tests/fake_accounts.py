"""The accounts in memory, counted on the same conditions as in DynamoDB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from actionreel.accounts import NO_CAPS, Account, Amount, Caps, amount, settlement
from actionreel.errors import CapReachedError
from actionreel.models import Video

COUNTED = ("videos", "seconds", "usd")


class FakeAccounts:
    """Accounts in dictionaries, by tenant; the deployment's is that of None."""

    def __init__(self) -> None:
        self.general: tuple[Caps, Caps] = NO_CAPS
        self.own: dict[str | None, Caps] = {}
        self.used: dict[tuple[str | None, date], Amount] = defaultdict(Amount)
        self.running: dict[str | None, int] = defaultdict(int)
        self.halted: set[str | None] = set()

    def of(self, tenant: str, day: date) -> tuple[Account, Account]:
        first, second = (
            Account(
                owner="deployment" if who is None else "tenant",
                caps=caps.over(self.own.get(who)),
                used=self.used[who, day],
                running=self.running[who],
                paused=who in self.halted,
            )
            for who, caps in zip((tenant, None), self.general, strict=True)
        )
        return first, second

    def paused(self, tenant: str) -> bool:
        return not self.halted.isdisjoint((tenant, None))

    def usage(self, tenant: str | None, days: Sequence[date]) -> dict[date, Amount]:
        assert len(days) <= 100, "as BatchGetItem demands"
        return {day: self.used[tenant, day] for day in days}

    def set_caps(self, tenant: str | None, caps: Caps) -> None:
        self.own[tenant] = caps

    def pause(self, tenant: str | None, *, paused: bool) -> None:
        (self.halted.add if paused else self.halted.discard)(tenant)

    def open(self, videos: Sequence[Video], caps: Sequence[Caps]) -> None:
        """What DynamoDB counts when records are written; raises CapReachedError."""
        reserved = [video.reservation for video in videos if video.reservation]
        if not reserved:
            return
        tenant, day, total = videos[0].tenant, reserved[0].day, Amount()
        for reservation in reserved:
            total = total.plus(amount(reservation))
        for who, capped in zip((tenant, None), caps, strict=True):
            after = self.used[who, day].plus(total)
            over = any(
                getattr(capped, name) is not None
                and getattr(total, name)
                and getattr(after, name) > getattr(capped, name)
                for name in COUNTED
            )
            running = self.running[who] + total.videos
            full = capped.concurrent is not None and running > capped.concurrent
            if over or full or who in self.halted:
                raise CapReachedError
        for who in (tenant, None):
            self.used[who, day] = self.used[who, day].plus(total)
            self.running[who] += total.videos

    def close(self, video: Video, changes: Mapping[str, Any]) -> None:
        """What DynamoDB counts when a record ends."""
        if video.reservation is None:
            return
        for who in (video.tenant, None):
            settled = settlement(video, changes)
            day = video.reservation.day
            self.used[who, day] = self.used[who, day].plus(settled)
            self.running[who] -= 1

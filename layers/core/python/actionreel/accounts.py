"""What is counted, and what it is counted against: amounts, caps, and the accounts of a tenant and
of the whole deployment. Pure.

A day is one of UTC. An amount is reserved when a video is asked for, at the highest price that it
may come to, and settled when the video ends: what was certainly not charged is given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import Field

from actionreel.errors import QuotaError
from actionreel.models import Document, Reservation, Video

MOST = 10**9  # that a cap can be: what is left of it must have digits that can be written
_WHO_KNOWS = 900  # seconds: how soon it is worth asking again where a person decides
Owner = Literal["tenant", "deployment"]
_WHOSE = {"tenant": "this account's", "deployment": "the whole deployment's"}
_WHAT = {
    "videos": "videos a day",
    "seconds": "seconds a day",
    "usd": "dollars a day",
    "concurrent": "videos at one time",
}
_ALL = {"tenant": "This account's", "deployment": "The whole deployment's"}


class Amount(NamedTuple):
    """Videos, their seconds, and US dollars; what is added to an account, or taken from it."""

    videos: int = 0
    seconds: int = 0
    usd: Decimal = Decimal(0)

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(
            self.videos + other.videos, self.seconds + other.seconds, self.usd + other.usd
        )


class Caps(Document):
    """What an account may come to: each day in videos, seconds and US dollars, and how many videos
    may be made at one time. None is no cap."""

    videos: int | None = Field(default=None, ge=0, le=MOST)
    seconds: int | None = Field(default=None, ge=0, le=MOST)
    usd: Decimal | None = Field(default=None, ge=0, le=MOST, allow_inf_nan=False)
    concurrent: int | None = Field(default=None, ge=0, le=MOST)

    def over(self, other: Caps | None) -> Caps:
        """These caps, with those of `other` where it has one."""
        own = other.model_dump(exclude_none=True) if other else {}
        return self.model_copy(update=own)


NO_CAPS = (Caps(), Caps())  # of a tenant, and of the deployment


class Account(Document):
    """What an owner has come to on a day, and how many of its videos are being made now."""

    owner: Owner
    caps: Caps = Caps()
    used: Amount = Amount()
    running: int = 0
    paused: bool = False

    def with_one(self, amount: Amount) -> Account:
        """The account with one more video."""
        return self.model_copy(update={"used": self.used.plus(amount), "running": self.running + 1})

    def refusal(self, amount: Amount, now: datetime) -> QuotaError | None:
        """Why one more video of that amount cannot be made: which cap, and when it frees; None if
        it can."""
        if self.paused:
            who = "This deployment" if self.owner == "deployment" else "This account"
            return QuotaError(
                f"{who} is paused by its operator: no video is started for now.", _WHO_KNOWS
            )
        caps, used, whose = self.caps, self.used, _WHOSE[self.owner]
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        frees = f"It frees at {tomorrow:%Y-%m-%d %H:%M} UTC."
        wait = (tomorrow - now).total_seconds()
        costs_nothing = amount.usd == 0
        nothing = [
            name
            for name in _WHAT
            if getattr(caps, name) == 0 and not (name == "usd" and costs_nothing)
        ]
        if nothing:
            cap = f"{_ALL[self.owner]} cap of {_WHAT[nothing[0]]} is 0"
            closed = f"{cap}: no video can be made until its operator raises it."
            return QuotaError(closed, _WHO_KNOWS)
        if caps.videos is not None and used.videos + amount.videos > caps.videos:
            cap = f"{_ALL[self.owner]} cap of {_counted(caps.videos, 'video')} a day is reached."
            return QuotaError(f"{cap} {frees}", wait)
        if caps.seconds is not None and used.seconds + amount.seconds > caps.seconds:
            left = max(0, caps.seconds - used.seconds)
            cap = f"{left} are left of {whose} cap of {_counted(caps.seconds, 'second')} a day"
            return QuotaError(f"This video has {amount.seconds} seconds, and {cap}. {frees}", wait)
        if caps.usd is not None and not costs_nothing and used.usd + amount.usd > caps.usd:
            left_usd = max(Decimal(0), caps.usd - used.usd)
            cap = f"${left_usd:.2f} are left of {whose} cap of ${caps.usd:.2f} a day"
            return QuotaError(f"This video may cost ${amount.usd:.2f}, and {cap}. {frees}", wait)
        if caps.concurrent is not None and self.running >= caps.concurrent:
            cap = f"{_ALL[self.owner]} cap of {_counted(caps.concurrent, 'video')} at one time"
            return QuotaError(f"{cap} is reached. It frees when one of them ends.", soon=True)
        return None


def amount(reservation: Reservation) -> Amount:
    """What is reserved for a video."""
    return Amount(1, reservation.seconds, reservation.usd)


def settlement(video: Video, changes: Mapping[str, Any]) -> Amount:
    """What an ending adds to the account of the day on which the video was asked for.

    A video that was certainly not charged takes back all that was reserved for it. One that was, or
    may have been, counts as what it cost; as what was reserved, if nobody knows.
    """
    reserved = video.reservation
    if reserved is None:
        return Amount()
    failure = changes.get("failure")
    if changes.get("status") != "completed" and not (failure and failure.maybe_charged):
        return Amount(-1, -reserved.seconds, -reserved.usd)
    cost = changes.get("cost_usd")
    paid = reserved.usd if cost is None else cost
    return Amount(0, video.seconds - reserved.seconds, paid - reserved.usd)


def days(last: date, count: int) -> list[date]:
    """The `count` days up to and with `last`, that one first."""
    return [last - timedelta(days=number) for number in range(count)]


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"

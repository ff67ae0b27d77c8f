"""What a video takes from the accounts of its tenant and of the deployment before it is made.

The amount is on the account and on the video's record, or on neither: they are written at once, on
the condition that it fits. So no cap is passed, however many ask at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from actionreel.accounts import NO_CAPS, Account, Caps, amount
from actionreel.errors import CapReachedError, CrowdedError, QuotaError
from actionreel.models import Choice, Reservation, Video
from actionreel.ports import Services

_TRIES = 20

Write = Callable[[list[Video], Sequence[Caps]], None]


def within(
    tenant: str, videos: Sequence[Video], services: Services, write: Write
) -> dict[str, Video | QuotaError]:
    """Has `write` keep those of the videos that the caps allow, in their order; by their ids, the
    videos as they were kept, and why the others were not.

    Where none of them can be made, nothing is written.
    """
    for _ in range(_TRIES):
        found = _allowed(tenant, videos, services)
        kept = [video for video in found[0].values() if isinstance(video, Video)]
        if videos and not kept:
            return found[0]
        try:
            write(kept, found[1])
            return found[0]
        except CapReachedError:
            continue  # others were faster: what is left now?
        except CrowdedError:
            break
    busy = QuotaError("Too many videos are asked for at this moment; try again.", 1, soon=True)
    return {video.video_id: busy for video in videos}


def _allowed(
    tenant: str, videos: Sequence[Video], services: Services
) -> tuple[dict[str, Video | QuotaError], Sequence[Caps]]:
    """What can be said of each video by what the accounts say now; and their caps."""
    if not videos:
        return {}, NO_CAPS
    now = services.now()
    accounts: Sequence[Account] = services.accounts.of(tenant, now.date())
    capped = any(account.caps.usd is not None for account in accounts)
    found: dict[str, Video | QuotaError] = {}
    for video in videos:
        try:
            reserved = _reserved(video, now.date(), services, capped=capped)
        except QuotaError as unpriced:
            found[video.video_id] = unpriced
            continue
        assert reserved.reservation is not None
        taken = amount(reserved.reservation)
        refusals = (account.refusal(taken, now) for account in accounts)
        refusal = next(filter(None, refusals), None)
        found[video.video_id] = refusal or reserved
        if refusal is None:
            accounts = [account.with_one(taken) for account in accounts]
    return found, [account.caps for account in accounts]


def _reserved(video: Video, day: date, services: Services, *, capped: bool) -> Video:
    """The video with what is reserved for it: the most that any of its providers may charge.

    Where dollars are capped, only providers whose price is known are asked; raises QuotaError where
    the first of them has none.
    """
    first = video.choice
    prices = {choice: _price(choice, services) for choice in (first, *video.alternatives)}
    if capped and prices[first] is None:
        raise QuotaError(
            f"Dollars are capped here, and the price of {first.model} at {first.provider} is not"
            " known. Its operator can give it as usd_per_second in VideoModels."
        )
    if capped:
        prices = {choice: price for choice, price in prices.items() if price is not None}
    reservation = Reservation(
        day=day,
        seconds=max(choice.seconds for choice in prices),
        usd=max(price or Decimal(0) for price in prices.values()),
    )
    others = tuple(choice for choice in prices if choice != first)
    return video.model_copy(update={"reservation": reservation, "alternatives": others})


def _price(choice: Choice, services: Services) -> Decimal | None:
    return services.registry.list_price(choice.model, choice.provider, choice.seconds)

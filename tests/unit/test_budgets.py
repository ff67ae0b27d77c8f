"""What is reserved for a video, before the accounts are written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from actionreel import jobs, messages
from actionreel.accounts import Caps, days
from actionreel.errors import CapReachedError, QuotaError
from actionreel.models import Video
from actionreel.orders import Offer
from actionreel.registry import Registry, VideoModel
from tests.fakes import DONE, NOON, FakeServices, seed_model


def model(name: str, *prices: str | None, **more: Any) -> VideoModel:
    """A model with an offer for each price."""
    providers = ("openai_videos", "fal", "replicate")
    offers = [
        Offer(provider=provider, name=name, usd_per_second=price and Decimal(price))
        for provider, price in zip(providers, prices, strict=False)
    ]
    known = seed_model(name, "0", f"{name}-alias").model_dump(exclude={"offers"})
    return VideoModel(offers=tuple(offers), **{**known, **more})


def create(services: FakeServices, **body: object) -> Video:
    return messages.create({"prompt": "p", "seconds": 8, **body}, "default", services)


def usd(video: Video) -> Decimal:
    assert video.reservation is not None
    return video.reservation.usd


def test_the_dearest_that_it_may_come_to_is_reserved() -> None:
    services = FakeServices()
    longer = model("longer", "0.05", lengths=(12,))
    services.registry = Registry(
        default="m", models=(model("m", "0.10", "0.30", None, fallbacks=("longer",)), longer)
    )
    video = create(services)
    assert usd(video) == Decimal("2.40")
    assert video.reservation is not None
    assert video.reservation.seconds == 12
    assert video.reservation.day == NOON.date()


def test_under_a_cap_on_dollars_only_known_prices_are_asked() -> None:
    services = FakeServices()
    services.registry = Registry(default="m", models=(model("m", "0.10", None, "0.20"),))
    assert [one.provider for one in create(services).alternatives] == ["fal", "replicate"]
    services.accounts.general = (Caps(usd=Decimal(100)), Caps())
    video = create(services)
    assert [one.provider for one in video.alternatives] == ["replicate"]
    assert usd(video) == Decimal("1.60")


@pytest.mark.parametrize("whose", [0, 1])
def test_a_price_that_is_not_known_is_refused_under_a_cap_on_dollars(whose: int) -> None:
    services = FakeServices()
    services.registry = Registry(default="m", models=(model("m", None, "0.10"),))
    assert usd(create(services)) == Decimal("0.80")
    caps = [Caps(), Caps()]
    caps[whose] = Caps(usd=Decimal(100))
    services.accounts.general = (caps[0], caps[1])
    with pytest.raises(QuotaError, match="the price of m at openai_videos is not known"):
        create(services)


def test_an_account_s_own_caps_come_before_the_general_ones() -> None:
    services = FakeServices()
    services.accounts.general = (Caps(videos=0, concurrent=1), Caps())
    services.accounts.set_caps("default", Caps(videos=5))
    create(services)
    with pytest.raises(QuotaError, match="1 video at one time"):
        create(services)


def test_who_is_always_overtaken_is_told_so() -> None:
    services = FakeServices()

    def overtaken(tenant: str, videos: Sequence[Video], *_: Any) -> None:
        raise CapReachedError

    services.videos.add = overtaken  # type: ignore[method-assign, assignment]
    with pytest.raises(QuotaError, match="Too many videos are asked for at this moment") as busy:
        create(services)
    assert busy.value.retry_after == 1
    assert services.workflow.started == []


def test_a_pause_holds_back_what_was_accepted() -> None:
    services = FakeServices(DONE)
    video = create(services)
    services.accounts.pause(None, paused=True)
    job = jobs.create(video.job(), services)
    assert job.status == "failed"
    assert job.failure is not None
    assert (job.failure.code, job.failure.maybe_charged) == ("quota", False)
    assert "nothing was charged" in job.failure.message
    assert services.log == ["record queued", "started"]


def test_a_pause_does_not_end_what_was_asked_for() -> None:
    services = FakeServices(DONE)
    video = create(services)
    asked = jobs.create(video.job(), services)
    services.accounts.pause("default", paused=True)
    again = jobs.create(video.job(), services)
    assert again.failure is None
    assert again.handle == asked.handle


def test_days() -> None:
    assert days(NOON.date(), 2) == [NOON.date(), NOON.date().replace(day=21)]


def test_what_costs_nothing_is_made_where_no_dollar_is_left() -> None:
    services = FakeServices()
    services.registry = Registry(default="free", models=(model("free", "0"), model("dear", "0.10")))
    create(services, model="dear")
    services.accounts.set_caps("default", Caps(usd=Decimal("0.50")))
    assert create(services).model == "free"
    with pytest.raises(QuotaError, match="may cost"):
        create(services, model="dear")


@pytest.mark.parametrize("videos", [None, 0])
def test_where_a_person_decides_it_is_not_asked_again_at_once(videos: int | None) -> None:
    services = FakeServices()
    services.accounts.set_caps("default", Caps(videos=videos))
    services.accounts.pause("default", paused=videos is None)
    with pytest.raises(QuotaError) as refused:
        create(services)
    assert refused.value.retry_after == 900

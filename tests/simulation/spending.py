"""I8: what is counted on the accounts is what the records say, whatever happened in the run."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from actionreel.models import Video
from tests.simulation import aws
from tests.simulation.world import World


def check(world: World) -> None:
    """Notes every account that says something else than the records that it is made of."""
    expected: defaultdict[tuple[str, str, str], int | Decimal] = defaultdict(int)
    for video in aws.records().values():
        if video.reservation is None:
            world.violate("I8", f"nothing was reserved for {video.video_id}")
            continue
        day = f"USAGE#{video.reservation.day}"
        for owner in (f"TENANT#{video.tenant}", "DEPLOYMENT"):
            expected[owner, "ACCOUNT", "running"] += video.is_open
            for name, number in _counted(video).items():
                expected[owner, day, name] += number
    found = {
        (owner, item, name): number
        for (owner, item), fields in aws.accounts().items()
        for name, number in fields.items()
        if name in ("running", "videos", "seconds", "usd")
    }
    for counter in expected.keys() | found.keys():
        counted = found.get(counter, 0)
        if counted != expected[counter]:
            world.violate("I8", f"{counter} is {counted}, and not {expected[counter]}")


def _counted(video: Video) -> dict[str, int | Decimal]:
    """What one video counts: as it was asked for, until it has ended; then as it came to."""
    assert video.reservation is not None
    reserved = video.reservation
    charged = video.failure is not None and video.failure.maybe_charged
    if video.is_open or (charged and video.cost_usd is None):
        seconds = reserved.seconds if video.is_open else video.seconds
        return {"videos": 1, "seconds": seconds, "usd": reserved.usd}
    if video.status == "completed" or charged:
        assert video.cost_usd is not None
        return {"videos": 1, "seconds": video.seconds, "usd": video.cost_usd}
    return {"videos": 0, "seconds": 0, "usd": 0}

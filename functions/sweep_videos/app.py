"""See to open videos of which there was no news for too long: on a schedule."""

from typing import Any

from actionreel import bootstrap, upkeep


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    return {"overdue": upkeep.sweep(bootstrap.services())}

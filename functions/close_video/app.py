"""See to the record of a video whose execution ended: on Step Functions' status-change events."""

import json
from typing import Any

from actionreel import bootstrap, upkeep


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    detail = event["detail"]
    job = json.loads(detail["input"])
    upkeep.execution_ended(
        job["tenant"],
        job["video_id"],
        detail["name"],
        bootstrap.services(),
        stopped=detail["status"] == "ABORTED",
    )

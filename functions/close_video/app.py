"""See to the record of a video whose execution ended: on Step Functions' status-change events."""

import json
from typing import Any

from actionreel import bootstrap, upkeep
from actionreel.observability import logger


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    detail = event["detail"]
    try:
        job = json.loads(detail["input"] or "")
        tenant, video_id = job["tenant"], job["video_id"]
    except (ValueError, TypeError, KeyError):
        logger.warning("an execution that is no video's, or whose input was left out")
        return  # the sweep sees to its record, if there is one
    upkeep.execution_ended(
        tenant,
        video_id,
        detail["name"],
        bootstrap.services(),
        stopped=detail["status"] == "ABORTED",
    )

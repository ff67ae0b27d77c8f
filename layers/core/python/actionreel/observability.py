"""Logs and metrics, and the decorator that makes a task of the state machine a Lambda handler."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from actionreel.models import VideoJob

logger = Logger()

_UNITS = {"Seconds": MetricUnit.Seconds, "USD": MetricUnit.NoUnit}

Task = Callable[[VideoJob], VideoJob]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def job_task(task: Task) -> Handler:
    """Makes a Lambda handler of a function from document to document.

    Each run logs one line and counts one metric, without the prompt. What the function raises goes
    on to Lambda, which names its class to the state machine.
    """

    @functools.wraps(task)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        job = VideoJob.model_validate(event)
        function = str(getattr(context, "function_name", ""))
        where = {
            "function": function,
            "request_id": str(getattr(context, "aws_request_id", "")),
            "tenant": job.tenant,
            "video_id": job.video_id,
        }
        try:
            done = task(job)
        except Exception as error:
            _count("TaskRaised", function)
            logger.warning("task raised", extra={**where, "error": type(error).__name__})
            raise
        _count(f"Task{done.status.title()}", function)
        code = done.failure.code if done.failure else None
        logger.info("task done", extra={**where, "status": done.status, "code": code})
        return done.model_dump(mode="json", by_alias=True, exclude_none=True)

    return handler


def measure(name: str, value: float) -> None:
    """Writes one value of a metric that has no dimension but the service's, for the alarms."""
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), MetricUnit.Count)
    metrics = EphemeralMetrics()
    metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


def _count(name: str, function: str) -> None:
    metrics = EphemeralMetrics()  # the other kind is shared by all threads of a process
    metrics.add_dimension(name="function", value=function or "unknown")
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()

"""EventBridge at home: the schedule of the template, and the ends of executions."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.template import ACCOUNT, REGION, Template

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

Invoke = Callable[[str, bytes], object]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
KIND = "Step Functions Execution Status Change"


class Events:
    """Calls the functions of the template's schedules and rules; `invoke` calls one.

    moto tells nobody that an execution has ended, so its list is looked at every second. With
    `every` seconds, schedules run that often, whatever the template says.
    """

    def __init__(
        self,
        template: Template,
        states: SFNClient,
        invoke: Invoke,
        every: float | None = None,
    ) -> None:
        schedules = template.schedules()
        self._every = {name: every or seconds for name, seconds in schedules.items()}
        self._due = {name: time.monotonic() + self._every[name] for name in schedules}
        self._rules = [(name, pattern["detail"]) for name, pattern in template.rules()]
        self._states = states
        self._invoke = invoke
        self._told: set[str] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends; when it returns, no function is called any more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            try:
                self._call_what_is_due()
                for function, detail in self._rules:
                    self._tell(function, detail)
            except Exception:  # the next look must come all the same
                logger.exception("an event could not be delivered")

    def _call_what_is_due(self) -> None:
        for name, due in self._due.items():
            if time.monotonic() >= due:
                self._due[name] = time.monotonic() + self._every[name]
                self._invoke(name, json.dumps({"source": "aws.events"}).encode())

    def _tell(self, function: str, wanted: dict[str, list[str]]) -> None:
        """Tells the function of every execution that has ended as it wants to know."""
        for machine in wanted["stateMachineArn"]:
            for status in wanted["status"]:
                pages = self._states.get_paginator("list_executions").paginate(
                    stateMachineArn=machine,
                    statusFilter=status,  # type: ignore[arg-type]
                )
                for page in pages:
                    for execution in page["executions"]:
                        if execution["executionArn"] not in self._told:
                            self._told.add(execution["executionArn"])
                            event = self._event(execution["executionArn"])
                            self._invoke(function, json.dumps(event).encode())

    def _event(self, arn: str) -> dict[str, Any]:
        """The event, as Step Functions sends it."""
        said = self._states.describe_execution(executionArn=arn)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": KIND,
            "source": "aws.states",
            "account": ACCOUNT,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "region": REGION,
            "resources": [arn],
            "detail": {
                "executionArn": arn,
                "stateMachineArn": said["stateMachineArn"],
                "name": said["name"],
                "status": said["status"],
                "startDate": int(said["startDate"].timestamp() * 1000),
                "stopDate": int(said["stopDate"].timestamp() * 1000),
                "input": said["input"],
                "inputDetails": {"included": True},
                "output": None,
                "outputDetails": None,
                "error": said.get("error"),
                "cause": said.get("cause"),
            },
        }

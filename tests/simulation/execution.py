"""An execution, as the simulation sees it: one actor, which can be ended from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus

from tests.simulation.scheduler import Actor
from tests.simulation.world import World


class Stopped(BaseException):
    """The execution was ended from outside: it goes no further."""


class Execution:
    """An execution of moto's, and what moto does not know of it: its actor and how far it came."""

    def __init__(self, world: World, worker: Any) -> None:
        self.world = world
        self.worker = worker
        self.moto: Any = worker._execution_communication.execution
        self.name: str = self.moto.name
        document = self.moto.input_data
        self.video_id: str = document.get("video_id", "")  # or else it answers a message:
        self.turn_id: str = document.get("turn_id", "")
        self.deadline = 0.0
        self.task_seconds = 0.0
        self.state: tuple[str, Any] | None = None  # the last one entered, with its input
        self.redriven = 0
        self.actor: Actor | None = None

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return str(self.moto.status)

    @property
    def running(self) -> bool:
        return bool(self.worker.env.is_running())

    def start(self) -> None:
        """Starts it, or, when it was ended, starts it again at the state where it was (redrive)."""
        self.moto.exec_status = ExecutionStatus("RUNNING")
        name = f"execution {self.name[-6:]}"
        self.actor = self.world.spawn(name, self._run, self)

    def end(self, how: str) -> None:
        """Ends it from outside: ABORTED by an operator, TIMED_OUT, or FAILED by what no Catch can
        take."""
        env = self.worker.env
        if env is None or not self.running:
            return
        match how:
            case "ABORTED":
                env.set_stop(stop_date=self.moto.start_date, cause=None, error=None)
            case "TIMED_OUT":
                env.set_timed_out()
            case "FAILED":
                env.set_error({"error": "States.DataLimitExceeded", "cause": "simulated"})
        if self.actor:
            self.world.scheduler.wake(self.actor)

    def wait(self, seconds: float) -> None:
        """Waits as the interpreter would; ends with the machine's time."""
        self.pause(lambda: False, seconds)

    def pause(self, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until `ready`, or that long."""
        scheduler = self.world.scheduler
        until = min(scheduler.now + seconds, self.deadline)
        scheduler.wait(until, lambda: ready() or not self.running)
        self.check()

    def check(self) -> None:
        """Raises Stopped if it is over."""
        if self.running and self.world.scheduler.now >= self.deadline:
            self.worker.env.set_timed_out()
        if not self.running:
            raise Stopped

    def _run(self) -> None:
        world = self.world
        machine = json.loads(self.moto.state_machine.definition)
        self.deadline = world.scheduler.now + machine["TimeoutSeconds"]
        world.note("redriven" if self.redriven else "begins")
        try:
            self.worker._execution_logic()
        except Stopped:
            self.worker._execution_communication.terminated()
        world.note(f"ends: {self.status} {self.moto.error or ''}".rstrip())
        world.on_execution_end(self)

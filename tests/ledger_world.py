"""A world for the ledger: functions that can stop or die at every write, a provider that may or may
not accept and answer, executions that are repeated, cut off and resumed. Without a state machine's
definition; what it says of where a document goes is played here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actionreel import endings, jobs, reconciliation
from actionreel.errors import (
    OutcomeUnknownError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import (
    CancelOutcome,
    CaughtError,
    Failure,
    Handle,
    ProviderAnswer,
    Video,
    VideoJob,
    VideoRequest,
)
from actionreel.orders import Order
from tests.fakes import FakeProvider, FakeServices

LIFETIME = 75  # seconds that a function lives at most: Create's Timeout in the template

Task = Callable[[VideoJob, FakeServices], VideoJob]
TASKS: dict[str, Task] = {
    "queued": jobs.create,
    "ambiguous": reconciliation.reconcile,
    "pending": jobs.poll,
    "completed": jobs.store,
}


class Killed(BaseException):
    """The end of a function's process."""


class Invocation:
    """A function that runs in a thread of its own and stops wherever it touches the world.

    `stopped_at` is where it stands, None when it is over; `step` tells it how to go on.
    """

    def __init__(self, task: Task, job: VideoJob, world: World) -> None:
        self.job, self.began = job, world.clock
        self.stopped_at: str | None = "start"
        self.result: VideoJob | None = None
        self._command = ""
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(task, world), daemon=True)
        world.running[self._thread] = self
        self._thread.start()

    def _run(self, task: Task, world: World) -> None:
        self._go.acquire()
        try:
            if self._command != "die":
                self.result = task(self.job, world)
        except (Killed, Exception):
            self.result = None
        self.stopped_at = None
        self._stopped.release()

    def stop(self, where: str) -> str:
        """Stops, and returns how to go on. Called by the world, in the function's thread."""
        self.stopped_at = where
        self._stopped.release()
        self._go.acquire()
        if self._command == "die":
            raise Killed
        return self._command

    def step(self, command: str) -> None:
        """Lets it go on until it stops again, or is over."""
        self._command = command
        self._go.release()
        assert self._stopped.acquire(timeout=180), "the function hangs"
        if self.stopped_at is None:
            self._thread.join()


@dataclass
class Job:
    """A job at the provider."""

    video_id: str
    request: VideoRequest
    made_at: datetime
    handle: Handle
    phase: str = "pending"

    def answer(self) -> ProviderAnswer:
        failure = None
        if self.phase == "failed":
            failure = Failure(code="moderation", message="Refused for its content.")
        return ProviderAnswer.model_validate(
            {"phase": self.phase, "handle": self.handle, "failure": failure}
        )


class Provider(FakeProvider):
    """A provider that keeps its jobs: a truthful list, and one job for a key if it knows keys."""

    def __init__(self, world: World) -> None:
        super().__init__([])
        self.world = world
        self.jobs: list[Job] = []

    def create(self, order: Order) -> ProviderAnswer:
        match self.world.stop("request"):
            case "throttled":
                raise ProviderThrottledError("429", retry_after=1)
            case "unreachable":
                raise ProviderUnavailableError("off")
            case "rejected":
                raise ProviderRejectedError("No.", "quota")
            case "lost":
                raise OutcomeUnknownError("It did not answer.")
        job = self._made(order.request, order.key)
        if self.world.stop("answer") == "lost":
            raise OutcomeUnknownError("It did not answer.")
        return job.answer()

    def _made(self, request: VideoRequest, key: str) -> Job:
        known = [job for job in self.jobs if job.video_id == key]
        if known and self.recovery == "key":
            return known[0]
        handle: Handle = {"id": f"job {len(self.jobs)}"}
        self.jobs.append(Job(key, request, self.world.clock, handle))
        return self.jobs[-1]

    def find(self, order: Order, since: datetime) -> list[Handle]:
        if self.world.stop("list") == "trouble":
            raise ProviderUnavailableError("503")
        newest_first = reversed(self.jobs)
        return [j.handle for j in newest_first if j.request == order.request and j.made_at >= since]

    def poll(self, handle: Handle) -> ProviderAnswer:
        return self.of(handle).answer()

    def cancel(self, handle: Handle) -> CancelOutcome:
        return "unsupported"

    def of(self, handle: Handle) -> Job:
        [job] = [job for job in self.jobs if job.handle == handle]
        return job


@dataclass
class Execution:
    """An execution of the state machine: the task that is next or runs, and its document."""

    name: str
    video_id: str
    task: Task
    job: VideoJob
    running: Invocation | None = None
    past: list[tuple[Task, VideoJob]] = field(default_factory=list)

    def goes_on(self, job: VideoJob) -> bool:
        """Takes the document of a task that is done; False when that was the last one."""
        if self.task is endings.fail or job.status == "stored":
            return False
        self.past.append((self.task, self.job))
        self.task, self.job, self.running = TASKS.get(job.status, endings.fail), job, None
        return True

    def is_caught(self) -> None:
        """The task raised or died, and is not repeated."""
        caught = CaughtError(Error="Sandbox.Timedout", Cause="cut off")
        if self.task is not endings.fail:
            create = self.task is jobs.create
            self.task = reconciliation.reconcile if create else endings.fail
        self.job = self.job.model_copy(update={"caught": caught})
        self.running = None


class World(FakeServices):
    """Everything together; `running` has the functions that are alive, by their threads."""

    def __init__(self) -> None:
        super().__init__()
        self.running: dict[threading.Thread, Invocation] = {}
        self.executions: list[Execution] = []
        self.over: list[Execution] = []
        self.studio: Provider = Provider(self)
        self.videos.before = self._before
        self.videos.after = self._after
        self.workflow.start = self._start  # type: ignore[method-assign]

    def stop(self, where: str) -> str:
        """Stops the function that calls; nobody else is stopped."""
        invocation = self.running.get(threading.current_thread())
        return invocation.stop(where) if invocation else "go"

    def _before(self, write: str, changes: Mapping[str, Any]) -> None:
        if self.stop("before a write") == "trouble":
            raise ConnectionError("not written")

    def _after(self, write: str, changes: Mapping[str, Any]) -> None:
        if self.stop("after a write") == "trouble":
            raise ConnectionError("written, but the answer got lost")

    def _start(self, video: Video) -> None:
        if video.execution not in [started.execution for started in self.workflow.started]:
            self.workflow.started.append(video)
            execution = Execution(video.execution, video.video_id, jobs.create, video.job())
            self.executions.append(execution)

    def begin(self, execution: Execution) -> None:
        """Runs the next task, after the wait that the document asks for."""
        if execution.job.status in ("queued", "ambiguous", "pending"):
            self.let_pass(execution.job.wait_seconds or 0)
        execution.running = Invocation(execution.task, execution.job, self)

    def step(self, invocation: Invocation, command: str) -> None:
        """Lets a function go on; whose execution hears of it, if one waits for it still."""
        invocation.step(command)
        if invocation.stopped_at is not None:
            return
        self.running = {
            thread: alive for thread, alive in self.running.items() if alive is not invocation
        }
        for execution in [one for one in self.executions if one.running is invocation]:
            if invocation.result is None:
                execution.is_caught()
            elif not execution.goes_on(invocation.result):
                self.ends(execution)

    def ends(self, execution: Execution) -> None:
        """The execution is over. What runs for it still runs, unheard."""
        execution.running = None
        self.executions.remove(execution)
        self.over.append(execution)
        self.workflow.ended.add(execution.name)

    def let_pass(self, seconds: float) -> None:
        """Time passes, and no function lives longer than it may."""
        self.wait(seconds)
        for invocation in list(self.running.values()):
            if (self.clock - invocation.began).total_seconds() > LIFETIME:
                self.step(invocation, "die")

    def close(self) -> None:
        """Ends every thread."""
        for invocation in list(self.running.values()):
            self.step(invocation, "die")

"""Submit once, lose nothing, say the truth: whatever is repeated, cut off, lost or late.

Hypothesis plays Lambda, Step Functions, DynamoDB and the provider at their worst, in any order; the
clock is its own. Two videos ask for the same, so that the provider's list tells them apart by
nothing.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actionreel import upkeep
from actionreel.errors import StaleVideoError
from actionreel.models import OPEN_STATUSES, Recovery, Video
from tests.fakes import NOON, REQUEST, steady
from tests.ledger_world import Execution, Invocation, World

IDS = [f"0199f3a0-0000-7000-8000-00000000000{number}" for number in (1, 2)]
FORWARD = ["queued", "submitting", "generating", "storing"]
ANSWERS = {
    "request": ["go", "go", "go", "lost", "throttled", "unreachable", "rejected"],
    "answer": ["go", "lost"],
}
PLACES = ["start", "before a write", "after a write", "request", "answer", "list"]
MOST_EXECUTIONS = 10


class Ledger(RuleBasedStateMachine):
    """The rules, and after each write what must hold."""

    world: World
    broken: list[str]

    @initialize(recovery=st.sampled_from(["key", "list", "none"]), videos=st.integers(1, 2))
    def messages_come(self, recovery: Recovery, videos: int) -> None:
        self.world, self.broken = World(), []
        self.world.studio.recovery = recovery
        write = self.world.videos._write
        self.world.videos._write = lambda video: self._checked(write, video)  # type: ignore[method-assign]
        for video_id in IDS[:videos]:
            video = Video(
                tenant="default",
                video_id=video_id,
                provider="openai_videos",
                created_at=NOON,
                next_check_at=NOON,
                **REQUEST.model_dump(),
            )
            self.world.videos.add("default", [video], None)
            self.world.workflow.start(video)

    def _checked(self, write: Any, video: Video) -> Video:
        """Writes, and keeps what is wrong with it: the function that writes may catch errors."""
        before = self.world.videos.get(video.tenant, video.video_id)
        if before is not None:
            given_back = (before.status, video.status) == ("submitting", "queued")
            self._must(given_back or _rank(before) <= _rank(video), "the status moves forward")
            self._must(before.is_open or before == video, "an ending stays")
            self._must(before.handle in (None, video.handle), "a job is not exchanged")
        if video.status == "failed":
            charged = video.failure is None or video.failure.maybe_charged
            self._must(not charged, "what may be charged is not failed")
            self._must(not video.ambiguous, "what nobody can tell of is not failed")
            self._must(not self._paid(video), "what was accepted is not failed")
        return write(video)  # type: ignore[no-any-return]

    def _must(self, held: bool, what: str) -> None:
        if not held:
            self.broken.append(what)

    @invariant()
    def nothing_was_written_that_must_not_be(self) -> None:
        assert self.broken == []

    def _paid(self, video: Video) -> bool:
        jobs = self.world.studio.jobs
        return any(job.video_id == video.video_id and job.phase != "failed" for job in jobs)

    # What Lambda and Step Functions do

    @precondition(lambda self: self._waiting())
    @rule(data=st.data(), tasks=st.integers(1, 8))
    def an_execution_goes_on(self, data: st.DataObject, tasks: int) -> None:
        """With no trouble but the provider's."""
        execution = data.draw(st.sampled_from(self._waiting()))
        for _ in range(tasks):
            if execution in self.world.executions and execution.running is None:
                self.world.begin(execution)
                self._run(execution.running, data)

    @precondition(lambda self: self._waiting())
    @rule(
        data=st.data(),
        where=st.sampled_from(PLACES),
        then=st.sampled_from(["it is waited for", "it is given up", "it is repeated"]),
    )
    def a_task_stands_still(self, data: st.DataObject, where: str, then: str) -> None:
        """What its execution does now is another thing than what the function does later."""
        execution = data.draw(st.sampled_from(self._waiting()))
        self.world.begin(execution)
        self._run(execution.running, data, where)
        if execution.running is not None and then == "it is given up":
            execution.is_caught()
        elif execution.running is not None and then == "it is repeated":
            execution.running = Invocation(execution.task, execution.job, self.world)

    @precondition(lambda self: self.world.running)
    @rule(data=st.data())
    def a_function_that_stands_goes_on(self, data: st.DataObject) -> None:
        self._run(self._one_that_stands(data), data)

    @precondition(lambda self: self.world.running)
    @rule(data=st.data())
    def a_function_that_stands_has_trouble(self, data: st.DataObject) -> None:
        invocation = self._one_that_stands(data)
        trouble = "trouble" if data.draw(st.booleans()) else "die"
        asking = invocation.stopped_at in ("start", "request", "answer")
        self.world.step(invocation, "die" if asking else trouble)
        self._run(invocation, data)

    def _one_that_stands(self, data: st.DataObject) -> Invocation:
        return data.draw(st.sampled_from(list(self.world.running.values())))

    @precondition(lambda self: self.world.executions)
    @rule(data=st.data(), stopped=st.sampled_from([False, False, True]))
    def an_execution_dies(self, data: st.DataObject, stopped: bool) -> None:
        execution = data.draw(st.sampled_from(self.world.executions))
        self.world.ends(execution)
        self._told(execution, stopped=stopped)

    @precondition(lambda self: self.world.over and len(self.world.over) < MOST_EXECUTIONS)
    @rule(data=st.data())
    def an_execution_is_redriven_from_an_old_document(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.world.over))
        task, job = data.draw(st.sampled_from([*old.past, (old.task, old.job)]))
        self.world.executions.append(Execution(f"{old.name} again", old.video_id, task, job))

    @rule()
    def the_sweep_comes(self) -> None:
        upkeep.sweep(self.world)

    # What the provider and the clock do

    @precondition(lambda self: self.world.studio.jobs)
    @rule(data=st.data(), phase=st.sampled_from(["completed", "completed", "failed"]))
    def a_job_is_finished(self, data: st.DataObject, phase: str) -> None:
        job = data.draw(st.sampled_from(self.world.studio.jobs))
        job.phase = phase if job.phase == "pending" else job.phase

    @rule(seconds=st.sampled_from([1, 20, 80, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.let_pass(seconds)

    # What must hold at the end

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self._at_the_end()
        finally:
            if hasattr(self, "world"):
                self.world.close()

    def _at_the_end(self) -> None:
        self._everything_goes_well()
        assert self.broken == []
        jobs, videos = self.world.studio.jobs, list(self.world.videos.records.values())
        assert len(jobs) <= len(videos), "no video is asked for twice"
        handles = [str(video.handle) for video in videos if video.handle]
        assert len(set(handles)) == len(handles), "no two videos have one job"
        for video in videos:
            assert not video.is_open, "every video ends"
            if video.status == "completed":
                assert video.handle is not None
                assert self.world.studio.of(video.handle).phase == "completed"

    def _everything_goes_well(self) -> None:
        for _ in range(300):
            for job in self.world.studio.jobs:
                job.phase = "completed" if job.phase == "pending" else job.phase
            for execution in self._waiting():
                if execution in self.world.executions and execution.running is None:
                    self.world.begin(execution)
                    self._run(execution.running)
            for invocation in list(self.world.running.values()):
                self._run(invocation)
            upkeep.sweep(self.world)
            idle = not self.world.executions and not self.world.running
            if idle and not any(video.is_open for video in self.world.videos.records.values()):
                return
            if idle:
                self.world.let_pass(900)
        raise AssertionError("it does not come to an end")

    def _run(
        self, invocation: Invocation | None, data: st.DataObject | None = None, where: str = ""
    ) -> None:
        """Runs a function to its end, or to such a place. Without `data` all goes well."""
        while invocation is not None and invocation.stopped_at not in (None, where):
            answers = ANSWERS.get(str(invocation.stopped_at))
            command = data.draw(st.sampled_from(answers)) if data and answers else "go"
            self.world.step(invocation, command)

    def _told(self, execution: Execution, *, stopped: bool) -> None:
        try:
            upkeep.execution_ended(
                "default", execution.video_id, execution.name, self.world, stopped=stopped
            )
        except StaleVideoError:
            return  # the event comes again, or the sweep

    def _waiting(self) -> list[Execution]:
        return [execution for execution in self.world.executions if execution.running is None]


def _rank(video: Video) -> int:
    return FORWARD.index(video.status) if video.status in OPEN_STATUSES else len(FORWARD)


Ledger.TestCase.settings = settings(steady, max_examples=150, stateful_step_count=40)
TestLedger = Ledger.TestCase

"""Who does something in a run: clients, the users' second thoughts, operators, EventBridge."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation import aws
from tests.simulation.chat_people import ChatPeople
from tests.simulation.deeds import Blow, Message, Wish
from tests.simulation.execution import Execution
from tests.simulation.functions import Functions
from tests.simulation.world import Outcome, World

SWEEP_SECONDS = 300.0
LIMIT_SECONDS = 8 * 3600.0  # by then nothing may be open any more
DELIVERIES = 5  # of a message that gets no good answer
_EVENT_RETRIES = (60.0, 120.0)  # Lambda's own, of an asynchronous invocation that failed


class People:
    """The people of one run."""

    def __init__(self, world: World, functions: Functions) -> None:
        self.world = world
        self.functions = functions
        self.chats = ChatPeople(world, functions)
        self.messages: list[Message] = []
        self.events = "once"  # how status changes are delivered: once, twice, late or never
        self.confirmed: set[str] = set()  # videos that somebody asked to be made again
        self.cancelled: set[str] = set()  # videos that somebody asked to be cancelled
        self.origin = ""  # where programs are called back
        world.on_execution_end = self._tell

    def post(self, message: Message) -> None:
        """Delivers a message at its moments, each time as by a client that does not give up."""
        self.messages.append(message)
        deliver = self.chats.deliver if message.in_chat else self._deliver
        for number, at in enumerate(message.deliveries, 1):
            name = f"client {message.id}.{number}"
            self.world.spawn(name, lambda at=at: deliver(message, at))  # type: ignore[misc]

    def wish(self, wish: Wish) -> None:
        """Lets a user have a second thought."""
        fulfil = self.chats.press if wish.in_chat else self._fulfil
        self.world.spawn(f"user {wish.verb}", lambda: fulfil(wish))

    def strike(self, blow: Blow) -> None:
        """Lets an execution end from outside."""
        self.world.spawn("operator", lambda: self._strike(blow))

    def watch_over(self) -> None:
        """The schedule: sweeps until nothing is open; ends the run."""
        self.world.scheduler.spawn("schedule", self._sweep)

    @property
    def wished_away(self) -> set[str]:
        """The videos that somebody asked to be cancelled."""
        values = (value.partition(":") for value in self.chats.pressed)
        return self.cancelled | {video_id for deed, _, video_id in values if deed == "cancel"}

    def _deliver(self, message: Message, at: float) -> None:
        self.world.sleep(at)
        for attempt in range(DELIVERIES):
            status, said = self._ask("POST", "/actions", message.body(self.origin))
            if status == 200:
                message.answers.append([_video_id(result) for result in said.get("results", [])])
                return
            if status < 500:
                self.world.violate("I12", f"a good message was refused: {status} {said}")
                return
            self.world.sleep(2.0**attempt)

    def _fulfil(self, wish: Wish) -> None:
        self.world.sleep(wish.at)
        for attempt in range(DELIVERIES):
            video_ids = sorted(aws.records())
            if not video_ids:
                return
            video_id = video_ids[wish.index % len(video_ids)]
            if wish.verb == "cancel":
                self.cancelled.add(video_id)
                status, _ = self._ask("DELETE", f"/videos/{video_id}")
            else:
                accepted = {"acceptDoubleCharge": wish.verb == "retry-anyway"}
                status, _ = self._ask("POST", f"/videos/{video_id}/retry", accepted)
                if status == 202:
                    self.confirmed.add(video_id)
            if status < 500 and status != 409:
                return
            self.world.sleep(20 * 2.0**attempt)

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """I12: an answer of 500 and more needs a fault that struck that very request."""
        world = self.world
        status, said, invocation = self.functions.http(world, method, path, body)
        world.note(f"{method} {path.replace(path[8:40], '') if len(path) > 40 else path}: {status}")
        world.answered.append(json.dumps(said))
        if status >= 500 and not invocation.struck:
            world.violate("I12", f"{method} {path} was answered with {status}: {said}")
        return status, said

    def _strike(self, blow: Blow) -> None:
        world = self.world
        world.sleep(blow.at)
        executions = [execution for execution in world.executions if execution.video_id]
        if not executions:
            return
        execution: Execution = executions[blow.index % len(executions)]
        world.note(f"ends execution {execution.name[-6:]}: {blow.how}")
        execution.end(blow.how)
        if blow.redrive is not None:
            world.sleep(blow.redrive)
            if execution.status in ("FAILED", "ABORTED", "TIMED_OUT"):
                execution.redriven += 1
                execution.start()

    def _tell(self, execution: Execution) -> None:
        """EventBridge: the status change, as often as this run has it."""
        if not execution.video_id or execution.status == "SUCCEEDED" or self.events == "never":
            return
        dice = self.world.random
        event = _status_change(execution)
        for number in range(2 if self.events == "twice" else 1):
            delay = dice.uniform(300, 4000) if self.events == "late" else dice.uniform(0.1, 3)
            self.world.spawn(
                f"event {execution.name[-6:]}.{number + 1}",
                lambda delay=delay: self._deliver_event(event, execution, delay),  # type: ignore[misc]
            )

    def _deliver_event(self, event: dict[str, Any], execution: Execution, delay: float) -> None:
        world = self.world
        world.sleep(delay)
        for wait in (*_EVENT_RETRIES, 0.0):
            outcome = self._run("CloseVideoFunction", event, execution.video_id)
            if outcome is not None and not outcome.error:
                video = aws.records().get(execution.video_id)
                waits = video and (video.is_open or video.owes_delivery)
                left = waits and video and video.execution == execution.name
                if left and not execution.redriven:
                    world.violate("I7", f"the event left {execution.video_id} open")
                return
            world.sleep(wait)

    def _run(self, function: str, event: Any, video_id: str = "") -> Outcome | None:
        invocation = self.functions.start(self.world, function, event, video_id)
        return self.functions.call(self.world, invocation, invocation.deadline)

    def _sweep(self) -> None:
        world = self.world
        quiet = 0
        while quiet < 2:
            world.sleep(SWEEP_SECONDS)
            if world.scheduler.now > LIMIT_SECONDS:
                world.violate("I9", "something is still open")
                break
            self._run("SweepVideosFunction", {"source": "aws.events"})
            records = aws.records().values()
            waited_for = any(video.is_open or video.owes_delivery for video in records)
            idle = not world.busy and not waited_for
            quiet = quiet + 1 if idle else 0
        world.scheduler.finish()


def _video_id(result: dict[str, Any]) -> str | None:
    found = result.get("videoId") or result.get("data", {}).get("videoId")
    return str(found) if found else None


def _status_change(execution: Execution) -> dict[str, Any]:
    """The event, as far as the product reads it."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": execution.moto.exec_arn,
            "stateMachineArn": execution.moto.state_machine.arn,
            "name": execution.name,
            "status": execution.status,
            "input": json.dumps(execution.moto.input_data),
            "output": None,
        },
    }

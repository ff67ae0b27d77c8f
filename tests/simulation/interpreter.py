"""Step Functions: moto's interpreter on virtual time, an execution being one actor.

moto gives each execution, each program and each task a thread, and waits by the real clock. Here
those threads run where they are started, waits are the scheduler's, and a task's time-out leaves
the function behind, at work. Nothing of the definition is replaced.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component import eval_component
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.utils import TMP_THREADS

from tests.simulation import world as worlds
from tests.simulation.execution import Execution
from tests.simulation.functions import Functions
from tests.simulation.world import World


class _AtOnce:
    """In place of a thread: runs where it is started, and is over then."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), **_: Any) -> None:
        self._run = functools.partial(target, *args)

    def start(self) -> None:
        self._run()

    def join(self, timeout: float | None = None) -> None: ...

    def is_alive(self) -> bool:
        return False


def _current() -> Execution:
    assert worlds.active is not None
    scope = worlds.active.scheduler.current.scope
    assert isinstance(scope, Execution)
    return scope


def _start(worker: Any) -> None:
    world = worlds.active
    assert world is not None
    execution = Execution(world, worker)
    world.executions.append(execution)
    execution.start()


def _eval_program(self: Any, env: Any) -> None:
    execution = _current()
    env.next_state_name = self.start_at.start_at_name
    if execution.redriven and execution.state:
        env.next_state_name, document = execution.state
        env.states.reset(input_value=copy.deepcopy(document))
    eval_component.EvalComponent.eval(self, env)


def _invoke(functions: Functions, parameters: dict[str, Any], *_: Any, **__: Any) -> Any:
    """Lambda's Invoke, as the interpreter calls it."""
    execution = _current()
    world = execution.world
    function = str(parameters["FunctionName"]).rpartition(":")[2]
    event = json.loads(parameters["Payload"])
    refused = world.fault(f"invoke.{function}")
    if any(fault.side == "before" for fault in refused):
        return _failed(world, str(refused[0].value))
    until = world.scheduler.now + execution.task_seconds
    invocation = functions.start(world, function, event, execution.video_id)
    outcome = functions.call(
        world, invocation, min(until, execution.deadline), lambda: not execution.running
    )
    execution.check()
    if outcome is None or outcome.error == "States.Timeout":
        world.note(f"States.Timeout: {function} goes on")
        raise EvalTimeoutError
    if refused:
        return _failed(world, str(refused[0].value))
    if outcome.error:
        world.note(f"{function} failed: {outcome.error}")
        return {"FunctionError": "Unhandled", "Payload": outcome.report}
    return {"Payload": outcome.payload}


def _failed(world: World, error: str) -> dict[str, Any]:
    world.note(f"Lambda says {error}")
    report = {"errorType": error, "errorMessage": "Lambda is in trouble."}
    return {"FunctionError": "Unhandled", "Payload": report}


def install(patch: pytest.MonkeyPatch, functions: Functions) -> None:
    """Puts the interpreter on virtual time, for this process."""
    evaluate = execute_state.ExecutionState._evaluate_with_timeout
    get_state = program.Program._get_state

    def evaluate_with_timeout(self: Any, env: Any) -> None:
        _current().task_seconds = self.timeout.timeout_seconds
        evaluate(self, env)

    def entered(self: Any, name: str) -> Any:
        execution = _current()
        document = execution.worker.env.states.get_input()
        execution.state = (name, copy.deepcopy(document))
        execution.world.note(f"{name}")
        return get_state(self, name)

    def wait(self: Any, env: Any, wait_seconds: float) -> None:
        _current().wait(wait_seconds)

    # A part of a program gets its name when it is first used: by no dice of that run's.
    patch.setattr(eval_component, "long_uid", map(str, itertools.count()).__next__)
    patch.setattr(execution_worker.ExecutionWorker, "start", _start)
    patch.setattr(program.Program, "eval", _eval_program)
    patch.setattr(program.Program, "_get_state", entered)
    patch.setattr(execute_state, "Thread", _AtOnce)
    patch.setattr(execute_state.ExecutionState, "_evaluate_with_timeout", evaluate_with_timeout)
    patch.setattr(wait_function.WaitFunction, "_wait_interval", wait)
    retry_wait = SimpleNamespace(sleep=lambda seconds: _current().wait(seconds))
    patch.setattr(retrier_decl, "time", retry_wait)
    invoke = functools.partial(_invoke, functions)
    patch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)


def forget_threads() -> None:
    """moto remembers every thread that it starts."""
    TMP_THREADS.clear()

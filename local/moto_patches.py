"""What moto needs to be AWS at home: atomic writes, a definition that is parsed once, and tokens
that are worth nothing when their task is over."""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_turn = threading.RLock()


@functools.cache  # once in a process
def patch_moto() -> None:
    """From now on DynamoDB answers one request at a time, a definition is parsed once, and a task
    that is over cannot be woken.

    moto checks a condition and then writes, and copies whole tables for a transaction, with other
    threads in between: two writers can both win, and a copy fails when a record appears meanwhile.
    It parses the definition for each execution: a tenth of a second, and 8 MB that are never freed.
    A parsed program keeps nothing of its runs. And it takes the token of a task that is over, where
    AWS says that this wakes nobody.
    """
    # Not at the top: its import reads the AWS profile that the user may have set.
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback as callbacks,
    )
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    call_action = DynamoHandler.call_action

    @functools.wraps(call_action)
    def one_at_a_time(self: DynamoHandler) -> Any:
        with _turn:
            return call_action(self)

    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]
    parse = functools.cache(AmazonStateLanguageParser.parse)
    AmazonStateLanguageParser.parse = staticmethod(parse)  # type: ignore[method-assign]

    run_task = callbacks.StateTaskServiceCallback._eval_body

    @functools.wraps(run_task)
    def with_a_token_for_its_time(self: Any, env: Any) -> None:
        try:
            run_task(self, env)
        finally:
            env.callback_pool_manager._pool.clear()

    callbacks.StateTaskServiceCallback._eval_body = with_a_token_for_its_time  # type: ignore[method-assign]

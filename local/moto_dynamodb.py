"""moto's DynamoDB, made as atomic as the real one.

moto checks a condition and then writes, and copies whole tables for a transaction, with other
threads in between: two writers can both win, and a copy fails when a record appears meanwhile.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_turn = threading.RLock()


@functools.cache  # once in a process
def make_atomic() -> None:
    """From now on each request to DynamoDB is answered before the next one begins."""
    call_action = DynamoHandler.call_action

    @functools.wraps(call_action)
    def one_at_a_time(self: DynamoHandler) -> Any:
        with _turn:
            return call_action(self)

    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]

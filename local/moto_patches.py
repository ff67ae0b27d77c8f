"""What moto needs to be AWS at home: atomic writes, a definition that is parsed once, and tokens
that are worth nothing when their task is over."""

from __future__ import annotations

import copy
import functools
import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_turn = threading.RLock()


@functools.cache  # once in a process
def patch_moto() -> None:
    """From now on DynamoDB answers one request at a time, a transaction copies what it writes and
    nothing else, a definition is parsed once, and a task that is over cannot be woken.

    moto checks a condition and then writes, and copies whole tables for a transaction, with other
    threads in between: two writers can both win, and a copy fails when a record appears meanwhile.
    It copies them for each part of a transaction, which takes a second with some thousand records.
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
    _copy_less()
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


def _copy_less() -> None:
    """The copy of a table that a transaction goes back to when it fails: with copies of the records
    that it writes, and all others as they are. Only within one request at a time."""
    from moto.dynamodb import models
    from moto.dynamodb.models.dynamo_type import DynamoType
    from moto.dynamodb.models.table import Table

    touched: list[dict[str, Any]] = []
    transact = models.DynamoDBBackend.transact_write_items

    @functools.wraps(transact)
    def noting_keys(self: Any, transact_items: list[dict[str, Any]]) -> Any:
        operations = (operation for part in transact_items for operation in part.values())
        touched[:] = [operation.get("Item") or operation["Key"] for operation in operations]
        return transact(self, transact_items)

    def snapshot(table: Table) -> Table:
        kept = copy.copy(table)
        kept.items = defaultdict(dict, {key: dict(row) for key, row in table.items.items()})
        for key in touched:
            row = kept.items.get(DynamoType(key[table.hash_key_attr]), {})
            place = DynamoType(key[str(table.range_key_attr)])
            if place in row:
                row[place] = copy.deepcopy(row[place])
        return kept

    def deepcopy(what: Any) -> Any:
        return snapshot(what) if isinstance(what, Table) else copy.deepcopy(what)

    models.DynamoDBBackend.transact_write_items = noting_keys  # type: ignore[method-assign]
    models.copy = SimpleNamespace(deepcopy=deepcopy)  # type: ignore[assignment, attr-defined]

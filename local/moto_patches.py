"""What moto needs to be AWS at home: atomic writes, and a definition that is parsed once."""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_turn = threading.RLock()


@functools.cache  # once in a process
def patch_moto() -> None:
    """From now on DynamoDB answers one request at a time, and a definition is parsed once.

    moto checks a condition and then writes, and copies whole tables for a transaction, with other
    threads in between: two writers can both win, and a copy fails when a record appears meanwhile.
    It parses the definition for each execution: a tenth of a second, and 8 MB that are never freed.
    A parsed program keeps nothing of its runs.
    """
    # Not at the top: its import reads the AWS profile that the user may have set.
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    call_action = DynamoHandler.call_action

    @functools.wraps(call_action)
    def one_at_a_time(self: DynamoHandler) -> Any:
        with _turn:
            return call_action(self)

    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]
    parse = functools.cache(AmazonStateLanguageParser.parse)
    AmazonStateLanguageParser.parse = staticmethod(parse)  # type: ignore[method-assign]

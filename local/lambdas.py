"""Lambda at home: calls the handlers, in this process or wherever an endpoint says.

In this process a debugger's breakpoint stops in a handler. A function's time-out is not enforced;
the time-outs of the state machine are.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
import traceback
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from local.template import ACCOUNT, REGION, Template

INVOCATIONS = "/2015-03-31/functions/{}/invocations"


@dataclass(frozen=True)
class Answer:
    """What Lambda gives back: the payload, and whether it is an error's."""

    payload: bytes
    failed: bool


class Functions(Protocol):
    """The functions of the template."""

    def invoke(self, name: str, payload: bytes) -> Answer:
        """Calls a function with a JSON payload; raises KeyError for an unknown one."""


@dataclass(frozen=True)
class Context:
    """What a handler is told of its invocation."""

    function_name: str
    memory_limit_in_mb: int
    timeout_seconds: int
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    began: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self.timeout_seconds - (time.monotonic() - self.began)) * 1000))


class InProcess:
    """The handlers themselves."""

    def __init__(self, template: Template) -> None:
        self._functions = {
            name: _Function(name, properties) for name, properties in template.functions().items()
        }

    def invoke(self, name: str, payload: bytes) -> Answer:
        """Calls the handler; what it raises becomes the payload that Lambda would give."""
        return self._functions[name](payload)


# Powertools' event handler keeps its request on a class, which all functions here share.
_http_turn = threading.Lock()


class _Function:
    def __init__(self, name: str, properties: dict[str, Any]) -> None:
        self.name = name
        self.memory = properties["MemorySize"]
        self.timeout = properties["Timeout"]
        self._properties = properties
        events = properties.get("Events", {}).values()
        http = any(event["Type"] == "HttpApi" for event in events)
        self.turn: AbstractContextManager[Any] = _http_turn if http else nullcontext()

    @cached_property
    def handler(self) -> Callable[[Any, Any], Any]:
        """Loaded at the first call, as Lambda does it: some functions have large libraries."""
        module, _, handler = self._properties["Handler"].rpartition(".")
        package = self._properties["CodeUri"].replace("/", ".")
        found: Callable[[Any, Any], Any] = getattr(
            importlib.import_module(f"{package}.{module}"), handler
        )
        return found

    def __call__(self, payload: bytes) -> Answer:
        event = json.loads(payload)
        try:
            with self.turn:
                result = self.handler(event, Context(self.name, self.memory, self.timeout))
            return Answer(json.dumps(result).encode(), failed=False)
        except Exception as error:
            report = {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "stackTrace": traceback.format_tb(error.__traceback__),
            }
            return Answer(json.dumps(report).encode(), failed=True)


class Remote:
    """The functions behind a Lambda endpoint, such as that of `sam local start-lambda`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")

    def invoke(self, name: str, payload: bytes) -> Answer:
        """Calls the function over HTTP."""
        request = urllib.request.Request(
            self._endpoint + INVOCATIONS.format(name), payload, method="POST"
        )
        with urllib.request.urlopen(request, timeout=900) as response:
            payload = response.read()
            marked = "X-Amz-Function-Error" in response.headers
        # SAM's endpoint does not mark the errors of Python functions: their payload tells.
        said = json.loads(payload)
        return Answer(payload, marked or (isinstance(said, dict) and "errorType" in said))

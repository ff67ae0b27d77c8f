"""Lambda: the real handlers, each invocation an actor of its own, with its time-out."""

from __future__ import annotations

import importlib
import json
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from functions.api import app as api
from local.template import Template
from tests.simulation.scheduler import Actor, Killed
from tests.simulation.world import Invocation, Outcome, World

Handler = Callable[[Any, Any], Any]
API_SECONDS = 30.0  # how long API Gateway waits
_START_SECONDS = (0.01, 0.05, 0.4)


@dataclass(frozen=True)
class Context:
    """What a handler is told of its invocation."""

    function_name: str
    aws_request_id: str
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:simulated"


class Functions:
    """The functions of the template."""

    def __init__(self, template: Template) -> None:
        self._handlers: dict[str, Handler] = {}
        self.timeouts: dict[str, float] = {}
        for name, properties in template.functions().items():
            module, _, handler = properties["Handler"].rpartition(".")
            package = properties["CodeUri"].replace("/", ".")
            self._handlers[name] = getattr(importlib.import_module(f"{package}.{module}"), handler)
            self.timeouts[name] = float(properties["Timeout"])
        self._routes = [
            (
                route.method,
                re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path or ".*")),
                route,
            )
            for route in sorted(template.routes(), key=lambda route: route.path is None)
        ]

    def start(self, world: World, function: str, event: Any, video_id: str = "") -> Invocation:
        """Invokes a function; returns at once."""
        now = world.scheduler.now
        invocation = Invocation(function, video_id, now + self.timeouts[function])
        for fault in world.fault(f"skew.{function}"):
            invocation.skew = fault.seconds
            world.note(f"{function} has a clock that is wrong by {fault.seconds:g} s")
        payload = json.loads(json.dumps(event))
        number = len(world.invocations) + 1
        world.invocations.append(invocation)

        def work() -> None:
            try:
                world.sleep(world.random.choice(_START_SECONDS))
                outcome = self._run(function, payload, f"request-{number}")
                world.settle(invocation, outcome)
                world.note(f"ends: {outcome.error or _gist(outcome.payload)}")
            finally:
                invocation.over = True

        name = f"{function.removesuffix('Function')}-{number} {video_id[-4:]}".strip()
        invocation.actor = world.spawn(name, work, invocation)
        return invocation

    def call(
        self,
        world: World,
        invocation: Invocation,
        until: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Outcome | None:
        """Waits for what comes of it; None if the caller's own time was over first, or he was
        `stopped`. Then the invocation goes on without him."""
        invocation.waiting = world.scheduler.current
        world.scheduler.wait(
            min(until, invocation.deadline), lambda: invocation.outcome is not None or stopped()
        )
        if invocation.outcome is None and world.scheduler.now >= invocation.deadline:
            world.settle(invocation, Outcome(error="Sandbox.Timedout"))
        return invocation.outcome

    def http(
        self, world: World, method: str, path: str, body: Any = None, headers: Any = None
    ) -> tuple[int, Any, Invocation]:
        """A request to the API: status, document, and the invocation that answered. A body that
        has its own headers is text as it is."""
        function, names = next(
            (route.function, found.groupdict())
            for wanted, pattern, route in self._routes
            if wanted in (method, None) and (found := pattern.fullmatch(path))
        )
        event = _http_event(method, path, body)
        if headers is not None:
            event |= {"headers": {**event["headers"], **headers}, "body": body}
        invocation = self.start(world, function, {**event, "pathParameters": names})
        outcome = self.call(world, invocation, world.scheduler.now + API_SECONDS)
        if outcome is None:
            return 503, {"message": "Service Unavailable"}, invocation
        if outcome.error:
            return 500, {"message": "Internal Server Error"}, invocation
        said = json.loads(outcome.payload.get("body") or "null")
        return outcome.payload["statusCode"], said, invocation

    def _run(self, function: str, event: Any, request_id: str) -> Outcome:
        try:
            payload = self._handlers[function](event, Context(function, request_id))
            return Outcome(json.loads(json.dumps(payload)))
        except Killed:
            raise
        except Exception as error:
            report = {
                "errorType": type(error).__name__,
                "errorMessage": str(error),
                "stackTrace": traceback.format_tb(error.__traceback__),
            }
            return Outcome(report, type(error).__name__)


def swap_sandboxes(old: Actor, new: Actor) -> None:
    """Powertools' event handler keeps its request on a class; on Lambda each sandbox has its own.

    So what it keeps goes with the actor that loses the baton, and comes back with it.
    """
    router: Any = BaseRouter
    resolver: Any = api.app
    old.sandbox = (
        getattr(router, "current_event", None),
        getattr(router, "lambda_context", None),
        resolver.context,
    )
    router.current_event, router.lambda_context, resolver.context = new.sandbox or (None, None, {})


def _gist(payload: Any) -> str:
    if isinstance(payload, dict) and "statusCode" in payload:
        return f"HTTP {payload['statusCode']}"
    if isinstance(payload, dict) and "status" in payload:
        failure = payload.get("failure") or {}
        return f"{payload['status']} {failure.get('code', '')}".strip()
    return json.dumps(payload)


def _http_event(method: str, path: str, body: Any) -> dict[str, Any]:
    """The request in API Gateway's payload format 2.0."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.test"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "simulated",
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "requestId": "simulated",
            "routeKey": f"{method} {path}",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        event["body"] = json.dumps(body)
    return event

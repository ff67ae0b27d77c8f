"""API Gateway's HTTP API and Lambda's Invoke endpoint, in one small HTTP server on loopback."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from actionreel.api_keys import HOME_TENANT
from local.deployment import HOME
from local.lambdas import INVOCATIONS, Answer, Functions
from local.loopback import HOST, serve
from local.template import ACCOUNT, REGION, Route

Log = Callable[[str], None]


class Gateway:
    """Serves the routes of the template; `log` gets a line for each request and invocation."""

    def __init__(self, port: int, routes: list[Route], log: Log) -> None:
        self.functions: Functions | None = None
        self.home: dict[str, str] = {}  # what the commands of an operator need to know
        self._log = log
        self._default = next((route for route in routes if route.path is None), None)
        self._map = Map(
            [
                *(
                    Rule(
                        route.path.replace("{", "<").replace("}", ">"),
                        methods=[route.method or "GET"],
                        endpoint=route,
                    )
                    for route in routes
                    if route.path is not None
                ),
                Rule(INVOCATIONS.format("<name>"), methods=["POST"], endpoint="invoke"),
                Rule(HOME, methods=["GET"], endpoint="home"),
            ],
            strict_slashes=True,
            merge_slashes=False,
            redirect_defaults=False,
        )
        self._server = serve(self._application, port)
        self.port: int = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address of the API and of Lambda."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _application(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        request = Request(environ)
        response = self._respond(request)
        if not request.path.startswith("/2015-03-31/"):
            milliseconds = (time.perf_counter() - began) * 1000
            path = re.sub("^(/webhooks/[^/]*/).*", r"\1...", request.path)  # its end is a secret
            self._log(f"{request.method} {path} {response.status_code} {milliseconds:.0f} ms")
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        route: Route | str | None = self._default
        parameters: dict[str, str] = {}
        try:
            route, parameters = self._map.bind(HOST).match(request.path, request.method)  # type: ignore[assignment]
        except HTTPException:
            if route is None:
                return _json(404, {"message": "Not Found"})
        if isinstance(route, str) and _is_forwarded(request):
            return _json(403, {"message": "Forbidden"})
        if self.functions is None and route != "home":
            return _json(503, {"message": "Service Unavailable"})  # it is starting
        if route == "invoke":
            return self._invoke(parameters["name"], request.get_data())
        if route == "home":
            return _json(200, self.home)
        assert isinstance(route, Route) and self.functions is not None
        event = _event(request, route, parameters)
        if route.authorizer is not None:
            found = self._authorize(request, event, route.authorizer)
            if isinstance(found, Response):
                return found
            event["requestContext"]["authorizer"] = {"lambda": found}
        return _response(self.functions.invoke(route.function, json.dumps(event).encode()))

    def _authorize(
        self, request: Request, event: dict[str, Any], authorizer: str
    ) -> Response | dict[str, Any]:
        """Who the request is from, as the authorizer says; or API Gateway's answer to it. Without
        a key it is from whoever sits at this machine: `loopback` lets nobody else in, and what a
        tunnel brings says so. Unlike API Gateway this keeps no answer for a minute."""
        assert self.functions is not None
        if not request.headers.get("Authorization"):
            if _is_forwarded(request):
                return _json(401, {"message": "Unauthorized"})
            return {"tenant": HOME_TENANT}
        answer = self.functions.invoke(authorizer, json.dumps(_question(event)).encode())
        said = json.loads(answer.payload)
        if answer.failed or not isinstance(said, dict) or "isAuthorized" not in said:
            return _json(500, {"message": "Internal Server Error"})
        if said["isAuthorized"] is not True:
            return _json(403, {"message": "Forbidden"})
        return dict(said.get("context") or {})

    def _invoke(self, name: str, payload: bytes) -> Response:
        """Lambda's Invoke: what the state machine calls."""
        assert self.functions is not None
        function = name.rpartition(":")[2]
        try:
            answer = self.functions.invoke(function, payload)
        except KeyError:
            return _json(404, {"Message": f"Function not found: {function}"})
        said = json.loads(answer.payload)
        self._log(f"  {function}: {said.get('errorType') or said.get('status') or 'done'}")
        response = Response(answer.payload, 200, content_type="application/json")
        if answer.failed:
            response.headers["X-Amz-Function-Error"] = "Unhandled"
        return response


def _is_forwarded(request: Request) -> bool:
    """Whether it comes from farther away, through a tunnel or a proxy on this machine."""
    return any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))


def _question(event: dict[str, Any]) -> dict[str, Any]:
    """What API Gateway asks an authorizer: the request without its body."""
    context = event["requestContext"]
    place = f"{ACCOUNT}:local/$default/{context['http']['method']}{event['rawPath']}"
    kept = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    return {
        **kept,
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{REGION}:{place}",
        "identitySource": [event["headers"]["authorization"]],
    }


def _event(request: Request, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
    """The request in API Gateway's payload format 2.0."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = f"{route.method} {route.path}" if route.path else "$default"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": {**headers, "x-forwarded-proto": "http"},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": request.host,
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.remote_addr,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    query = {name: ",".join(values) for name, values in request.args.lists()}
    optional = {"queryStringParameters": query, "pathParameters": parameters}
    event.update({name: value for name, value in optional.items() if value})
    body = request.get_data()
    if body:
        try:
            event["body"] = body.decode()
        except UnicodeDecodeError:
            event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    return event


def _response(answer: Answer) -> Response:
    result = json.loads(answer.payload)
    if answer.failed or "statusCode" not in result:
        return _json(500, {"message": "Internal Server Error"})  # as API Gateway says it
    body = result.get("body") or ""
    content = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    response = Response(content, result["statusCode"])
    response.headers.remove("Content-Type")
    for name, value in result.get("headers", {}).items():
        response.headers[name] = value
    for name, values in result.get("multiValueHeaders", {}).items():
        response.headers.setlist(name, values)
    response.headers.setlist("Set-Cookie", result.get("cookies", []))
    return response


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")

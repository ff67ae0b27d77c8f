"""AWS: moto, with a fault in front of each attempt of botocore, and an eye on the table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from actionreel.aws.dynamodb_items import plain, turn, video
from actionreel.chats import Turn
from actionreel.models import OPEN_STATUSES, Video
from local.template import ACCOUNT, REGION
from tests.simulation.faults import Fault
from tests.simulation.world import World

_READ_SECONDS = 5.0
_ORDER = ("queued", "submitting", "generating", "storing")
_THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sfn": "ThrottlingException",
    "s3": "SlowDown",
    "secrets-manager": "ThrottlingException",
}

_TOLD = (  # the values of a write that the trace tells
    *(":status", ":ambiguous", ":resent", ":fence", ":expected_fence", ":resumes"),
    *(":delivery", ":delivery_reason", ":announcing", ":announcement"),
)

Send = Callable[[], Any]


def attempt(world: World, event_name: str, request: Any, send: Send) -> Any:
    """One attempt of botocore's to call AWS, with whatever befalls it."""
    _, service, operation = event_name.split(".")
    name = f"{service}.{operation}"

    def carry_out(fault: Fault | None) -> Any:
        word = f" [{fault.kind}]" if fault else ""
        try:
            answer = _answer(world, service, request, send, fault)
        except Exception as error:
            world.note(f"{name} {_gist(operation, request.body)}{word}: {type(error).__name__}")
            raise
        finally:
            watch(world)
        refused = "" if answer.status_code < 300 else f": {answer.status_code} {_why(answer)}"
        world.note(f"{name} {_gist(operation, request.body)}{word}{refused}")
        return answer

    return world.request(name, carry_out)


def _answer(world: World, service: str, request: Any, send: Send, fault: Fault | None) -> Any:
    url = request.url
    match fault.kind if fault else "":
        case "throttle":
            return _refusal(url, service, 503 if service == "s3" else 400, _THROTTLED[service])
        case "error":
            return _refusal(url, service, 500, "InternalServerError")
        case "error-after":
            send()
            return _refusal(url, service, 500, "InternalServerError")
        case "conflict":
            return _conflict(url, len(json.loads(request.body)["TransactItems"]))
        case "unreachable":
            world.sleep(2)
            raise ConnectTimeoutError(endpoint_url=url)
        case "unsent":
            world.sleep(_READ_SECONDS)
            raise ReadTimeoutError(endpoint_url=url)
        case "lost":
            send()
            world.sleep(_READ_SECONDS)
            raise ReadTimeoutError(endpoint_url=url)
    return send()


def _refusal(url: str, service: str, status: int, code: str) -> AWSResponse:
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>simulated</Message></Error>"
    else:
        body = json.dumps({"__type": code, "message": "simulated"})
    return _spoken(url, status, body)


def _conflict(url: str, parts: int) -> AWSResponse:
    """Somebody else writes the transaction's last item at this moment."""
    reasons = [{"Code": "None"}] * (parts - 1) + [{"Code": "TransactionConflict"}]
    code = "TransactionCanceledException"
    said = {"__type": code, "message": "simulated", "CancellationReasons": reasons}
    return _spoken(url, 400, json.dumps(said))


def _spoken(url: str, status: int, body: str) -> AWSResponse:
    raw: Any = MockRawResponse(body)
    return AWSResponse(url, status, HTTPHeaders(), raw)


def _why(answer: Any) -> str:
    text: str = answer.content.decode(errors="replace")
    return text.partition('__type": "')[2].partition('"')[0].rpartition("#")[2] or text[:80]


def _gist(operation: str, body: Any) -> str:
    """What a request is about, for the trace."""
    if operation not in ("UpdateItem", "PutItem", "GetItem", "TransactWriteItems"):
        return ""
    said = json.loads(body)
    if operation == "TransactWriteItems":
        return f"{len(said['TransactItems'])} items"
    key = said.get("Key") or said["Item"]
    values = said.get("ExpressionAttributeValues", {})
    told = [f"{name[1:]}={next(iter(values[name].values()))}" for name in _TOLD if name in values]
    return " ".join([key["SK"]["S"].rpartition("-")[2][:12], *told])


def records() -> dict[str, Video]:
    """The records of all videos, as they stand in the table."""
    found = {}
    for item in _table_items():
        told = plain(item.to_json()["Attributes"])
        if str(told["SK"]).startswith("VIDEO#"):
            found[str(told["video_id"])] = video(told)
    return found


def accounts() -> dict[tuple[str, str], dict[str, Any]]:
    """What is counted, as it stands in the table, by PK and SK."""
    told = [plain(item.to_json()["Attributes"]) for item in _table_items()]
    kinds = ("ACCOUNT", "USAGE#")
    return {(one["PK"], one["SK"]): one for one in told if str(one["SK"]).startswith(kinds)}


def turns() -> dict[str, Turn]:
    """The records of what was written in chats, by the event's id."""
    told = [plain(item.to_json()["Attributes"]) for item in _table_items()]
    found = [turn(item) for item in told if str(item["SK"]).startswith("TURN#")]
    return {one.message.event_id: one for one in found}


def watch(world: World) -> None:
    """I5: since the last look, no status has moved backward and no ending has changed."""
    for item in _table_items():
        attributes = item.attrs
        if not attributes["SK"].value.startswith("VIDEO#"):
            continue
        video_id, new = attributes["video_id"].value, attributes["status"].value
        old = world.seen.get(video_id)
        world.seen[video_id] = new
        if old in (None, new):
            continue
        back = old in _ORDER and new in _ORDER and _ORDER.index(new) < _ORDER.index(old)
        if old not in OPEN_STATUSES or (back and (old, new) != ("submitting", "queued")):
            world.violate("I5", f"{video_id[-4:]} went from {old} to {new}")


def _table_items() -> list[Any]:
    [table] = dynamodb_backends[ACCOUNT][REGION].tables.values()
    return [item for row in table.items.values() for item in row.values()]


def stored(key: str) -> bytes | None:
    """What the bucket holds under that key."""
    [bucket] = s3_backends[ACCOUNT]["aws"].buckets.values()
    found = bucket.keys.get(key)
    return None if found is None else bytes(found.value)


def forget() -> None:
    """Empties AWS for the next run."""
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        table.items.clear()
    for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
        bucket.keys.clear()
        bucket.multiparts.clear()
    for machine in stepfunctions_parser_backends[ACCOUNT][REGION].state_machines:
        machine.executions.clear()

"""Documents to DynamoDB's items and back. Pure.

| item                  | PK                  | SK                                       |
| video                 | TENANT#<tenant>     | VIDEO#<video id> (UUIDv7: sorts by time) |
| message already seen  | TENANT#<tenant>     | MESSAGE#<digest>                         |
| job with its owner    | PROVIDER#<provider> | JOB#<digest of its handle>               |
| durations of a model  | MODEL#<model>       | DURATIONS                                |
| turn of a chat        | TENANT#<tenant>     | TURN#<turn id>                           |
| lines of a thread     | TENANT#<tenant>     | THREAD#<digest of its place>             |
| account: caps, paused | TENANT#<tenant>     | ACCOUNT                                  |
| and what was used     | TENANT#<tenant>     | USAGE#<day>                              |
| an API key            | KEY#<its SHA-256>   | KEY                                      |
| and in its list       | TENANT#<tenant>     | KEY#<key id>                             |

The account of the whole deployment has the PK DEPLOYMENT.

An open video is also in the index OpenVideos: `open`, and by the time of its `next_check_at`; so is
one that has ended and whose result was not told yet to who waits for it.

The state machine writes on a video's item as well: `wake_token`, with which a webhook ends a wait.
`nudged` says that a webhook came when there was no wait to end. Neither is part of the record.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic_core import to_jsonable_python

from actionreel.chats import Turn
from actionreel.models import Handle, MessageSeen, Place, Video

KEPT_DAYS = 30  # how long message ids and owners of jobs are remembered
OPEN = "video"  # the value of `open`: what is open is one short list
_AS_TEXT = {"handle", "remixes"}  # what providers wrote: it may hold what DynamoDB does not take
WAKE_TOKEN, NUDGED = "wake_token", "nudged"

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize

Item = dict[str, Any]
Key = dict[str, str]


def video_key(tenant: str, video_id: str) -> Key:
    return {"PK": f"TENANT#{tenant}", "SK": f"VIDEO#{video_id}"}


def message_key(tenant: str, message_id: str) -> Key:
    return {"PK": f"TENANT#{tenant}", "SK": f"MESSAGE#{_digest(message_id)}"}


def job_key(provider: str, handle: Handle) -> Key:
    digest = _digest(json.dumps(handle, sort_keys=True))
    return {"PK": f"PROVIDER#{provider}", "SK": f"JOB#{digest}"}


def durations_key(model: str) -> Key:
    return {"PK": f"MODEL#{model}", "SK": "DURATIONS"}


def turn_key(tenant: str, turn_id: str) -> Key:
    return {"PK": f"TENANT#{tenant}", "SK": f"TURN#{turn_id}"}


def thread_key(tenant: str, place: Place) -> Key:
    names = json.dumps([place.platform, place.channel, place.thread])
    return {"PK": f"TENANT#{tenant}", "SK": f"THREAD#{_digest(names)}"}


def account_key(tenant: str | None) -> Key:
    """Of the deployment for None."""
    return {"PK": f"TENANT#{tenant}" if tenant is not None else "DEPLOYMENT", "SK": "ACCOUNT"}


def usage_key(tenant: str | None, day: date) -> Key:
    return {**account_key(tenant), "SK": f"USAGE#{day.isoformat()}"}


def key_key(key_hash: str) -> Key:
    return {"PK": f"KEY#{key_hash}", "SK": "KEY"}


def key_of_tenant_key(tenant: str, key_id: str) -> Key:
    return {"PK": f"TENANT#{tenant}", "SK": f"KEY#{key_id}"}


def video_item(video: Video) -> Item:
    """The item of a video."""
    key = video_key(video.tenant, video.video_id)
    return {**key, **attributes(dict(video)), **({"open": OPEN} if video.is_open else {})}


def message_item(tenant: str, message: MessageSeen) -> Item:
    """The item of a message, which goes by itself after some time."""
    key = message_key(tenant, message.message_id)
    return {**key, **message.model_dump(mode="json"), "expires_at": expiry()}


def turn_item(turn: Turn) -> Item:
    """The item of a turn, which goes by itself after some time."""
    document = turn.model_dump(mode="json", exclude_none=True)
    return {**turn_key(turn.tenant, turn.turn_id), **document, "expires_at": expiry()}


def turn(item: Item) -> Turn:
    """The turn of an item."""
    return Turn.model_validate({name: item[name] for name in Turn.model_fields if name in item})


def job_item(provider: str, handle: Handle, tenant: str, video_id: str) -> Item:
    """The item that says whose a job is, which goes by itself after some time."""
    owner = {"tenant": tenant, "video_id": video_id}
    return {**job_key(provider, handle), **owner, "expires_at": expiry()}


def attributes(fields: Mapping[str, Any]) -> Item:
    """What DynamoDB keeps of fields: no nulls, no floats, and the provider's handles as text."""
    return {
        name: json.dumps(value) if name in _AS_TEXT else to_jsonable_python(value)
        for name, value in fields.items()
        if value is not None
    }


def video(item: Item) -> Video:
    """The video of an item."""
    fields = {name: item[name] for name in Video.model_fields if name in item}
    for name in _AS_TEXT & fields.keys():
        fields[name] = json.loads(fields[name])
    return Video.model_validate(fields)


def asked_at(item: Item) -> datetime:
    """When the video of an item was asked for, by its key: a UUID of version 7 begins with that, in
    milliseconds since 1970."""
    return datetime.fromtimestamp((UUID(item["SK"].partition("#")[2]).int >> 80) / 1000, UTC)


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values, as DynamoDB's API writes them."""
    return {name: _serialize(value) for name, value in item.items()}


def plain(item: Mapping[str, Any]) -> Item:
    """Values as DynamoDB's API writes them, made plain."""
    return {name: _deserialize(value) for name, value in item.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def expiry() -> int:
    """When an item that is written now goes by itself, in seconds since 1970."""
    return int(time.time()) + KEPT_DAYS * 86400

"""What schemathesis cannot know of the API: which messages act, which ids there are, and the one
rule that a schema has no words for."""

from __future__ import annotations

import os
import re
from typing import Any
from uuid import UUID
from zlib import crc32

import schemathesis
from hypothesis import strategies as st

TOKEN = os.environ["ACTIONREEL_TOKEN"]  # of the links of the first of them
IDS = os.environ["ACTIONREEL_IDS"].split(",")  # videos of every kind, that the test has made
FILES = ("/content", "/poster")
STRANGE = ("model", "input_reference")  # what random words cannot name
MESSAGES = (
    '<createAIVideo>{"prompt": "a boat [fail:moderation]"}</createAIVideo>',
    f'<continueVideoPolling>{{"videoId": "{IDS[0]}"}}</continueVideoPolling>',
)
_named: dict[str, str] = {}  # what came, by its name

# Where results may be sent, which the document says in words.
schemathesis.openapi.format(
    "uri", st.from_regex(re.compile(r"https://[a-z]{3,9}\.example/[a-z0-9/]{0,9}"), fullmatch=True)
)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """At home who has no key is the default tenant, so nothing can be found of keys here: the
    tests of the authorizer try them."""
    raw_schema.pop("security")


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Some of the messages of random text become ones that act; nothing is sent to strangers."""
    if isinstance(body, dict) and isinstance(body.get("prompt"), str) and body["prompt"].strip():
        kept = {name: body[name] for name in body if name not in STRANGE}
        return kept | (
            {"prompt": "a boat [fail:moderation]"} if len(body["prompt"]) <= 4000 else {}
        )
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or crc32(text.encode(errors="replace")) % 20:
        return body
    acting = MESSAGES[len(text) % len(MESSAGES)]
    return {name: body[name] for name in body if name != "callbackUrl"} | {"text": acting}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Most well-formed ids become those of videos that there are."""
    name = path_parameters.get("name") if isinstance(path_parameters, dict) else None
    if isinstance(name, str) and "/v1/" in context.operation.path:
        number = crc32(name.encode(errors="replace"))
        known_names = (*(f"video_{UUID(each).hex}" for each in IDS), name)
        return {**path_parameters, "name": known_names[number % len(known_names)]}
    try:
        number = UUID(path_parameters["video_id"]).int
    except (KeyError, TypeError, ValueError, AttributeError):
        return path_parameters
    known = (*IDS, path_parameters["video_id"])
    return {**path_parameters, "video_id": known[number % len(known)]}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A message is named once: where header and body name it they must agree, and a name that came
    before belongs to another message."""
    if case.path_parameters.get("video_id") == IDS[0] and case.operation.path.endswith(FILES):
        case.query = {**(case.query or {}), "token": TOKEN}
    if isinstance(case.body, dict) and "/v1/" in case.operation.path:
        case.body = {name: case.body[name] for name in case.body if name not in STRANGE}
    if not isinstance(case.body, dict) or "text" not in case.body:
        return
    headers = {name.lower(): name for name in case.headers or {}}
    header = headers.get("idempotency-key")
    named = case.body.get("messageId")
    rest = {name: case.body[name] for name in case.body if name != "messageId"}
    is_good = isinstance(named, str) and 1 <= len(named) <= 200
    if header and is_good:
        case.body = rest
    if header and len(case.headers[header]) <= 200:
        case.headers[header] = _own(case.headers[header], repr(rest))
    elif is_good:
        case.body = rest | {"messageId": _own(named, repr(rest))}


def _own(name: Any, rest: str) -> Any:
    if _named.setdefault(name, rest) == rest:
        return name
    return f"of {crc32(rest.encode(errors='replace'))}"

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

IDS = os.environ["ACTIONREEL_IDS"].split(",")  # videos of every kind, that the test has made
MESSAGES = (
    '<createAIVideo>{"prompt": "a boat [fail:moderation]"}</createAIVideo>',
    f'<continueVideoPolling>{{"videoId": "{IDS[0]}"}}</continueVideoPolling>',
)

# Where results may be sent, which the document says in words.
schemathesis.openapi.format(
    "uri", st.from_regex(re.compile(r"https://[a-z]{3,9}\.example/[a-z0-9/]{0,9}"), fullmatch=True)
)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """At home nobody needs a key, so nothing can be found of keys here: others tests try them."""
    raw_schema.pop("security")


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Some of the messages of random text become ones that act; nothing is sent to strangers."""
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or crc32(text.encode(errors="replace")) % 8:
        return body
    acting = MESSAGES[len(text) % len(MESSAGES)]
    return {name: body[name] for name in body if name != "callbackUrl"} | {"text": acting}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Most well-formed ids become those of videos that there are."""
    try:
        number = UUID(path_parameters["video_id"]).int
    except (KeyError, TypeError, ValueError, AttributeError):
        return path_parameters
    known = (*IDS, path_parameters["video_id"])
    return {**path_parameters, "video_id": known[number % len(known)]}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A message is named once: where the header and the body name it, they must agree."""
    named = case.body.get("messageId") if isinstance(case.body, dict) else None
    header = any(name.lower() == "idempotency-key" for name in case.headers or {})
    if header and isinstance(named, str) and 1 <= len(named) <= 200:
        case.body = {name: case.body[name] for name in case.body if name != "messageId"}

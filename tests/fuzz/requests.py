"""Requests as nobody should send them, in the form in which API Gateway hands them over."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from hypothesis import strategies as st

from actionreel.tool_schemas import NAMES
from local.template import Template
from tests.fakes import VIDEO_ID

ROUTES = [(route.method, route.path) for route in Template({}).routes()]
KEYED = {f"{route.method} {route.path}" for route in Template({}).routes() if route.authorizer}
KEY = "ar_" + "fuzz" * 10 + "key"  # of the tenant default

nasty = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202e",
        "../..",
        "..%2f",
        "%00",
        "'\"`;--",
        "${jndi:x}",
        "{{7*7}}",
        "é" * 300,
        "a" * 5000,
        "[" * 20000,
        "1" * 5000,
        "1e400",
        "-0",
        "NaN",
        "null",
        "true",
        VIDEO_ID,
        VIDEO_ID.upper(),
        VIDEO_ID[:-1],
        "00000000-0000-0000-0000-000000000000",
        "application/json",
        "application/json; charset=utf-16",
        "100",
        "0",
        "101",
    ]
)
text = st.text(max_size=40) | nasty
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(["prompt", "model", "seconds", "size", "input_reference_url", "videoId"])
names = st.sampled_from(["createAIVideo", "continueVideoPolling", "createaivideo", "x"])


@st.composite
def tags(draw: st.DrawFn) -> str:
    """A tag, often nearly right."""
    opening, closing = draw(names), draw(names)
    body = draw(st.dictionaries(fields, values, max_size=5))
    inside = json.dumps(body) if draw(st.booleans()) else draw(text)
    return f"<{opening}>{inside}</{closing if draw(st.booleans()) else opening}>"


messages = st.lists(tags() | text, max_size=6).map("".join)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "text": messages | values,
        "messageId": text | values,
        "conversationId": text | values,
        "meta": values,
        "unknown": values,
    },
)
consents: st.SearchStrategy[dict[str, Any]] = st.just({"acceptDoubleCharge": True}) | (
    st.dictionaries(st.just("acceptDoubleCharge") | text, st.booleans() | values, max_size=2)
)
calls = st.dictionaries(
    st.sampled_from(["prompt", "model", "seconds", "size", "videoId", "limit", "cursor"]) | text,
    values | st.just(VIDEO_ID),
    max_size=4,
)
tool_names = st.sampled_from(NAMES) | text
header_names = st.sampled_from(
    ["content-type", "idempotency-key", "host", "x-forwarded-proto", "authorization", "cookie"]
)

authorizations = (
    st.sampled_from([f"Bearer {KEY}", f"bearer  {KEY} "])
    | st.sampled_from([KEY, f"Bearer {KEY},{KEY}", f"Bearer {KEY} {KEY}", f"Basic {KEY}", "Bearer"])
    | text.map("Bearer ar_{}".format)
    | text.map("Bearer {}".format)
)
query_names = st.sampled_from(["limit", "cursor", "conversationId", "download", "x"])


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of the HTTP API: a route of ours, most often, and everything else at random."""
    method, path = draw(st.sampled_from(ROUTES))
    shown = str(path or draw(text))
    parameters: dict[str, str] = {}
    if "{name}" in shown:
        parameters["name"] = draw(tool_names)
        shown = shown.replace("{name}", parameters["name"])
    for name in ("videoId", "file"):
        if f"{{{name}}}" in shown:
            parameters[name] = VIDEO_ID if draw(st.integers(0, 2)) else draw(text)
            shown = shown.replace(f"{{{name}}}", parameters[name])
    fitting: st.SearchStrategy[Any] = consents if shown.endswith("/retry") else bodies
    if shown.startswith("/tools/"):
        fitting = calls
    raw = (
        json.dumps(draw(fitting)).encode() if draw(st.booleans()) else draw(st.binary(max_size=60))
    )
    if draw(st.integers(0, 9)) == 0:
        raw = draw(nasty).encode(errors="surrogatepass")
    try:
        body, encoded = raw.decode(), draw(st.integers(0, 4)) == 0
    except UnicodeDecodeError:
        body, encoded = "", True
    headers = {"host": "api.test"}
    if draw(st.integers(0, 4)):
        headers["content-type"] = "application/json"
    headers |= draw(st.dictionaries(header_names, text, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        headers["authorization"] = draw(authorizations)
    query = draw(
        st.dictionaries(
            st.sampled_from(["limit", "cursor", "conversationId", "download", "x"]),
            text,
            max_size=3,
        )
    )
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}" if path else "$default",
        "rawPath": unquote(shown) if draw(st.booleans()) else shown,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "headers": headers,
        "requestContext": {
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": {
                "method": method or draw(st.sampled_from(["GET", "POST", "PUT", "OPTIONS"])),
                "path": shown,
                "sourceIp": "203.0.113.7",
            },
            "requestId": "fuzz",
            "stage": "$default",
        },
        "body": base64.b64encode(raw).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
    if query:
        event["queryStringParameters"] = query
    if parameters:
        event["pathParameters"] = parameters
    return event

"""Requests to OpenAI's door as nobody should send them: forms above all, with files in them."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from PIL import Image

from tests.fakes import VIDEO_ID
from tests.fuzz.requests import events, nasty, text, values

KNOWN = f"video_{UUID(VIDEO_ID).hex}"
_BOUNDARY = "----films"
_PLACES = [
    ("POST", "/v1/videos"),
    ("POST", "/v1/videos"),
    ("GET", "/v1/videos"),
    ("GET", "/v1/videos/{}"),
    ("DELETE", "/v1/videos/{}"),
    ("GET", "/v1/videos/{}/content"),
    ("POST", "/v1/videos/{}/remix"),
    ("GET", "/v1/models"),
    ("GET", "/v1/{}"),
]


def _picture(kind: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (32, 32), "teal").save(made, kind)
    return made.getvalue()


_PICTURES = [_picture(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")]
_names = st.sampled_from(
    ["prompt", "model", "seconds", "size", "input_reference", "input_reference[image_url]", "x"]
)
_prompts = st.just("a paper boat") | text
_files = st.sampled_from(_PICTURES) | st.binary(max_size=60)


@st.composite
def _images(draw: st.DrawFn) -> bytes:
    """An image, often cut off or spoiled."""
    content = bytearray(draw(_files))
    if content and draw(st.booleans()):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


@st.composite
def _references(draw: st.DrawFn) -> Any:
    address = "data:image/png;base64," + base64.b64encode(draw(_images())).decode()
    known = st.sampled_from(["https://e.x/a.png", "upload:uploads/default/a.png", address])
    return draw(
        st.fixed_dictionaries({"image_url": known | values}, optional={"file_id": values}) | values
    )


_documents = st.fixed_dictionaries(
    {"prompt": _prompts | values},
    optional={
        "model": st.sampled_from(["sora-2", "no-such"]) | values,
        "seconds": st.sampled_from(["4", 8]) | values,
        "size": values,
        "input_reference": _references(),
        "unknown": values,
    },
)


@st.composite
def _forms(draw: st.DrawFn) -> bytes:
    """A multipart form, often nearly right."""
    body = bytearray()
    for name in ["prompt", *draw(st.lists(_names, max_size=4))]:
        head = f'Content-Disposition: form-data; name="{name}"'
        content = draw(_prompts).encode(errors="replace")
        if draw(st.booleans()) and name != "prompt":
            head += f'; filename="{draw(st.sampled_from(["a.png", "", "..", "é"]))}"'
            content = draw(_images())
        if draw(st.integers(0, 5)) == 0:
            head += f"\r\nContent-Transfer-Encoding: {draw(st.sampled_from(['base64', 'x']))}"
        body += f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    body += f"--{_BOUNDARY}--\r\n".encode()
    return bytes(body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body)


@st.composite
def openai_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of the HTTP API at OpenAI's door."""
    event = draw(events())
    method, path = draw(st.sampled_from(_PLACES))
    path = path.format(KNOWN if draw(st.integers(0, 3)) else draw(text))
    is_form = draw(st.booleans())
    kind = f"multipart/form-data; boundary={_BOUNDARY}" if is_form else "application/json"
    body = draw(_forms()) if is_form else json.dumps(draw(_documents)).encode()
    headers = {"host": "api.test", "content-type": kind}
    odd = st.sampled_from(["content-type", "idempotency-key", "x-stainless-retry-count"])
    headers |= draw(st.dictionaries(odd, st.sampled_from(["1", "k"]) | text, max_size=2))
    if draw(st.integers(0, 9)) == 0:
        body = draw(nasty).encode(errors="surrogatepass")
    query = st.sampled_from(["after", "limit", "order", "variant"])
    known = st.sampled_from(["asc", "1", "thumbnail", "spritesheet", KNOWN])
    event["requestContext"]["http"] |= {"method": method, "path": path}
    return event | {
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": headers,
        "queryStringParameters": draw(st.dictionaries(query, known | text, max_size=3)),
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }

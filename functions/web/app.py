"""Serve the pages: `GET /`, `GET /docs` and the files of static/, read when the function starts."""

import base64
import gzip
import importlib.util
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from actionreel.etags import etag, is_current

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file as it goes out: its text, what it is, and the tag that changes when it does."""

    body: str
    content_type: str
    etag: str


def _read(path: Path, media_type: str) -> Asset:
    body = path.read_text(encoding="utf-8")
    return Asset(body, f"{media_type}; charset=utf-8", etag(body))


# A path is looked up here and never joined to a folder, so no request can reach another file.
ASSETS = {
    f"/static/{path.name}": _read(path, MEDIA_TYPES[path.suffix])
    for path in STATIC.iterdir()
    if path.suffix in MEDIA_TYPES
} | {
    "/": _read(STATIC / "index.html", "text/html"),
    "/docs": _read(STATIC / "docs.html", "text/html"),
}

# Swagger UI is in the core layer: Powertools brings it. Its own page of it has scripts in the page,
# which our policy forbids, and carries all of it in every answer.
SWAGGER = {
    "/static/swagger-ui.js": "swagger-ui-bundle.min.js",
    "/static/swagger-ui.css": "swagger-ui.min.css",
}


@cache
def _swagger(path: str) -> Asset:
    """A file of Swagger UI, read when it is first asked for: the page does not wait for it."""
    powertools = importlib.util.find_spec("aws_lambda_powertools")  # which is not run by this
    assert powertools is not None and powertools.origin is not None
    folder = Path(powertools.origin).parent / "event_handler" / "openapi" / "swagger_ui"
    name = SWAGGER[path]
    return _read(folder / name, MEDIA_TYPES[Path(name).suffix])


@cache
def _compressed(path: str) -> str:
    """A file of Swagger UI as it goes out to who takes gzip: a third of it."""
    return base64.b64encode(gzip.compress(_swagger(path).body.encode(), 6, mtime=0)).decode()


def _security_headers(path: str) -> dict[str, str]:
    # A browser checks where a redirect leads: /videos/{id}/content leads to the bucket.
    media = f"'self' {os.environ.get('MEDIA_ORIGIN', '')}".strip()
    images = f"{media} data:" if path == "/docs" else media  # Swagger UI's style sheet has icons
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        f"img-src {images}",
        f"media-src {media}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _answer(
    path: str, status: int, headers: dict[str, str], body: str = "", *, is_base64: bool = False
) -> dict[str, Any]:
    headers = _security_headers(path) | headers
    answer = {"statusCode": status, "headers": headers, "body": body}
    return answer | {"isBase64Encoded": True} if is_base64 else answer


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload 2.0) with a file of the pages, 304 or a 404."""
    path: str = event["rawPath"]
    asset = _swagger(path) if path in SWAGGER else ASSETS.get(path)
    if asset is None or event["requestContext"]["http"]["method"] != "GET":
        error = {"error": "There is nothing at this address.", "code": "not_found"}
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return _answer(path, 404, kind, json.dumps(error))
    asked = event.get("headers", {})
    tag = {"ETag": asset.etag} | ({"Vary": "Accept-Encoding"} if path in SWAGGER else {})
    if is_current(asked.get("if-none-match", ""), asset.etag):
        return _answer(path, 304, tag)
    headers = {"Content-Type": asset.content_type} | tag
    if path in SWAGGER and "gzip" in asked.get("accept-encoding", ""):
        headers |= {"Content-Encoding": "gzip", "ETag": f"W/{asset.etag}"}
        return _answer(path, 200, headers, _compressed(path), is_base64=True)
    return _answer(path, 200, headers, asset.body)

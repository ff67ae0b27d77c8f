"""Serve the page: `GET /` and the files of static/, each read once when the function starts."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    digest = hashlib.sha256(body.encode()).hexdigest()[:32]
    return Asset(body, f"{media_type}; charset=utf-8", f'"{digest}"')


# A path is looked up here and never joined to a folder, so no request can reach another file.
ASSETS = {
    f"/static/{path.name}": _read(path, MEDIA_TYPES[path.suffix])
    for path in STATIC.iterdir()
    if path.suffix in MEDIA_TYPES
} | {"/": _read(STATIC / "index.html", "text/html")}


def _security_headers() -> dict[str, str]:
    # A browser checks where a redirect leads: /videos/{id}/content leads to the bucket.
    media = f"'self' {os.environ.get('MEDIA_ORIGIN', '')}".strip()
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        f"img-src {media}",
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


def _is_current(if_none_match: str, etag: str) -> bool:
    # A proxy that compresses makes a tag weak (W/"..."); for this comparison that is the same tag.
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", etag) for tag in tags)


def _answer(status: int, headers: dict[str, str], body: str = "") -> dict[str, Any]:
    return {"statusCode": status, "headers": _security_headers() | headers, "body": body}


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload 2.0) with a file of the page, 304 or a 404."""
    asset = ASSETS.get(event["rawPath"])
    if asset is None or event["requestContext"]["http"]["method"] != "GET":
        error = {"error": "There is nothing at this address.", "code": "not_found"}
        return _answer(404, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(error))
    if _is_current(event.get("headers", {}).get("if-none-match", ""), asset.etag):
        return _answer(304, {"ETag": asset.etag})
    return _answer(200, {"Content-Type": asset.content_type, "ETag": asset.etag}, asset.body)

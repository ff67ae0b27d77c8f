"""The page's function: which file a path gives, and the headers that come with it."""

import base64
import gzip
import json
import re
from typing import Any

import pytest

from functions.web import app
from local.template import Template

BUCKET = "https://bucket.s3.eu-central-1.amazonaws.com"


def ask(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """Give the function an HTTP API event, with what it reads of one."""
    return app.lambda_handler(
        {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
            "isBase64Encoded": False,
        },
        None,
    )


def policy_of(answer: dict[str, Any]) -> dict[str, str]:
    directives = answer["headers"]["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


@pytest.mark.parametrize(
    ("path", "content_type", "content"),
    [
        ("/", "text/html; charset=utf-8", "<title>Actionreel</title>"),
        ("/static/card.css", "text/css; charset=utf-8", "prefers-reduced-motion"),
        ("/static/page.js", "text/javascript; charset=utf-8", "sendMessage"),
        ("/docs", "text/html; charset=utf-8", "<title>Actionreel: the API</title>"),
        ("/static/swagger-ui.js", "text/javascript; charset=utf-8", "SwaggerUIBundle"),
        ("/static/swagger-ui.css", "text/css; charset=utf-8", ".swagger-ui"),
        ("/static/favicon.svg", "image/svg+xml; charset=utf-8", "<svg"),
    ],
)
def test_serves_the_page_and_its_files(path: str, content_type: str, content: str) -> None:
    answer = ask(path)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == content_type
    assert answer["headers"]["Cache-Control"] == "no-cache"
    assert content in answer["body"]


def test_every_file_in_the_folder_is_served_and_named_by_the_page() -> None:
    pages = {"/", "/docs"}
    files = {path.name for path in app.STATIC.iterdir()} - {"index.html", "docs.html"}
    assert {f"/static/{name}" for name in files} == app.ASSETS.keys() - pages
    named = {
        f"/{name}"
        for page in pages
        for name in re.findall(r'(?:href|src)="(static/[^"]+)"', app.ASSETS[page].body)
    }
    assert named == (app.ASSETS.keys() - pages) | app.SWAGGER.keys()


def test_every_module_that_is_imported_is_served() -> None:
    for path, asset in app.ASSETS.items():
        for name in re.findall(r'from "([^"]+)"', asset.body):
            assert f"/static/{name.removeprefix('./')}" in app.ASSETS, path


def test_the_routes_of_the_template_lead_here() -> None:
    routes = {
        (route.method, route.path)
        for route in Template({}).routes()
        if route.function == "WebFunction"
    }
    assert routes == {("GET", "/"), ("GET", "/docs"), ("GET", "/static/{file}")}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/nothing", "GET"),
        ("/index.html", "GET"),
        ("/page.js", "GET"),
        ("/docs.html", "GET"),
        ("/static/docs.html", "GET"),
        ("/static/swagger-ui-bundle.min.js", "GET"),
        ("/docs", "POST"),
        ("/static", "GET"),
        ("/static/", "GET"),
        ("/static/nothing.js", "GET"),
        ("/static/index.html", "GET"),
        ("/static/../app.py", "GET"),
        ("/static/%2e%2e%2fapp.py", "GET"),
        ("/static//page.js", "GET"),
        ("/static/./page.js", "GET"),
        ("//", "GET"),
        ("", "GET"),
        ("/", "POST"),
        ("/static/page.js", "DELETE"),
    ],
)
def test_anything_else_is_not_found(path: str, method: str) -> None:
    answer = ask(path, method)
    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(answer["body"])["code"] == "not_found"
    assert json.loads(answer["body"])["error"]


def test_an_unchanged_file_is_not_sent_again() -> None:
    etag = ask("/static/page.js")["headers"]["ETag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = ask("/static/page.js", if_none_match=header)
        assert answer["statusCode"] == 304
        assert answer["body"] == ""
        assert answer["headers"]["ETag"] == etag
        assert answer["headers"]["Cache-Control"] == "no-cache"
        assert "Content-Type" not in answer["headers"]


def test_a_changed_file_is_sent() -> None:
    etag = ask("/static/page.css")["headers"]["ETag"]
    for header in ("", '"other"', etag.strip('"')):
        assert ask("/static/page.css", if_none_match=header)["statusCode"] == 200
    assert ask("/static/page.js", if_none_match=etag)["statusCode"] == 200


def test_swagger_ui_is_sent_small_to_who_takes_that() -> None:
    for path in app.SWAGGER:
        plain, small = ask(path), ask(path, accept_encoding="br, gzip")
        sent = base64.b64decode(small["body"])
        assert gzip.decompress(sent).decode() == plain["body"]
        assert len(sent) < len(plain["body"]) / 2
        assert small["isBase64Encoded"] and not plain.get("isBase64Encoded")
        assert small["headers"]["Content-Encoding"] == "gzip"
        assert plain["headers"]["Vary"] == small["headers"]["Vary"] == "Accept-Encoding"
        for answer in (plain, small):
            again = ask(path, if_none_match=answer["headers"]["ETag"])
            assert (again["statusCode"], again["body"]) == (304, "")


def test_the_page_of_the_api_may_have_icons_in_its_styles_and_no_more() -> None:
    page, docs = policy_of(ask("/")), policy_of(ask("/docs"))
    assert docs == page | {"img-src": f"{page['img-src']} data:"}
    assert "unsafe" not in str(docs)


def test_an_event_without_headers_is_answered() -> None:
    event = {"rawPath": "/", "requestContext": {"http": {"method": "GET"}}}
    assert app.lambda_handler(event, None)["statusCode"] == 200


@pytest.mark.parametrize("headers", [{}, {"if_none_match": "*"}])
@pytest.mark.parametrize("path", ["/", "/static/page.css", "/static/page.js", "/nothing"])
def test_every_answer_is_guarded(
    path: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ORIGIN", BUCKET)
    answer = ask(path, **headers)
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert policy_of(answer) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": f"'self' {BUCKET}",
        "media-src": f"'self' {BUCKET}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_without_a_bucket_media_come_from_here_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIA_ORIGIN", raising=False)
    policy = policy_of(ask("/"))
    assert policy["img-src"] == policy["media-src"] == "'self'"


def test_nothing_in_the_files_needs_a_weaker_policy() -> None:
    page = app.ASSETS["/"].body
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|data:", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    for path, asset in app.ASSETS.items():
        if path.endswith(".js"):
            forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|cssText"
            assert not re.search(forbidden, asset.body), path
        if not path.endswith(".svg"):
            assert not re.search(r"https?://", asset.body), path

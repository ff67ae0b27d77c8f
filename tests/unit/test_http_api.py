"""What arrives over HTTP: a body that cannot be read is told apart, and never a 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.errors import RequestError
from actionreel.http_api import (
    agreed_message_id,
    check_body,
    check_sizes,
    error_answer,
    invalid_fields,
    link_base,
    to_json,
)
from tests.fakes import cases, steady


def event(body: str | bytes, method: str = "POST", **headers: str) -> dict[str, Any]:
    """An event of API Gateway, with what is read of one; bytes come in base64."""
    return {
        "version": "2.0",
        "routeKey": f"{method} /actions",
        "rawPath": "/actions",
        "headers": {"content-type": "application/json"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method}, "domainName": "id.api.test"},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def refusal(asked: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(RequestError) as refused:
        check_body(asked)
    answer = error_answer(refused.value)
    assert answer["headers"] == {"Content-Type": "application/json"}
    body = json.loads(answer["body"])
    assert body.keys() == {"error", "code"}
    assert body["error"].endswith(".")
    return answer["statusCode"], body["code"]


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "an object": '{"text": "a"}',
            "base64": b'{"text": "a"}',
            "any letters": json.dumps({"text": "船🚤\u0000"}, ensure_ascii=False),
            "escaped letters": r'{"text": "\ud83d\udea4"}',
            "blanks": ' \n{"text": ""}\t',
            "100 levels": "[" * 100 + "]" * 100,
            "4,000 digits": "9" * 4000,
        }
    ),
)
def test_json_passes(body: str | bytes) -> None:
    check_body(event(body))


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "nothing": "",
            "text": "a boat",
            "cut": '{"text": "a',
            "more behind": "{} {}",
            "single quotes": "{'text': 'a'}",
            "NaN": '{"meta": {"a": NaN}}',
            "infinity": '{"meta": {"a": -Infinity}}',
            "1e400": '{"meta": {"a": 1e400}}',
            "5,000 digits": f'{{"meta": {{"a": {"9" * 5000}}}}}',
            "10,000 levels": "[" * 10_000 + "]" * 10_000,
            "10,000 objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
            "half a surrogate pair": r'{"text": "\ud800"}',
            "the other half": r'{"text": "\udea4\ud83d"}',
            "half a pair, not escaped": '{"text": "\ud800"}',
            "not UTF-8": b'{"text": "\xff"}',
            "UTF-16": '{"text": "a"}'.encode("utf-16"),
            "a byte order mark": b"\xef\xbb\xbf{}",
            "zeros": b"\0" * 10,
            "a raw line end in a string": '{"text": "a\nb"}',
        }
    ),
)
def test_what_is_not_json_is_a_400(body: str | bytes) -> None:
    assert refusal(event(body)) == (400, "unreadable")


@pytest.mark.parametrize("body", ["?", "e30", "e3\n0="])
def test_base64_that_is_none_is_a_400(body: str) -> None:
    assert refusal(event("") | {"body": body, "isBase64Encoded": True}) == (400, "unreadable")


def test_no_body_is_a_400() -> None:
    asked = event("")
    del asked["body"]
    assert refusal(asked) == (400, "unreadable")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "json", ""])
def test_another_content_type_is_a_415(kind: str) -> None:
    assert refusal(event("{}", content_type=kind)) == (415, "not_json")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON ; charset=utf-8"])
def test_json_by_its_content_type(kind: str) -> None:
    check_body(event("{}", content_type=kind))


@pytest.mark.parametrize("letter", ["x", "船"])
def test_a_body_has_at_most_a_megabyte(letter: str) -> None:
    fits = (1024 * 1024 - 2) // len(letter.encode())
    check_body(event(f'"{letter * fits}"'))
    assert refusal(event(f'"{letter * (fits + 1)}"')) == (413, "too_large")


def test_a_request_without_a_body_needs_none() -> None:
    check_body(event("not JSON", method="GET", content_type="text/plain"))


@steady
@given(st.binary() | st.text(st.characters()))
def test_any_body_is_read_or_refused(body: str | bytes) -> None:
    try:
        check_body(event(body))
    except RequestError as error:
        assert error.status in (400, 413)
    else:
        json.loads(body)


@pytest.mark.parametrize("letter", ["x", "é", "船", "🚤"])
def test_a_text_has_at_most_200_kb(letter: str) -> None:
    fits = 200 * 1024 // len(letter.encode())
    check_sizes(letter * fits, {})
    with pytest.raises(RequestError) as refused:
        check_sizes(letter * (fits + 1), {})
    assert refused.value.status == 413


def test_meta_is_small_and_hides_nothing() -> None:
    check_sizes("", {"_meta_actions": ["REQUEST_CHAT_MODEL"], "a": {"type": 1}})
    with pytest.raises(RequestError) as refused:
        check_sizes("", {"a": "x" * 16 * 1024})
    assert refused.value.status == 413
    for name in ("type", "data", "results", "error", "code", "retryable", "videoId", "notices"):
        with pytest.raises(RequestError, match=name) as refused:
            check_sizes("", {name: 1})
        assert refused.value.status == 422


@pytest.mark.parametrize(
    ("body", "header", "agreed"),
    [(None, None, None), ("m", None, "m"), (None, "m", "m"), ("m", "m", "m"), (None, "", None)],
)
def test_the_header_is_the_same_as_the_field(
    body: str | None, header: str | None, agreed: str | None
) -> None:
    assert agreed_message_id(body, header) == agreed


def test_two_ids_of_one_message_are_refused() -> None:
    with pytest.raises(RequestError) as refused:
        agreed_message_id("m", "n")
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"host": "video.example"}, "https://video.example"),
        ({"host": "127.0.0.1:8000", "x_forwarded_proto": "http"}, "http://127.0.0.1:8000"),
        ({}, "https://id.api.test"),
    ],
)
def test_links_lead_to_where_the_caller_came(headers: dict[str, str], base: str) -> None:
    assert link_base(event("", **headers)) == base


def test_what_is_wrong_with_fields_is_one_sentence_without_their_values() -> None:
    errors = [
        {"loc": ("body", "text"), "msg": "Field required", "input": "secret"},
        {"loc": ("body",), "msg": "Input should be an object"},
        {"loc": ("body", "meta", "a"), "msg": "Wrong"},
    ]
    said = "text: Field required; the body: Input should be an object; meta.a: Wrong."
    assert invalid_fields(errors) == said


def test_an_answer_is_written_without_escapes_and_can_always_be_sent() -> None:
    assert to_json({"said": "\U0001f3ac"}) == '{"said":"\U0001f3ac"}'
    assert to_json({"half": "\ud800"}).encode() == b'{"half":"?"}'

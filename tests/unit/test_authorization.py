"""Whose request it is: API keys, JSON Web Tokens, and everything else that a header can hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actionreel import bootstrap
from actionreel.api_keys import ApiKey, key_hash
from actionreel.authorization import authorize
from actionreel.json_web_tokens import OpenIdTokens
from functions.authorizer import app
from tests.fakes import NOON, FakeServices, cases
from tests.issuer import AUDIENCE, ISSUER, Issuer, token

KEY = "ar_dTnCgf0tMiA3xMpVdtLZ3wNyGb4SxJmHkqWvQ2eRz-I"


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.keys.add(ApiKey(tenant="acme", key_hash=key_hash(KEY), name="ci", created_at=NOON))
    return made


@pytest.mark.parametrize(
    "header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY}", f"Bearer {KEY} "]
)
def test_a_key_names_its_tenant(services: FakeServices, header: str) -> None:
    caller = authorize(header, services)
    assert caller is not None
    assert caller.tenant == "acme"
    assert caller.key_id == key_hash(KEY)[:12]


@pytest.mark.parametrize(
    "header",
    cases(
        {
            "nothing": "",
            "a key without its scheme": KEY,
            "another scheme": f"Basic {KEY}",
            "no key": "Bearer ",
            "somebody else's key": f"Bearer {KEY[::-1]}",
            "one letter less": f"Bearer {KEY[:-1]}",
            "one letter more": f"Bearer {KEY}A",
            "other capitals": f"Bearer {KEY.swapcase()}",
            "two keys": f"Bearer {KEY} {KEY}",
            "two headers in one": f"Bearer {KEY},Bearer {KEY}",
            "what is kept of it": f"Bearer {key_hash(KEY)}",
            "letters of another alphabet": f"Bearer ar_\u043a\u043b\u044e\u0447{KEY}",
            "half a surrogate pair": "Bearer ar_\ud800",
            "a line's end": f"Bearer {KEY}\n",
            "8 KB": "Bearer ar_" + "a" * 8192,
            "a token where keys are taken": "Bearer eyJhbGciOiJub25lIn0.e30.",
        }
    ),
)
def test_everything_else_is_nobody_s(services: FakeServices, header: str) -> None:
    assert authorize(header, services) is None


def test_a_revoked_key_is_nobody_s(services: FakeServices) -> None:
    services.keys.revoke(services.keys.of("acme")[0], NOON)
    assert authorize(f"Bearer {KEY}", services) is None


def test_nothing_that_is_kept_is_the_key(services: FakeServices) -> None:
    assert KEY not in repr(services.keys.held)
    assert KEY[3:] not in repr(services.keys.held)


def test_the_function_answers_api_gateway(services: FakeServices) -> None:
    bootstrap.use(services)
    event = json.loads(Path("tests/events/authorizer.json").read_text())
    assert event["headers"]["authorization"] == "Bearer ar_home"
    assert app.lambda_handler(event, None) == {"isAuthorized": False}
    admitted = app.lambda_handler({"headers": {"authorization": f"Bearer {KEY}"}}, None)
    known = {"tenant": "acme", "key_id": key_hash(KEY)[:12]}
    assert admitted == {"isAuthorized": True, "context": known}
    assert app.lambda_handler({}, None) == {"isAuthorized": False}


def test_where_tokens_are_taken_keys_are_not(services: FakeServices) -> None:
    services.tokens = OpenIdTokens(ISSUER, AUDIENCE, "sub", Issuer().fetch)
    assert authorize(f"Bearer {KEY}", services) is None
    caller = authorize(f"Bearer {token()}", services)
    assert caller is not None
    assert caller == ("acme", None)
    for odd in ("Acme", "acme/../default", "", "a" * 41, 7, ["acme"]):
        assert authorize(f"Bearer {token(sub=odd)}", services) is None

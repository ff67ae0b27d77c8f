"""What an Authorization header can hold, whoever writes it; and what asking about it loads."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actionreel import bootstrap
from actionreel.api_keys import MAX_TOKEN_CHARACTERS, ApiKey, bearer_token, key_hash, new_key
from functions.authorizer import app
from local.template import ROOT
from tests.fakes import NOON, FakeServices, cases, steady

visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
schemes = st.sampled_from(["bearer", "Bearer", "BEARER", "bEaReR"])
KEY = new_key()


@steady
@given(schemes, st.text(visible, min_size=1, max_size=80), st.integers(1, 4), st.integers(0, 3))
def test_a_token_is_had_as_it_was_written(scheme: str, token: str, before: int, after: int) -> None:
    assert bearer_token(f"{scheme}{' ' * before}{token}{' ' * after}") == token


@steady
@given(st.text())
@example("Bearer a\tb")
@example("Bearer a\n")
@example("Bearer a b")
@example("\u212aearer a")
def test_what_is_had_is_visible_ascii_and_not_too_long(header: str) -> None:
    found = bearer_token(header)
    if found is not None:
        assert found.isascii() and found.isprintable() and " " not in found
        assert 0 < len(found) <= MAX_TOKEN_CHARACTERS
        assert header[:6].lower() == "bearer"


@pytest.mark.parametrize("length", [MAX_TOKEN_CHARACTERS, MAX_TOKEN_CHARACTERS + 1])
def test_a_token_has_an_end(length: int) -> None:
    assert (bearer_token("Bearer " + "a" * length) is None) == (length > MAX_TOKEN_CHARACTERS)


odd: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
)


@steady
@given(st.text() | st.text().map("Bearer {}".format) | odd)
def test_no_header_is_an_exception_and_none_but_the_key_opens(header: Any) -> None:
    services = FakeServices()
    services.keys.add(ApiKey(tenant="acme", key_hash=key_hash(KEY), created_at=NOON))
    bootstrap.use(services)
    answer = app.lambda_handler({"headers": {"authorization": header}}, None)
    assert answer == {"isAuthorized": False}


@pytest.mark.parametrize(
    "event",
    cases({"nothing": {}, "no headers": {"headers": None}, "others": {"headers": {"x": "1"}}}),
)
def test_an_event_without_a_header_is_nobody_s(event: dict[str, Any]) -> None:
    bootstrap.use(FakeServices())
    assert app.lambda_handler(event, None) == {"isAuthorized": False}


class Down:
    """A table that cannot be read."""

    def get(self, key_hash: str) -> ApiKey | None:
        raise ConnectionError("DynamoDB")


def test_trouble_is_not_told_as_a_wrong_key() -> None:
    services: Any = FakeServices()
    services.keys = Down()
    bootstrap.use(services)
    with pytest.raises(ConnectionError):
        app.lambda_handler({"headers": {"authorization": f"Bearer {KEY}"}}, None)


LOADED = """
import os, sys
os.environ.update(TABLE_NAME="t", AWS_DEFAULT_REGION="us-east-1", POWERTOOLS_SERVICE_NAME="s")
if len(sys.argv) > 1:
    os.environ.update(JWT_ISSUER="https://issuer.test", JWT_AUDIENCE="us")
from actionreel import bootstrap
from functions.authorizer import app
services = bootstrap.services()
services.keys, services.tokens
print(*(name for name in ("jwt", "httpx") if name in sys.modules))
"""


def loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    path = f"{ROOT}:{ROOT / 'layers/core/python'}"
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_what_tokens_need_is_loaded_only_where_they_are_taken() -> None:
    assert loaded() == set()
    assert loaded("with tokens") == {"jwt", "httpx"}

"""The secret part of a webhook's address."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actionreel.webhook_tokens import deployment_token, is_deployment_token, read_token, token
from tests.fakes import VIDEO_ID, steady

SECRET = "a secret of the deployment"
TOKEN = token(SECRET, "fal", "default", VIDEO_ID)


def test_a_token_names_its_video() -> None:
    assert read_token(SECRET, "fal", TOKEN) == ("default", VIDEO_ID)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", TOKEN)
    assert len(base64.urlsafe_b64decode(TOKEN.partition(".")[2] + "=")) * 8 >= 128


@steady
@given(st.text(max_size=100), st.text(max_size=100), st.text(max_size=100))
def test_every_name_comes_back(provider: str, tenant: str, video_id: str) -> None:
    made = token(SECRET, provider, tenant, video_id)
    if len(made) <= 1000:
        assert read_token(SECRET, provider, made) == (tenant, video_id)


def test_a_token_is_for_one_provider_and_one_deployment() -> None:
    assert read_token(SECRET, "openrouter", TOKEN) is None
    assert read_token("another secret", "fal", TOKEN) is None
    ours = deployment_token(SECRET, "openai_videos")
    assert is_deployment_token(SECRET, "openai_videos", ours)
    assert not is_deployment_token(SECRET, "fal", ours)
    assert not is_deployment_token("another secret", "openai_videos", ours)
    assert not is_deployment_token(SECRET, "fal", TOKEN.partition(".")[2])


def test_names_cannot_run_into_each_other() -> None:
    macs = {
        token(SECRET, *names).partition(".")[2]
        for names in (("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", 'b","c', ""))
    }
    assert len(macs) == 4


@pytest.mark.parametrize("whole", [TOKEN, deployment_token(SECRET, "fal")])
def test_a_token_that_was_changed_is_none(whole: str) -> None:
    for place, character in enumerate(whole):
        for other in {chr(ord(character) ^ 1 << bit) for bit in range(8)}:
            changed = whole[:place] + other + whole[place + 1 :]
            assert read_token(SECRET, "fal", changed) is None
            assert not is_deployment_token(SECRET, "fal", changed)
    for changed in (whole[:-1], whole + "=", whole + "A", "=" + whole, whole * 20):
        assert read_token(SECRET, "fal", changed) is None
        assert not is_deployment_token(SECRET, "fal", changed)


@steady
@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
@example("")
@example(".")
@example("\ud800")
@example(base64.urlsafe_b64encode(b"[" * 700).decode())
@example(base64.urlsafe_b64encode(b"9" * 700).decode())
@example(base64.urlsafe_b64encode(b'["\\ud800", "x"]').decode())
@example(base64.urlsafe_b64encode(b'{"a": 1, "b": 2}').decode() + ".abc")
def test_any_other_text_is_none(text: str) -> None:
    assert read_token(SECRET, "fal", text) is None
    assert not is_deployment_token(SECRET, "fal", text)


def test_without_a_secret_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="secret"):
        token("", "fal", "default", VIDEO_ID)
    with pytest.raises(ValueError, match="secret"):
        is_deployment_token("", "fal", "")

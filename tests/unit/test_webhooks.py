"""Webhooks of providers: who is believed, whose wait ends, and what a webhook can cost at most."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel import bootstrap
from actionreel.errors import ProviderUnavailableError, WorkflowError
from actionreel.http_api import MAX_BODY_BYTES
from actionreel.models import Handle
from actionreel.webhook_tokens import deployment_token, token
from actionreel.webhooks import nudge
from functions.webhooks import app
from tests.fakes import ENDED, VIDEO_ID, FakeServices, a_video, at, cases, steady
from tests.signed import FAL, NOW, OPENROUTER, STANDARD, Signed, key_set

OURS = ("default", VIDEO_ID)
JOB: Handle = {"id": "video_test_1"}  # which the event of STANDARD is about
UNSIGNED = Signed(STANDARD.verify, "", {}, b'{"status": "succeeded"}')
WAIT = "the token of a wait"


def waiting(provider: str = "openai_videos", status: str = "generating") -> FakeServices:
    """Services whose one video waits for its job at that provider, which signs what it sends."""
    services = at(status, provider=provider)
    services.clock = NOW
    services.videos.give_job("openai_videos", JOB, *OURS)
    services.videos.begin_wait(*OURS, WAIT)
    services.workflow.waiting.add(WAIT)
    services.secrets |= {
        "openai_videos": STANDARD.secret,
        "replicate": STANDARD.secret,
        "openrouter": OPENROUTER.secret,
    }
    services.keys_of_fal = key_set(FAL.secret)
    return services


def address(services: FakeServices, provider: str) -> str:
    if provider == "openai_videos":
        return deployment_token(services.webhook_key(), provider)
    return token(services.webhook_key(), provider, *OURS)


def post(
    services: FakeServices, provider: str, token: str, signed: Signed, **event: Any
) -> tuple[int, str]:
    bootstrap.use(services)
    answer = app.lambda_handler(
        {
            "rawPath": f"/webhooks/{provider}/{token}",
            "pathParameters": {"provider": provider, "token": token},
            "headers": signed.headers,
            "requestContext": {"http": {"method": "POST"}},
            "body": base64.b64encode(signed.body).decode(),
            "isBase64Encoded": True,
            **event,
        },
        None,
    )
    return answer["statusCode"], answer.get("body", "")


SIGNED = {
    "openai_videos": STANDARD,
    "openrouter": OPENROUTER,
    "fal": FAL,
    "replicate": STANDARD,
}


@pytest.mark.parametrize("provider", SIGNED)
def test_a_webhook_ends_the_wait_for_its_video(provider: str) -> None:
    services = waiting(provider)
    assert post(services, provider, address(services, provider), SIGNED[provider]) == (204, "")
    assert services.log == ["woken"]
    assert services.videos.nudged == set()


def test_a_body_may_come_as_text() -> None:
    services = waiting()
    as_text = {"body": STANDARD.body.decode(), "isBase64Encoded": False}
    code, _ = post(
        services, "openai_videos", address(services, "openai_videos"), STANDARD, **as_text
    )
    assert (code, services.log) == (204, ["woken"])


@pytest.mark.parametrize("provider", SIGNED)
def test_a_signature_that_is_not_the_provider_s_ends_nothing(provider: str) -> None:
    services = waiting(provider)
    forged = replace(SIGNED[provider], body=SIGNED[provider].body + b" ")
    assert post(services, provider, address(services, provider), forged)[0] == 401
    assert post(services, provider, address(services, provider), UNSIGNED)[0] == 401
    assert services.log == []


@pytest.mark.parametrize("provider", SIGNED)
def test_an_old_signature_ends_nothing(provider: str) -> None:
    services = waiting(provider)
    services.wait(301)
    assert post(services, provider, address(services, provider), SIGNED[provider])[0] == 401


@pytest.mark.parametrize(
    ("provider", "status"), [("openrouter", 204), ("replicate", 204), ("openai_videos", 401)]
)
def test_without_a_secret_the_address_of_a_video_is_enough(provider: str, status: int) -> None:
    """But not the one address for all of them."""
    services = waiting(provider)
    del services.secrets[provider]
    signed = STANDARD if provider == "openai_videos" else UNSIGNED
    assert post(services, provider, address(services, provider), signed)[0] == status
    assert services.log == (["woken"] if status == 204 else [])


def strange(services: FakeServices) -> Mapping[str, tuple[str, str]]:
    """Addresses that we gave to nobody."""
    key = services.webhook_key()
    return {
        "no token": ("fal", ""),
        "any text": ("fal", "x" * 50),
        "not ASCII": ("fal", "é\ud800"),
        "of another provider": ("fal", token(key, "replicate", *OURS)),
        "of another deployment": ("fal", token("another key", "fal", *OURS)),
        "of no video": ("fal", token(key, "fal", "default", VIDEO_ID[:-1] + "2")),
        "of a video elsewhere": ("replicate", token(key, "replicate", *OURS)),
        "a deployment's": ("fal", deployment_token(key, "fal")),
        "a video's": ("openai_videos", token(key, "openai_videos", *OURS)),
        "no provider": ("", deployment_token(key, "")),
        "an unknown provider": ("runway", token(key, "runway", *OURS)),
        "a path": ("..", "%2e%2e%2f"),
    }


@pytest.mark.parametrize("case", strange(FakeServices()))
def test_an_address_that_we_gave_to_nobody_is_the_same_404(case: str) -> None:
    services = waiting("fal")
    provider, token = strange(services)[case]
    code, body = post(services, provider, token, FAL)
    assert code == 404
    assert json.loads(body) == {"error": "There is no such webhook.", "code": "not_found"}
    assert services.log == []


def test_an_event_without_an_address_is_the_same_404() -> None:
    assert post(waiting(), "fal", "x", FAL, pathParameters=None, headers={}, body=None)[0] == 404


def test_a_body_that_is_too_large_is_not_read() -> None:
    services = waiting()
    large = replace(STANDARD, body=b"x" * (MAX_BODY_BYTES + 1))
    assert post(services, "openai_videos", address(services, "openai_videos"), large)[0] == 413


def test_a_body_that_is_no_base64_is_not_read() -> None:
    services = waiting()
    found = post(services, "openai_videos", "x", STANDARD, body="*")
    assert found[0] == 400


def sign(body: bytes) -> Signed:
    """That body, signed as OpenAI does."""
    key = base64.b64decode(STANDARD.secret.removeprefix("whsec_"))
    text = f"{STANDARD.headers['webhook-id']}.{STANDARD.headers['webhook-timestamp']}.".encode()
    code = base64.b64encode(hmac.new(key, text + body, hashlib.sha256).digest()).decode()
    headers = {**STANDARD.headers, "webhook-signature": f"v1,{code}"}
    return replace(STANDARD, body=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "another project's job": b'{"type": "video.completed", "data": {"id": "video_2"}}',
            "another kind": b'{"type": "batch.completed", "data": {"id": "video_test_1"}}',
            "no kind": b'{"data": {"id": "video_test_1"}}',
            "an odd kind": b'{"type": 1, "data": {"id": "video_test_1"}}',
            "no id": b'{"type": "video.completed", "data": {}}',
            "an odd id": b'{"type": "video.completed", "data": {"id": ["video_test_1"]}}',
            "half a character": b'{"type": "video.completed", "data": {"id": "\\ud800"}}',
            "a list": b"[]",
            "no JSON": b"{",
            "not UTF-8": b"\xff",
            "deep": b"[" * 100_000,
            "a huge number": b"9" * 10_000,
            "nothing": b"",
        }
    ),
)
def test_what_is_about_none_of_our_jobs_is_taken_and_forgotten(body: bytes) -> None:
    services = waiting()
    assert post(services, "openai_videos", address(services, "openai_videos"), sign(body))[0] == 204
    assert services.log == []


def test_a_job_that_failed_is_looked_at_as_well() -> None:
    services = waiting()
    failed = sign(b'{"type": "video.failed", "data": {"id": "video_test_1"}}')
    assert post(services, "openai_videos", address(services, "openai_videos"), failed)[0] == 204
    assert services.log == ["woken"]


@pytest.mark.parametrize("status", [*ENDED, "queued", "storing"])
def test_a_video_that_waits_for_no_job_is_left_alone(status: str) -> None:
    services = waiting(status=status)
    assert post(services, "openai_videos", address(services, "openai_videos"), STANDARD)[0] == 204
    assert services.log == []
    assert services.videos.nudged == set()


def test_a_webhook_that_overtakes_the_answer_to_the_create_is_noted() -> None:
    services = waiting("fal", status="submitting")
    services.videos.tokens.clear()
    nudge("default", VIDEO_ID, services)
    assert services.videos.nudged == {("default", VIDEO_ID)}


@pytest.mark.parametrize("error", [ProviderUnavailableError("x"), WorkflowError("x")])
def test_what_cannot_be_done_now_is_to_come_again(error: Exception) -> None:
    services = waiting("fal")
    if isinstance(error, WorkflowError):
        services.workflow.trouble = error
    else:
        services.keys_of_fal = error
    code, body = post(services, "fal", address(services, "fal"), FAL)
    assert (code, json.loads(body)["code"]) == (503, "unavailable")
    assert json.loads(body)["retryable"] is True
    assert services.videos.nudged == set()


def test_the_log_has_neither_the_address_nor_the_token(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    services = waiting("fal")
    given = address(services, "fal")
    assert post(services, "fal", given, FAL)[0] == 204
    assert post(services, "fal", given + "x", FAL)[0] == 404
    written = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (given, WAIT, "x-fal") if secret in written]


texts = st.text(max_size=60)


@steady
@given(
    st.sampled_from([*SIGNED, "", "runway"]),
    st.one_of(texts, st.sampled_from(["right"])),
    st.dictionaries(st.sampled_from([*STANDARD.headers, *FAL.headers, "x"]), texts),
    st.binary(max_size=200),
)
def test_nothing_that_a_stranger_sends_is_an_error_of_ours(
    provider: str, token: str, headers: dict[str, str], body: bytes
) -> None:
    services = waiting(provider or "fal")
    given = address(services, provider) if token == "right" and provider in SIGNED else token
    sent = replace(UNSIGNED, headers=headers, body=body)
    assert post(services, provider, given, sent)[0] in (401, 404)
    assert services.log == []


def test_a_nudge_when_nothing_waits_ends_the_next_wait() -> None:
    services = at("generating")
    nudge(*OURS, services)
    assert not services.videos.begin_wait(*OURS, "t1")
    assert services.videos.begin_wait(*OURS, "t2"), "and only that one"


def test_a_nudge_after_the_wait_is_over_ends_the_next_one() -> None:
    services = at("generating")
    services.videos.begin_wait(*OURS, "over")
    nudge(*OURS, services)
    assert not services.videos.begin_wait(*OURS, "t2")


def test_a_wait_that_begins_under_the_nudge_is_ended() -> None:
    """It has written its token before the nudge could be noted, and did not see that."""
    services = at("generating")
    services.videos.begin_wait(*OURS, "over")

    def begins(write: str, _: Mapping[str, Any]) -> None:
        if write == "add_nudge" and not services.workflow.waiting:
            assert services.videos.begin_wait(*OURS, "new")
            services.workflow.waiting.add("new")

    services.videos.before = begins
    nudge(*OURS, services)
    assert services.log == ["woken"]
    assert services.videos.nudged == set()


def test_a_webhook_that_comes_again_and_again_costs_a_look_each_at_the_most() -> None:
    """However many come between two looks: they are one note, and one wait."""
    services = waiting()
    for _ in range(50):
        nudge(*OURS, services)
    assert services.log == ["woken"]
    waits = [services.videos.begin_wait(*OURS, f"t{number}") for number in range(3)]
    assert waits == [False, True, True]


def test_a_video_that_is_not_there_is_not_nudged() -> None:
    services = FakeServices()
    nudge("default", VIDEO_ID, services)
    services.videos.add("default", [a_video()], None)
    nudge("another", VIDEO_ID, services)
    assert services.videos.nudged == set()

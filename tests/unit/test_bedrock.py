"""Bedrock: what only it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import (
    CredentialRetrievalError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from actionreel.errors import (
    AssetError,
    AssetUnavailableError,
    NotListedError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from actionreel.models import Handle, StoredObject
from actionreel.providers import bedrock, bedrock_answers
from actionreel.providers.bedrock import Bedrock
from actionreel.providers.config import ProviderConfig
from tests.providers.bedrock_kit import (
    ARN,
    BUCKET,
    CREATE,
    DONE,
    JOB,
    KIT,
    PLACE,
    adapter,
    failed,
    listed,
    s3_error,
)
from tests.providers.kit import WITH_IMAGE
from tests.providers.server import DROP, ProviderServer, Reply, provider_server

HANDLE: Handle = {"arn": ARN, "bucket": BUCKET, "prefix": "bedrock/the-video-id/"}


def no_key(*, fresh: bool = False) -> str:
    raise AssertionError("Bedrock needs no key")


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


@pytest.fixture
def provider(server: ProviderServer) -> Bedrock:
    made = adapter(ProviderConfig(no_key, {"base_url": server.url}))
    assert isinstance(made, Bedrock)
    return made


def test_the_same_order_has_the_same_token(provider: Bedrock, server: ProviderServer) -> None:
    """What comes of it is Bedrock's: a request that went unanswered is found by asking again."""
    assert provider.recovery == "key"
    server.play({CREATE: [DROP, Reply(200, {"invocationArn": ARN})]})
    with pytest.raises(OutcomeUnknownError):
        provider.create(KIT.order())
    assert provider.create(KIT.order()).handle == HANDLE
    first, second = server.requests
    assert first.json["clientRequestToken"] == "the-video-id"
    assert first.body == second.body


def test_a_request_is_signed_for_the_region(provider: Bedrock, server: ProviderServer) -> None:
    server.play({CREATE: Reply(200, {"invocationArn": ARN})})
    provider.create(KIT.order())
    assert "/us-west-2/bedrock/aws4_request" in server.requests[0].headers["authorization"]


def test_a_refusal_keeps_the_account_s_names_to_itself(
    provider: Bedrock, server: ProviderServer
) -> None:
    reply, _ = KIT.refused["not allowed"]
    server.play({CREATE: reply})
    with pytest.raises(ProviderRejectedError) as refused:
        provider.create(KIT.order())
    assert "arn:" not in str(refused.value)


def test_an_image_that_was_not_fetched_is_not_left_out(
    provider: Bedrock, server: ProviderServer
) -> None:
    server.play({CREATE: Reply(200, {"invocationArn": ARN})})
    with pytest.raises(ProviderRejectedError):
        provider.create(KIT.order(request=WITH_IMAGE))
    assert server.requests == []


def test_a_look_is_repeated(provider: Bedrock, server: ProviderServer) -> None:
    server.play({JOB: [Reply(503), *DONE.values()]})
    assert provider.poll(HANDLE).phase == "completed"
    assert len(server.requests) == 2


def test_the_time_it_took_is_bedrock_s_own(provider: Bedrock, server: ProviderServer) -> None:
    server.play(DONE)
    assert provider.poll(HANDLE).took_seconds == 161
    server.play(KIT.pending["in progress"])
    assert provider.poll(HANDLE).took_seconds is None


def test_a_failure_is_told_in_bedrock_s_words(provider: Bedrock, server: ProviderServer) -> None:
    server.play(failed("The model could not make this video."))
    failure = provider.poll(HANDLE).failure
    assert failure is not None
    assert failure.message.endswith(": The model could not make this video.")


def test_the_film_is_the_one_in_the_video_s_own_place(
    provider: Bedrock, server: ProviderServer
) -> None:
    server.play(listed(f"{PLACE}/manifest.json", f"{PLACE}/output.mp4"))
    with provider.open_video(HANDLE) as film:
        assert film == StoredObject(BUCKET, f"{PLACE}/output.mp4")
    [sent] = server.requests
    assert "prefix=bedrock%2Fthe-video-id%2F" in sent.path


def test_trouble_with_the_bucket_may_pass(provider: Bedrock, server: ProviderServer) -> None:
    server.play(s3_error(503, "SlowDown"))
    with pytest.raises(AssetError) as trouble, provider.open_video(HANDLE):
        raise AssertionError("a list that was refused gave a file")
    assert not isinstance(trouble.value, AssetUnavailableError)


def test_there_is_no_list_and_no_still(provider: Bedrock) -> None:
    with pytest.raises(NotListedError):
        provider.find(KIT.order(), datetime.now(UTC))
    with pytest.raises(AssetUnavailableError):
        provider.open_poster(HANDLE)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (EndpointConnectionError(endpoint_url="u"), ProviderUnavailableError),
        (CredentialRetrievalError(provider="p", error_msg="e"), ProviderUnavailableError),
        (ReadTimeoutError(endpoint_url="u"), OutcomeUnknownError),
        (ValueError("a date that is none"), OutcomeUnknownError),
    ],
)
def test_what_botocore_raises(error: Exception, meaning: type[ProviderError]) -> None:
    assert isinstance(bedrock_answers.refusal(error), meaning)


def test_a_deployment_without_credentials(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = boto3.session.Session(region_name="us-west-2")
    monkeypatch.setattr(session._session, "get_credentials", lambda *_: None)
    server.play({CREATE: Reply(200, {"invocationArn": ARN})})
    with pytest.raises(ProviderRejectedError, match="credentials"):
        Bedrock(session, BUCKET, server.url).create(KIT.order())
    assert server.requests == []


def test_the_bucket_is_the_deployment_s() -> None:
    with pytest.raises(ProviderRejectedError, match="BedrockBucket"):
        bedrock.adapter(ProviderConfig(no_key, {"bucket": "", "region": ""}))
    made = bedrock.adapter(ProviderConfig(no_key, {"bucket": "b", "region": ""}))
    assert made._session.region_name == bedrock.REGION
    made = bedrock.adapter(ProviderConfig(no_key, {"bucket": "b", "region": "eu-west-1"}))
    assert made._session.region_name == "eu-west-1"

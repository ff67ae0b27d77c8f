"""The adapters of AWS's services against moto: the conditions, and what they leave behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import httpx
import pytest
from uuid6 import uuid7

from actionreel.aws.s3 import PART_BYTES, S3VideoStorage, client_config
from actionreel.aws.secrets_manager import generated, provider_key, section
from actionreel.aws.step_functions import StepFunctionsWorkflow
from actionreel.errors import (
    AssetIncompleteError,
    ProviderRejectedError,
    ProviderUnavailableError,
    WorkflowError,
)
from actionreel.models import Video
from local.stack import Stack
from local.template import REGION
from tests.conftest import GIVE_UP_SECONDS, state_machine

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
tenants = (f"tenant-{number}" for number in itertools.count())


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def bucket(stack: Stack) -> str:
    return "videobucket"


def video(tenant: str, **changes: object) -> Video:
    fields = {"prompt": "p", "model": "sora-2", "provider": "openai_videos", "seconds": 4}
    changed = {"video_id": str(uuid7()), "created_at": NOW, **fields, **changes}
    return Video.model_validate({"tenant": tenant, **changed})


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 5])
def test_a_file_is_stored_whole(bucket: str, size: int) -> None:
    client = boto3.client("s3")
    chunks = (b"x" * min(65_536, size - sent) for sent in range(0, size, 65_536))
    assert S3VideoStorage(client, bucket).save(f"files/{size}", chunks, "video/mp4") == size
    stored = client.get_object(Bucket=bucket, Key=f"files/{size}")
    assert (stored["ContentLength"], stored["ContentType"]) == (size, "video/mp4")


@pytest.mark.parametrize("size", [10, PART_BYTES * 2 + 10])
def test_a_file_that_breaks_off_leaves_nothing(bucket: str, size: int) -> None:
    client = boto3.client("s3")

    def broken() -> Iterator[bytes]:
        yield b"x" * size
        raise AssetIncompleteError("The file ended early.")

    with pytest.raises(AssetIncompleteError):
        S3VideoStorage(client, bucket).save("files/broken", broken(), "video/mp4")
    assert "Contents" not in client.list_objects_v2(Bucket=bucket, Prefix="files/broken")
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_a_link_gives_the_file(bucket: str) -> None:
    storage = S3VideoStorage(boto3.client("s3", config=client_config()), bucket)
    storage.save("files/linked", iter([b"content"]), "video/mp4")
    answer = httpx.get(storage.link("files/linked", "a.mp4", download=True))
    assert answer.content == b"content"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.mp4"'


def test_a_link_for_a_head_tells_the_size(bucket: str) -> None:
    storage = S3VideoStorage(boto3.client("s3", config=client_config()), bucket)
    storage.save("files/asked", iter([b"content"]), "video/mp4")
    answer = httpx.head(storage.link("files/asked", "a.mp4", download=False, head=True))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "7"
    assert answer.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_link_names_the_host_that_the_page_allows(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    client = boto3.client("s3", region_name=region, config=client_config())
    link = S3VideoStorage(client, "bucket").link("key", "a.mp4", download=False)
    assert link.startswith(f"https://bucket.s3.{region}.amazonaws.com/key?")


@pytest.fixture
def machine(stack: Stack) -> str:
    return state_machine()


def test_starting_twice_is_starting_once(machine: str, tenant: str) -> None:
    """A resumed execution is another one, and so is started once as well."""
    client = boto3.client("stepfunctions")
    workflow = StepFunctionsWorkflow(client, machine)
    started = video(tenant)
    resumed = started.model_copy(update={"resumes": 2})
    for one in (started, started, resumed, resumed):
        workflow.start(one)
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
    names = [one["name"] for page in pages for one in page["executions"]]
    assert [names.count(one.execution) for one in (started, resumed)] == [1, 1]
    with pytest.raises(WorkflowError):
        StepFunctionsWorkflow(client, f"{machine}x").start(started)


def test_how_an_execution_stands(machine: str, tenant: str) -> None:
    """The record is nowhere, so the execution ends at once."""
    workflow = StepFunctionsWorkflow(boto3.client("stepfunctions"), machine)
    unrecorded = video(tenant)
    assert workflow.state(unrecorded) == "absent"
    workflow.start(unrecorded)
    until = time.monotonic() + GIVE_UP_SECONDS
    while (state := workflow.state(unrecorded)) != "ended":
        assert state == "running"
        assert time.monotonic() < until
        time.sleep(0.05)
    assert workflow.state(unrecorded.model_copy(update={"resumes": 1})) == "absent"
    with pytest.raises(WorkflowError):
        StepFunctionsWorkflow(boto3.client("stepfunctions"), "no arn").state(unrecorded)


def test_the_key_comes_from_the_secret_and_stays_out_of_errors(stack: Stack) -> None:
    assert provider_key("ProviderSecret", "openai_videos") == "studio"
    secrets = boto3.client("secretsmanager", region_name=REGION)
    for name, content in {
        "no-json": "sk-hidden",
        "no-section": '{"other": {"api_key": "sk-hidden"}}',
        "empty": '{"openai_videos": {"api_key": ""}}',
        "not-ascii": '{"openai_videos": {"api_key": "sk-hidden\\u00e9"}}',
    }.items():
        secrets.create_secret(Name=name, SecretString=content)
        with pytest.raises(ProviderRejectedError) as refused:
            provider_key(name, "openai_videos")
        assert "hidden" not in str(refused.value)
    with pytest.raises(ProviderRejectedError):
        provider_key("missing", "openai_videos")


def test_a_provider_has_its_section_of_the_secret(stack: Stack) -> None:
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(
        Name="sections",
        SecretString='{"fal": {"api_key": "k", "odd": 1}, "replicate": "no section"}',
    )
    assert section("sections", "fal") == {"api_key": "k"}
    assert section("sections", "replicate") == section("sections", "runway") == {}
    assert section("missing", "fal") == {}
    secrets.put_secret_value(SecretId="sections", SecretString='{"fal": {"webhook_secret": "s"}}')
    assert section("sections", "fal") == {"api_key": "k"}, "for five minutes"
    assert section("sections", "fal", fresh=True) == {"webhook_secret": "s"}


def test_what_a_deployment_made_for_itself_is_there_or_is_said_not_to_be(stack: Stack) -> None:
    assert generated("WebhookSecret")
    with pytest.raises(ProviderUnavailableError):
        generated("missing")

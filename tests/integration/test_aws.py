"""The adapters of AWS's services against moto: the conditions, and what they leave behind."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import httpx
import pytest
from uuid6 import uuid7

from actionreel.aws.dynamodb import KEPT_DURATIONS, DynamoDBVideoRepository
from actionreel.aws.s3 import PART_BYTES, S3VideoStorage, client_config
from actionreel.aws.secrets_manager import provider_key
from actionreel.aws.step_functions import StepFunctionsWorkflow
from actionreel.errors import (
    AssetIncompleteError,
    MessageMismatchError,
    MessageSeenError,
    ProviderRejectedError,
    StaleVideoError,
    WorkflowError,
)
from actionreel.models import Failure, MessageSeen, Video, VideoJob, VideoRequest
from local.stack import Stack
from local.template import REGION

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
tenants = (f"tenant-{number}" for number in itertools.count())


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def videos(stack: Stack) -> DynamoDBVideoRepository:
    return DynamoDBVideoRepository(boto3.client("dynamodb"), "VideoTable")


@pytest.fixture
def bucket(stack: Stack) -> str:
    return "videobucket"


def video(tenant: str, **changes: object) -> Video:
    fields = {"prompt": "p", "model": "sora-2", "provider": "openai_videos", "seconds": 4}
    changed = {"video_id": str(uuid7()), "created_at": NOW, **fields, **changes}
    return Video.model_validate({"tenant": tenant, **changed})


def test_threads_do_not_break_each_others_writes(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    """Not of our code but of the DynamoDB at home: by itself moto's fails here."""
    contested = [video(tenant) for _ in range(40)]
    for one in contested:
        videos.add(tenant, [one], None)

    def claim(one: Video) -> bool:
        try:
            videos.advance(tenant, one.video_id, {"queued"}, status="submitting")
        except StaleVideoError:
            return False
        videos.add(tenant, [video(tenant)], None)
        return True

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(claim, [one for one in contested for _ in range(4)]))
    finally:
        sys.setswitchinterval(before)
    assert sum(won) == len(contested)
    assert len(videos.page(tenant, 100, None, None)[0]) == 2 * len(contested)


def test_a_record_comes_back_as_it_was(videos: DynamoDBVideoRepository, tenant: str) -> None:
    full = video(
        tenant,
        status="failed",
        handle={"id": "a/b=", "n": 1.5, "deep": {"x": [None, True]}},
        notices=("one", "two"),
        failure=Failure(code="quota", message="No credit.", maybe_charged=True),
        cost_usd=Decimal("0.40"),
        submitted_at=NOW,
        next_check_at=NOW + timedelta(seconds=3),
        bytes=7,
    )
    videos.add(tenant, [full], None)
    assert videos.get(tenant, full.video_id) == full
    assert videos.get_many(tenant, [full.video_id, "unknown"]) == {full.video_id: full}
    assert videos.get("another", full.video_id) is None


def test_a_status_only_moves_from_where_it_may(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    queued = video(tenant)
    videos.add(tenant, [queued], None)
    moved = videos.advance(tenant, queued.video_id, {"queued"}, status="submitting")
    assert moved.status == "submitting"
    with pytest.raises(StaleVideoError) as stale:
        videos.advance(tenant, queued.video_id, {"queued"}, status="submitting")
    assert stale.value.video == moved
    with pytest.raises(StaleVideoError) as missing:
        videos.advance(tenant, "unknown", {"queued"}, status="submitting")
    assert missing.value.video is None


def test_a_message_counts_once(videos: DynamoDBVideoRepository, tenant: str) -> None:
    first, second = video(tenant), video(tenant)
    message = MessageSeen(message_id="m", text_digest="d", video_ids=(first.video_id,))
    videos.add(tenant, [first], message)
    with pytest.raises(MessageSeenError) as seen:
        videos.add(tenant, [second], message.model_copy(update={"video_ids": ("other",)}))
    assert seen.value.video_ids == [first.video_id]
    assert videos.get(tenant, second.video_id) is None, "all or nothing"
    with pytest.raises(MessageMismatchError):
        videos.add(tenant, [second], message.model_copy(update={"text_digest": "e"}))
    videos.add("another", [], message)


def test_pages(videos: DynamoDBVideoRepository, tenant: str) -> None:
    made = [video(tenant, conversation_id="c" if n % 3 == 0 else None) for n in range(25)]
    for start in range(0, 25, 5):
        videos.add(tenant, made[start : start + 5], None)
    newest_first = made[::-1]

    def read(limit: int, conversation: str | None) -> list[Video]:
        found: list[Video] = []
        cursor: str | None = None
        while True:
            page, cursor = videos.page(tenant, limit, cursor, conversation)
            assert len(page) <= limit
            found += page
            if cursor is None:
                return found

    for limit in (1, 7, 24, 25, 26):
        assert read(limit, None) == newest_first
        assert read(limit, "c") == [one for one in newest_first if one.conversation_id]
    assert videos.page("nobody", 5, None, None) == ([], None)


def test_durations_are_the_last_ones(videos: DynamoDBVideoRepository) -> None:
    assert videos.durations("m") == []
    for seconds in range(KEPT_DURATIONS + 3):
        videos.add_duration("m", seconds)
    assert videos.durations("m") == list(range(3, KEPT_DURATIONS + 3))


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


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_link_names_the_host_that_the_page_allows(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    client = boto3.client("s3", region_name=region, config=client_config())
    link = S3VideoStorage(client, "bucket").link("key", "a.mp4", download=False)
    assert link.startswith(f"https://bucket.s3.{region}.amazonaws.com/key?")


def test_starting_twice_is_starting_once(stack: Stack, tenant: str) -> None:
    client = boto3.client("stepfunctions")
    arn = client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    workflow = StepFunctionsWorkflow(client, arn)
    request = VideoRequest(prompt="p", model="sora-2", seconds=4)
    job = VideoJob(
        tenant=tenant,
        video_id=str(uuid7()),
        request=request,
        provider="openai_videos",
        deadline_seconds=1800,
    )
    workflow.start(job)
    workflow.start(job)
    executions = client.list_executions(stateMachineArn=arn)["executions"]
    assert [one["name"] for one in executions].count(job.video_id) == 1
    with pytest.raises(WorkflowError):
        StepFunctionsWorkflow(client, f"{arn}x").start(job)


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

"""What a webhook does to a record and to a wait: DynamoDB and Step Functions, played by moto."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from uuid6 import uuid7

from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.aws.dynamodb_items import NUDGED, WAKE_TOKEN, typed, video_key
from actionreel.aws.step_functions import StepFunctionsWorkflow
from actionreel.errors import WorkflowError
from actionreel.models import Handle
from local.stack import Stack
from local.template import ROOT
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import VIDEO_ID, a_video

TABLE = "VideoTable"
LONG = 300
tenants = (f"webhooks-{number}" for number in itertools.count())


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def videos(stack: Stack) -> DynamoDBVideoRepository:
    return DynamoDBVideoRepository(boto3.client("dynamodb"), TABLE)


def write(tenant: str, **attributes: Any) -> None:
    """As the state machine does, past the repository."""
    boto3.client("dynamodb").update_item(
        TableName=TABLE,
        Key=typed(video_key(tenant, VIDEO_ID)),
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in attributes),
        ExpressionAttributeValues=typed({f":{name}": one for name, one in attributes.items()}),
    )


def item(tenant: str) -> dict[str, Any]:
    key = typed(video_key(tenant, VIDEO_ID))
    found = boto3.client("dynamodb").get_item(TableName=TABLE, Key=key)
    return dict(found.get("Item", {}))


def test_the_owner_of_a_job_is_the_video_that_took_it(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    handle: Handle = {"id": f"of-{tenant}"}
    assert videos.owner_of("openai_videos", handle) is None
    videos.add(tenant, [a_video(tenant=tenant, status="submitting")], None)
    videos.take_job("openai_videos", handle, tenant, VIDEO_ID, {"submitting"}, status="generating")
    assert videos.owner_of("openai_videos", handle) == (tenant, VIDEO_ID)
    assert videos.owner_of("fal", handle) is None


@pytest.mark.parametrize(
    ("status", "token", "tried", "noted"),
    [
        ("generating", None, None, True),
        ("generating", "t1", "t1", True),
        ("generating", "t2", "t1", False),  # another wait has begun
        ("generating", "t1", None, False),
        ("generating", None, "t1", False),
        ("storing", "t1", "t1", False),
        ("submitting", None, None, True),  # it may overtake the answer to the create
        ("queued", None, None, False),
        ("completed", "t1", "t1", False),
    ],
)
def test_a_nudge_is_noted_for_the_wait_that_comes_next(
    videos: DynamoDBVideoRepository,
    tenant: str,
    status: str,
    token: str | None,
    tried: str | None,
    noted: bool,
) -> None:
    video = a_video(tenant=tenant, status=status)
    videos.add(tenant, [video], None)
    if token:
        write(tenant, wake_token=token)
    assert videos.wake_token(tenant, VIDEO_ID) == token
    assert videos.add_nudge(tenant, VIDEO_ID, tried) is noted
    assert (NUDGED in item(tenant)) is noted
    assert videos.get(tenant, VIDEO_ID) == video, "neither is part of the record"
    assert videos.page(tenant, 1, None, None)[0] == [video]


def test_what_is_not_there_is_not_nudged(videos: DynamoDBVideoRepository, tenant: str) -> None:
    assert videos.wake_token(tenant, VIDEO_ID) is None
    assert not videos.add_nudge(tenant, VIDEO_ID, None)
    assert item(tenant) == {}


Run = Callable[..., str]


@pytest.fixture(params=[TABLE])
def wait(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs the part of the state machine that waits; gives the name of an execution. What it came
    to is in its output: `look` or `plain`."""
    states = json.loads((ROOT / "statemachine/video_generation.asl.json").read_text())["States"]
    names = ("Which Wait?", "Wait For Provider Or Webhook", "Forget Nudge")
    waiting = {name: states[name] for name in names}
    plain = {"Type": "Pass", "Result": {"by": "plain"}, "End": True}
    definition = {
        "StartAt": "Which Wait?",
        "States": {
            **waiting,
            "Wait For Provider": plain,
            "Wait To Reconcile": {"Type": "Fail"},
            "Poll Video": {"Type": "Pass", "Result": {"by": "look"}, "End": True},
        },
    }
    client = boto3.client("stepfunctions")
    arn = client.create_state_machine(
        name=f"waits-{uuid7()}",
        definition=json.dumps(definition).replace("${VideoTableName}", request.param),
        roleArn="arn:aws:iam::123456789012:role/local",
    )["stateMachineArn"]

    def run(tenant: str, **document: Any) -> str:
        job = {"tenant": tenant, "video_id": VIDEO_ID, "status": "pending", **document}
        name = str(uuid7())
        return client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(job))[
            "executionArn"
        ]

    yield run
    client.delete_state_machine(stateMachineArn=arn)


def until(ready: Callable[[], Any]) -> Any:
    end = time.monotonic() + GIVE_UP_SECONDS
    while not (found := ready()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def came_to(execution: str) -> str:
    client = boto3.client("stepfunctions")

    def over() -> Any:
        said = client.describe_execution(executionArn=execution)
        return said if said["status"] != "RUNNING" else None

    said = until(over)
    assert said["status"] == "SUCCEEDED"
    return str(json.loads(said["output"])["by"])


@pytest.fixture
def workflow(stack: Stack) -> StepFunctionsWorkflow:
    return StepFunctionsWorkflow(boto3.client("stepfunctions"), "")


def test_a_wait_is_ended_by_its_token_once(
    wait: Run, videos: DynamoDBVideoRepository, workflow: StepFunctionsWorkflow, tenant: str
) -> None:
    """Nothing else ends it within the time that this test has."""
    videos.add(tenant, [a_video(tenant=tenant, status="generating")], None)
    execution = wait(tenant, awaits_webhook=True, wait_seconds=LONG)
    token = until(lambda: videos.wake_token(tenant, VIDEO_ID))
    assert until(lambda: workflow.wake(token))  # it is written a moment before it is waited for
    assert came_to(execution) == "look"
    assert not workflow.wake(token)


def test_a_wait_without_a_webhook_ends_by_itself_and_its_token_with_it(
    wait: Run, videos: DynamoDBVideoRepository, workflow: StepFunctionsWorkflow, tenant: str
) -> None:
    videos.add(tenant, [a_video(tenant=tenant, status="generating")], None)
    assert came_to(wait(tenant, awaits_webhook=True, wait_seconds=1)) == "look"
    assert not workflow.wake(str(videos.wake_token(tenant, VIDEO_ID)))


def test_a_nudge_leaves_nothing_to_wait_for_once(
    wait: Run, videos: DynamoDBVideoRepository, workflow: StepFunctionsWorkflow, tenant: str
) -> None:
    videos.add(tenant, [a_video(tenant=tenant, status="generating")], None)
    assert videos.add_nudge(tenant, VIDEO_ID, None)
    assert came_to(wait(tenant, awaits_webhook=True, wait_seconds=LONG)) == "look"
    assert not {NUDGED, WAKE_TOKEN} & item(tenant).keys()
    again = wait(tenant, awaits_webhook=True, wait_seconds=LONG)
    token = until(lambda: videos.wake_token(tenant, VIDEO_ID))
    assert until(lambda: workflow.wake(token))
    assert came_to(again) == "look"


@pytest.mark.parametrize("document", [{}, {"awaits_webhook": False}])
def test_who_awaits_none_waits_as_before(
    wait: Run, videos: DynamoDBVideoRepository, tenant: str, document: dict[str, Any]
) -> None:
    videos.add(tenant, [a_video(tenant=tenant, status="generating")], None)
    assert came_to(wait(tenant, wait_seconds=LONG, **document)) == "plain"
    assert WAKE_TOKEN not in item(tenant)


def test_a_record_that_is_gone_stays_gone(wait: Run, tenant: str) -> None:
    assert came_to(wait(tenant, awaits_webhook=True, wait_seconds=LONG)) == "plain"
    assert item(tenant) == {}


@pytest.mark.parametrize("wait", ["no-such-table"], indirect=True)
def test_trouble_with_the_token_is_a_plain_wait(wait: Run, tenant: str) -> None:
    assert came_to(wait(tenant, awaits_webhook=True, wait_seconds=LONG)) == "plain"


@pytest.mark.parametrize("token", ["no token", "x" * 900])
def test_a_token_of_nobody_wakes_nobody(workflow: StepFunctionsWorkflow, token: str) -> None:
    assert not workflow.wake(token)


def test_a_wake_that_cannot_be_sent_says_so_without_the_token(
    stack: Stack,
) -> None:
    nowhere = boto3.client(
        "stepfunctions",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(WorkflowError) as raised:
        StepFunctionsWorkflow(nowhere, "").wake("hidden")
    assert "hidden" not in str(raised.value)
    assert raised.value.__cause__ is None

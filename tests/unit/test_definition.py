"""The state machine's definition, against the template and the errors that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from actionreel import errors
from actionreel.aws.dynamodb_items import NUDGED, WAKE_TOKEN, video_key
from actionreel.errors import ActionreelError
from actionreel.ledger import MAX_ASKS
from actionreel.models import Video, VideoJob
from actionreel.registry import Registry
from actionreel.schedule import RECONCILE_WAITS, wait_to_ask_again
from local.template import ROOT, Template
from tests.fakes import VIDEO_ID

TEMPLATE = Template({})
MACHINE = TEMPLATE.of_type("AWS::Serverless::StateMachine")["VideoStateMachine"]
TEXT = (ROOT / MACHINE["DefinitionUri"]).read_text()
DEFINITION: dict[str, Any] = json.loads(TEXT)
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
# A task is a function's, but for two that write to the record by themselves.
TASKS = {
    name: state
    for name, state in STATES.items()
    if state["Type"] == "Task" and state["Resource"].startswith("$")
}
WAKING, FORGETTING = STATES["Wait For Provider Or Webhook"], STATES["Forget Nudge"]
LONGEST_RETRY_AFTER = wait_to_ask_again(1, 1e9)
CLASSES = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ActionreelError)
}

# Lambda's own trouble. Some of it comes after the code has run; then a second run of Create finds
# on the record that the first one has asked.
LAMBDA = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
}


def targets(state: dict[str, Any]) -> Iterator[str]:
    """Every state that can follow."""
    for rule in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from (rule[word] for word in ("Next", "Default") if word in rule)


def function_of(task: dict[str, Any]) -> dict[str, Any]:
    """The properties of the template's function that a task calls."""
    name = re.fullmatch(r"\$\{(\w+)\}", task["Resource"])
    assert name, "the resource is a substitution"
    attribute = MACHINE["DefinitionSubstitutions"][name[1]]["GetAtt"]
    assert attribute.endswith(".Arn")
    return TEMPLATE.functions()[attribute.removesuffix(".Arn")]


def errors_named(word: str) -> set[str]:
    """The errors in every rule of that kind."""
    rules = [rule for state in STATES.values() for rule in state.get(word, ())]
    return {error for rule in rules for error in rule["ErrorEquals"]}


def test_every_target_is_a_state() -> None:
    assert {target for state in STATES.values() for target in targets(state)} <= STATES.keys()


def test_every_state_is_reached() -> None:
    reached, ahead = set[str](), [DEFINITION["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += targets(STATES[name])
    assert reached == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_every_state_goes_on_or_ends(name: str) -> None:
    state = STATES[name]
    final = state["Type"] in ("Succeed", "Fail") or state.get("End") is True
    assert final != any(targets(state))
    if state["Type"] == "Choice":
        assert "Default" in state


@pytest.mark.parametrize("name", TASKS)
def test_a_task_outlasts_its_function(name: str) -> None:
    assert TASKS[name]["TimeoutSeconds"] > function_of(TASKS[name])["Timeout"]
    assert TASKS[name]["TimeoutSeconds"] < DEFINITION["TimeoutSeconds"]


def test_a_video_can_reach_its_deadline_and_be_stored_in_the_machine_s_time() -> None:
    store = TASKS["Store Video"]
    deadline = max(model.deadline_seconds for model in Registry.load().models)
    again = sum(rule["MaxAttempts"] * rule["MaxDelaySeconds"] for rule in store["Retry"])
    storing = store["TimeoutSeconds"] + again
    asking = MAX_ASKS * (LONGEST_RETRY_AFTER + TASKS["Create Video"]["TimeoutSeconds"])
    looking = 2 * sum(RECONCILE_WAITS)
    assert asking + looking + deadline + storing < DEFINITION["TimeoutSeconds"]


TELLING = ("Report Progress", "Deliver Result")


@pytest.mark.parametrize("name", sorted(TASKS.keys() - {"Fail Video", *TELLING}))
def test_every_trouble_leads_to_the_record(name: str) -> None:
    """What became of a request is found out first; everything else is written down at once."""
    after = "Reconcile Video" if name == "Create Video" else "Fail Video"
    assert TASKS[name]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": after}
    ]


def test_create_is_repeated_only_for_lambda_s_own_trouble() -> None:
    [rule] = TASKS["Create Video"]["Retry"]
    assert set(rule["ErrorEquals"]) == LAMBDA


def test_a_video_does_not_wait_for_those_who_watch_it() -> None:
    """What tells them dies without harm; what tells the result dies with the execution, and another
    one goes on with it."""
    report, deliver = (TASKS[name] for name in TELLING)
    assert "Retry" not in report and "Catch" not in deliver
    [rule] = report["Catch"]
    assert (rule["ErrorEquals"], rule["Next"]) == (["States.ALL"], report["Next"])
    assert rule["ResultPath"] is report["ResultPath"] is None


@pytest.mark.parametrize("name", sorted(TASKS.keys() - {"Create Video", "Report Progress"}))
def test_every_other_task_is_repeated_whatever_the_trouble(name: str) -> None:
    assert TASKS[name]["Retry"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", TASKS)
def test_repetitions_are_spread_and_bounded(name: str) -> None:
    for rule in TASKS[name].get("Retry", ()):
        assert rule["JitterStrategy"] == "FULL"
        assert 0 < rule["IntervalSeconds"] <= rule["MaxDelaySeconds"] <= 60
        assert 0 < rule["MaxAttempts"] <= 30


@pytest.mark.parametrize(("name", "minutes"), [("Poll Video", 10), ("Store Video", 10)])
def test_what_is_paid_for_outlasts_minutes_of_trouble(name: str, minutes: int) -> None:
    """Full jitter: on average half of each delay is waited."""
    rule = TASKS[name]["Retry"][-1]
    delays = [
        min(rule["IntervalSeconds"] * rule["BackoffRate"] ** n, rule["MaxDelaySeconds"])
        for n in range(rule["MaxAttempts"])
    ]
    assert sum(delays) / 2 > minutes * 60


def test_every_status_of_a_document_leads_somewhere() -> None:
    choice = STATES["Video Ready?"]
    watched, *by_status = choice["Choices"]
    assert watched["And"][0] == {
        "Or": [
            {"Variable": "$.status", "StringEquals": "pending"},
            {"Variable": "$.status", "StringEquals": "ambiguous"},
        ]
    }
    assert [rule["Variable"] for rule in watched["And"][1:]] == ["$.reports"] * 2
    assert watched["Next"] == "Report Progress"
    ways = {rule["StringEquals"]: rule["Next"] for rule in by_status}
    assert ways == {
        "queued": "Wait To Ask Again",
        "ambiguous": "Which Wait?",
        "pending": "Which Wait?",
        "completed": "Store Video",
        "stored": "Somebody To Tell?",
    }
    assert {rule["Variable"] for rule in by_status} == {"$.status"}
    assert choice["Default"] == "Fail Video"
    statuses = get_args(VideoJob.model_fields["status"].annotation)
    assert {*ways, "failed", "cancelled", "unknown"} == set(statuses)


def test_every_task_but_the_last_is_followed_by_the_question() -> None:
    followed = {name: task["Next"] for name, task in TASKS.items()}
    assert followed.pop("Fail Video") == followed.pop("Deliver Result") == "Somebody To Tell?"
    assert followed.pop("Report Progress") == "Which Wait?"
    assert set(followed.values()) == {"Video Ready?"}


def test_who_waits_for_the_result_is_told_it_and_then_the_execution_ends_as_the_video_did() -> None:
    choice = STATES["Somebody To Tell?"]
    now, later, made = choice["Choices"]
    for rule, word, target in (
        (now, "now", "Deliver Result"),
        (later, "later", "Wait To Deliver"),
    ):
        assert rule["And"] == [
            {"Variable": "$.tell", "IsPresent": True},
            {"Variable": "$.tell", "StringEquals": word},
        ]
        assert rule["Next"] == target
    assert made == {"Variable": "$.status", "StringEquals": "stored", "Next": "Done"}
    assert choice["Default"] == "Video Failed"
    words = get_args(VideoJob.model_fields["tell"].annotation)
    assert get_args(words[0]) == ("now", "later")


@pytest.mark.parametrize(
    ("wait", "task"),
    [
        ("Wait To Ask Again", "Create Video"),
        ("Wait To Reconcile", "Reconcile Video"),
        ("Wait For Provider", "Poll Video"),
        ("Wait To Deliver", "Deliver Result"),
    ],
)
def test_a_wait_is_as_long_as_the_document_says(wait: str, task: str) -> None:
    assert (STATES[wait]["SecondsPath"], STATES[wait]["Next"]) == ("$.wait_seconds", task)


def test_who_awaits_a_webhook_waits_with_a_token() -> None:
    """A document of another release may not have the field: then it is not asked what it says."""
    doubt, rule = STATES["Which Wait?"]["Choices"]
    assert doubt == {
        "Variable": "$.status",
        "StringEquals": "ambiguous",
        "Next": "Wait To Reconcile",
    }
    assert STATES["Which Wait?"]["Default"] == "Wait For Provider"
    assert rule["Next"] == "Wait For Provider Or Webhook"
    assert rule["And"] == [
        {"Variable": "$.awaits_webhook", "IsPresent": True},
        {"Variable": "$.awaits_webhook", "BooleanEquals": True},
    ]
    assert "awaits_webhook" in VideoJob.model_fields
    assert WAKING["Resource"].endswith(":updateItem.waitForTaskToken")
    assert WAKING["TimeoutSecondsPath"] == STATES["Wait For Provider"]["SecondsPath"]


def test_a_wait_with_a_token_ends_in_a_look_and_trouble_with_it_in_a_plain_wait() -> None:
    assert WAKING["Next"] == FORGETTING["Next"] == "Poll Video"
    ways = {error: rule["Next"] for rule in WAKING["Catch"] for error in rule["ErrorEquals"]}
    assert ways == {
        "States.Timeout": "Poll Video",
        "DynamoDb.ConditionalCheckFailedException": "Forget Nudge",  # as AWS and moto write it
        "DynamoDB.ConditionalCheckFailedException": "Forget Nudge",
        "States.ALL": "Wait For Provider",
    }
    [rule] = FORGETTING["Catch"]
    assert (rule["ErrorEquals"], rule["Next"]) == (["States.ALL"], "Wait For Provider")


def test_waiting_leaves_the_document_as_it_is() -> None:
    """The token is a credential: it is on the record and nowhere else."""
    for rule in (WAKING, FORGETTING, *WAKING["Catch"], *FORGETTING["Catch"]):
        assert rule["ResultPath"] is None
    assert TEXT.count("$$.Task.Token") == 1


def test_it_writes_to_the_record_where_the_repository_reads_it() -> None:
    key = {
        name: value["S.$"].replace("$.tenant", "acme").replace("$.video_id", VIDEO_ID)
        for name, value in WAKING["Parameters"]["Key"].items()
    }
    expected = video_key("acme", VIDEO_ID)
    for name, (template, argument) in {
        name: re.fullmatch(r"States.Format\('(.*)', (.*)\)", text).groups()  # type: ignore[union-attr]
        for name, text in key.items()
    }.items():
        assert template.format(argument) == expected[name]
    assert FORGETTING["Parameters"]["Key"] == WAKING["Parameters"]["Key"]
    assert WAKING["Parameters"]["UpdateExpression"].startswith(f"SET {WAKE_TOKEN} =")
    assert WAKING["Parameters"]["ConditionExpression"].endswith(f"attribute_not_exists({NUDGED})")
    assert FORGETTING["Parameters"]["UpdateExpression"] == f"REMOVE {NUDGED}"
    assert not {WAKE_TOKEN, NUDGED} & Video.model_fields.keys()


def test_every_substitution_is_made_and_used() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == MACHINE["DefinitionSubstitutions"].keys()


def test_every_error_of_ours_that_it_names_exists() -> None:
    named = errors_named("Retry") | errors_named("Catch")
    ours = {
        error for error in named if not re.match(r"(States|Lambda|Sandbox|DynamoD[bB])\.", error)
    }
    assert ours
    assert ours <= CLASSES.keys()


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", str(errors.__doc__), re.M):
        depth = len(indent) // 4
        path[depth:] = [name]
        drawn[name] = path[depth - 1] if depth else "Exception"
    assert drawn == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}


def test_it_says_what_the_local_interpreter_can_run() -> None:
    assert "QueryLanguage" not in TEXT
    assert "Assign" not in TEXT
    assert MACHINE["Logging"]["IncludeExecutionData"] is False
    assert MACHINE["Tracing"]["Enabled"] is True

"""The state machine's definition, against the template and the errors that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from actionreel import errors
from actionreel.errors import (
    ActionreelError,
    ProviderError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.registry import Registry
from local.template import ROOT, Template

TEMPLATE = Template({})
[MACHINE] = TEMPLATE.of_type("AWS::Serverless::StateMachine").values()
TEXT = (ROOT / MACHINE["DefinitionUri"]).read_text()
DEFINITION: dict[str, Any] = json.loads(TEXT)
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
CLASSES = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ActionreelError)
}

# Refusals by AWS or by us that come before anything was sent to a provider; and Lambda's own
# trouble, after which a second run finds on the record whether the first one got that far.
NOTHING_WAS_SENT = {
    "RecordUnavailableError",
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
    deadline = max(model.deadline_seconds for model in Registry.load().models)
    again = sum(rule["MaxAttempts"] for rule in TASKS["Store Video"]["Retry"])
    storing = TASKS["Store Video"]["TimeoutSeconds"] * (1 + again)
    assert deadline + storing < DEFINITION["TimeoutSeconds"]


def test_every_trouble_leads_to_the_record() -> None:
    for name in TASKS.keys() - {"Fail Video"}:
        assert TASKS[name]["Catch"][-1] == {
            "ErrorEquals": ["States.ALL"],
            "ResultPath": "$.caught",
            "Next": "Fail Video",
        }
    assert errors_named("Retry") >= {"States.ALL"}


def test_every_substitution_is_made_and_used() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == MACHINE["DefinitionSubstitutions"].keys()


def test_every_error_of_ours_that_it_names_exists() -> None:
    named = errors_named("Retry") | errors_named("Catch")
    ours = {error for error in named if not re.match(r"(States|Lambda|Sandbox)\.", error)}
    assert ours
    assert ours <= CLASSES.keys()


def test_create_is_repeated_only_where_certainly_no_job_was_made() -> None:
    repeated = {error for rule in TASKS["Create Video"]["Retry"] for error in rule["ErrorEquals"]}
    certain = {ProviderThrottledError.__name__, ProviderUnavailableError.__name__}
    assert repeated == certain | NOTHING_WAS_SENT


def test_the_errors_of_a_provider_that_can_be_repeated_are_the_repeated_ones() -> None:
    """One that the definition does not know would end the video."""
    retryable = {
        name for name, kind in CLASSES.items() if issubclass(kind, ProviderError) and kind.retryable
    }
    assert retryable == {"ProviderThrottledError", "ProviderUnavailableError"}


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

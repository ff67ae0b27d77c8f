"""Somebody hears when something goes wrong, and finds in the runbook what to do: the alarms and the
dashboard of the template, as SAM's transform leaves them."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from actionreel.ports import Metric
from local.template import ROOT
from tests import transformed

RESOURCES = transformed.resources()
DOCUMENT = transformed.document()
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
OURS = {"Fn::Sub": "Actionreel/${AWS::StackName}"}

ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}


def metrics(alarm: Any) -> list[Any]:
    """The metrics that an alarm looks at."""
    parts = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return parts or [alarm]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_heard_and_explained(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["AlarmDescription"].endswith(".")
    assert alarm["TreatMissingData"] in ("notBreaching", "breaching")
    assert f"## {name}\n" in RUNBOOK, "docs/runbook.md does not say what to do"


def test_the_runbook_knows_no_other_alarms() -> None:
    assert set(re.findall(r"^## (\w+Alarm)$", RUNBOOK, re.MULTILINE)) == ALARMS.keys()


def test_our_own_metrics_are_told_by_the_code() -> None:
    code = "".join(
        path.read_text() for path in (ROOT / "layers/core/python/actionreel").glob("*.py")
    )
    for metric in get_args(Metric):
        assert re.search(rf'measure\("{metric}"|: "{metric}"', code), f"nobody tells {metric}"
    watched = [
        metric
        for alarm in ALARMS.values()
        for metric in metrics(alarm)
        if metric["Namespace"] == OURS
    ]
    assert {metric["MetricName"] for metric in watched} <= set(get_args(Metric))
    for metric in watched:
        assert metric["Dimensions"] == [{"Name": "service", "Value": "actionreel"}]
    variables = DOCUMENT["Resources"]["ApiFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == OURS
    assert variables["POWERTOOLS_SERVICE_NAME"] == "actionreel"


def test_what_is_counted_in_logs_is_what_an_alarm_looks_at() -> None:
    [made] = RESOURCES["ThrottledRequests"]["Properties"]["MetricTransformations"]
    counted = (made["MetricNamespace"], made["MetricName"])
    watched = [(one["Namespace"], one["MetricName"]) for one in metrics(ALARMS["ThrottlesAlarm"])]
    assert counted in watched
    api = RESOURCES["HttpApiApiGatewayDefaultStage"]["Properties"]
    line = json.loads(api["AccessLogSettings"]["Format"])
    pattern = RESOURCES["ThrottledRequests"]["Properties"]["FilterPattern"]
    assert set(re.findall(r"\$[.](\w+)", pattern)) <= line.keys()


def test_sums_take_what_is_missing_as_nothing_and_look_back_for_what_comes_late() -> None:
    sums = [
        (part["Expression"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"])
        for alarm in ALARMS.values()
        for part in alarm.get("Metrics", [])
        if "SUM" in part.get("Expression", "")
    ]
    assert len(sums) >= 4
    assert set(sums) == {("SUM(FILL(METRICS(), 0))", 3, 1)}


def test_alarms_look_at_what_there_is() -> None:
    for alarm in ALARMS.values():
        for metric in metrics(alarm):
            for dimension in metric.get("Dimensions", []):
                if isinstance(dimension["Value"], dict):
                    assert dimension["Value"]["Ref"] in RESOURCES
        assert len(alarm.get("Metrics", [])) <= 11, "CloudWatch takes ten metrics and a formula"


def test_the_dashboard_is_json_and_shows_metrics_that_there_are() -> None:
    text = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    board = json.loads(text)
    shown = [metric for widget in board["widgets"] for metric in widget["properties"]["metrics"]]
    ours = {metric[1] for metric in shown if metric[0] == OURS["Fn::Sub"]}
    assert ours == set(get_args(Metric))
    assert set(re.findall(r"\$\{(\w+)[}.]", text)) <= RESOURCES.keys()


def test_dashboards_of_two_regions_have_two_names() -> None:
    """CloudWatch knows dashboards by one list for the whole account."""
    name = RESOURCES["Dashboard"]["Properties"]["DashboardName"]
    assert name == {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}

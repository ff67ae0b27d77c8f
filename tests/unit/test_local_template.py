"""What the local run reads out of a template: schedules, rules, and what they refer to."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.template import ACCOUNT, REGION, Template

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Machine"


def a_template(folder: Path, schedule: str = "rate(5 minutes)") -> Template:
    path = folder / "template.yaml"
    path.write_text(
        f"""
        Parameters:
          Name: {{ Default: x }}
        Globals: {{ Function: {{ Timeout: 3 }} }}
        Resources:
          Machine: {{ Type: AWS::Serverless::StateMachine }}
          Sweep:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Often: {{ Type: Schedule, Properties: {{ Schedule: "{schedule}" }} }}
                Page: {{ Type: HttpApi, Properties: {{ Method: GET, Path: / }} }}
          Close:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Ended:
                  Type: EventBridgeRule
                  Properties:
                    Pattern:
                      source: [aws.states]
                      detail: {{ stateMachineArn: [!Ref Machine], status: [FAILED] }}
          Quiet: {{ Type: AWS::Serverless::Function }}
        """
    )
    return Template({}, path)


def test_each_kind_of_event_goes_to_its_own_functions(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    assert template.schedules() == {"Sweep": 300}
    [(function, pattern)] = template.rules()
    assert function == "Close"
    assert pattern == {
        "source": ["aws.states"],
        "detail": {"stateMachineArn": [MACHINE], "status": ["FAILED"]},
    }
    assert [route.function for route in template.routes()] == ["Sweep"]


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("rate(1 second)", 1),
        ("rate(1 minute)", 60),
        ("rate(90 minutes)", 5400),
        ("rate(2 hours)", 7200),
        ("rate(7 days)", 604_800),
    ],
)
def test_a_rate_is_so_many_seconds(tmp_path: Path, schedule: str, seconds: float) -> None:
    assert a_template(tmp_path, schedule).schedules() == {"Sweep": seconds}


@pytest.mark.parametrize("schedule", ["cron(0 12 * * ? *)", "rate(5 weeks)", "rate()", "5 minutes"])
def test_a_schedule_that_does_not_run_at_home_says_so(tmp_path: Path, schedule: str) -> None:
    with pytest.raises(ValueError, match="does not run at home"):
        a_template(tmp_path, schedule).schedules()

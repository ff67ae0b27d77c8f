"""The environment in, the settings out."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from actionreel.models import Recovery
from actionreel.settings import Settings


def test_a_server_is_taken_to_list_its_jobs() -> None:
    """The protocol has a list; where it cannot tell, it says so, and nothing is asked twice."""
    assert Settings.from_environment({}).provider_recovery == "list"
    assert Settings.from_environment({"PROVIDER_RECOVERY": " "}).provider_recovery == "list"


@pytest.mark.parametrize("recovery", get_args(Recovery))
def test_every_way_to_recover_can_be_set(recovery: Recovery) -> None:
    assert Settings.from_environment({"PROVIDER_RECOVERY": recovery}).provider_recovery == recovery


def test_a_word_that_is_no_way_to_recover_stops_the_function_at_its_start() -> None:
    with pytest.raises(ValidationError):
        Settings.from_environment({"PROVIDER_RECOVERY": "retry"})


def test_names_are_the_fields_in_capitals_and_others_are_ignored() -> None:
    environment = {"TABLE_NAME": " table ", "table_name": "no", "PATH": "/bin"}
    assert Settings.from_environment(environment) == Settings(table_name="table")

"""The studio calls when a job has ended: the running stack, each in a process of its own."""

from __future__ import annotations

import multiprocessing

from tests.told import Story, story

MUCH_LONGER_THAN_THIS_TEST = 600


def in_its_own_process(webhooks: bool, wait_seconds: int | None) -> Story:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(story, (webhooks, wait_seconds))


def test_a_webhook_ends_a_wait_that_nothing_else_would_have_ended() -> None:
    told = in_its_own_process(webhooks=True, wait_seconds=MUCH_LONGER_THAN_THIS_TEST)
    assert told.status == "completed"
    assert told.states.count("Wait For Provider Or Webhook") == 1
    assert told.states.count("Poll Video") == 1
    assert "Wait For Provider" not in told.states
    assert 0 < told.late_seconds < MUCH_LONGER_THAN_THIS_TEST
    assert told.stranger == 404


def test_without_webhooks_it_is_looked_at_as_the_schedule_says() -> None:
    seen = in_its_own_process(webhooks=False, wait_seconds=None)
    assert seen.status == "completed"
    assert seen.states.count("Wait For Provider") == seen.states.count("Poll Video") >= 1
    assert "Wait For Provider Or Webhook" not in seen.states

"""Telling a result while its link cannot be made: nothing gets lost, and nothing is told twice."""

from __future__ import annotations

from typing import Any

import pytest

from actionreel import messages, results
from actionreel.api_models import ActionsRequest
from actionreel.chat_answers import answer
from actionreel.deliveries import WAITS, deliver
from actionreel.models import VideoJob
from actionreel.results import result
from tests.fake_chats import CALLBACK
from tests.fakes import LINK_KEY, MP4, NOON, VIDEO_ID, FakeServices, at, record
from tests.linked import CONTENT
from tests.unit.test_chat_answers import REF, asked, texts
from tests.unit.test_deliveries import ended, followed

LOOK = f'<continueVideoPolling>{{"videoId": "{VIDEO_ID}"}}</continueVideoPolling>'
CREATE = '<createAIVideo>{"prompt": "a paper boat"}</createAIVideo>'


def run(services: FakeServices, job: VideoJob | None = None) -> VideoJob:
    return deliver(job or record(services).job(), services)


@pytest.mark.parametrize(
    "changes", [{}, {"announcement": "a"}, {"bytes": 1001}, {"place": CALLBACK}]
)
def test_a_result_is_told_when_its_link_can_be_made_again(changes: dict[str, Any]) -> None:
    services = ended(**changes)
    services.secrets["links"] = ""
    job = run(services)
    assert (job.tell, job.wait_seconds, job.tellings) == ("later", WAITS[0], 1)
    assert record(services).delivery == "owed"
    assert services.callbacks.calls == []
    services.secrets["links"] = LINK_KEY
    assert run(services, job).tell is None
    assert record(services).delivery == "delivered"
    if "place" in changes:
        [(_, _, document)] = services.callbacks.calls
        assert document["data"]["data"]["videoUrl"] == CONTENT
    else:
        [message] = services.messenger.shown()
        assert (message.film, message.link) in [(MP4, CONTENT), (None, CONTENT)]


def test_a_result_whose_link_can_never_be_made_says_why_it_was_not_told() -> None:
    services = ended(place=CALLBACK)
    services.secrets["links"] = ""
    job = record(services).job()
    for _ in WAITS:
        job = run(services, job)
        assert job.tell == "later"
    assert run(services, job).tell is None
    assert record(services).delivery == "not_delivered"
    assert record(services).delivery_reason == "The links cannot be made now."


def test_what_has_no_link_is_told_all_the_same() -> None:
    services = ended(status="cancelled", place=CALLBACK)
    services.secrets["links"] = ""
    assert run(services).tell is None
    assert record(services).delivery == "delivered"


def test_the_model_sees_a_result_when_its_link_can_be_made() -> None:
    services = followed(bytes=1001)
    told = run(services)
    assert told.tell is None
    services = followed(delivery="delivered")
    services.secrets["links"] = ""
    job = run(services)
    assert (job.tell, services.turns_started) == ("later", [])
    services.secrets["links"] = LINK_KEY
    assert run(services, job).tell is None
    assert services.turns_started == [f"{VIDEO_ID}-result"]
    turn = services.chats.turn("default", f"{VIDEO_ID}-result")
    assert turn is not None and CONTENT in turn.message.text


def test_a_model_that_cannot_be_shown_it_is_given_up_after_an_hour() -> None:
    services = followed(delivery="delivered")
    services.secrets["links"] = ""
    job = record(services).job().model_copy(update={"tellings": len(WAITS)})
    assert run(services, job).tell is None
    assert services.turns_started == []


def test_a_message_that_starts_a_video_is_answered_while_links_cannot_be_made() -> None:
    services = at("completed")
    services.secrets["links"] = ""
    outcomes = messages.act(ActionsRequest(text=CREATE + LOOK), "default", services)
    links = services.links("https://api.test")
    shown = [result(outcome, NOON, links, {}) for outcome in outcomes]
    assert [one["type"] for one in shown] == ["VIDEO_PENDING", "VIDEO_PENDING"]
    assert "link cannot be given" in shown[1]["data"]["message"]


def test_a_chat_that_asks_for_a_video_hears_that_its_link_comes_later() -> None:
    services = asked(LOOK, services=at("completed", base_url="https://api.test"))
    services.secrets["links"] = ""
    answer(REF, services)
    assert texts(services) == [
        "“a paper boat” is ready. Its link cannot be given at the moment; ask for it again in a"
        " minute."
    ]


def test_a_record_of_an_older_release_has_no_address_and_is_told_all_the_same() -> None:
    services = ended(base_url=None)
    assert run(services).tell is None
    assert record(services).delivery == "delivered"
    assert results.video_url(record(services), services.links("")) == CONTENT.removeprefix(
        "https://api.test"
    )

"""Fuzzes the API: no request may be answered with a 5xx. `make fuzz REQUESTS=100000`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections import Counter
from importlib import import_module
from typing import Any

import boto3
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from mcp.types import INTERNAL_ERROR
from moto import mock_aws

from actionreel import bootstrap
from actionreel.api_keys import ApiKey, key_hash
from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.aws.dynamodb_chats import DynamoDBChatRepository
from actionreel.aws.dynamodb_keys import DynamoDBKeyRepository
from functions.answer_message import app as answer_function
from functions.api import app as api_function
from functions.authorizer import app as authorizer_function
from functions.chat import app as chat_function
from functions.mcp import app as mcp_function
from functions.webhooks import app as webhooks_function
from local.stack import create_tables
from local.template import REGION, Template
from tests.fakes import NOON, FakeServices, a_video
from tests.fuzz.agents import protocol_events
from tests.fuzz.chats import SECTIONS, chat_events
from tests.fuzz.openai_requests import openai_events
from tests.fuzz.requests import KEY, KEYED, events

_FUNCTIONS = {"webhooks": webhooks_function, "chat": chat_function, "mcp": mcp_function}
Requests = SearchStrategy[dict[str, Any]]
OURS: Requests = events() | chat_events() | chat_events() | protocol_events()
EMPTIED_EVERY = 400  # requests: a transaction of moto's copies its whole table


class Api:
    """The API over DynamoDB's conditions and limits, with executions that are only noted."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.asked: Counter[bool] = Counter()  # what the authorizer said, and how often
        self.messages = 0
        self._services = FakeServices()
        self._client: Any = boto3.client("dynamodb", region_name=REGION)
        self._services.videos = DynamoDBVideoRepository(  # type: ignore[assignment]
            self._client, "VideoTable"
        )
        self._services.sections = SECTIONS
        self._services.readers = {
            name: import_module(f"actionreel.chat.{name}") for name in SECTIONS
        }
        self._empty()
        bootstrap.use(self._services)

    def answer(self, event: dict[str, Any]) -> int:
        """The status of the answer, which must be one that API Gateway can hand on."""
        if sum(self.answers.values()) % EMPTIED_EVERY == EMPTIED_EVERY - 1:
            self._empty()
        if not self._admits(event):
            self.answers[403] += 1
            return 403
        function = _FUNCTIONS.get(str(event["rawPath"]).strip("/").partition("/")[0], api_function)
        answer = json.loads(json.dumps(function.lambda_handler(event, None)))
        status: int = answer["statusCode"]
        self.answers[status] += 1
        if function is mcp_function:
            _check_protocol(answer)
        elif status >= 400:
            said = json.loads(answer["body"])
            if str(event["rawPath"]).startswith("/v1/"):
                assert set(said["error"]) == {"message", "type", "param", "code"}, said
            else:
                assert set(said) == {"error", "code"}, said
        self._answer_messages()
        return status

    def _admits(self, event: dict[str, Any]) -> bool:
        """Asks the authorizer, as API Gateway would, and puts what it says into the event."""
        if event["routeKey"] not in KEYED or "authorization" not in event["headers"]:
            return True
        kept = {name: value for name, value in event.items() if name != "body"}
        source = [event["headers"]["authorization"]]
        said = authorizer_function.lambda_handler({**kept, "identitySource": source}, None)
        if said["isAuthorized"]:
            assert source[0].split() in (["Bearer", KEY], ["bearer", KEY]), "who else has a key?"
            event["requestContext"]["authorizer"] = {"lambda": said["context"]}
        self.asked[said["isAuthorized"]] += 1
        return bool(said["isAuthorized"])

    def _answer_messages(self) -> None:
        """What was taken in is answered, whatever it is."""
        while self._services.turns_started:
            turn = {"tenant": "default", "turn_id": self._services.turns_started.pop()}
            answer_function.lambda_handler(turn, None)
            self.messages += 1

    def _empty(self) -> None:
        if self._client.list_tables()["TableNames"]:
            self._client.delete_table(TableName="VideoTable")
        create_tables(Template({}), self._client)
        self._services.chats = DynamoDBChatRepository(self._client, "VideoTable")
        self._services.keys = DynamoDBKeyRepository(  # type: ignore[assignment]
            self._client, "VideoTable"
        )
        key = ApiKey(tenant="default", key_hash=key_hash(KEY), created_at=NOON)
        self._services.keys.add(key)
        self._services.videos.add("default", [a_video(status="unknown")], None)


def _check_protocol(answer: dict[str, Any]) -> None:
    """An answer of the Model Context Protocol, whose errors of ours may come with a 200."""
    if answer["headers"].get("content-type") == "application/json" and answer["body"]:
        said = json.loads(answer["body"])
        assert said["jsonrpc"] == "2.0", said
        assert "result" in said or said["error"]["code"] != INTERNAL_ERROR, said


def fuzz(requests: int, first: int = 0, sent: Requests = OURS) -> Api:
    """Sends that many requests of those; gives the API, with the statuses of its answers and the
    number of messages that it answered in chats. The same `first` sends the same ones. Raises
    AssertionError, with the event in Hypothesis's report, for a 5xx."""
    before = bootstrap._services
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    with mock_aws():  # brings credentials that open nothing
        api = Api()

        @seed(first)
        @settings(
            max_examples=requests,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(sent)
        def never_a_5xx(event: dict[str, Any]) -> None:
            assert api.answer(event) < 500

        try:
            never_a_5xx()
        finally:
            bootstrap.use(before)
            logging.disable(logging.NOTSET)
        return api


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    began = time.perf_counter()
    api = fuzz(chosen.requests, chosen.seed, OURS | openai_events())
    answers = api.answers
    counted = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    print(f"{api.messages:,} of them were messages of chats, which were answered.")
    print(f"{answers.total():,} requests, no 5xx: {counted} ({time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    main()

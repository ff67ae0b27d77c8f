"""Fuzzes the API: no request may be answered with a 5xx. `make fuzz REQUESTS=100000`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections import Counter
from typing import Any

import boto3
from hypothesis import HealthCheck, Phase, given, seed, settings
from moto import mock_aws

from actionreel import bootstrap
from actionreel.aws.dynamodb import DynamoDBVideoRepository
from functions.api import app as api_function
from functions.webhooks import app as webhooks_function
from local.stack import create_tables
from local.template import REGION, Template
from tests.fakes import FakeServices, a_video
from tests.fuzz.requests import events

EMPTIED_EVERY = 400  # requests: a transaction of moto's copies its whole table


class Api:
    """The API over DynamoDB's conditions and limits, with executions that are only noted."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self._services = FakeServices()
        self._client: Any = boto3.client("dynamodb", region_name=REGION)
        self._services.videos = DynamoDBVideoRepository(  # type: ignore[assignment]
            self._client, "VideoTable"
        )
        self._empty()
        bootstrap.use(self._services)

    def answer(self, event: dict[str, Any]) -> int:
        """The status of the answer, which must be one that API Gateway can hand on."""
        if sum(self.answers.values()) % EMPTIED_EVERY == EMPTIED_EVERY - 1:
            self._empty()
        heard = str(event["rawPath"]).startswith("/webhooks/")
        function = webhooks_function if heard else api_function
        answer = json.loads(json.dumps(function.lambda_handler(event, None)))
        status: int = answer["statusCode"]
        self.answers[status] += 1
        if status >= 400:
            said = json.loads(answer["body"])
            assert set(said) == {"error", "code"}, said
        return status

    def _empty(self) -> None:
        if self._client.list_tables()["TableNames"]:
            self._client.delete_table(TableName="VideoTable")
        create_tables(Template({}), self._client)
        self._services.videos.add("default", [a_video(status="unknown")], None)


def fuzz(requests: int, first: int = 0) -> Counter[int]:
    """Sends that many requests and counts the statuses of the answers; the same `first` sends the
    same ones. Raises AssertionError, with the event in Hypothesis's report, for a 5xx."""
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
        @given(events())
        def never_a_5xx(event: dict[str, Any]) -> None:
            assert api.answer(event) < 500

        try:
            never_a_5xx()
        finally:
            bootstrap.use(before)
            logging.disable(logging.NOTSET)
        return api.answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    began = time.perf_counter()
    answers = fuzz(chosen.requests, chosen.seed)
    counted = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    print(f"{answers.total():,} requests, no 5xx: {counted} ({time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    main()

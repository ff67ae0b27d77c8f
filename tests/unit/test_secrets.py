"""The secrets while Secrets Manager is down: told soon, and not waited for again and again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from aws_lambda_powertools.utilities.parameters import clear_caches
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS

from actionreel.aws.secrets_manager import provider_key
from actionreel.bootstrap import AwsServices
from actionreel.errors import ProviderUnavailableError
from actionreel.settings import Settings

API_GATEWAY_SECONDS = 30


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Who has called a Secrets Manager that hangs up."""
    made: list[str] = []

    def hang_up() -> None:
        while True:
            try:
                connection, caller = server.accept()
            except OSError:
                return
            made.append(str(caller))
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", address)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "nowhere")
        clear_caches()  # type: ignore[no-untyped-call]
        listening = threading.Thread(target=hang_up)
        listening.start()
        yield made
        server.shutdown(socket.SHUT_RDWR)
        listening.join()
    clear_caches()  # type: ignore[no-untyped-call]


def test_that_it_cannot_be_read_is_told_before_anybody_stops_waiting(calls: list[str]) -> None:
    with pytest.raises(ProviderUnavailableError):
        provider_key("keys", "fal")
    config = DEFAULT_PROVIDERS["secrets"].client.meta.config
    once = config.connect_timeout + config.read_timeout
    assert once * config.retries["total_max_attempts"] < API_GATEWAY_SECONDS / 2
    assert len(calls) == config.retries["total_max_attempts"]


def test_a_request_asks_once_who_has_a_key(calls: list[str]) -> None:
    services = AwsServices(Settings(provider_secret="keys"))
    assert services.registry.providers is None
    asked = len(calls)
    assert services.registry.providers is None
    assert asked == len(calls) > 0

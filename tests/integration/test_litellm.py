"""The adapter through a real LiteLLM proxy, with the studio behind it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    OutcomeUnknownError,
    ProviderRejectedError,
    ProviderThrottledError,
)
from actionreel.models import Handle, ProviderAnswer, VideoRequest
from actionreel.mp4 import whole_mp4
from actionreel.orders import Offer, Order
from actionreel.providers.openai_videos import DIALECTS, OpenAIVideos
from local.studio import Studio
from tests.openai_server import given

ENVIRONMENT = Path(__file__).parents[2] / ".litellm"
pytestmark = [
    pytest.mark.litellm,
    pytest.mark.skipif(
        not (ENVIRONMENT / "litellm.done").exists(), reason="LiteLLM is not here: make litellm"
    ),
]

MODEL = "boat-1"  # the proxy's name for the studio's model
PROXY_KEY, STUDIO_KEY = "sk-the-key-of-the-proxy", "the-key-of-the-studio"
GIVE_UP_SECONDS = 180
END_SECONDS = 20


@dataclass
class Proxied:
    """A proxy at `url`, the studio behind it, and the file with what the proxy wrote."""

    url: str
    studio: Studio
    output: Path

    def jobs(self, prompt: str) -> int:
        """How many jobs the studio was given for a prompt."""
        headers = {"Authorization": f"Bearer {STUDIO_KEY}"}
        answer = httpx.get(
            f"{self.studio.url}/videos", params={"limit": 100}, headers=headers, trust_env=False
        )
        return sum(job["prompt"] == prompt for job in answer.json()["data"])


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with Studio(api_key=STUDIO_KEY, pace_seconds=0.2) as studio:
        upstream = {"model": "openai/sora-2", "api_base": studio.url, "api_key": STUDIO_KEY}
        config: dict[str, Any] = {
            "model_list": [{"model_name": MODEL, "litellm_params": upstream}],
            "general_settings": {"master_key": PROXY_KEY},
            # By itself it sends a create up to three times, and each may be paid for.
            "litellm_settings": {"num_retries": 0},
        }
        output = tmp_path_factory.mktemp("litellm") / "output"
        with _proxy(config, output) as url:
            yield Proxied(url, studio, output)


@pytest.fixture(autouse=True)
def _what_the_proxy_wrote(proxied: Proxied) -> Iterator[None]:
    """Goes with the report of a test that fails."""
    before = proxied.output.stat().st_size
    yield
    with proxied.output.open("rb") as output:
        output.seek(before)
        print(output.read().decode(errors="replace"))


@contextmanager
def _proxy(config: dict[str, Any], output: Path) -> Iterator[str]:
    """A running proxy, which writes to `output`; its base URL for a client of the protocol."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = output.with_name("config.yaml")
    file.write_text(json.dumps(config))  # JSON is YAML
    command = [str(ENVIRONMENT / "bin" / "litellm"), "--config", str(file)]
    # Nothing of this environment is told to it, least of all keys.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(output.parent),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches one from GitHub
    }
    with (
        output.open("wb") as sink,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            cwd=output.parent,
            stdout=sink,
            stderr=subprocess.STDOUT,
        ) as proxy,
    ):
        try:
            _wait_until_ready(proxy, port, output)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            proxy.terminate()
            try:
                proxy.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                proxy.kill()


def _wait_until_ready(proxy: subprocess.Popen[bytes], port: int, output: Path) -> None:
    until = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < until and proxy.poll() is None:
        try:
            ready = httpx.get(f"http://127.0.0.1:{port}/health/readiness", trust_env=False)
            if ready.is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the proxy did not start ({proxy.poll()}):\n{output.read_text()[-3000:]}")


def adapter(proxied: Proxied, key: str = PROXY_KEY) -> OpenAIVideos:
    return OpenAIVideos(proxied.url, given(key), dialect=DIALECTS["litellm"])


def order(prompt: str, model: str = MODEL) -> Order:
    request = VideoRequest(prompt=prompt, model=model, seconds=1, size="128x100")
    return Order(request, Offer(provider="openai_videos", name=model), key="a-key")


def create(provider: OpenAIVideos, prompt: str, model: str = MODEL) -> ProviderAnswer:
    return provider.create(order(prompt, model))


def handle_of(answer: ProviderAnswer) -> Handle:
    assert answer.handle is not None
    return answer.handle


def ended(provider: OpenAIVideos, handle: Handle) -> ProviderAnswer:
    until = time.monotonic() + GIVE_UP_SECONDS
    while (answer := provider.poll(handle)).phase == "pending":
        assert time.monotonic() < until, "a job that never ends"
        time.sleep(0.1)
    return answer


def test_a_video_is_made_through_the_proxy(proxied: Proxied) -> None:
    provider = adapter(proxied)
    handle = handle_of(create(provider, "Ein Papierboot ☔"))
    assert proxied.jobs("Ein Papierboot ☔") == 1
    answer = ended(provider, handle)
    assert (answer.phase, answer.progress, answer.failure) == ("completed", 100, None)
    with provider.open_video(handle) as asset:
        film = b"".join(whole_mp4(asset.chunks))
    assert b"avc1" in film
    # It knows one variant, the film itself, and so has no still image.
    with pytest.raises(AssetUnavailableError), provider.open_poster(handle):
        pass
    assert provider.cancel(handle) == "too_late"


def test_a_poll_tells_another_id_than_the_create(proxied: Proxied) -> None:
    """So the created one is kept: jobs are told apart by it."""
    handle = handle_of(create(adapter(proxied), "[stuck]"))
    headers = {"Authorization": f"Bearer {PROXY_KEY}"}
    for _ in range(2):
        answer = httpx.get(f"{proxied.url}/videos/{handle['id']}", headers=headers, trust_env=False)
        assert answer.json()["id"] != handle["id"]
    assert adapter(proxied).poll(handle).handle is None


def test_a_job_cannot_be_stopped_through_the_proxy(proxied: Proxied) -> None:
    provider = adapter(proxied)
    handle = handle_of(create(provider, "[stuck]"))
    assert provider.cancel(handle) == "unsupported"
    assert provider.poll(handle).phase == "pending"


def test_a_job_that_fails_says_why(proxied: Proxied) -> None:
    provider = adapter(proxied)
    handle = handle_of(create(provider, "[fail:moderation]"))
    failure = ended(provider, handle).failure
    assert failure is not None
    assert (failure.code, failure.maybe_charged) == ("moderation", False)
    assert "Rejected by the safety system." in failure.message
    with pytest.raises(AssetUnavailableError), provider.open_video(handle):
        pass


@pytest.mark.parametrize(
    ("prompt", "category"),
    [
        ("[create:400]", "invalid_input"),
        ("[create:401]", "provider_rejected"),
        ("[create:402]", "quota"),
        ("[create:404]", "provider_rejected"),
        # The proxy has one code for a status, and the provider's own within a text.
        ("[create:moderation]", "moderation"),
        ("[create:quota]", "quota"),
    ],
)
def test_a_refused_create_has_its_code(proxied: Proxied, prompt: str, category: str) -> None:
    with pytest.raises(ProviderRejectedError) as refused:
        create(adapter(proxied), prompt)
    assert refused.value.category == category
    assert STUDIO_KEY not in str(refused.value)


def test_a_refusal_of_the_proxy_itself(proxied: Proxied) -> None:
    with pytest.raises(ProviderRejectedError, match="Invalid model name") as refused:
        create(adapter(proxied), "p", model="no-such-model")
    assert refused.value.category == "invalid_input"
    with pytest.raises(ProviderRejectedError):
        create(adapter(proxied, "sk-another-key"), "p")


def test_too_many_requests(proxied: Proxied) -> None:
    with pytest.raises(ProviderThrottledError):
        create(adapter(proxied), "[create:429]")


@pytest.mark.parametrize("word", ["500", "503", "drop", "html"])
def test_a_create_is_sent_once_and_its_loss_is_told(proxied: Proxied, word: str) -> None:
    prompt = f"lost [created:{word}] [stuck]"
    with pytest.raises(OutcomeUnknownError):
        create(adapter(proxied), prompt)
    assert proxied.jobs(prompt) == 1


def test_the_proxy_has_no_list_that_jobs_could_be_found_in(proxied: Proxied) -> None:
    provider = adapter(proxied)
    create(provider, "[stuck]")
    with pytest.raises(NotListedError):
        provider.find(order("[stuck]"), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_job_that_is_gone(proxied: Proxied) -> None:
    provider = adapter(proxied)
    handle = handle_of(create(provider, "gone [stuck]"))
    headers = {"Authorization": f"Bearer {STUDIO_KEY}"}
    with httpx.Client(base_url=proxied.studio.url, headers=headers, trust_env=False) as studio:
        [job_id] = [
            job["id"]
            for job in studio.get("/videos", params={"limit": 100}).json()["data"]
            if job["prompt"] == "gone [stuck]"
        ]
        assert studio.delete(f"/videos/{job_id}").status_code == 200
    with pytest.raises(JobNotFoundError):
        provider.poll(handle)

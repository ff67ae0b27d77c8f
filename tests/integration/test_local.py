"""The commands themselves: `make dev` and `make demo` as processes, started, used and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest

from local.lambdas import Remote
from local.stack import Stack
from local.template import ROOT
from tests.conftest import GIVE_UP_SECONDS, act, ended

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core/python'}"}


@contextmanager
def make_dev(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """What `make dev` runs, and the address that it says; ended by SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "--port", "0", *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield process, line.removeprefix("Actionreel is ready at ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=GIVE_UP_SECONDS)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_says_where_and_ends(ending: signal.Signals) -> None:
    with make_dev(AWS_PROFILE="nobody", AWS_ENDPOINT_URL="http://127.0.0.1:1") as (process, url):
        with httpx.Client(base_url=url) as client:
            assert "Actionreel" in client.get("/").text
            act(client, '<createAIVideo>{"prompt": "[slow] never seen"}</createAIVideo>')
        process.send_signal(ending)
        assert process.wait(timeout=GIVE_UP_SECONDS) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "local", "--port", str(port)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=GIVE_UP_SECONDS,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Actionreel cannot start: ")
    assert str(port) in done.stderr
    assert done.stderr.endswith("make dev PORT=9000\n")


def test_a_provider_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        provider = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with (
        make_dev("--provider-url", provider) as (_, url),
        httpx.Client(base_url=url) as client,
    ):
        [first] = act(client, '<createAIVideo>{"prompt": "p"}</createAIVideo>')
        result = ended(client, first)
        assert (result["code"], result["retryable"]) == ("provider_unavailable", True)
        record = client.get(f"/videos/{result['videoId']}").json()
        assert (record["status"], record["maybeCharged"]) == ("failed", False)


def test_functions_elsewhere(stack: Stack) -> None:
    """`--lambda-endpoint`: here the endpoint of another stack, and so that stack's records."""
    with (
        make_dev("--lambda-endpoint", stack.url) as (_, url),
        httpx.Client(base_url=url, timeout=GIVE_UP_SECONDS) as there,
        httpx.Client(base_url=stack.url) as here,
    ):
        [first] = act(there, '<createAIVideo>{"prompt": "[instant] elsewhere"}</createAIVideo>')
        assert ended(there, first)["type"] == "CHAT_VIDEO"
        assert here.get(f"/videos/{first['data']['videoId']}").json()["status"] == "completed"


def test_errors_of_functions_elsewhere_are_seen(stack: Stack) -> None:
    answer = Remote(stack.url).invoke("FailVideoFunction", b"{}")
    assert answer.failed
    assert b"ValidationError" in answer.payload


def test_demo_saves_a_video(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.demo"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=2 * GIVE_UP_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    [file] = tmp_path.glob("videos/*.mp4")
    assert str(file) in done.stdout
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(file)]
    report = subprocess.run(command, capture_output=True, text=True).stderr
    assert "Video: h264" in report
    assert "1280x720" in report

"""One function under the real Lambda runtime: its interface client, its emulator."""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import samcli

from local.lambdas import INVOCATIONS
from local.stack import home_template
from local.template import REGION, ROOT

MACHINE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
EMULATOR = Path(samcli.__file__).parent / "local/rapid" / f"aws-lambda-rie-{MACHINE}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Surroundings(Protocol):
    """Where a function finds what it needs."""

    @property
    def aws_url(self) -> str: ...
    @property
    def provider_url(self) -> str: ...


class Runtime:
    """One execution environment of one function."""

    def __init__(self, name: str, stack: Surroundings) -> None:
        template = home_template(stack.provider_url)
        properties = template.functions()[name]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}{INVOCATIONS.format('function')}"
        environment = {
            **template.environment(name),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "layers/core/python"),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(properties["Timeout"]),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties["MemorySize"]),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": stack.aws_url,
        }
        command = [str(EMULATOR), "--log-level", "error"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
        command += [sys.executable, "-m", "awslambdaric", properties["Handler"]]
        self.process = subprocess.Popen(
            command, cwd=ROOT / properties["CodeUri"], env=environment, start_new_session=True
        )
        self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            assert self.process.poll() is None, "the emulator ended"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the emulator does not answer")

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

"""How soon a chat platform has its answer; a part of `make bench`.

The function runs under Lambda's emulator, in a few sandboxes that take one request at a time, as
Lambda's do. DynamoDB, Secrets Manager and Step Functions are moto's server, in a process of its own
that notes the executions and runs none.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

import httpx

from actionreel.chats import Reply
from local.stack import create_resources
from local.template import ROOT, Template
from tests.lambda_runtime import Runtime

REQUESTS, PER_SECOND, SANDBOXES = 1000, 50, 2
SECRET_TOKEN = "of-the-benchmark"
MOTO_SERVER = """
import threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://127.0.0.1:%d" % server.get_host_and_port()[1], flush=True)
threading.Event().wait()
"""


def main() -> None:
    """Measures and prints."""
    times = sorted(_import_seconds() for _ in range(7))
    print(
        f"chat function, import of its code in a new process: {times[0] * 1e3:.0f} ms at best,"
        f" {statistics.median(times) * 1e3:.0f} ms in the middle of 7"
    )
    with aws() as url:
        sandboxes = [Runtime("ChatFunction", _Place(url)) for _ in range(SANDBOXES)]
        try:
            _acknowledge([sandbox.url for sandbox in sandboxes])
        finally:
            for sandbox in sandboxes:
                sandbox.stop()


@dataclass(frozen=True)
class _Place:
    """Where a sandbox finds what it needs."""

    aws_url: str
    provider_url: str = ""


@contextmanager
def aws() -> Iterator[str]:
    """moto's server with the template's resources; gives its address."""
    command = [sys.executable, "-c", MOTO_SERVER]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        os.environ["AWS_ENDPOINT_URL"] = url
        os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        sections = {"telegram": {"secret_token": SECRET_TOKEN}}
        create_resources(Template({}), "none", chat_sections=sections)
        yield url
        server.kill()


def _import_seconds() -> float:
    code = (
        "import time; began = time.perf_counter(); import app; print(time.perf_counter() - began)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers/core/python")}
    command = [sys.executable, "-c", code]
    folder = ROOT / "functions/chat"
    return float(subprocess.check_output(command, cwd=folder, env=environment))


def _acknowledge(urls: list[str]) -> None:
    free = SimpleQueue[str]()
    event = json.loads((ROOT / "tests/events/chat.json").read_text())
    event["headers"]["x-telegram-bot-api-secret-token"] = SECRET_TOKEN
    expected = {"statusCode": Reply().status}
    taken: list[float] = []

    def send(number: int) -> None:
        update = json.loads(event["body"]) | {"update_id": number}
        update["message"]["text"] = "/start"
        due = began + max(0, number) / PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        url = free.get()
        answer = client.post(url, json=event | {"body": json.dumps(update)})
        free.put(url)
        taken.append(time.perf_counter() - due)
        assert answer.json() == expected, answer.text

    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(32) as pool:
        for number, url in enumerate(urls):  # each has its cold start
            free.put(url)
            began = time.perf_counter()
            send(-number - 1)
            free.get()
        for url in urls:
            free.put(url)
        first = max(taken)
        taken.clear()
        began = time.perf_counter() + 0.5
        list(pool.map(send, range(REQUESTS)))
    taken.sort()
    print(
        f"chat function, {REQUESTS:,} requests at {PER_SECOND} a second: the first of a sandbox"
        f" {first * 1e3:.0f} ms, then {statistics.median(taken) * 1e3:.0f} ms in the middle,"
        f" {taken[int(len(taken) * 0.99)] * 1e3:.0f} ms at the 99th percentile"
    )


if __name__ == "__main__":
    main()

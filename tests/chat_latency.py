"""How soon a chat platform has its answer; a part of `make bench`.

The function runs under Lambda's emulator, in a few sandboxes that take one request at a time, as
Lambda's do. The table and the executions are moto's, in this process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import httpx

from actionreel.chats import Reply
from local.stack import Stack
from local.template import ROOT
from tests.lambda_runtime import Runtime

REQUESTS, PER_SECOND, SANDBOXES = 1000, 50, 4


def main() -> None:
    """Measures and prints."""
    times = sorted(_import_seconds() for _ in range(7))
    print(
        f"chat function, import of its code in a new process: {times[0] * 1e3:.0f} ms at best,"
        f" {statistics.median(times) * 1e3:.0f} ms in the middle of 7"
    )
    os.environ["LOG_LEVEL"] = "CRITICAL"
    with Stack(webhooks=False) as stack:
        sandboxes = [Runtime("ChatFunction", stack) for _ in range(SANDBOXES)]
        try:
            _acknowledge(stack, [sandbox.url for sandbox in sandboxes])
        finally:
            for sandbox in sandboxes:
                sandbox.stop()
    sys.stdout.flush()
    os._exit(0)  # what the executions still do is of no interest


def _import_seconds() -> float:
    code = (
        "import time; began = time.perf_counter(); import app; print(time.perf_counter() - began)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers/core/python")}
    command = [sys.executable, "-c", code]
    folder = ROOT / "functions/chat"
    return float(subprocess.check_output(command, cwd=folder, env=environment))


def _acknowledge(stack: Stack, urls: list[str]) -> None:
    free = SimpleQueue[str]()
    event = json.loads((ROOT / "tests/events/chat.json").read_text())
    section = stack.platforms["telegram"].section
    event["headers"]["x-telegram-bot-api-secret-token"] = section["secret_token"]
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

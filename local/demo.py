"""`make demo`: the main job without a browser. Posts a message that a model wrote, asks on as the
model would, and saves the video. Exit status 0 when the file is there, 1 with the reason if not."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from local.stack import Stack

MESSAGE = (
    "Here is your video: "
    '<createAIVideo>{"prompt": "scene description", "model": "sora-2", "seconds": 8, '
    '"size": "1280x720"}</createAIVideo>'
)
BAR = 30
GIVE_UP_SECONDS = 300


def main(folder: Path = Path("videos")) -> int:
    """Runs the demonstration; the file goes into `folder`."""
    print("Starting Actionreel on this machine ...", flush=True)
    with Stack() as stack, _client(stack.url) as api:
        print(f"The model writes:\n  {MESSAGE}")
        result = _act(api, MESSAGE)
        for notice in result.get("notices", []):
            print(f"  ({notice})")
        began = time.monotonic()
        while result.get("type") == "VIDEO_PENDING":
            if time.monotonic() - began > GIVE_UP_SECONDS:
                return _sorry(f"no video after {GIVE_UP_SECONDS} seconds")
            _show(result["data"], began)
            time.sleep(min(result["data"]["retryAfterSeconds"], 2))
            video_id = result["data"]["videoId"]
            asked = json.dumps({"videoId": video_id})
            result = _act(api, f"<continueVideoPolling>{asked}</continueVideoPolling>")
        if result.get("type") != "CHAT_VIDEO":
            return _sorry(result.get("error", "an answer that is no result"))
        _bar(100, "done", began)
        print()
        file = _save(api, result["data"], folder)
    print(f"Saved {file} ({file.stat().st_size:,} bytes)")
    return 0


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, follow_redirects=True, timeout=GIVE_UP_SECONDS)


def _act(api: httpx.Client, text: str) -> dict[str, Any]:
    answer = api.post("/actions", json={"text": text})
    body: dict[str, Any] = answer.json()
    results: list[dict[str, Any]] = body.get("results", [body])
    return results[0]


def _show(data: dict[str, Any], began: float) -> None:
    _bar(data["progress"] or 0, data["status"], began)


def _bar(percent: int, status: str, began: float) -> None:
    filled = BAR * percent // 100
    seconds = time.monotonic() - began
    line = f"[{'#' * filled}{'.' * (BAR - filled)}] {percent:3d} %  {status:<10} {seconds:4.0f} s"
    print(f"\r{line}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n")
    sys.stdout.flush()


def _save(api: httpx.Client, data: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{data['videoId']}.mp4"
    with api.stream("GET", data["videoUrl"]) as response, file.open("wb") as target:
        response.raise_for_status()
        _write(response.iter_bytes(), target)
    return file.resolve()


def _write(chunks: Iterable[bytes], target: Any) -> None:
    for chunk in chunks:
        target.write(chunk)


def _sorry(reason: str) -> int:
    print(f"\nThere is no video: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # what still waits in the interpreter's threads must not hold up the end

"""`make bench`: the figures that the project promises, measured on this machine.

Times are the best of several runs of one process; where they compare, they are ratios of that run.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from actionreel.actions import find_actions
from tests.chat_latency import MOTO_SERVER

TAG = '<createAIVideo>{"prompt": "a paper boat", "seconds": 8, "size": "1280x720"}</createAIVideo>'
WORDS = "A few words of prose, some *emphasis* and a [link](https://example.com) go around it. "
MEGABYTE = 1_000_000
FILE_MEGABYTES = 500


def main() -> None:
    """Measures and prints everything."""
    parser()
    sys.stdout.flush()
    chat()
    print(f"copy of {FILE_MEGABYTES} MB from the provider to S3, in a process of its own:")
    sys.stdout.flush()
    copy()


def parser() -> None:
    """The time to find the tags of a text, beside that of a search for an absent string."""
    short = WORDS * 23 + TAG
    thousand = ((WORDS * 10)[: MEGABYTE // 1000 - len(TAG)] + TAG) * 1000
    coded = thousand.replace("*emphasis*", "`code`")
    openings = "<createAIVideo>" * (MEGABYTE // 15)
    closed = openings + "</createAIVideo>"
    print(f"parser, {len(short):,} characters, 1 tag: {_seconds(short) * 1e6:.1f} us")
    for name, text in {
        "1,000 tags": thousand,
        "1,000 tags and inline code": coded,
        "openings only": openings,
        "openings, one closing": closed,
    }.items():
        assert len(find_actions(text)) == (1000 if "1,000" in name else "closing" in name)
        one, two = _seconds(text), _seconds(text * 2)
        floor = _best(lambda text=text: text.find("<noSuchTag>"))  # type: ignore[misc]
        print(
            f"parser, {len(text):,} characters, {name}: {one * 1e3:.1f} ms"
            f" (twice the text: {two / one:.2f} times; {one / floor:.0f} times str.find)"
        )


def _seconds(text: str) -> float:
    return _best(lambda: find_actions(text))


def _best(action: Callable[[], Any], least: float = 0.5) -> float:
    best, began, runs = float("inf"), time.perf_counter(), 0
    while runs < 3 or time.perf_counter() - began < least:
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
        runs += 1
    return best


def chat() -> None:
    """How soon a chat platform has its answer: the start of the function, and the time of each of
    many requests under Lambda's emulator. AWS is moto, in another process."""
    command = [sys.executable, "-m", "tests.chat_latency"]
    subprocess.run(command, check=True)


def copy() -> None:
    """Starts a provider here and S3 in one process, and copies in another."""
    provider = ThreadingHTTPServer(("127.0.0.1", 0), _LargeFile)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    command = [sys.executable, "-c", MOTO_SERVER]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as s3:
        assert s3.stdout is not None
        s3_url = s3.stdout.readline().strip()
        provider_url = f"http://127.0.0.1:{provider.server_port}/v1"
        subprocess.run([sys.executable, "-m", "tests.bench", provider_url, s3_url], check=True)
        s3.kill()
    provider.shutdown()


def copy_in_this_process(provider_url: str, s3_url: str) -> None:
    """Copies a small file first, so that what is measured is what a large one adds."""
    import boto3

    from actionreel.aws.s3 import S3VideoStorage
    from actionreel.mp4 import whole_mp4
    from actionreel.providers.openai_videos import OpenAIVideos

    session = boto3.session.Session("bench", "bench", region_name="us-east-1")
    client = session.client("s3", endpoint_url=s3_url)
    client.create_bucket(Bucket="bench")
    storage = S3VideoStorage(client, "bench")

    def key(*, fresh: bool = False) -> str:
        return "key"

    provider = OpenAIVideos(provider_url, key)

    def store(megabytes: int) -> tuple[int, float]:
        began = time.perf_counter()
        with provider.open_video({"id": str(megabytes)}) as asset:
            size = storage.save(f"{megabytes}.mp4", whole_mp4(asset.chunks), "video/mp4")
        return size, time.perf_counter() - began

    store(1)
    before = _peak_megabytes()
    size, seconds = store(FILE_MEGABYTES)
    added = _peak_megabytes() - before
    print(f"  {size:,} bytes, {added:.1f} MB of memory more than after 1 MB, {seconds:.1f} s")


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _LargeFile(BaseHTTPRequestHandler):
    """A provider whose job's id is the size of its file in megabytes."""

    def do_GET(self) -> None:
        megabytes = int(self.path.split("/")[-2])
        boxes = list(_mp4(megabytes))
        self.send_response(200)
        self.send_header("Content-Length", str(sum(len(box) for box in boxes)))
        self.end_headers()
        for box in boxes:
            self.wfile.write(box)

    def log_message(self, format: str, *args: Any) -> None: ...


_BLOCK = b"\0" * 1_000_000


def _mp4(megabytes: int) -> Iterator[bytes]:
    yield (16).to_bytes(4) + b"ftypisom\0\0\0\0"
    yield (8).to_bytes(4) + b"moov"
    yield (8 + megabytes * len(_BLOCK)).to_bytes(4) + b"mdat"
    for _ in range(megabytes):
        yield _BLOCK


if __name__ == "__main__":
    if len(sys.argv) == 3:
        copy_in_this_process(*sys.argv[1:])
    else:
        main()

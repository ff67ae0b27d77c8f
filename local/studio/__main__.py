"""`python -m local.studio`: the studio alone, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from local.studio import Studio


def main() -> int:
    """Opens the studio, says where it is, and waits for the end. Returns 1 if it cannot open."""
    parser = argparse.ArgumentParser(prog="python -m local.studio", description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    try:
        with Studio(port=options.port) as studio:
            print(f"The studio is open at {studio.url}, its key is studio", flush=True)
            ended.wait()
    except OSError as error:
        print(f"The studio cannot open: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

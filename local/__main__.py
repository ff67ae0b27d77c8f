"""`make dev`: the whole application on this machine, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import threading

from local.stack import HOME_KEY, STUDIO_KEY, Stack, models_of

_EXAMPLE = (
    r"""curl -s {url}/actions -H 'Content-Type: application/json' -d '{{"text": """
    r""""<createAIVideo>{{\"prompt\": \"a paper boat in the rain\"}}</createAIVideo>"}}'"""
)


def main() -> int:
    """Starts the stack, says where it is, and waits for the end. Returns 1 if it cannot start."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    try:
        with Stack(
            port=arguments.port,
            provider_url=arguments.provider_url,
            provider_key=os.environ.get("PROVIDER_API_KEY", STUDIO_KEY),
            models=models_of(arguments.model) if arguments.provider_url else "",
            lambda_endpoint=arguments.lambda_endpoint,
            chat_port=arguments.chat_port or (arguments.port and arguments.port + 1),
            callback_origins=arguments.callback_origin,
            log=lambda line: print(line, flush=True),
        ) as stack:
            # From here on as an event: raised in the middle of a library's work, an interrupt may
            # be swallowed there.
            ending = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: ending.set())
            print(f"Actionreel is ready at {stack.url}", flush=True)
            print(f"The API takes the key {HOME_KEY}, or none from this machine", flush=True)
            print(f"A chat window is at {stack.chat_url}", flush=True)
            print(f"Callbacks are signed with {stack.callback_secret}", flush=True)
            print(f"POST /chat/events takes what is signed with {stack.events_secret}", flush=True)
            print(_EXAMPLE.format(url=stack.url), flush=True)
            if arguments.lambda_endpoint:
                print("The functions need these variables:")
                print("\n".join(f"  {name}={value}" for name, value in stack.environment.items()))
            while not ending.wait(0.5):
                pass
        return 0
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"Actionreel cannot start: {error.strerror or error}", file=sys.stderr)
        if error.errno == errno.EADDRINUSE:
            print("Something else is there; take another: make dev PORT=9000", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the page and the API")
    parser.add_argument(
        "--chat-port", type=int, default=0, help="of the chat window (default: the next port)"
    )
    parser.add_argument(
        "--callback-origin",
        default="",
        help="where a callbackUrl may lead on this machine, such as http://127.0.0.1:5000",
    )
    parser.add_argument(
        "--provider-url",
        default="",
        help="an OpenAI-compatible video server (with /v1) instead of the studio;"
        " its key in PROVIDER_API_KEY; it may charge you",
    )
    parser.add_argument(
        "--model", default="sora-2", help="what that server calls its model (default: sora-2)"
    )
    parser.add_argument(
        "--lambda-endpoint",
        default="",
        help="run the functions there, such as http://127.0.0.1:3001 of `sam local start-lambda`",
    )
    return parser.parse_args()


if __name__ == "__main__":
    # Executions that still wait in the interpreter's threads must not hold up the end.
    os._exit(main())

"""A stand-in for a language model: a script that speaks OpenAI's chat completions, and says so.

It makes a tag of what it is asked to film, comments on the result, and otherwise tells what it can
do. `[model:500]`, `[model:429]` and `[model:empty]` in what it is asked make it answer so.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from local.loopback import LoopbackServer

PATH = "/v1/chat/completions"
RESULT = "Result of your action: "
_WANTS_A_FILM = re.compile(r"\b(video|clip|film|movie|animation|scene|shot)s?\b", re.IGNORECASE)
_SECONDS = re.compile(r"\b(\d{1,2})[ -]?s(?:ec(?:ond)?s?)?\b", re.IGNORECASE)
_WORD = re.compile(r"\[model:(500|429|empty)\]")
_ASKING = re.compile(
    r"^(?:(?:please|can|could|would|will|you|i|want|would like|like|to|show|make|create|film|shoot|"
    r"give|me|us|a|an|the|short|video|clip|movie|animation|scene|of|about|with|that shows|showing)"
    r"\b[\s,:]*)+",
    re.IGNORECASE,
)
_SCRIPTED = "I am a script that stands in for a language model."


class ScriptedModel(LoopbackServer):
    """The server. `api_key` is what every call must bring."""

    def __init__(self) -> None:
        super().__init__("the scripted model", self._respond)
        self.api_key = f"script-{secrets.token_hex(12)}"

    @property
    def url(self) -> str:
        """The base URL, up to and with `/v1`. Raises RuntimeError if it is not started."""
        return f"{super().url}/v1"

    def _respond(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        status, document = self._answer(request)
        headers = {"Retry-After": "1"} if status == 429 else {}
        response = Response(json.dumps(document), status, headers, content_type="application/json")
        return response(environ, start_response)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if (request.method, request.path) != ("POST", PATH):
            return 404, _error("There is nothing at this address.", "not_found")
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return 401, _error("Incorrect API key provided.", "invalid_api_key")
        try:
            asked = json.loads(request.get_data())
            model, last = str(asked["model"]), _last_of(asked["messages"])
        except (ValueError, TypeError, LookupError, RecursionError):
            return 400, _error("model and messages are required.", "invalid_request_error")
        word = _WORD.search(last)
        if word and word[1] != "empty":
            return int(word[1]), _error("As you wished.", "wished")
        return 200, _completion(model, "" if word else _line(last))


def _last_of(messages: Any) -> str:
    """What the user said last; raises ValueError for messages that are none."""
    for message in messages:
        if message["role"] not in ("system", "user", "assistant"):
            raise ValueError("no such role")
        if not isinstance(message["content"], str):
            raise ValueError("no text")
    if messages[-1]["role"] != "user":
        raise ValueError("nobody asks")
    return str(messages[-1]["content"])


def _line(asked: str) -> str:
    """What the script says."""
    if asked.startswith(RESULT):
        return _comment(asked.removeprefix(RESULT))
    if not _WANTS_A_FILM.search(asked):
        return (
            f"{_SCRIPTED} Ask me for a video, such as: make a video of a paper boat in the rain."
            " Or write /video and what it shows, without me."
        )
    length = _SECONDS.search(asked)
    prompt = _ASKING.sub("", _SECONDS.sub("", asked).strip()).strip(" .!?\n") or asked.strip()
    body = {"prompt": prompt, **({"seconds": int(length[1])} if length else {})}
    tag = f"<createAIVideo>{json.dumps(body)}</createAIVideo>"
    return f"{_SCRIPTED} It makes a tag of what you said, as a model would.\n\n{tag}"


def _comment(result: str) -> str:
    try:
        made = json.loads(result).get("type") == "CHAT_VIDEO"
    except (ValueError, AttributeError):
        made = False
    if made:
        return f"{_SCRIPTED} A model would say something about your video now."
    return f"{_SCRIPTED} A model would tell you now what to do about that."


def _completion(model: str, text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "param": None, "code": code}}

"""A language model at a server that speaks OpenAI's chat completions.

    POST {base}/chat/completions    {"model": "...", "messages": [{"role": ..., "content": ...}]}

Asking a model twice costs little and shows nobody anything twice. So, unlike with videos, it does
not matter whether a request that went unanswered was taken: it is as if it was never reached.

Source: platform.openai.com/docs/api-reference/chat, and openai 3.54.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Protocol

import httpx

from actionreel import transport
from actionreel.chats import Line
from actionreel.errors import (
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)

SECONDS = 45.0
MAX_CHARACTERS = 100_000

_KEY_REFUSED = (401, 403)
# Some servers leave a reasoning model's thoughts in its text. A tag in them is no wish.
_THOUGHTS = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_DECLINED = "The model declined to answer."


class Key(Protocol):
    """Gives the key, empty for a server that wants none; `fresh` asks past every cache."""

    def __call__(self, *, fresh: bool = False) -> str: ...


class OpenAIChatModel:
    """The model of that name at `base_url`, which goes up to and with `/v1`."""

    def __init__(self, base_url: str, model: str, key: Key) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = key

    def reply(self, system: str, lines: Sequence[Line]) -> str:
        """What the model writes, at most 100,000 characters. See ChatModel for what it raises."""
        messages = [
            {"role": "system", "content": system},
            *({"role": line.role, "content": line.text} for line in lines),
        ]
        # ASCII with escapes: half a surrogate pair, wherever it comes from, can be sent like that.
        asked = json.dumps({"model": self._model, "messages": messages}).encode()
        key = self._key()
        status, retry_after, content = self._send(asked, key)
        if status in _KEY_REFUSED and (changed := self._key(fresh=True)) != key:
            status, retry_after, content = self._send(asked, changed)
        if status in _KEY_REFUSED:
            raise ChatRefusedError("The chat model refused our key.")
        if status == 429:
            raise ChatThrottledError("The chat model has too many requests.", retry_after)
        if status >= 500 or status == 408:
            raise ChatUnavailableError(f"The chat model has trouble of its own (HTTP {status}).")
        if not 200 <= status < 300:
            raise ChatRefusedError(f"The chat model refused the message (HTTP {status}).")
        return _written(content)[:MAX_CHARACTERS]

    def _send(self, body: bytes, key: str) -> tuple[int, float | None, bytes]:
        """The status, the seconds of `Retry-After`, and the body of the answer."""
        transport.within(SECONDS)
        if not (key.isascii() and key.isprintable()):
            raise ChatRefusedError("The chat model refused our key.")
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with (
                transport.client() as client,
                client.stream("POST", self._url, headers=headers, content=body) as response,
            ):
                after = response.headers.get("retry-after", "")
                seconds = float(after) if after.isascii() and after.isdigit() else None
                return response.status_code, seconds, transport.read_answer(response)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ChatUnavailableError("The chat model cannot be reached.") from None


def chat_model(base_url: str, model: str, key: Key) -> OpenAIChatModel:
    """The model of a deployment."""
    return OpenAIChatModel(base_url, model, key)


def _written(content: bytes) -> str:
    """The text of the first choice. Raises ChatRefusedError for a model that declines."""
    try:
        choice = json.loads(content)["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        said = message.get("content")
        refusal = message.get("refusal")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ChatUnavailableError("The chat model gave an answer that cannot be read.") from None
    if refusal or reason == "content_filter":
        raise ChatRefusedError(_DECLINED)
    if isinstance(said, list):
        said = "".join(
            part["text"]
            for part in said
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if not isinstance(said, str):
        return ""
    # Half a surrogate pair can be escaped in JSON, but neither be stored nor sent on.
    return _THOUGHTS.sub("", said.encode(errors="replace").decode()).strip()

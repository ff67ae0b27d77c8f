"""A chat model at an OpenAI-compatible server: what it is asked, and what its answers mean."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from actionreel import transport
from actionreel.chat_models import openai_chat
from actionreel.chat_models.openai_chat import OpenAIChatModel, chat_model
from actionreel.chats import Line
from actionreel.errors import (
    ChatError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from tests.fakes import cases
from tests.providers.server import DROP, ProviderServer, Reply, provider_server

PATH = "POST /v1/chat/completions"
KEY, FRESH = "sk-a-key-that-nobody-may-see", "sk-another-key"
LINES = (
    Line(role="user", text="a film, please"),
    Line(role="assistant", text="of what?"),
    Line(role="user", text="of a boat"),
    Line(role="user", text="in the rain"),
)
REFUSED, THROTTLED, UNAVAILABLE = ChatRefusedError, ChatThrottledError, ChatUnavailableError
DECLINED = "The model declined to answer."


def completion(content: Any, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """An answer as OpenAI gives it."""
    said = {"role": "assistant", "content": content, "refusal": None, "annotations": [], **message}
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1795305600,
        "model": "gpt-5.4-2026-03-05",
        "choices": [
            {"index": 0, "message": said, "logprobs": None, "finish_reason": finish_reason}
        ],
        "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
        "service_tier": "default",
        "system_fingerprint": None,
    }


SAID = Reply(body=completion("Here it comes."))


class Keys:
    """A key that may have been exchanged for another one; `asked` has how it was asked for."""

    def __init__(self, kept: str = KEY, now: str = KEY) -> None:
        self.kept, self.now = kept, now
        self.asked: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> str:
        self.asked.append(fresh)
        return self.now if fresh else self.kept


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


def model(server: ProviderServer, keys: Keys | None = None) -> OpenAIChatModel:
    return chat_model(f"{server.url}/v1", "a-model", keys or Keys())


def test_the_model_is_asked_with_our_instructions_and_the_lines(server: ProviderServer) -> None:
    server.play({PATH: SAID})
    assert model(server).reply("You can make videos.", LINES) == "Here it comes."
    [sent] = server.requests
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.json == {
        "model": "a-model",
        "messages": [
            {"role": "system", "content": "You can make videos."},
            {"role": "user", "content": "a film, please"},
            {"role": "assistant", "content": "of what?"},
            {"role": "user", "content": "of a boat"},
            {"role": "user", "content": "in the rain"},
        ],
    }
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(sent.json)


def test_an_address_may_end_with_a_slash(server: ProviderServer) -> None:
    server.play({PATH: SAID})
    assert chat_model(f"{server.url}/v1/", "a-model", Keys()).reply("", LINES)


def test_a_server_of_ones_own_may_want_no_key(server: ProviderServer) -> None:
    server.play({PATH: SAID})
    assert model(server, Keys("", "")).reply("", LINES) == "Here it comes."
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("answer", "text"),
    cases(
        {
            "plain": (completion(" Hello.\n"), "Hello."),
            "parts": (
                completion([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]),
                "Hello.",
            ),
            "thoughts beside the text": (
                completion([{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hi."}]),
                "Hi.",
            ),
            "cut off by its length": (completion("Once upon", "length"), "Once upon"),
            "nothing": (completion(""), ""),
            "null": (completion(None), ""),
            "calls of tools": (completion(None, "tool_calls", tool_calls=[{"id": "1"}]), ""),
            "a number": (completion(7), ""),
            "thoughts": (completion("<think>\n<x>\n</think>\n\nHello. <think>"), "Hello. <think>"),
            "thoughts alone": (completion(" <think>a tag, perhaps"), ""),
            "odd parts": (completion([7, None, {"text": 7}, {"type": "image"}]), ""),
            "too long": (completion("x" * 200_000), "x" * 100_000),
            "only what is needed": ({"choices": [{"message": {"content": "Hello."}}]}, "Hello."),
        }
    ),
)
def test_what_it_wrote(server: ProviderServer, answer: Any, text: str) -> None:
    server.play({PATH: Reply(body=answer)})
    assert model(server).reply("", LINES) == text


def test_half_a_surrogate_pair_is_neither_kept_nor_in_the_way(server: ProviderServer) -> None:
    server.play({PATH: Reply(body=json.dumps(completion("a \ud800 boat")).encode())})
    assert model(server).reply("\ud800", [Line.model_construct(role="user", text="\udfff")]) == (
        "a ? boat"
    )


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    cases(
        {
            "declined": (
                Reply(body=completion(None, refusal="I cannot help with that.")),
                REFUSED,
                DECLINED,
            ),
            "filtered": (Reply(body=completion("A b", "content_filter")), REFUSED, DECLINED),
            "not understood": (
                Reply(400, {"error": {}}),
                REFUSED,
                "refused the message (HTTP 400)",
            ),
            "no such model": (Reply(404, b"nothing"), REFUSED, "refused the message (HTTP 404)"),
            "too long": (Reply(413), REFUSED, "refused the message (HTTP 413)"),
            "led elsewhere": (
                Reply(307, headers={"Location": "{base}/other"}),
                REFUSED,
                "refused the message (HTTP 307)",
            ),
            "busy": (Reply(429), THROTTLED, "too many requests"),
            "slow": (Reply(408), UNAVAILABLE, "trouble of its own (HTTP 408)"),
            "broken": (Reply(500), UNAVAILABLE, "trouble of its own (HTTP 500)"),
            "overloaded": (Reply(529), UNAVAILABLE, "trouble of its own (HTTP 529)"),
            "dropped": (DROP, UNAVAILABLE, "cannot be reached"),
            "cut": (Reply(body=completion("a"), cut=True), UNAVAILABLE, "cannot be reached"),
            "endless": (Reply(body=b" " * 2_000_000), UNAVAILABLE, "cannot be reached"),
            "no JSON": (Reply(body=b"<!doctype html>"), UNAVAILABLE, "cannot be read"),
            "no UTF-8": (Reply(body=b"\xff\xfe"), UNAVAILABLE, "cannot be read"),
            "deep": (Reply(body=b"[" * 100_000), UNAVAILABLE, "cannot be read"),
            "digits": (Reply(body=b"9" * 10_000), UNAVAILABLE, "cannot be read"),
            "a list": (Reply(body=[]), UNAVAILABLE, "cannot be read"),
            "no choices": (Reply(body={"choices": []}), UNAVAILABLE, "cannot be read"),
            "null choices": (Reply(body={"choices": None}), UNAVAILABLE, "cannot be read"),
            "choices of null": (Reply(body={"choices": [None]}), UNAVAILABLE, "cannot be read"),
            "no message": (
                Reply(body={"choices": [{"message": None}]}),
                UNAVAILABLE,
                "cannot be read",
            ),
            "an error with 200": (
                Reply(body={"error": {"message": "x"}}),
                UNAVAILABLE,
                "cannot be read",
            ),
        }
    ),
)
def test_trouble(
    server: ProviderServer, reply: Reply, error: type[ChatError], message: str
) -> None:
    server.play({PATH: reply})
    with pytest.raises(error) as raised:
        model(server).reply("", LINES)
    assert message in str(raised.value)
    assert len(server.requests) == 1, "it was asked more than once"
    assert KEY not in str(raised.value) and server.url not in str(raised.value)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", None), ("Sun, 22 Nov 2026 12:00:00 GMT", None)]
)
def test_when_to_ask_again(server: ProviderServer, header: str, seconds: float | None) -> None:
    server.play({PATH: Reply(429, headers={"Retry-After": header})})
    with pytest.raises(ChatThrottledError) as raised:
        model(server).reply("", LINES)
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_was_exchanged_is_read_afresh(server: ProviderServer, status: int) -> None:
    server.play({PATH: [Reply(status), SAID]})
    keys = Keys(KEY, FRESH)
    assert model(server, keys).reply("", LINES) == "Here it comes."
    assert [sent.headers["authorization"] for sent in server.requests] == [
        f"Bearer {KEY}",
        f"Bearer {FRESH}",
    ]
    assert keys.asked == [False, True]


@pytest.mark.parametrize(("keys", "asked"), [(Keys(), 1), (Keys(KEY, FRESH), 2)])
def test_a_key_that_stays_refused_is_told(server: ProviderServer, keys: Keys, asked: int) -> None:
    server.play({PATH: Reply(401)})
    with pytest.raises(ChatRefusedError, match=r"^The chat model refused our key\.$"):
        model(server, keys).reply("", LINES)
    assert len(server.requests) == asked


@pytest.mark.parametrize("key", ["ключ", "a\nkey", "a\x00key"])
def test_a_key_that_cannot_be_sent_is_refused(server: ProviderServer, key: str) -> None:
    server.play({PATH: SAID})
    with pytest.raises(ChatRefusedError, match="refused our key"):
        model(server, Keys(key, key)).reply("", LINES)
    assert not server.requests


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/v1", "https://[/v1", "nothing://at.all/v1", "", "http://a\x00/v1"]
)
def test_a_server_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ChatUnavailableError, match="cannot be reached"):
        chat_model(url, "a-model", Keys()).reply("", LINES)


def test_an_answer_that_drips_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]  # stands still until it drips: a busy machine does not come into it
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                clock[0] = openai_chat.SECONDS
                while not ended.wait(0.02):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        with pytest.raises(ChatUnavailableError):
            chat_model(url, "a-model", Keys()).reply("", LINES)
        ended.set()
        thread.join()

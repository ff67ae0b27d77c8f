"""A chat model in Bedrock: what Converse is asked, and what its answers mean. Without a network:
botocore's Stubber checks each call against the service's own model."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from actionreel.chat_models.bedrock_converse import BedrockChatModel, chat_model
from actionreel.chats import Line
from actionreel.errors import (
    ChatError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from tests.fakes import cases

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
REFUSED, THROTTLED, UNAVAILABLE = ChatRefusedError, ChatThrottledError, ChatUnavailableError
ENDPOINT = "https://bedrock-runtime.us-east-1.amazonaws.com"


def user(text: str) -> Line:
    return Line(role="user", text=text)


def assistant(text: str) -> Line:
    return Line(role="assistant", text=text)


def answer(*content: dict[str, Any], stop_reason: str = "end_turn") -> dict[str, Any]:
    """An answer of Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": 30, "outputTokens": 20, "totalTokens": 50},
        "metrics": {"latencyMs": 1275},
    }


SAID = answer({"text": "Here it comes."})


@pytest.fixture
def client() -> Any:
    """A client that reaches nobody."""
    session = boto3.session.Session("key", "secret", region_name="us-east-1")
    return session.client("bedrock-runtime")


def reply(client: Any, said: dict[str, Any], asked: Any = None, *lines: Line) -> str:
    with Stubber(client) as stub:
        stub.add_response("converse", said, asked)
        written = BedrockChatModel(MODEL, client).reply("You can.", lines or (user("A film."),))
        stub.assert_no_pending_responses()
        return written


@pytest.mark.parametrize(
    ("lines", "messages"),
    cases(
        {
            "in turn": (
                (user("a film"), assistant("of what?"), user("a boat")),
                [("user", "a film"), ("assistant", "of what?"), ("user", "a boat")],
            ),
            "neighbours become one": (
                (user("a film"), user("of a boat"), assistant("a"), assistant("b"), user("c")),
                [("user", "a film", "of a boat"), ("assistant", "a", "b"), ("user", "c")],
            ),
            "the user is first": (
                (assistant("of what?"), assistant("of what?"), user("a boat")),
                [("user", "a boat")],
            ),
            "blanks are left out": (
                (user("a film"), assistant(" \n"), user(""), user("of a boat")),
                [("user", "a film", "of a boat")],
            ),
        }
    ),
)
def test_converse_wants_the_lines_in_turn(client: Any, lines: Any, messages: Any) -> None:
    asked = {
        "modelId": MODEL,
        "system": [{"text": "You can."}],
        "messages": [
            {"role": role, "content": [{"text": text} for text in texts]}
            for role, *texts in messages
        ],
    }
    assert reply(client, SAID, asked, *lines) == "Here it comes."


@pytest.mark.parametrize(
    ("said", "text"),
    cases(
        {
            "plain": (answer({"text": " Hello.\n"}), "Hello."),
            "parts": (answer({"text": "Hel"}, {"text": "lo."}), "Hello."),
            "thoughts beside the text": (
                answer(
                    {"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "Hello."}
                ),
                "Hello.",
            ),
            "cut off by its length": (
                answer({"text": "Once upon"}, stop_reason="max_tokens"),
                "Once upon",
            ),
            "nothing": (answer(), ""),
            "too long": (answer({"text": "x" * 200_000}), "x" * 100_000),
            "half a surrogate pair": (answer({"text": "a \ud800 boat"}), "a ? boat"),
        }
    ),
)
def test_what_it_wrote(client: Any, said: dict[str, Any], text: str) -> None:
    assert reply(client, said) == text


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered"])
def test_a_model_that_declines(client: Any, reason: str) -> None:
    said = answer({"text": "Sorry, that is blocked."}, stop_reason=reason)
    with pytest.raises(ChatRefusedError, match=r"^The model declined to answer\.$"):
        reply(client, said)


@pytest.mark.parametrize(
    ("code", "status", "error", "message"),
    cases(
        {
            "throttled": ("ThrottlingException", 429, THROTTLED, "too many requests"),
            "not ready": ("ModelNotReadyException", 429, UNAVAILABLE, "cannot answer now"),
            "timed out": ("ModelTimeoutException", 408, UNAVAILABLE, "cannot answer now"),
            "broken": ("InternalServerException", 500, UNAVAILABLE, "cannot answer now"),
            "away": ("ServiceUnavailableException", 503, UNAVAILABLE, "cannot answer now"),
            "the model's own": ("ModelErrorException", 424, UNAVAILABLE, "cannot answer now"),
            "denied": ("AccessDeniedException", 403, REFUSED, "does not let this deployment"),
            "invalid": ("ValidationException", 400, REFUSED, "refused the message"),
            "no such model": ("ResourceNotFoundException", 404, REFUSED, "no such chat model"),
        }
    ),
)
def test_trouble(client: Any, code: str, status: int, error: type[ChatError], message: str) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("converse", code, "arn:aws:iam::123456789012:role/x", status)
        with pytest.raises(error) as raised:
            BedrockChatModel(MODEL, client).reply("You can.", (user("A film."),))
    assert message in str(raised.value) and "arn:" not in str(raised.value)


@pytest.mark.parametrize(
    "trouble",
    [
        EndpointConnectionError(endpoint_url=ENDPOINT),
        ConnectTimeoutError(endpoint_url=ENDPOINT),
        ReadTimeoutError(endpoint_url=ENDPOINT),
        NoCredentialsError(),
    ],
)
def test_what_is_not_reached(trouble: BotoCoreError) -> None:
    class Unreachable:
        def converse(self, **_: Any) -> Any:
            raise trouble

    with pytest.raises(ChatUnavailableError, match=r"^The chat model cannot be reached\.$"):
        BedrockChatModel(MODEL, Unreachable()).reply("You can.", (user("A film."),))


@pytest.mark.parametrize("said", [{}, {"output": {}}, {"output": {"message": {}}}])
def test_an_answer_without_a_message_says_nothing(said: Any) -> None:
    class Odd:
        def converse(self, **_: Any) -> Any:
            return said

    assert BedrockChatModel(MODEL, Odd()).reply("You can.", (user("A film."),)) == ""


def test_the_client_is_the_regions_and_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # or they would be looked for
        monkeypatch.setenv(name, "a-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert chat_model(MODEL)._client.meta.region_name == "eu-central-1"
    client = chat_model(MODEL, "us-west-2")._client
    assert client.meta.region_name == "us-west-2"
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 45)
    assert config.retries["total_max_attempts"] == 1

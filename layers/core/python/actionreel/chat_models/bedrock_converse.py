"""A language model in Amazon Bedrock, by its Converse API.

It wants the lines of two speakers in turn, the user's first. Asking twice costs little and shows
nobody anything twice: a call that went unanswered is as if it was never made.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and botocore.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from actionreel.chats import Line
from actionreel.errors import (
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)

MAX_CHARACTERS = 100_000

_DECLINED = ("guardrail_intervened", "content_filtered")
_REFUSALS = {
    "AccessDeniedException": "Bedrock does not let this deployment use the chat model.",
    "ValidationException": "Bedrock refused the message.",
    "ResourceNotFoundException": "Bedrock has no such chat model.",
}
_PATIENCE = Config(connect_timeout=5, read_timeout=45, retries={"total_max_attempts": 1})


class BedrockChatModel:
    """The model of that id, or of that inference profile."""

    def __init__(self, model_id: str, client: Any) -> None:
        self._model_id = model_id
        self._client = client

    def reply(self, system: str, lines: Sequence[Line]) -> str:
        """What the model writes, at most 100,000 characters. See ChatModel for what it raises."""
        try:
            answer = self._client.converse(
                modelId=self._model_id, system=[{"text": system}], messages=_messages(lines)
            )
        except ClientError as error:
            raise _trouble(error.response["Error"]["Code"]) from None
        except BotoCoreError:
            raise ChatUnavailableError("The chat model cannot be reached.") from None
        if answer.get("stopReason") in _DECLINED:
            raise ChatRefusedError("The model declined to answer.")
        parts = answer.get("output", {}).get("message", {}).get("content", [])
        said = "".join(part.get("text", "") for part in parts)
        # Half a surrogate pair can be escaped in JSON, but neither be stored nor sent on.
        return said.encode(errors="replace").decode().strip()[:MAX_CHARACTERS]


def chat_model(model_id: str, region: str | None = None) -> BedrockChatModel:
    """The model of a deployment, in its own region if none is named."""
    import boto3

    client: Any = boto3.client("bedrock-runtime", region_name=region, config=_PATIENCE)
    return BedrockChatModel(model_id, client)


def _messages(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines in turn: neighbours of one speaker become one message. Converse refuses blanks."""
    messages: list[dict[str, Any]] = []
    for line in lines:
        if not line.text.strip():
            continue
        if messages and messages[-1]["role"] == line.role:
            messages[-1]["content"].append({"text": line.text})
        elif messages or line.role == "user":
            messages.append({"role": line.role, "content": [{"text": line.text}]})
    return messages


def _trouble(code: str) -> ChatRefusedError | ChatThrottledError | ChatUnavailableError:
    if code in _REFUSALS:
        return ChatRefusedError(_REFUSALS[code])
    if code == "ThrottlingException":
        return ChatThrottledError("The chat model has too many requests.")
    return ChatUnavailableError("The chat model cannot answer now.")

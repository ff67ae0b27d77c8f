"""The script that stands in for a model: it says so, and speaks as OpenAI's server does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from actionreel.actions import find_actions, without_actions
from actionreel.chat_answers import RESULT
from actionreel.chat_models.openai_chat import chat_model
from actionreel.chats import Line
from actionreel.errors import (
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from local import scripted_model
from local.scripted_model import ScriptedModel
from tests.fakes import cases


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as running:
        yield running


@pytest.fixture
def sdk(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.url, api_key=model.api_key, max_retries=0) as client:
        yield client


def said(sdk: openai.OpenAI, text: str) -> str:
    """What OpenAI's own library makes of the answer."""
    completion = sdk.chat.completions.create(
        model="script",
        messages=[
            {"role": "system", "content": "You can make videos."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": text},
        ],
    )
    completion.model_validate(completion.model_dump(), strict=True)  # the library is lax by itself
    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    assert completion.model == "script" and choice.message.content is not None
    return choice.message.content


@pytest.mark.parametrize(
    ("asked", "body"),
    cases(
        {
            "a video": (
                "Please make a video of a paper boat in the rain!",
                {"prompt": "paper boat in the rain"},
            ),
            "a clip with a length": (
                "a 4 second clip of two herons",
                {"prompt": "two herons", "seconds": 4},
            ),
            "a film": ("Film the sea, 8s", {"prompt": "sea,", "seconds": 8}),
            "an animation": ("An animation: dots", {"prompt": "dots"}),
            "what JSON escapes": (
                'video: he says "no" \\ \n twice',
                {"prompt": 'he says "no" \\ \n twice'},
            ),
            "a tag within": (
                "a video of </createAIVideo><createAIVideo>{}",
                {"prompt": "</createAIVideo><createAIVideo>{}"},
            ),
            "nothing else": ("video", {"prompt": "video"}),
        }
    ),
)
def test_who_asks_for_a_video_gets_a_tag(
    sdk: openai.OpenAI, asked: str, body: dict[str, Any]
) -> None:
    text = said(sdk, asked)
    [action] = find_actions(text)
    assert action.name == "createAIVideo" and action.body is not None
    assert action.body == body
    assert "I am a script" in without_actions(text)


@pytest.mark.parametrize(
    "asked",
    cases(
        {
            "a greeting": "Good morning.",
            "a finished video": f"{RESULT}{json.dumps({'type': 'CHAT_VIDEO', 'data': {}})}",
            "one that failed": f"{RESULT}{json.dumps({'error': 'no', 'code': 'moderation'})}",
            "a result with the words of a wish": RESULT + '{"error": "a video of a film"}',
            "a result that is none": f"{RESULT}a video, please",
            "a result that is a list": f"{RESULT}[]",
        }
    ),
)
def test_else_it_says_that_it_is_a_script(sdk: openai.OpenAI, asked: str) -> None:
    text = said(sdk, asked)
    assert "I am a script" in text and not find_actions(text)


def test_it_knows_results_by_the_words_that_begin_them() -> None:
    assert scripted_model.RESULT == RESULT


@pytest.mark.parametrize(
    ("word", "error"),
    [("[model:500]", openai.InternalServerError), ("[model:429]", openai.RateLimitError)],
)
def test_words_for_trouble(
    sdk: openai.OpenAI, word: str, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as raised:
        said(sdk, f"a video {word}")
    assert raised.value.body == {
        "message": "As you wished.",
        "type": "wished",
        "param": None,
        "code": "wished",
    }


def test_a_word_for_silence(sdk: openai.OpenAI) -> None:
    assert said(sdk, "a video [model:empty]") == ""


def test_our_own_adapter_speaks_with_it(model: ScriptedModel) -> None:
    def reply(text: str, key: str = model.api_key) -> str:
        asked = chat_model(model.url, "script", lambda *, fresh=False: key)
        return asked.reply("You can.", [Line(role="user", text=text)])

    assert find_actions(reply("a video of a boat"))
    assert reply("[model:empty]") == ""
    with pytest.raises(ChatUnavailableError):
        reply("[model:500]")
    with pytest.raises(ChatThrottledError) as raised:
        reply("[model:429]")
    assert raised.value.retry_after == 1
    with pytest.raises(ChatRefusedError, match="refused our key"):
        reply("Hello.", "another key")


USER = {"role": "user", "content": "Hello."}


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "no JSON": b"{",
            "a list": b"[]",
            "nothing": b"",
            "deep": b"[" * 100_000,
            "no model": {"messages": [USER]},
            "no messages": {"model": "m"},
            "an empty list": {"model": "m", "messages": []},
            "an object": {"model": "m", "messages": {"role": "user"}},
            "null": {"model": "m", "messages": None},
            "a text": {"model": "m", "messages": "Hello."},
            "no such role": {"model": "m", "messages": [{"role": "tool", "content": ""}, USER]},
            "no content": {"model": "m", "messages": [{"role": "user"}]},
            "a number": {"model": "m", "messages": [{"role": "user", "content": 7}]},
            "nobody asks": {"model": "m", "messages": [{"role": "assistant", "content": "?"}]},
        }
    ),
)
def test_it_is_strict(model: ScriptedModel, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {model.api_key}"}
    answer = httpx.post(f"{model.url}/chat/completions", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request_error"


def test_it_has_one_address_and_one_key(model: ScriptedModel) -> None:
    headers = {"Authorization": f"Bearer {model.api_key}"}
    assert httpx.get(f"{model.url}/models", headers=headers).status_code == 404
    assert httpx.get(f"{model.url}/chat/completions", headers=headers).status_code == 404
    refused = httpx.post(f"{model.url}/chat/completions", json={})
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"


def test_it_has_an_address_while_it_is_open() -> None:
    model = ScriptedModel()
    with pytest.raises(RuntimeError):
        _ = model.url
    with model:
        assert model.url.startswith("http://127.0.0.1:") and model.url.endswith("/v1")
    model.stop()
    with pytest.raises(RuntimeError):
        _ = model.url

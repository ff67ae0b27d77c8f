"""The four tools as a language model is told of them. Made from the registry, so that they never
promise what validation refuses. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from actionreel.instructions import model_line
from actionreel.registry import Registry
from actionreel.tool_documents import ToolAnswer, ToolCancellation, ToolVideo, ToolVideos
from actionreel.video_request import MAX_PROMPT_CHARACTERS, MAX_URL_CHARACTERS

Schema = dict[str, Any]
Style = Literal["openai", "anthropic", "bedrock"]

NAMES = ("create_video", "get_video", "list_videos", "cancel_video")
MAX_LISTED = 100
MAX_REQUEST_ID = 150  # characters
LISTED = 10

_CREATE = """\
Starts making a video from a description. It answers at once with a videoId, not with the video: \
making one takes from half a minute to several minutes, and may cost money. Then wait for \
retryAfterSeconds and call get_video with the videoId. Call it once for each video that is wanted; \
call it again for the same one only after an error that says "retryable": true."""
_GET = """\
Says where a video stands, and gives videoUrl once it is completed. While it is being made, the \
answer has retryAfterSeconds: do not call again before that many seconds have passed, because \
there is no news before. If you cannot wait, tell the reader that the video is being made, and \
look again in a later turn. An answer with "error" is final; tell the reader what it says."""
_LIST = """\
Lists the videos that were asked for, newest first, with their status: to find a videoId again, or \
what was made before. To follow one video use get_video."""
_CANCEL = """\
Cancels a video that is being made, if that is still possible, and says whether it was: cancelled, \
too_late (it has ended) or unsupported (its provider cannot cancel, so it goes on). It cannot be \
undone, and the video may be charged all the same."""
_VIDEO_ID: Schema = {
    "type": "string",
    "description": "The videoId that create_video or list_videos gave.",
}


@dataclass(frozen=True)
class Tool:
    """A tool: `parameters` is the JSON schema of its arguments, `answers` what it gives.

    `reads` says that it changes nothing, `repeatable` that calling it twice is as calling it once.
    """

    name: str
    title: str
    description: str
    parameters: Schema
    answers: type[ToolAnswer]
    reads: bool = False
    destroys: bool = False
    repeatable: bool = False


def tools(registry: Registry) -> list[Tool]:
    """The tools that can be used here: no video can be created where no model can be had."""
    look = _object({"videoId": _VIDEO_ID}, "videoId")
    always = [
        Tool("get_video", "Look at a video", _GET, look, ToolVideo, reads=True, repeatable=True),
        Tool("list_videos", "List videos", _LIST, _page(), ToolVideos, reads=True, repeatable=True),
        Tool(
            "cancel_video",
            "Cancel a video",
            _CANCEL,
            look,
            ToolCancellation,
            destroys=True,
            repeatable=True,
        ),
    ]
    if not registry.offered:
        return always
    return [Tool("create_video", "Make a video", _CREATE, _wish(registry), ToolVideo), *always]


def styled(found: list[Tool], style: Style) -> list[Schema]:
    """The tools as a request to a model of that kind takes them in."""
    return [_STYLES[style](tool) for tool in found]


def answer_schema(tool: Tool) -> Schema:
    """The JSON schema of what the tool answers."""
    return tool.answers.model_json_schema(by_alias=True, mode="validation")


def _openai(tool: Tool) -> Schema:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _anthropic(tool: Tool) -> Schema:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _bedrock(tool: Tool) -> Schema:
    schema = {"json": tool.parameters}
    return {"toolSpec": {"name": tool.name, "description": tool.description, "inputSchema": schema}}


_STYLES: dict[Style, Callable[[Tool], Schema]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "bedrock": _bedrock,
}


def _object(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _page() -> Schema:
    return _object(
        {
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_LISTED,
                "description": f"How many at most; {LISTED} if you leave it out.",
            },
            "cursor": {
                "type": "string",
                "description": "The cursor of the answer before, for the videos that follow.",
            },
        }
    )


def _wish(registry: Registry) -> Schema:
    """What can be asked for. Lengths are no enum: some hosts of models take enums of texts only."""
    models = registry.offered
    default = models[0]
    lengths = sorted({length for model in models for length in model.lengths})
    sizes = list(dict.fromkeys(size for model in models for size in model.sizes))
    lines = "\n".join(model_line(model, registry) for model in models)
    own = "its lengths are" if len(models) == 1 else "each model's lengths are"
    properties: Schema = {
        "prompt": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_PROMPT_CHARACTERS,
            "description": "What the video shows: subject, action, place, light, camera.",
        },
        "model": {
            "type": "string",
            "enum": [model.id for model in models],
            "description": f"{default.id} if you leave it out. The models:\n{lines}",
        },
        "seconds": {
            "type": "integer",
            "minimum": lengths[0],
            "maximum": lengths[-1],
            "description": f"The length; {own} with `model`. The shortest if you leave it out.",
        },
        "size": {
            "type": "string",
            "enum": sizes,
            "description": "Width x height in pixels, one of the model's; its first if you leave it"
            " out.",
        },
    }
    properties["requestId"] = {
        "type": "string",
        "maxLength": MAX_REQUEST_ID,
        "description": "A name of your own for this video. Give the same one if you call again"
        " because no answer came: it makes no second video.",
    }
    if any(offer.takes_image for model in models for offer in registry.offers(model)):
        properties["input_reference_url"] = {
            "type": "string",
            "maxLength": MAX_URL_CHARACTERS,
            "description": "The https address of a PNG, JPEG or WebP image to start from, in place"
            " of size; for models that say so.",
        }
    return _object(properties, "prompt")

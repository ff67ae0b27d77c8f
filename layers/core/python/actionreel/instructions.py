"""The prompt text that teaches a language model the two tags.

Made from the registry, so that it never promises what validation refuses. Pure.
"""

from __future__ import annotations

import json

from actionreel.registry import Registry, VideoModel

_TEXT = """\
You can make videos. Write this tag in your answer, outside of code blocks, once for each video:

<createAIVideo>{example}</createAIVideo>

The fields of its JSON object:
- prompt (required): what the video shows, at most 4,000 characters.
- model: one of the models below; {default} if you leave it out.
- seconds: the length of the video; the model's lengths are below.
- size: width x height in pixels; the model's sizes are below, the first is the default.
- input_reference_url: the https address of a PNG, JPEG or WebP image to start from,
  in place of size; for models that say so.

Models:
{models}

Making a video takes time. When you receive VIDEO_PENDING, wait for its retryAfterSeconds, then ask:

<continueVideoPolling>{{"videoId": "the-video-id"}}</continueVideoPolling>

CHAT_VIDEO means that the video is ready: the reader sees it, you need not repeat its address.
A result with "error" says why there is no video. Start the same video again only if it says
"retryable": true; otherwise tell the reader, who may have paid for it already.
At most 5 videos can be started in one message.
"""

NONE = "You cannot make videos at the moment: no video provider is set up.\n"


def instructions(registry: Registry) -> str:
    """The text for a model's system prompt."""
    models = registry.offered
    if not models:
        return NONE
    model = models[0]
    example = {
        "prompt": "scene description",
        "model": model.id,
        "seconds": model.lengths[0],
        "size": model.sizes[0],
    }
    return _TEXT.format(
        example=json.dumps(example),
        default=model.id,
        models="\n".join(model_line(model, registry) for model in models),
    )


def model_line(model: VideoModel, registry: Registry) -> str:
    """What a model reads of a video model: its lengths, its sizes, whether it takes an image."""
    lengths = ", ".join(str(length) for length in sorted(model.lengths))
    from_image = any(offer.takes_image for offer in registry.offers(model))
    return (
        f"- {model.id} ({model.description}): {lengths} seconds;"
        f" {', '.join(_size(size) for size in model.sizes)}"
        f"{'; can start from an image' if from_image else ''}"
    )


def _size(size: str) -> str:
    width, height = (int(side) for side in size.split("x"))
    shape = "square" if width == height else "landscape" if width > height else "portrait"
    return f"{size} ({shape})"

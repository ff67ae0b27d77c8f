"""Examples of requests, and which answers lead where, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler.openapi.models import Example

from actionreel.routes.parameters import EXAMPLE_ID

_POLL = f'<continueVideoPolling>{{"videoId": "{EXAMPLE_ID}"}}</continueVideoPolling>'
_CREATE = """\
Here it is.

<createAIVideo>{"prompt": "A paper boat drifts down a rainy street at dusk", "seconds": 4}\
</createAIVideo>"""

MESSAGES = {
    "create": Example(summary="A tag that starts a video", value={"text": _CREATE}),
    "poll": Example(summary="A tag that asks for a video again", value={"text": _POLL}),
    "nothing": Example(summary="No tag", value={"text": "Good morning.", "messageId": "message-3"}),
}
ARGUMENTS = {
    "create": Example(summary="For create_video", value={"prompt": "A paper boat", "seconds": 4}),
    "get": Example(summary="For get_video and cancel_video", value={"videoId": EXAMPLE_ID}),
}
ACCEPTED = {
    "plain": Example(summary="If it cannot have been charged", value={}),
    "double": Example(
        summary="Although it may be charged twice", value={"acceptDoubleCharge": True}
    ),
}


def leads(answers: dict[int, Any], status: int, pointer: str) -> dict[int, Any]:
    """The answers of a route, of which one holds, at a JSON pointer, the id of a video that others
    take."""
    parameters = {"video_id": f"$response.body#{pointer}"}
    links = {
        name: {"operationId": name, "parameters": parameters}
        for name in ("getVideo", "deleteVideo", "retryVideo", "getContent", "getPoster")
    }
    return answers | {status: answers[status] | {"links": links}}


TEXT: dict[str, Any] = {"text/plain; charset=utf-8": {"schema": {"type": "string"}}}

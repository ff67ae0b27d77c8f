"""Replicate's words, composed after its documentation."""

from __future__ import annotations

from typing import Any

from actionreel.orders import Offer, Order
from actionreel.providers.replicate import adapter
from tests.providers.kit import FILE, KEY, REQUEST, WITH_IMAGE, Kit
from tests.providers.server import Reply, Routes

ID = "k7w2mzt9qxrj4c0p8vbn5d3hge"
JOB = f"/predictions/{ID}"
POLL, CANCEL = f"GET {JOB}", f"POST {JOB}/cancel"
PREDICTION: dict[str, Any] = {
    "id": ID,
    "model": "minimax/h3",
    "version": "hidden",
    "input": {"prompt": REQUEST.prompt, "duration": 8},
    "logs": "",
    "output": None,
    "data_removed": False,
    "error": None,
    "status": "starting",
    "created_at": "2026-11-22T12:00:00.250Z",
    "urls": {"get": f"{{base}}{JOB}", "cancel": f"{{base}}{JOB}/cancel"},
}
RUNNING = PREDICTION | {
    "status": "processing",
    "logs": " 12%|#2        | 6/50 [00:04<00:29]\n 36%|###6      | 18/50 [00:12<00:21]\n",
    "started_at": "2026-11-22T12:00:02.100Z",
}
COMPLETED = PREDICTION | {
    "status": "succeeded",
    "output": "{base}/the-file",
    "metrics": {"predict_time": 47.6, "total_time": 49.8},
    "completed_at": "2026-11-22T12:00:49.700Z",
}
REMOVED = COMPLETED | {"input": {}, "logs": None, "output": None, "data_removed": True}
CANCELED = PREDICTION | {"status": "canceled", "metrics": {"predict_time": 3.1}}
FLAGGED = "The input or output was flagged as sensitive. Please try other inputs. (E005)"
INVALID = {
    "title": "Input validation failed",
    "detail": "- input.duration: Input should be 6 or 10\n",
    "status": 422,
    "invalid_fields": [
        {"field": "input.duration", "type": "invalid", "description": "Input should be 6 or 10"}
    ],
}


def failed(error: str) -> Routes:
    """A prediction that failed, and what its model said."""
    return {POLL: Reply(200, PREDICTION | {"status": "failed", "error": error})}


def problem(status: int, title: str, detail: str) -> Reply:
    """An error after RFC 7807."""
    return Reply(status, {"title": title, "detail": detail, "status": status})


KIT = Kit(
    name="replicate",
    adapter=adapter,
    offer=Offer(
        provider="replicate",
        name="minimax/h3",
        input={"prompt": "{prompt}", "duration": "{seconds}", "aspect_ratio": "{aspect_ratio}"},
        image_input={"first_frame_image": "{image}"},
        takes_image="url",
    ),
    create="POST /models/minimax/h3/predictions",
    created_body={
        "input": {"prompt": REQUEST.prompt, "duration": 8, "aspect_ratio": "16:9"},
    },
    create_headers={"authorization": f"Bearer {KEY}", "cancel-after": "60m"},
    accepted={"POST /models/minimax/h3/predictions": Reply(201, PREDICTION)},
    pending={
        "starting": {POLL: Reply(200, PREDICTION)},
        "running": {POLL: Reply(200, RUNNING)},
        "a word of tomorrow": {POLL: Reply(200, PREDICTION | {"status": "warming"})},
    },
    completed={
        "a URL": {POLL: Reply(200, COMPLETED), **FILE},
        "a list": {POLL: Reply(200, COMPLETED | {"output": ["{base}/the-file"]}), **FILE},
        "an object": {
            POLL: Reply(200, COMPLETED | {"output": {"url": "{base}/the-file"}}),
            **FILE,
        },
    },
    failed={
        "moderated": (failed(FLAGGED), "moderation"),
        "not safe for work": (failed("NSFW content detected."), "moderation"),
        "broken": (failed("CUDA out of memory (E1000)"), "provider_rejected"),
        "without a reason": (failed(""), "provider_rejected"),
        "cancelled at Replicate": ({POLL: Reply(200, CANCELED)}, "cancelled"),
        "never begun": ({POLL: Reply(200, PREDICTION | {"status": "aborted"})}, "timeout"),
        "deleted": ({POLL: Reply(200, REMOVED)}, "expired"),
        "nothing made": ({POLL: Reply(200, COMPLETED | {"output": None})}, "expired"),
    },
    refused={
        "invalid": (Reply(422, INVALID), "invalid_input"),
        "moderated": (problem(422, "Unprocessable", FLAGGED), "moderation"),
        "not safe for work": (problem(422, "Unprocessable", "NSFW input."), "moderation"),
        "no credit": (
            problem(402, "Insufficient credit", "You have too little credit to run this model."),
            "quota",
        ),
        "a bad key": (
            problem(401, "Unauthenticated", "You did not pass a valid token."),
            "provider_rejected",
        ),
        "no such model": (
            problem(404, "Not found", "The requested resource could not be found."),
            "provider_rejected",
        ),
    },
    throttled={
        "with a time in the text": (
            Reply(
                429,
                {"detail": "Request was throttled. Your limit resets in ~25s.", "status": 429},
            ),
            25.0,
        ),
        "with a time in a header": (
            Reply(
                429,
                {"detail": "Request was throttled. Your limit resets in ~25s.", "status": 429},
                {"Retry-After": "7"},
            ),
            7.0,
        ),
        "without a time": (Reply(429, {"detail": "Request was throttled."}), None),
    },
    gone={POLL: problem(404, "Not found", "The requested resource could not be found.")},
    in_doubt={
        "trouble": problem(500, "Internal server error", "Something went wrong."),
        "no id": Reply(201, PREDICTION | {"id": None}),
    },
    cancels={
        "running": (
            {POLL: Reply(200, RUNNING), CANCEL: Reply(200, PREDICTION | {"status": "canceled"})},
            "cancelled",
        ),
        "completed": ({POLL: Reply(200, COMPLETED)}, "too_late"),
        "completed meanwhile": (
            {POLL: Reply(200, RUNNING), CANCEL: Reply(200, COMPLETED)},
            "too_late",
        ),
        "unknown": ({POLL: Reply(404)}, "too_late"),
        "deleted meanwhile": ({POLL: Reply(200, RUNNING), CANCEL: Reply(404)}, "too_late"),
    },
    with_image=[
        (
            Order(
                request=WITH_IMAGE,
                offer=Offer(
                    provider="replicate",
                    name="minimax/h3",
                    input={"prompt": "{prompt}", "duration": "{seconds}"},
                    image_input={"first_frame_image": "{image}"},
                    takes_image="url",
                ),
                key="the-video-id",
            ),
            {
                "input": {
                    "prompt": WITH_IMAGE.prompt,
                    "duration": 8,
                    "first_frame_image": WITH_IMAGE.input_reference_url,
                }
            },
        )
    ],
    no_file={
        "deleted since": {POLL: Reply(200, REMOVED)},
        "the file is gone": {POLL: Reply(200, COMPLETED), "GET /the-file": Reply(404)},
        "the prediction is gone": {POLL: Reply(404)},
    },
    stranger={
        "a private address": {
            POLL: Reply(200, COMPLETED | {"output": "https://192.168.7.7/boat.mp4"}),
        },
    },
)

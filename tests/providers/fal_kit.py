"""fal's words, composed after its documentation."""

from __future__ import annotations

from typing import Any

from actionreel.orders import Offer, Order
from actionreel.providers.fal import adapter
from tests.providers.kit import FILE, KEY, REQUEST, WITH_IMAGE, Kit
from tests.providers.server import Reply

ID = "5f2c9d1e-8a47-4b60-9c3d-27f0a1b6e884"
JOB = f"/fal-ai/veo3.1/requests/{ID}"  # without the last part of the model's name
STATUS, RESULT, CANCEL = f"GET {JOB}/status", f"GET {JOB}", f"PUT {JOB}/cancel"
URLS = {
    "response_url": f"{{base}}{JOB}",
    "status_url": f"{{base}}{JOB}/status",
    "cancel_url": f"{{base}}{JOB}/cancel",
}
QUEUED = {
    "status": "IN_QUEUE",
    "request_id": ID,
    "gateway_request_id": ID,
    "queue_position": 3,
    **URLS,
}
RUNNING = {"status": "IN_PROGRESS", "request_id": ID, "logs": None, **URLS}
COMPLETED = {
    "status": "COMPLETED",
    "request_id": ID,
    "logs": None,
    "metrics": {"inference_time": 58.4},
    **URLS,
}
VIDEO = {
    "url": "{base}/the-file",
    "content_type": "video/mp4",
    "file_name": "boat.mp4",
    "file_size": 96,
}
FILM = {"video": VIDEO, "seed": 7}


def broken(error: str, kind: str | None = None) -> dict[str, Any]:
    """A request that failed in the queue: it is COMPLETED all the same."""
    return COMPLETED | {"metrics": {}, "error": error, **({"error_type": kind} if kind else {})}


def model_error(kind: str, message: str, field: str = "prompt") -> dict[str, Any]:
    """What a model did not like, or could not do."""
    return {
        "detail": [
            {
                "loc": ["body", field],
                "msg": message,
                "type": kind,
                "url": f"https://docs.fal.ai/errors/#{kind}",
                "input": "…",
            }
        ]
    }


def request_error(message: str, kind: str | None = None) -> dict[str, Any]:
    """What the queue itself says."""
    return {"detail": message, **({"error_type": kind} if kind else {})}


FLAGGED = model_error("content_policy_violation", "The prompt was flagged by a content checker.")
TOO_LONG = model_error("value_error", "Input should be '4s', '6s' or '8s'", "duration")
LOCKED = request_error("User is locked. Reason: Exhausted balance. Top up your balance.")
FINAL = {"X-Fal-Retryable": "false"}
DONE = {STATUS: Reply(200, COMPLETED)}

KIT = Kit(
    name="fal",
    adapter=adapter,
    offer=Offer(
        provider="fal",
        name="fal-ai/veo3.1/fast",
        image_name="fal-ai/veo3.1/fast/image-to-video",
        input={"prompt": "{prompt}", "duration": "{seconds}s", "aspect_ratio": "{aspect_ratio}"},
        image_input={"image_url": "{image}"},
        takes_image="url",
    ),
    create="POST /fal-ai/veo3.1/fast",
    created_body={"prompt": REQUEST.prompt, "duration": "8s", "aspect_ratio": "16:9"},
    create_headers={"authorization": f"Key {KEY}"},
    accepted={"POST /fal-ai/veo3.1/fast(/image-to-video)?": Reply(200, QUEUED)},
    pending={
        "queued": {STATUS: Reply(202, QUEUED)},
        "running": {STATUS: Reply(202, RUNNING)},
        "a word of tomorrow": {STATUS: Reply(200, COMPLETED | {"status": "WARMING_UP"})},
    },
    completed={
        "a film": {**DONE, RESULT: Reply(200, FILM), **FILE},
        "no metrics": {
            STATUS: Reply(200, {"status": "COMPLETED"}),
            RESULT: Reply(200, {"video": {"url": "{base}/the-file"}}),
            **FILE,
        },
    },
    failed={
        "did not start in time": (
            {STATUS: Reply(200, broken("Request timed out before starting", "request_timeout"))},
            "provider_rejected",
        ),
        "the runner broke down": (
            {STATUS: Reply(200, broken("Runner disconnected", "runner_disconnected"))},
            "provider_rejected",
        ),
        "moderated": ({**DONE, RESULT: Reply(422, FLAGGED, FINAL)}, "moderation"),
        "invalid": ({**DONE, RESULT: Reply(422, TOO_LONG, FINAL)}, "invalid_input"),
        "broken for good": (
            {
                **DONE,
                RESULT: Reply(
                    500, model_error("internal_server_error", "Internal server error"), FINAL
                ),
            },
            "provider_rejected",
        ),
        "cancelled at fal": (
            {
                **DONE,
                RESULT: Reply(499, request_error("Request was cancelled", "client_cancelled")),
            },
            "cancelled",
        ),
        "no film": ({**DONE, RESULT: Reply(200, {"seed": 7})}, "provider_rejected"),
    },
    refused={
        "moderated": (Reply(422, FLAGGED), "moderation"),
        "invalid": (Reply(422, TOO_LONG), "invalid_input"),
        "no credit": (Reply(402, request_error("Payment required")), "quota"),
        "locked": (Reply(403, LOCKED), "quota"),
        "no access": (Reply(403, request_error("Access denied")), "provider_rejected"),
        "a bad key": (Reply(401, request_error("Invalid key")), "provider_rejected"),
        "no such model": (
            Reply(404, request_error("Application 'veo3.1' not found")),
            "provider_rejected",
        ),
    },
    throttled={
        "too many at once": (
            Reply(429, request_error("Too many requests", "concurrent_requests_limit")),
            None,
        ),
        "with a time": (
            Reply(
                429,
                request_error("Too many requests", "concurrent_requests_limit"),
                {"Retry-After": "12"},
            ),
            12.0,
        ),
    },
    gone={STATUS: Reply(404, request_error("Request not found"))},
    in_doubt={
        "no runner": Reply(503, request_error("No runner", "runner_scheduling_failure")),
        "the runner was cut off": Reply(503, request_error("Cut off", "runner_disconnected")),
        "too slow": Reply(504, request_error("Request timed out", "request_timeout")),
        "no addresses": Reply(200, {"status": "IN_QUEUE", "request_id": ID}),
        "addresses of a foreign host": Reply(
            200, QUEUED | {"status_url": f"https://queue.example{JOB}/status"}
        ),
    },
    cancels={
        "queued or running": (
            {CANCEL: Reply(202, {"status": "CANCELLATION_REQUESTED"})},
            "cancelled",
        ),
        "completed": ({CANCEL: Reply(400, {"status": "ALREADY_COMPLETED"})}, "too_late"),
        "unknown": ({CANCEL: Reply(404, {"status": "NOT_FOUND"})}, "too_late"),
    },
    with_image=[
        (
            Order(
                request=WITH_IMAGE,
                offer=Offer(
                    provider="fal",
                    name="fal-ai/veo3.1/fast",
                    image_name="fal-ai/veo3.1/fast/image-to-video",
                    input={"prompt": "{prompt}", "duration": "{seconds}s"},
                    image_input={"image_url": "{image}"},
                    takes_image="url",
                ),
                key="the-video-id",
            ),
            {
                "prompt": WITH_IMAGE.prompt,
                "duration": "8s",
                "image_url": WITH_IMAGE.input_reference_url,
            },
        )
    ],
    no_file={
        "the result is gone": {**DONE, RESULT: Reply(404, request_error("Request not found"))},
        "the file is gone": {
            **DONE,
            RESULT: Reply(200, FILM),
            "GET /the-file": Reply(410),
        },
    },
    stranger={
        "a private address": {
            **DONE,
            RESULT: Reply(200, {"video": VIDEO | {"url": "https://10.0.0.7/boat.mp4"}}),
        },
    },
)

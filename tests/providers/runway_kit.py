"""Runway's own words; bodies composed from its documentation."""

from __future__ import annotations

from typing import Any

from actionreel.orders import Offer, Order
from actionreel.providers.runway import adapter
from tests.providers.kit import FILE, PNG, WITH_IMAGE, Kit
from tests.providers.server import Reply

ID = "5d0c6f7e-90b1-4f0e-8a43-2f5c7b1e9d64"
TASK = f"GET /v1/tasks/{ID}"
DELETE = f"DELETE /v1/tasks/{ID}"
OFFER = Offer(
    provider="runway",
    name="gen4.5",
    input={"ratio": "{width}:{height}", "duration": "{seconds}"},
    image_input={"promptImage": "{image}", "ratio": "1280:720"},
    takes_image="url",
)
CREATED = Reply(200, {"id": ID, "estimatedCost": {"credits": 96}})
NOT_FOUND = Reply(404, {"error": "Task not found."})


def task(status: str, **more: Any) -> dict[str, Reply]:
    document = {"id": ID, "createdAt": "2026-11-23T09:30:00.000Z", "status": status, **more}
    return {TASK: Reply(200, document)}


def failed(code: str | None, text: str | None = "It failed.", credits: int = 0) -> dict[str, Reply]:
    return task("FAILED", failure=text, failureCode=code, cost={"credits": credits})


def refused(status: int, error: str, **more: Any) -> Reply:
    return Reply(status, {"error": error, **more})


def from_image(image: str) -> dict[str, Any]:
    asked = {"model": OFFER.name, "promptText": WITH_IMAGE.prompt, "duration": 8}
    return {**asked, "promptImage": image, "ratio": "1280:720"}


DONE = task("SUCCEEDED", output=["{base}/the-file"], cost={"credits": 96})
KIT = Kit(
    name="runway",
    adapter=adapter,
    offer=OFFER,
    create="POST /v1/text_to_video",
    create_headers={"X-Runway-Version": "2024-11-06"},
    created_body={
        "model": OFFER.name,
        "promptText": WITH_IMAGE.prompt,
        "ratio": "1280:720",
        "duration": 8,
    },
    accepted={"POST /v1/text_to_video": CREATED, "POST /v1/image_to_video": CREATED},
    pending={
        "pending": task("PENDING", estimatedCost={"credits": 96}),
        "throttled": task("THROTTLED"),
        "running": task("RUNNING", progress=0.47, estimatedCost={"credits": 96}),
        "a word that is new": task("REVIEWING", progress="half"),
    },
    completed={
        "with its cost": DONE | FILE,
        "without its cost": task("SUCCEEDED", output=["{base}/the-file"], cost=None) | FILE,
    },
    failed={
        "moderated": (failed("SAFETY.INPUT.TEXT", "Your input was rejected."), "moderation"),
        "moderated image": (failed("INPUT_PREPROCESSING.SAFETY.TEXT"), "moderation"),
        "bad output": (failed("INTERNAL.BAD_OUTPUT.CODE01"), "provider_rejected"),
        "bad input": (failed("ASSET.INVALID", "The image is too small."), "invalid_input"),
        "another provider": (failed("THIRD_PARTY.UNAVAILABLE"), "provider_rejected"),
        "no reason": (failed(None, None), "provider_rejected"),
        "cancelled": (task("CANCELLED"), "cancelled"),
    },
    refused={
        "body": (
            refused(
                400,
                "Validation of body failed",
                issues=[
                    {"code": "too_big", "path": ["promptText"], "message": "At most 1000."},
                    "no issue",
                    {"path": 7, "message": "Odd."},
                ],
            ),
            "invalid_input",
        ),
        "credit": (refused(400, "You do not have enough credits to run this task."), "quota"),
        "key": (refused(401, "The API key is not valid."), "provider_rejected"),
        "model": (refused(404, "Not found."), "provider_rejected"),
    },
    throttled={
        "limit": (refused(429, "You have reached your daily task limit."), None),
        "limit with a time": (
            Reply(429, {"error": "Too many requests."}, {"Retry-After": "20"}),
            20.0,
        ),
    },
    in_doubt={
        "bad gateway": refused(502, "Bad gateway."),
        "unavailable": refused(503, "Unavailable."),
        "gateway time-out": refused(504, "Time-out."),
    },
    gone={TASK: NOT_FOUND},
    cancels={
        "running": (task("RUNNING", progress=0.1) | {DELETE: Reply(204)}, "cancelled"),
        "throttled": (task("THROTTLED") | {DELETE: Reply(204)}, "cancelled"),
        "finished": (DONE, "too_late"),
        "gone": ({TASK: NOT_FOUND}, "too_late"),
        "gone between": (task("RUNNING") | {DELETE: NOT_FOUND}, "too_late"),
    },
    with_image=[
        (
            Order(WITH_IMAGE, OFFER, "the-video-id"),
            from_image(str(WITH_IMAGE.input_reference_url)),
        ),
        (Order(WITH_IMAGE, OFFER, "the-video-id", image=PNG), from_image(PNG.data_uri)),
    ],
    no_file={
        "link expired": DONE | {"GET /the-file": Reply(403)},
        "no link": task("SUCCEEDED", output=[]),
        "odd link": task("SUCCEEDED", output=[{"url": "x"}]),
        "deleted": {TASK: NOT_FOUND},
    },
    stranger={"private link": task("SUCCEEDED", output=["https://192.168.0.9/a.mp4?_jwt=s"])},
)

"""OpenRouter's own words; bodies composed from its documentation."""

from __future__ import annotations

from typing import Any

from actionreel.orders import Offer, Order
from actionreel.providers.openrouter import adapter
from tests.providers.kit import FILE, KEY, PNG, WITH_IMAGE, Kit
from tests.providers.server import Reply

ID = "gen-vid-1795392000-Zq8Lr2Vd7Tn4Kw1Hy6Pc"
JOB = f"GET /videos/{ID}"
CONTENT = f"GET /videos/{ID}/content"
OFFER = Offer(
    provider="openrouter",
    name="google/veo-3.1-fast",
    input={"duration": "{seconds}", "size": "{size}"},
    image_input={
        "frame_images": [
            {"type": "image_url", "image_url": {"url": "{image}"}, "frame_type": "first_frame"}
        ]
    },
    takes_image="url",
)


def job(status: str, **more: Any) -> Reply:
    """A job's document. Its `polling_url` leads to where nobody must follow it."""
    return Reply(200, {"id": ID, "polling_url": "http://127.0.0.1:9/", "status": status, **more})


def refused(status: int, message: str, **more: Any) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, **more}})


def ended(status: str, **more: Any) -> dict[str, Reply]:
    return {JOB: job(status, **more)}


def first_frame(url: str) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": url}, "frame_type": "first_frame"}
    return {
        "model": OFFER.name,
        "prompt": WITH_IMAGE.prompt,
        "duration": 8,
        "frame_images": [image],
    }


SIGNED = ended(
    "completed",
    generation_id="gen-1795392003-k",
    unsigned_urls=["https://openrouter.ai/api/v1/videos/x/content?index=0"],
    urls=["{base}/the-file"],
    expires_at=1795996800,
    usage={"cost": 0.8, "is_byok": False},
)
KIT = Kit(
    name="openrouter",
    adapter=adapter,
    offer=OFFER,
    create="POST /videos",
    created_body={
        "model": OFFER.name,
        "prompt": WITH_IMAGE.prompt,
        "duration": 8,
        "size": "1280x720",
    },
    accepted={
        "POST /videos": Reply(
            202, {"id": ID, "polling_url": f"/api/v1/videos/{ID}", "status": "pending"}
        )
    },
    pending={
        "pending": ended("pending"),
        "in progress": ended("in_progress", generation_id="gen-1795392003-k"),
        "a word of another gateway": ended("queued"),
        "a word that is new": ended("upscaling"),
    },
    completed={
        "signed link": SIGNED | FILE,
        "no signed link": ended("completed", usage={"cost": "0.8"})
        | {CONTENT: FILE["GET /the-file"]},
        "nulls": ended("completed", urls=None, usage=None, error=None)
        | {CONTENT: FILE["GET /the-file"]},
    },
    failed={
        "moderated": (
            ended("failed", error="The provider refused the prompt: content policy."),
            "moderation",
        ),
        "failed": (ended("failed", error="The upstream model gave up."), "provider_rejected"),
        "error as an object": (
            ended("failed", error={"code": 502, "message": "The upstream model gave up."}),
            "provider_rejected",
        ),
        "no error": (ended("failed", error=None), "provider_rejected"),
        "cancelled": (ended("cancelled"), "cancelled"),
        "expired": (ended("expired"), "expired"),
    },
    refused={
        "length": (
            refused(
                400,
                "duration 7 is not supported by this model",
                metadata={"supported": [4, 6, 8]},
            ),
            "invalid_input",
        ),
        "key": (refused(401, f"No auth credentials found for {KEY}"), "provider_rejected"),
        "credit": (refused(402, "Insufficient credits. Add more to continue."), "quota"),
        "moderated": (
            refused(403, "Your input was flagged", metadata={"reasons": ["violence"]}),
            "moderation",
        ),
        "not allowed": (refused(403, "This key may not use this model."), "provider_rejected"),
        "model": (refused(404, "No such model."), "provider_rejected"),
        "too large": (refused(413, "The request is too large."), "invalid_input"),
    },
    throttled={
        "limit": (refused(429, "Rate limit exceeded."), None),
        "limit with a time": (
            Reply(
                429, {"error": {"code": 429, "message": "Slow down."}}, headers={"Retry-After": "7"}
            ),
            7.0,
        ),
    },
    in_doubt={
        "gave up waiting": refused(499, "The client closed the request."),
        "upstream": refused(502, "The provider returned an error."),
        "no provider": refused(503, "No provider is available."),
    },
    gone={JOB: refused(404, "Video not found.")},
    cancels={
        "running": (ended("in_progress"), "unsupported"),
        "finished": (SIGNED, "too_late"),
        "gone": ({JOB: refused(404, "Video not found.")}, "too_late"),
    },
    cannot_cancel=True,
    with_image=[
        (
            Order(WITH_IMAGE, OFFER, "the-video-id"),
            first_frame(str(WITH_IMAGE.input_reference_url)),
        ),
        (Order(WITH_IMAGE, OFFER, "the-video-id", image=PNG), first_frame(PNG.data_uri)),
    ],
    no_file={
        "link expired": SIGNED | {"GET /the-file": Reply(403)},
        "no link and no content": ended("completed"),
        "gone": {JOB: refused(404, "Video not found.")},
    },
    stranger={"private link": ended("completed", urls=["https://10.0.0.7/0.mp4?sig=s"])},
)

"""The OpenAI Videos protocol, as OpenAI's own service spoke it and as three servers speak it.

Bodies are composed from OpenAI's API reference and from the sources of LiteLLM 1.109.1, of SGLang's
diffusion server and of vLLM-Omni.
"""

from __future__ import annotations

import email.policy
from collections.abc import Mapping
from email.parser import BytesParser
from typing import Any

from actionreel.orders import Offer, Order
from actionreel.providers.openai_videos import adapter
from tests.fakes import MP4
from tests.providers.kit import FILE, KEY, PNG, WITH_IMAGE, Kit
from tests.providers.server import Reply, Routes, Sent

BEARER = {"Authorization": f"Bearer {KEY}"}
FILM = Reply(200, MP4, {"Content-Type": "video/mp4"})
BOAT = "https://images.example/boat.png"
METADATA = "https://169.254.169.254/latest/meta-data/"


def fields(sent: Sent) -> Any:
    """The body of a create: JSON, or a form with its texts, and its files as their name, type and
    bytes."""
    if sent.headers["content-type"] == "application/json":
        return sent.json
    head = f"Content-Type: {sent.headers['content-type']}\r\n\r\n".encode()
    parsed = BytesParser(policy=email.policy.HTTP).parsebytes(head + sent.body)
    assert parsed.get_content_type() == "multipart/form-data"
    found: dict[str, Any] = {}
    for part in parsed.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        file = part.get_filename()
        found[name] = content.decode() if file is None else (file, part.get_content_type(), content)
    return found


def with_image(offer: Offer, *, as_bytes: bool) -> Order:
    return Order(WITH_IMAGE, offer, "the-video-id", image=PNG if as_bytes else None)


def error(message: str, kind: str | None = None, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def job(path: str, body: Mapping[str, Any], **changes: Any) -> Routes:
    """What a look at the job shows."""
    return {f"GET {path}": Reply(200, {**body, **changes})}


NO_MODEL = Reply(404, error("There is no such model.", "invalid_request_error", "model_not_found"))
POLICY = error("That is not made here.", "invalid_request_error", "content_policy_violation")
NO_CREDIT = error("You have used up what you paid.", "insufficient_quota", "insufficient_quota")

# OpenAI's own service, shut down in 2026: what others are compatible with.
SORA = Offer(provider="openai_videos", name="sora-2", takes_image="url")
VIDEO = {
    "id": "video_6a21f0",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1795340000,
    "completed_at": None,
    "expires_at": None,
    "seconds": "8",
    "size": "1280x720",
    "prompt": "A paper boat on a canal",
    "remixed_from_video_id": None,
    "error": None,
}
AT = "/videos/video_6a21f0"
DONE = {
    "status": "completed",
    "progress": 100,
    "completed_at": 1795340130,
    "expires_at": 1795343730,
}
BODY = {"prompt": "A paper boat on a canal", "seconds": "8", "size": "1280x720"}
openai = Kit(
    name="openai",
    adapter=adapter,
    offer=SORA,
    create="POST /videos",
    create_headers={**BEARER, "Content-Type": "application/json"},
    created_body={"model": "sora-2", **BODY},
    read_body=fields,
    accepted={"POST /videos": Reply(200, VIDEO)},
    pending={
        "queued": job(AT, VIDEO),
        "running": job(AT, VIDEO, status="in_progress", progress=42),
    },
    completed={"done": {**job(AT, VIDEO, **DONE), f"GET {AT}/content": FILM}},
    failed={
        "moderation": (
            job(
                AT,
                VIDEO,
                status="failed",
                progress=17,
                error={"code": "moderation_blocked", "message": "Our safety system said no."},
            ),
            "moderation",
        ),
        "trouble": (
            job(
                AT,
                VIDEO,
                status="failed",
                error={"code": "server_error", "message": "The job has crashed."},
            ),
            "provider_rejected",
        ),
        "without a word": (job(AT, VIDEO, status="failed"), "provider_rejected"),
        "expired": (job(AT, VIDEO, status="expired"), "expired"),
    },
    refused={
        "a length that it has not": (
            Reply(400, error("8 is no length.", "invalid_request_error", "invalid_value")),
            "invalid_input",
        ),
        "no credit": (Reply(429, NO_CREDIT), "quota"),
        "a model of yesterday": (NO_MODEL, "provider_rejected"),
        "a key of yesterday": (
            Reply(401, error(f"This is not a key: {KEY}", None, "invalid_api_key")),
            "provider_rejected",
        ),
        "no right": (Reply(403, error("Not in your country.")), "provider_rejected"),
        "moderation": (Reply(400, POLICY), "moderation"),
    },
    throttled={
        "for seconds": (
            Reply(429, error("Too many.", None, "rate_limit_exceeded"), {"Retry-After": "7"}),
            7.0,
        ),
        "for milliseconds": (
            Reply(429, error("Too many."), {"Retry-After-Ms": "1500", "Retry-After": "9"}),
            1.5,
        ),
        "without a word": (Reply(429, error("Too many.")), None),
    },
    in_doubt={
        "a conflict": Reply(409, error("Another request is at it.")),
        "too early": Reply(425),
        "no gateway": Reply(504, b"<html>"),
        "an id of 5 KB": Reply(200, {**VIDEO, "id": "x" * 5000}),
    },
    gone={f"GET {AT}": Reply(404, error("There is no such video.", None, "not_found"))},
    cancels={
        "a job that runs is not deleted": (
            {
                **job(AT, VIDEO, status="in_progress"),
                f"DELETE {AT}": Reply(400, error("It has not ended.", "invalid_request_error")),
            },
            "unsupported",
        ),
        # Without a route for DELETE: a finished film must not be deleted.
        "a finished film": (job(AT, VIDEO, **DONE), "too_late"),
        "a failed job": (job(AT, VIDEO, status="failed"), "too_late"),
        "no job": ({f"GET {AT}": Reply(404)}, "too_late"),
    },
    with_image=[
        (
            with_image(SORA, as_bytes=False),
            {
                "model": "sora-2",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "input_reference": {"image_url": BOAT},
            },
        ),
        (
            with_image(SORA, as_bytes=True),
            {
                "model": "sora-2",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "input_reference": ("image.png", "image/png", PNG.content),
            },
        ),
    ],
    no_file={
        "after its hour": {
            **job(AT, VIDEO, **DONE),
            f"GET {AT}/content": Reply(404, error("This file was deleted.")),
        }
    },
    stranger={
        "a redirect": {
            **job(AT, VIDEO, **DONE),
            f"GET {AT}/content": Reply(302, headers={"Location": METADATA}),
        }
    },
)

# The LiteLLM proxy. Its ids carry what it needs to find the job again, and change.
LITE = Offer(provider="openai_videos", name="gen4.5", takes_image="bytes")
LITE_ID = "video_" + "bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOnZlcnRleF9haTtt" * 10 + "YQ=="
LITE_AT = f"/videos/{LITE_ID.replace('=', '%3D')}"
LITE_VIDEO = {
    "id": LITE_ID,
    "object": "video",
    "status": "queued",
    "created_at": 1795340000,
    "completed_at": None,
    "expires_at": None,
    "error": None,
    "progress": None,
    "remixed_from_video_id": None,
    "seconds": "8",
    "size": "1280x720",
    "model": "gen4.5",
    "usage": {"duration_seconds": 8.0},
}
LITE_SEEN = {
    "id": "video_bGl0ZWxsbTptb2RlbF9pZDo7dmlkZW9faWQ6MQ==",  # as a look gives it
    "object": "video",
    "status": "processing",
    "created_at": 0,
    "progress": None,
    "error": None,
    "model": "veo-3.1-fast-generate-001",
}
LITE_DONE = {"status": "completed", "usage": {"duration_seconds": 8.0}}
litellm = Kit(
    name="litellm",
    adapter=adapter,
    options={"dialect": "litellm", "recovery": "none"},
    offer=LITE,
    create="POST /videos",
    create_headers=BEARER,
    created_body={"model": "gen4.5", **BODY},
    read_body=fields,
    accepted={"POST /videos": Reply(200, LITE_VIDEO)},
    pending={
        "queued": job(LITE_AT, LITE_VIDEO),
        "processing": job(LITE_AT, LITE_SEEN),
    },
    completed={
        "done": {**job(LITE_AT, LITE_SEEN, **LITE_DONE), f"GET {LITE_AT}/content": FILM},
    },
    failed={
        "moderation, as a message": (
            job(
                LITE_AT,
                LITE_VIDEO,
                status="failed",
                error={"code": "fal_error", "message": "content_policy_violation"},
            ),
            "moderation",
        ),
        "trouble": (
            job(
                LITE_AT,
                LITE_VIDEO,
                status="failed",
                error={"code": "fal_error", "message": "The runner has stopped."},
            ),
            "provider_rejected",
        ),
        "cancelled": (job(LITE_AT, LITE_VIDEO, status="cancelled"), "cancelled"),
    },
    refused={
        "a virtual key": (
            Reply(401, error("No such virtual key.", "auth_error", "401")),
            "provider_rejected",
        ),
        "no budget": (Reply(400, error("Over budget.", "budget_exceeded", "400")), "quota"),
        "no budget, as a rate": (
            Reply(429, error("Over budget.", "budget_exceeded", "429")),
            "quota",
        ),
        "moderation": (Reply(400, POLICY), "moderation"),
        "a proxy without videos": (Reply(404, {"detail": "Not Found"}), "provider_rejected"),
    },
    throttled={
        "a deployment": (
            Reply(429, error("The deployment is at its limit.", "throttling_error", "429")),
            None,
        ),
    },
    gone={f"GET {LITE_AT}": Reply(404, error("No such video.", None, "404"))},
    cancels={
        "no such route": (
            {
                **job(LITE_AT, LITE_SEEN),
                "DELETE /videos/.*": Reply(405, {"detail": "Method Not Allowed"}),
            },
            "unsupported",
        ),
        "no such path": (job(LITE_AT, LITE_SEEN), "unsupported"),
    },
    with_image=[
        (
            with_image(LITE, as_bytes=True),
            {
                "model": "gen4.5",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "input_reference": ("image.png", "image/png", PNG.content),
            },
        )
    ],
    no_file={
        # Completed is what Vertex AI's operation is; whether there is a film shows here.
        f"a lie, {status}": {
            **job(LITE_AT, LITE_SEEN, **LITE_DONE),
            f"GET {LITE_AT}/content": Reply(status, error("There is no sample.", None, "400")),
        }
        for status in (400, 404, 500)
    },
)

# SGLang's diffusion server: one model, no key, and a memory that ends with the process.
WAN = Offer(provider="openai_videos", name="wan-2.2", takes_image="url")
SGLANG_VIDEO = {
    "id": "c41d77aa",
    "object": "video",
    "model": "wan-2.2",
    "status": "queued",
    "progress": 0,
    "created_at": 1795340000,
    "size": "1280x720",
    "seconds": "8",
    "quality": "standard",
    "url": None,
    "file_path": None,
    "error": None,
}
SGLANG_AT = "/videos/c41d77aa"
SGLANG_DONE = {
    "status": "completed",
    "progress": 100,
    "completed_at": 1795340077,
    "file_path": "/outputs/c41d77aa.mp4",
    "inference_time_s": 76.2,
    "peak_memory_mb": 60112.0,
}
UPLOADED = Reply(400, {"detail": "The video has been uploaded to {base}/the-file"})
TOO_EARLY = Reply(404, {"detail": "Generation is still in-progress"})
MISSING = {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}
sglang = Kit(
    name="sglang",
    adapter=adapter,
    options={"dialect": "sglang", "recovery": "none"},
    offer=WAN,
    create="POST /videos",
    create_headers=BEARER,
    created_body={"model": "wan-2.2", **BODY, "seconds": 8},
    read_body=fields,
    accepted={"POST /videos": Reply(200, SGLANG_VIDEO)},
    pending={"queued, or running": job(SGLANG_AT, SGLANG_VIDEO)},
    completed={
        "on its disk": {
            **job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE),
            f"GET {SGLANG_AT}/content": FILM,
        },
        "in object storage": {
            **job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE, url="{base}/the-file?signature=1"),
            f"GET {SGLANG_AT}/content": UPLOADED,
            **FILE,
        },
        "at an address that only its own machine knows": {
            **job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE, url="http://minio:9000/c41d77aa.mp4"),
            f"GET {SGLANG_AT}/content": FILM,
        },
    },
    failed={
        "trouble": (
            job(
                SGLANG_AT,
                SGLANG_VIDEO,
                status="failed",
                error={"message": "The GPU has no memory left"},
            ),
            "provider_rejected",
        ),
    },
    refused={
        "no prompt": (Reply(422, MISSING), "invalid_input"),
        "a size that it has not": (Reply(400, {"detail": "No such size."}), "invalid_input"),
    },
    throttled={"a proxy before it": (Reply(429, b"slow down", {"Retry-After": "30"}), 30.0)},
    gone={f"GET {SGLANG_AT}": Reply(404, {"detail": "Video not found"})},
    cancels={
        "a job that runs": (
            {
                **job(SGLANG_AT, SGLANG_VIDEO),
                f"DELETE {SGLANG_AT}": Reply(200, {**SGLANG_VIDEO, "status": "deleted"}),
            },
            "cancelled",
        ),
        "a finished film": (job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE), "too_late"),
    },
    with_image=[
        (
            with_image(WAN, as_bytes=False),
            {
                "model": "wan-2.2",
                "prompt": "A paper boat on a canal",
                "seconds": 8,
                "reference_url": BOAT,
            },
        ),
        (
            with_image(WAN, as_bytes=True),
            {
                "model": "wan-2.2",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "input_reference": ("image.png", "image/png", PNG.content),
            },
        ),
    ],
    no_file={
        "before its end": {
            **job(SGLANG_AT, SGLANG_VIDEO),
            f"GET {SGLANG_AT}/content": TOO_EARLY,
        },
        "off its disk": {
            **job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE),
            f"GET {SGLANG_AT}/content": Reply(404, {"detail": "The file is gone."}),
        },
        "out of object storage": job(
            SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE, url="{base}/the-file?signature=1"
        ),
    },
    stranger={
        "a private address": job(SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE, url=METADATA),
        "a name of its network": job(
            SGLANG_AT, SGLANG_VIDEO, **SGLANG_DONE, url="https://minio.internal/c41d77aa.mp4"
        ),
    },
)

# vLLM-Omni: forms only, and the one server that stops a job that runs.
OMNI = Offer(provider="openai_videos", name="Wan-AI/Wan2.2-I2V-A14B", takes_image="url")
OMNI_VIDEO = {
    "id": "video_gen_70b2e1",
    "object": "video",
    "model": "Wan-AI/Wan2.2-I2V-A14B",
    "status": "queued",
    "progress": 0,
    "created_at": 1795340000,
    "size": "1280x720",
    "seconds": "8",
    "error": None,
}
OMNI_AT = "/videos/video_gen_70b2e1"
OMNI_DONE = {
    "status": "completed",
    "progress": 100,
    "completed_at": 1795340066,
    "media_type": "video/mp4",
    "file_name": "video_gen_70b2e1.mp4",
    "inference_time_s": 61.5,
}
omni = Kit(
    name="vllm-omni",
    adapter=adapter,
    options={"dialect": "vllm-omni", "recovery": "none"},
    offer=OMNI,
    create="POST /videos",
    create_headers=BEARER,
    created_body={"model": "Wan-AI/Wan2.2-I2V-A14B", **BODY},
    read_body=fields,
    accepted={"POST /videos": Reply(200, OMNI_VIDEO)},
    pending={
        "queued": job(OMNI_AT, OMNI_VIDEO),
        "running": job(OMNI_AT, OMNI_VIDEO, status="in_progress", progress=35),
    },
    completed={
        "done": {**job(OMNI_AT, OMNI_VIDEO, **OMNI_DONE), f"GET {OMNI_AT}/content": FILM},
    },
    failed={
        "trouble": (
            job(
                OMNI_AT,
                OMNI_VIDEO,
                status="failed",
                progress=35,
                error={"code": 500, "message": "The engine has stopped."},
            ),
            "provider_rejected",
        ),
    },
    refused={
        "a form without a prompt": (Reply(422, MISSING), "invalid_input"),
        "a length that is none": (
            Reply(400, error("seconds must be a whole number", "BadRequestError", 400)),
            "invalid_input",
        ),
        "another model": (NO_MODEL, "provider_rejected"),
    },
    throttled={"a proxy before it": (Reply(429), None)},
    gone={f"GET {OMNI_AT}": Reply(404, {"detail": "Video not found"})},
    cancels={
        "a job that runs": (
            {
                **job(OMNI_AT, OMNI_VIDEO, status="in_progress"),
                f"DELETE {OMNI_AT}": Reply(
                    200, {"id": "video_gen_70b2e1", "object": "video.deleted", "deleted": True}
                ),
            },
            "cancelled",
        ),
        "a finished film": (job(OMNI_AT, OMNI_VIDEO, **OMNI_DONE), "too_late"),
    },
    with_image=[
        (
            with_image(OMNI, as_bytes=False),
            {
                "model": "Wan-AI/Wan2.2-I2V-A14B",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "image_reference": f'{{"image_url": "{BOAT}"}}',
            },
        ),
        (
            with_image(OMNI, as_bytes=True),
            {
                "model": "Wan-AI/Wan2.2-I2V-A14B",
                "prompt": "A paper boat on a canal",
                "seconds": "8",
                "input_reference": ("image.png", "image/png", PNG.content),
            },
        ),
    ],
    no_file={
        "off its disk": {
            **job(OMNI_AT, OMNI_VIDEO, **OMNI_DONE),
            f"GET {OMNI_AT}/content": Reply(404, {"detail": "The file is gone."}),
        }
    },
)

KITS = [openai, litellm, sglang, omni]

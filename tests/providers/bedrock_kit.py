"""Bedrock's own words; bodies composed from the user guide and botocore's model."""

from __future__ import annotations

import base64
import functools
from typing import Any

import boto3

from actionreel.orders import Offer, Order
from actionreel.ports import VideoProvider
from actionreel.providers.bedrock import Bedrock
from actionreel.providers.config import ProviderConfig
from tests.providers.kit import PNG, WITH_IMAGE, Kit
from tests.providers.server import Reply

BUCKET = "bedrock-videos"
ARN = "arn:aws:bedrock:us-west-2:123456789012:async-invoke/k3v9q2m7x1c5"
PLACE = "bedrock/the-video-id/k3v9q2m7x1c5"
CREATE = "POST /async-invoke"
JOB = "GET /async-invoke/arn.*"
LIST = f"GET /{BUCKET}/?"
OFFER = Offer(
    provider="bedrock",
    name="luma.ray-v2:0",
    input={
        "duration": "{seconds}s",
        "aspect_ratio": "{aspect_ratio}",
        "resolution": "{resolution}",
    },
    takes_image="bytes",
)


def adapter(config: ProviderConfig) -> VideoProvider:
    """With credentials that sign, and Bedrock and S3 at the server of the tests."""
    return Bedrock(_session(), BUCKET, config.options["base_url"])


@functools.cache  # what a session knows of the services takes long to read
def _session() -> boto3.session.Session:
    return boto3.session.Session("an-id", "a-secret", region_name="us-west-2")


def invocation(status: str | None, **more: Any) -> dict[str, Reply]:
    document = {
        "invocationArn": ARN,
        "modelArn": "arn:aws:bedrock:us-west-2::foundation-model/luma.ray-v2:0",
        "clientRequestToken": "the-video-id",
        "status": status,
        "submitTime": "2026-11-23T09:30:00Z",
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/{PLACE}"}},
        **more,
    }
    return {JOB: Reply(200, document)}


def failed(message: str | None) -> dict[str, Reply]:
    return invocation("Failed", failureMessage=message, endTime="2026-11-23T09:30:20Z")


def refused(status: int, error: str, message: str = "No.") -> Reply:
    return Reply(status, {"message": message}, {"x-amzn-ErrorType": error})


def listed(*keys: str) -> dict[str, Reply]:
    """The bucket's list of its objects."""
    contents = "".join(f"<Contents><Key>{key}</Key><Size>9</Size></Contents>" for key in keys)
    return {
        LIST: Reply(
            200,
            f"<?xml version='1.0'?><ListBucketResult>{contents}</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )
    }


def s3_error(status: int, code: str) -> dict[str, Reply]:
    return {LIST: Reply(status, f"<Error><Code>{code}</Code></Error>".encode())}


def body(**model_input: Any) -> dict[str, Any]:
    """What StartAsyncInvoke sends."""
    place = {"s3Uri": f"s3://{BUCKET}/bedrock/the-video-id/"}
    return {
        "clientRequestToken": "the-video-id",
        "modelId": OFFER.name,
        "modelInput": {"prompt": WITH_IMAGE.prompt, "duration": "8s", **model_input},
        "outputDataConfig": {"s3OutputDataConfig": place},
    }


DONE = invocation(
    "Completed", lastModifiedTime="2026-11-23T09:32:41Z", endTime="2026-11-23T09:32:41Z"
)
GONE = refused(404, "ResourceNotFoundException", "The invocation does not exist.")
SOURCE = {
    "type": "base64",
    "media_type": PNG.media_type,
    "data": base64.b64encode(PNG.content).decode(),
}
KIT = Kit(
    name="bedrock",
    adapter=adapter,
    offer=OFFER,
    has_key=False,
    create=CREATE,
    created_body=body(aspect_ratio="16:9", resolution="720p"),
    accepted={CREATE: Reply(200, {"invocationArn": ARN})},
    pending={
        "in progress": invocation("InProgress", lastModifiedTime="2026-11-23T09:30:05Z"),
        "a word that is new": invocation("Queued"),
    },
    completed={
        "with the invocation's folder": DONE
        | listed(f"{PLACE}/manifest.json", f"{PLACE}/output.mp4"),
        "without": DONE | listed("bedrock/the-video-id/output.mp4"),
    },
    failed={
        "moderated": (failed("The prompt was flagged by content moderation."), "moderation"),
        "filtered": (failed("The output was blocked by our content filters."), "moderation"),
        "failed": (failed("The model could not make this video."), "provider_rejected"),
        "no message": (failed(None), "provider_rejected"),
    },
    refused={
        "input": (
            refused(400, "ValidationException", "Malformed input request: duration."),
            "invalid_input",
        ),
        "moderated": (
            refused(400, "ValidationException", "Blocked by the content filters."),
            "moderation",
        ),
        "not allowed": (
            refused(
                403,
                "AccessDeniedException",
                "arn:aws:sts::123456789012:assumed-role/r is not authorized: no identity-based"
                " policy allows the bedrock:InvokeModel action",
            ),
            "provider_rejected",
        ),
        "model": (
            refused(404, "ResourceNotFoundException", "This model has reached its end of life."),
            "provider_rejected",
        ),
        "credentials": (
            refused(403, "UnrecognizedClientException", "The token is invalid."),
            "provider_rejected",
        ),
    },
    throttled={
        "limit": (refused(429, "ThrottlingException", "Too many requests, please wait."), None),
        "quota": (refused(400, "ServiceQuotaExceededException", "Too many at once."), None),
    },
    in_doubt={
        "conflict": refused(400, "ConflictException", "The token was used before."),
        "internal": refused(500, "InternalServerException"),
        "unavailable": refused(503, "ServiceUnavailableException"),
    },
    gone={JOB: GONE},
    cancels={
        "running": (invocation("InProgress"), "unsupported"),
        "finished": (DONE, "too_late"),
        "gone": ({JOB: GONE}, "too_late"),
    },
    cannot_cancel=True,
    with_image=[
        (
            Order(WITH_IMAGE, OFFER, "the-video-id", image=PNG),
            body(keyframes={"frame0": {"type": "image", "source": SOURCE}}),
        )
    ],
    no_file={
        "nothing there": DONE | listed(),
        "no video": DONE | listed(f"{PLACE}/manifest.json"),
        "no bucket": DONE | s3_error(404, "NoSuchBucket"),
        "not allowed": DONE | s3_error(403, "AccessDenied"),
    },
)

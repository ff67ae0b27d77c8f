"""Amazon Bedrock's asynchronous invocations, in the deployment's own account and without a key.

    StartAsyncInvoke   asks for a video; the same clientRequestToken makes one invocation only
    GetAsyncInvoke     says how it stands
    s3://{bucket}/bedrock/{video id}/{invocation id}/output.mp4   where Bedrock puts the file

The bucket is in the model's region. What a model takes as input is data of the registry; only a
start image is written here, as Luma's Ray 2 takes it: it is more than a text with an address.

Source: botocore's model of bedrock-runtime (2023-09-30) and the Bedrock user guide.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config

from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    ProviderRejectedError,
)
from actionreel.models import Asset, CancelOutcome, Handle, ProviderAnswer, Recovery, StoredObject
from actionreel.orders import Order
from actionreel.providers import answers
from actionreel.providers import bedrock_answers as said
from actionreel.providers.config import ProviderConfig

REGION = "us-west-2"
# A create is sent once: it is asked for again only after that was written down.
_ONCE: Any = {"total_max_attempts": 1}
_PATIENTLY: Any = {"mode": "standard", "total_max_attempts": 3}
CREATE = Config(connect_timeout=5, read_timeout=50, retries=_ONCE)
LOOK = Config(connect_timeout=2, read_timeout=5, retries=_PATIENTLY)


class Bedrock:
    """Bedrock in the region of `session`, which puts its files into `bucket`."""

    recovery: Recovery = "key"

    def __init__(
        self, session: boto3.session.Session, bucket: str, endpoint_url: str | None = None
    ) -> None:
        self._session = session
        self._bucket = bucket
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, Config], Any] = {}

    def create(self, order: Order) -> ProviderAnswer:
        """Asks for a video, once. See VideoProvider for what it raises."""
        prefix = f"bedrock/{order.key}/"
        output = {"s3OutputDataConfig": {"s3Uri": f"s3://{self._bucket}/{prefix}"}}
        asked = {"prompt": order.request.prompt, **order.fields(), **_keyframes(order)}
        bedrock = self._client("bedrock-runtime", CREATE)
        try:
            started = bedrock.start_async_invoke(
                clientRequestToken=order.key,
                modelId=order.name,
                modelInput=asked,
                outputDataConfig=output,
            )
        except Exception as error:  # besides botocore's own, whatever its parser stumbles over
            raise said.refusal(error) from None
        arn = answers.job_id(started.get("invocationArn"))
        return answers.accepted({"arn": arn, "bucket": self._bucket, "prefix": prefix})

    def find(self, order: Order, since: datetime) -> list[Handle]:
        """Not needed: the token finds the job."""
        raise NotListedError("Bedrock finds its jobs by their token.")

    def poll(self, handle: Handle) -> ProviderAnswer:
        """How the job stands. See VideoProvider for what it raises."""
        bedrock = self._client("bedrock-runtime", LOOK)
        try:
            invocation = bedrock.get_async_invoke(invocationArn=handle["arn"])
        except Exception as error:
            raise said.trouble(error) from None
        return said.job(invocation)

    def cancel(self, handle: Handle) -> CancelOutcome:
        """A job cannot be stopped; whether it has ended can be told."""
        try:
            phase = self.poll(handle).phase
        except JobNotFoundError:
            return "too_late"
        return "unsupported" if phase == "pending" else "too_late"

    @contextmanager
    def open_video(self, handle: Handle) -> Iterator[StoredObject]:
        """Where the finished file is. See VideoProvider for what it raises.

        It is looked for below the video's own prefix: what is added to that differs by model.
        """
        place = {"Bucket": handle["bucket"], "Prefix": handle["prefix"]}
        s3 = self._client("s3", LOOK)
        try:
            listed = s3.list_objects_v2(**place)
        except Exception as error:
            raise said.no_file(error) from None
        keys = [str(item["Key"]) for item in listed.get("Contents", [])]
        film = next((key for key in keys if key.endswith(".mp4")), None)
        if film is None:
            raise AssetUnavailableError("Bedrock has put no video into its bucket.")
        yield StoredObject(str(handle["bucket"]), film)

    def open_poster(self, handle: Handle) -> AbstractContextManager[Asset]:
        """Bedrock makes no still images."""
        raise AssetUnavailableError("Bedrock makes no still images.")

    def _client(self, service: Any, config: Config) -> Any:
        """Made when it is first needed: a task needs one of them."""
        made = self._clients.get((service, config))
        if made is None:
            made = self._session.client(service, endpoint_url=self._endpoint_url, config=config)
            self._clients[service, config] = made
        return made


def adapter(config: ProviderConfig) -> Bedrock:
    """The adapter of a deployment. Raises ProviderRejectedError without a bucket."""
    bucket = config.options.get("bucket")
    if not bucket:
        raise ProviderRejectedError(
            "No bucket for Bedrock is configured: set the BedrockBucket parameter."
        )
    session = boto3.session.Session(region_name=config.options.get("region") or REGION)
    return Bedrock(session, bucket, config.options.get("endpoint_url"))


def _keyframes(order: Order) -> dict[str, Any]:
    if not order.has_image:
        return {}
    if order.image is None:
        raise ProviderRejectedError("Bedrock takes start images as bytes only.", "invalid_input")
    data = base64.b64encode(order.image.content).decode()
    source = {"type": "base64", "media_type": order.image.media_type, "data": data}
    return {"keyframes": {"frame0": {"type": "image", "source": source}}}

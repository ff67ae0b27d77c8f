"""A file that a provider has put into a bucket of another region, copied by S3 itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from actionreel.aws.s3 import S3VideoStorage, client_config
from actionreel.errors import AssetError, AssetUnavailableError
from actionreel.models import StoredObject

ONE_PART = 8 * 1024**2  # beyond this, boto3 copies in parts


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


class Buckets:
    """Ours, with the client of a function, and theirs in another region."""

    def __init__(self, address: str) -> None:
        session = boto3.session.Session("an-id", "a-secret", region_name="us-east-1")
        self.s3 = session.client("s3", endpoint_url=address, config=client_config())
        self.ours, self.theirs = f"ours-{uuid4()}", f"theirs-{uuid4()}"
        self.s3.create_bucket(Bucket=self.ours)
        west = session.client("s3", endpoint_url=address, region_name="us-west-2")
        west.create_bucket(
            Bucket=self.theirs, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        self.calls: list[str] = []
        self.s3.meta.events.register("before-call.s3", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def copy(self, key: str, bucket: str | None = None) -> int:
        storage = S3VideoStorage(self.s3, self.ours)
        return storage.copy(StoredObject(bucket or self.theirs, key), "videos/a.mp4", "video/mp4")


@pytest.fixture
def buckets(address: str) -> Buckets:
    return Buckets(address)


@pytest.mark.parametrize(
    ("size", "how"),
    [(0, "CopyObject"), (1000, "CopyObject"), (ONE_PART + 5, "UploadPartCopy")],
)
def test_a_file_is_copied_whole_and_by_s3(buckets: Buckets, size: int, how: str) -> None:
    content = b"x" * size
    buckets.s3.put_object(
        Bucket=buckets.theirs, Key="k/output.mp4", Body=content, ContentType="text/html"
    )
    buckets.calls.clear()
    assert buckets.copy("k/output.mp4") == size
    assert how in buckets.calls
    assert not {"GetObject", "PutObject", "UploadPart"} & set(buckets.calls)
    stored = buckets.s3.get_object(Bucket=buckets.ours, Key="videos/a.mp4")
    assert stored["Body"].read() == content
    assert stored["ContentType"] == "video/mp4"


def test_a_file_that_is_not_there_is_not_handed_out(buckets: Buckets) -> None:
    for key, bucket in (("missing", None), ("missing", f"no-{uuid4()}")):
        with pytest.raises(AssetUnavailableError):
            buckets.copy(key, bucket)


def test_trouble_is_trouble_with_the_storage(buckets: Buckets) -> None:
    """Ours is gone: the file is there, and cannot be kept."""
    buckets.s3.put_object(Bucket=buckets.theirs, Key="k", Body=b"x")
    buckets.s3.delete_bucket(Bucket=buckets.ours)
    with pytest.raises(AssetError) as trouble:
        buckets.copy("k")
    assert not isinstance(trouble.value, AssetUnavailableError)

"""Keeps the files, in Amazon S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from actionreel.errors import AssetError, AssetUnavailableError
from actionreel.models import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 * 1024**2
LINK_SECONDS = 15 * 60


def client_config() -> Config:
    """Links must name the bucket's regional host, as the page's Content-Security-Policy does."""
    return Config(
        signature_version="s3v4",
        # A checksum on a part needs one on the whole upload; TLS and ETags guard the parts.
        request_checksum_calculation="when_required",
        s3={"us_east_1_regional_endpoint": "regional", "addressing_style": "virtual"},
    )


class S3VideoStorage:
    """A private bucket; whoever may see a file gets a link that is signed for that moment."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def save(self, key: str, chunks: Iterator[bytes], content_type: str) -> int:
        """Stores what `chunks` yields and returns the number of bytes; holds one part in memory.

        A file appears in the bucket when `chunks` has ended well and not before: what it raises
        leaves nothing behind. Raises AssetError where S3 refuses.
        """
        parts = _parts(chunks)
        first = next(parts, b"")
        try:
            if len(first) < PART_BYTES:
                self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=first, ContentType=content_type
                )
                return len(first)
            return self._save_parts(key, first, parts, content_type)
        except (BotoCoreError, ClientError) as error:
            raise AssetError("The video was made, but its file could not be stored.") from error

    def copy(self, source: StoredObject, key: str, content_type: str) -> int:
        """Copies an object of another bucket, in parts where it is large, and returns its bytes;
        none of them go through us.

        Raises AssetUnavailableError if there is none, AssetError where S3 refuses.
        """
        try:
            size = self._client.head_object(Bucket=source.bucket, Key=source.key)["ContentLength"]
            self._client.copy(
                {"Bucket": source.bucket, "Key": source.key},
                self._bucket,
                key,
                ExtraArgs={"ContentType": content_type, "MetadataDirective": "REPLACE"},
            )
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if (error.operation_name, status) == ("HeadObject", 404):  # not our own bucket's
                raise AssetUnavailableError("The provider's file is not in its bucket.") from error
            raise AssetError("The video was made, but its file could not be stored.") from error
        except BotoCoreError as error:
            raise AssetError("The video was made, but its file could not be stored.") from error
        return size

    def read(self, key: str) -> bytes:
        """A whole file, for whoever knows that it is not large. Raises AssetUnavailableError if it
        is not there."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            # Who may not list the bucket is denied what is not there.
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                raise AssetUnavailableError("There is no such file.") from None
            raise

    def delete(self, keys: Sequence[str]) -> None:
        """Deletes the files that there are. Raises AssetError where S3 refuses."""
        try:
            for key in keys:
                self._client.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise AssetError("The file cannot be deleted now.") from error

    def link(self, key: str, filename: str, *, download: bool, head: bool = False) -> str:
        """An address that gives the file to whoever holds it, for 15 minutes; with `head` one for
        HEAD requests: the method is part of what S3 verifies."""
        disposition = "attachment" if download else "inline"
        return self._client.generate_presigned_url(
            "head_object" if head else "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": f'{disposition}; filename="{filename}"',
            },
            ExpiresIn=LINK_SECONDS,
        )

    def _save_parts(self, key: str, first: bytes, rest: Iterator[bytes], content_type: str) -> int:
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=content_type
        )["UploadId"]
        try:
            done: list[CompletedPartTypeDef] = []
            size = 0
            part = first
            while part:
                number = len(done) + 1
                answer = self._client.upload_part(
                    Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=part
                )
                done.append({"PartNumber": number, "ETag": answer["ETag"]})
                size += len(part)
                part = next(rest, b"")
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done}
            )
            return size
        except BaseException:
            # The bucket's lifecycle rule takes what this cannot.
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            raise


def _parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of PART_BYTES; only the last one may be shorter."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            yield bytes(memoryview(buffer)[:PART_BYTES])
            del buffer[:PART_BYTES]
    if buffer:
        yield bytes(buffer)

"""What Bedrock's answers mean, as botocore gives them. Pure.

Source: botocore's model of bedrock-runtime (2023-09-30) and the Bedrock user guide.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore import exceptions

from actionreel.errors import (
    AssetError,
    AssetUnavailableError,
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from actionreel.models import ProviderAnswer
from actionreel.providers import answers

_NEVER_SENT = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.CredentialRetrievalError,
)
# What these mean in HTTP, where they have another status. A conflict: the token has made an
# invocation before, from another body; there may be a job, and its ARN is not told.
_STATUSES = {
    "ConflictException": 409,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 429,
    "ThrottlingException": 429,
}


def job(said: answers.Document) -> ProviderAnswer:
    """What the document of an invocation says, in our words."""
    if not isinstance(said.get("status"), str):
        raise answers.unreadable()
    phase = answers.phase(said["status"])
    ended = phase in ("failed", "cancelled")
    return ProviderAnswer(
        phase=phase,
        failure=answers.failed("", answers.text(said.get("failureMessage"))) if ended else None,
        took_seconds=_took_seconds(said.get("submitTime"), said.get("endTime")),
    )


def refusal(error: Exception) -> ProviderError:
    """What an exception of a create means."""
    match error:
        case exceptions.ClientError():
            told, meta = error.response["Error"], error.response["ResponseMetadata"]
            reason = answers.text(told.get("Message"))
            return answers.refusal(
                _status(error), told.get("Code", ""), reason, meta.get("HTTPHeaders", {})
            )
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return ProviderRejectedError("The deployment has no credentials for Bedrock.")
    if isinstance(error, _NEVER_SENT):
        return ProviderUnavailableError("Bedrock cannot be reached.")
    return OutcomeUnknownError(answers.unknown("did not answer"))


def trouble(error: Exception) -> ProviderError:
    """What an exception of a look means: nothing, for the job, unless there is none."""
    if not isinstance(error, exceptions.ClientError):
        return ProviderUnavailableError("Bedrock cannot be reached.")
    status = _status(error)
    if status == 404:
        return JobNotFoundError("Bedrock no longer knows this video.")
    return answers.trouble(status)


def no_file(error: Exception) -> AssetError:
    """What an exception of S3 means."""
    if isinstance(error, exceptions.ClientError) and _status(error) in (403, 404):
        return AssetUnavailableError("The bucket of Bedrock may not be read, or is gone.")
    return AssetError("The bucket of Bedrock cannot be read now.")


def _status(error: exceptions.ClientError) -> int:
    usual = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return _STATUSES.get(error.response["Error"].get("Code", ""), usual)


def _took_seconds(began: Any, ended: Any) -> int | None:
    if isinstance(began, datetime) and isinstance(ended, datetime) and ended >= began:
        return round((ended - began).total_seconds())
    return None

"""Starts executions of the state machine, in AWS Step Functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from actionreel.errors import WorkflowError
from actionreel.models import VideoJob

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsWorkflow:
    """An execution for each video, named by the video's id: the engine refuses a second one."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._errors = client.exceptions  # made at the first use, and not safely between threads
        self._arn = state_machine_arn

    def start(self, job: VideoJob) -> None:
        """Starts the job's execution; one that was started before is left as it is.

        The input has no clock in it and sorted keys: the same video gives the same bytes, which is
        what makes a repeated start harmless. Raises WorkflowError.
        """
        document = job.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            self._client.start_execution(
                stateMachineArn=self._arn,
                name=job.video_id,
                input=json.dumps(document, sort_keys=True),
            )
        except self._errors.ExecutionAlreadyExists:
            return
        except (BotoCoreError, ClientError) as error:
            raise WorkflowError("The video could not be started on our side.") from error

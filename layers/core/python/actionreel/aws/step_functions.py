"""The executions of the state machines, in AWS Step Functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from actionreel.errors import WorkflowError
from actionreel.models import ExecutionState, Video

Document = dict[str, Any]

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start(client: SFNClient, state_machine_arn: str, name: str, document: Document) -> None:
    """Starts an execution, if there is none of that name yet. Raises WorkflowError."""
    try:
        client.start_execution(
            stateMachineArn=state_machine_arn,
            name=name,
            input=json.dumps(document, sort_keys=True),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return
    except (BotoCoreError, ClientError) as error:
        raise WorkflowError("This could not be started on our side.") from error


class StepFunctionsWorkflow:
    """An execution for each video, named after it: the engine refuses a second one of that name."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._errors = client.exceptions  # made at the first use, and not safely between threads
        self._arn = state_machine_arn

    def start(self, video: Video) -> None:
        """Starts the video's execution; one that was started before is left as it is.

        The input has no clock in it and sorted keys: the same video gives the same bytes, which is
        what makes a repeated start harmless. Raises WorkflowError.
        """
        document = video.job().model_dump(mode="json", by_alias=True, exclude_none=True)
        start(self._client, self._arn, video.execution, document)

    def state(self, video: Video) -> ExecutionState:
        """How the video's execution stands. Raises WorkflowError."""
        arn = f"{self._arn.replace(':stateMachine:', ':execution:')}:{video.execution}"
        try:
            status = self._client.describe_execution(executionArn=arn)["status"]
        except self._errors.ExecutionDoesNotExist:
            return "absent"
        except (BotoCoreError, ClientError) as error:
            raise WorkflowError("The execution cannot be looked at.") from error
        return "running" if status in ("RUNNING", "PENDING_REDRIVE") else "ended"

    def wake(self, token: str) -> bool:
        """Ends the wait with that token; False if it was over before. Raises WorkflowError."""
        try:
            self._client.send_task_success(taskToken=token, output="{}")
        except (
            self._errors.TaskTimedOut,
            self._errors.TaskDoesNotExist,
            self._errors.InvalidToken,
        ):
            return False
        except (BotoCoreError, ClientError):
            raise WorkflowError("The execution cannot be woken now.") from None
        return True

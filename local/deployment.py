"""Where an operator's command goes: to the run at home, or to a stack in the cloud."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from actionreel.errors import CrowdedError
from local.loopback import HOST
from local.template import REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOME = "/_local"  # what the gateway tells of the run at home


class UnreachableError(Exception):
    """There is nothing where the command should go; the message says what to do."""


class Deployment:
    """A running Actionreel, with its table."""

    def __init__(self, client: DynamoDBClient, table: str, url: str) -> None:
        self.client = client
        self.table = table
        self.url = url


def at_home(port: int) -> Deployment:
    """What `make dev` runs on that port. Raises UnreachableError."""
    url = f"http://{HOST}:{port}"
    try:
        with urllib.request.urlopen(url + HOME, timeout=30) as response:
            told: dict[str, str] = json.load(response)
        client = boto3.session.Session(region_name=REGION).client(
            "dynamodb",
            endpoint_url=told["aws"],
            aws_access_key_id="home",
            aws_secret_access_key="home",
        )
        return Deployment(client, told["table"], url)
    except (URLError, OSError, ValueError, KeyError):
        raise UnreachableError(
            f"Nothing runs at {url}. Start `make dev`, say PORT=, or name a stack with STACK=."
        ) from None


def in_the_cloud(stack: str) -> Deployment:
    """A deployed stack. Raises UnreachableError."""
    try:
        session = boto3.session.Session()
        [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        table, url = outputs["VideoTable"], outputs["PageUrl"]
        return Deployment(session.client("dynamodb"), table, url)
    except (BotoCoreError, ClientError) as error:
        raise UnreachableError(f"The stack cannot be read: {error}") from None
    except KeyError as missing:
        raise UnreachableError(f"This stack has no output {missing}: is it Actionreel's?") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which deployment a command is for."""
    parser.add_argument("--stack", default="", help="the name of the CloudFormation stack")
    parser.add_argument("--port", type=int, default=8000, help="of the run at home, without one")


def run(
    parser: argparse.ArgumentParser, command: Callable[[Deployment, argparse.Namespace], Any]
) -> int:
    """Runs the command where its arguments say; 1 with the reason if it cannot be done."""
    arguments = parser.parse_args()
    try:
        stack = arguments.stack
        command(in_the_cloud(stack) if stack else at_home(arguments.port), arguments)
        return 0
    except (UnreachableError, ValueError, CrowdedError) as error:
        print(error, file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS refuses: {error}", file=sys.stderr)
    return 1

"""`make webhook-address STACK=name`: where a server calls whose webhooks are set up once.

Reads the outputs and the secret of the deployed stack.
"""

from __future__ import annotations

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from actionreel.webhook_tokens import deployment_token

PROVIDER = "openai_videos"


def webhook_address(stack: str) -> str:
    """The address at the deployed stack. Raises botocore's errors, KeyError if it is another's."""
    session = boto3.session.Session()
    [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    held = session.client("secretsmanager").get_secret_value(SecretId=outputs["WebhookSecret"])
    token = deployment_token(held["SecretString"], PROVIDER)
    return f"{outputs['PageUrl']}/webhooks/{PROVIDER}/{token}"


def main() -> int:
    """Prints it; 1 with the reason if it cannot be had."""
    parser = argparse.ArgumentParser(prog="make webhook-address", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="the name of the CloudFormation stack")
    try:
        print(webhook_address(parser.parse_args().stack))
        return 0
    except (BotoCoreError, ClientError) as error:
        print(f"The stack cannot be read: {error}", file=sys.stderr)
    except KeyError as missing:
        print(f"This stack has no output {missing}: is it Actionreel's?", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

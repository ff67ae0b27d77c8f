"""The address of webhooks that are set up once: what is printed is what is believed."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from actionreel.webhook_tokens import is_deployment_token
from local.webhook_address import PROVIDER, webhook_address

STACK = """
Resources:
  Anything: {Type: "AWS::S3::Bucket"}
Outputs:
  PageUrl: {Value: "https://api.example.com"}
"""


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def test_the_address_is_believed() -> None:
    secret = boto3.client("secretsmanager").create_secret(Name="s", SecretString="a-secret")
    output = f"  WebhookSecret: {{Value: '{secret['ARN']}'}}\n"
    boto3.client("cloudformation").create_stack(StackName="reel", TemplateBody=STACK + output)
    base, _, token = webhook_address("reel").rpartition("/")
    assert base == f"https://api.example.com/webhooks/{PROVIDER}"
    assert is_deployment_token("a-secret", PROVIDER, token)


def test_the_stack_of_something_else_is_told() -> None:
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=STACK)
    with pytest.raises(KeyError, match="WebhookSecret"):
        webhook_address("other")

"""The template as SAM's transform leaves it: what CloudFormation gets.

`python -m tests.transformed` prints it."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local.template import ROOT

LOCATIONS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


class _Policies:
    """AWS's own policies, of which the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def document() -> Any:
    """The whole template, with code that lies in a bucket."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] in LOCATIONS:
            resource["Properties"][LOCATIONS[resource["Type"]]] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return transform(template, {}, _Policies())


def resources() -> Any:
    """Its resources, by their logical ids."""
    return document()["Resources"]


if __name__ == "__main__":
    json.dump(document(), sys.stdout)

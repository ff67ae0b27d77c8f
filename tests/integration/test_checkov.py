"""What checkov is told to overlook: each for a reason, and none for longer than it applies."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.template import ROOT
from tests import transformed

CHECKOV = ROOT / ".checkov"
LIST = (ROOT / ".checkov.yaml").read_text()
CONFIG = yaml.safe_load(LIST)
FOR_ALL = set(CONFIG["skip-check"])
A_REASON = 8  # words, at least
TOLD_NOTHING = ("--framework=cloudformation", "--skip-download", "--soft-fail", "--output=json")


def for_one() -> Iterator[tuple[str, str, str]]:
    """Each resource that says what to overlook there, what, and why."""
    for name, resource in transformed.resources().items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            yield f"{resource['Type']}.{name}", skip["id"], skip["comment"]


def reasons() -> dict[str, str]:
    """The comment above each line of the list."""
    skips = LIST.partition("skip-check:\n")[2]
    found = re.findall(r"((?:^  # .*\n)*)^  - (\w+)$", skips, re.MULTILINE)
    return {check: comment.replace("#", "") for comment, check in found}


def failing(document: Any, folder: Path) -> set[tuple[str, str]]:
    """What checkov finds in a template if it is told nothing: resources and checks."""
    (folder / "template.json").write_text(json.dumps(document))
    told = subprocess.run(
        [str(CHECKOV / "bin/checkov"), "--file", "template.json", *TOLD_NOTHING],
        cwd=folder,  # where there is no configuration
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(told.stdout)["results"]
    assert not results["parsing_errors"]
    return {(one["resource"], one["check_id"]) for one in results["failed_checks"]}


def test_each_skip_has_its_reason() -> None:
    assert reasons().keys() == FOR_ALL
    for check, reason in [*reasons().items(), *((one[1], one[2]) for one in for_one())]:
        assert len(reason.split()) >= A_REASON, f"{check} is skipped, and nobody knows why"


def test_nothing_but_the_list_is_overlooked() -> None:
    told = {"framework": ["cloudformation"], "skip-download": True, "quiet": True, "compact": True}
    assert {name: value for name, value in CONFIG.items() if name != "skip-check"} == told


@pytest.mark.skipif(
    not (CHECKOV / "checkov.done").exists(), reason="checkov is not here: make checkov"
)
def test_what_is_skipped_would_fail_and_nothing_else_does(tmp_path: Path) -> None:
    document = json.loads(json.dumps(transformed.document()))
    for resource in document["Resources"].values():
        resource.pop("Metadata", None)
    bucket = document["Resources"]["VideoBucket"]["Properties"]
    bucket["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False
    found = failing(document, tmp_path)
    planted = ("AWS::S3::Bucket.VideoBucket", "CKV_AWS_54")
    assert planted in found, "checkov does not see what it should"
    by_resource = {(resource, check) for resource, check, _ in for_one()}
    assert by_resource <= found
    assert {check for _, check in found - by_resource - {planted}} == FOR_ALL

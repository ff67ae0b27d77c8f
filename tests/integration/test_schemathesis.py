"""schemathesis tries the API against its own document: what it sends, the API must have said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from actionreel import bootstrap
from actionreel.accounts import Caps
from local.stack import Stack
from local.template import ROOT
from tests.conftest import act, ended

TENANT = "schemathesis"
PATIENCE = 240  # seconds; it takes a tenth of that


def test_the_document_is_true(stack: Stack, tmp_path: Path) -> None:
    tags = (
        f'<createAIVideo>{{"prompt": "a boat {word}"}}</createAIVideo>'
        for word in ("", "[fail:moderation]")
    )
    key = f"Bearer {stack.key(TENANT)}"
    with httpx.Client(base_url=stack.url, timeout=60, headers={"Authorization": key}) as api:
        finished, failed = (ended(api, result) for result in act(api, "".join(tags)))
    # What is made beside this costs time; what is over the cap shows the 429.
    bootstrap.services().accounts.set_caps(TENANT, Caps(concurrent=2))
    ids = [finished["data"]["videoId"], failed["videoId"]]
    token = finished["data"]["videoUrl"].partition("token=")[2]
    program = Path(sys.executable).with_name("schemathesis")
    config = ROOT / "tests" / "schemathesis.toml"
    done = subprocess.run(
        [
            program,
            "--config-file",
            config,
            "run",
            f"{stack.url}/openapi.json",
            "--no-color",
            "--header",
            f"Authorization: {key}",
        ],
        cwd=tmp_path,  # where it would look for what it found in earlier runs
        env={
            **os.environ,
            "ACTIONREEL_IDS": ",".join(ids),
            "ACTIONREEL_TOKEN": token,
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    tried = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert tried is not None and tried[1] == tried[2], done.stdout
    assert int(tried[1]) > 300
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout

"""schemathesis tries the API against its own document: what it sends, the API must have said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from local.stack import Stack
from local.template import ROOT
from tests.conftest import act, ended

PATIENCE = 240  # seconds; it takes a tenth of that


def test_the_document_is_true(stack: Stack, api: httpx.Client) -> None:
    tags = (
        f'<createAIVideo>{{"prompt": "a boat {word}"}}</createAIVideo>'
        for word in ("", "[fail:moderation]")
    )
    finished, failed = (ended(api, result) for result in act(api, "".join(tags)))
    ids = [finished["data"]["videoId"], failed["videoId"]]
    program = Path(sys.executable).with_name("schemathesis")
    config = ROOT / "tests" / "schemathesis.toml"
    done = subprocess.run(
        [program, "--config-file", config, "run", f"{stack.url}/openapi.json", "--no-color"],
        cwd=ROOT,
        env={**os.environ, "ACTIONREEL_IDS": ",".join(ids), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    print(done.stdout)

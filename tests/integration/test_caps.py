"""What an operator does about money: `make caps`, `make pause`, `make resume`; and what is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
from uuid6 import uuid7

from actionreel import bootstrap
from actionreel.accounts import Caps
from actionreel.aws.dynamodb_items import Key
from local import caps, recount
from local.deployment import Deployment
from local.stack import Stack
from tests.conftest import GIVE_UP_SECONDS, act, ended
from tests.fakes import a_video

CREATE = '<createAIVideo>{"prompt": "a paper boat", "seconds": 4}</createAIVideo>'
STUCK = CREATE.replace("a paper", "[stuck] a paper")
TENANT = "counted"


def command(stack: Stack, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    port = stack.url.rpartition(":")[2]
    monkeypatch.setattr("sys.argv", ["make caps", "--port", port, *words])
    return caps.main()


@pytest.fixture(autouse=True)
def _as_before(stack: Stack) -> Iterator[None]:
    yield
    accounts = bootstrap.services().accounts
    for who in (TENANT, None):
        accounts.pause(who, paused=False)
        accounts.set_caps(who, Caps())


@pytest.fixture
def counted(stack: Stack) -> Iterator[httpx.Client]:
    """A tenant whose numbers nobody else changes: others' videos may still be made."""
    headers = {"Authorization": f"Bearer {stack.key(TENANT)}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=GIVE_UP_SECONDS) as client:
        yield client


def test_a_pause_and_its_end(
    stack: Stack, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(stack, monkeypatch, "--pause") == 0
    [refused] = act(api, CREATE)
    assert (refused["code"], refused["retryable"]) == ("quota", True)
    assert refused["error"].startswith("This deployment is paused by its operator")
    assert api.get("/usage").json()["paused"] is True
    assert command(stack, monkeypatch, "--resume") == 0
    [started] = act(api, CREATE)
    assert started["type"] == "VIDEO_PENDING"
    assert ended(api, started)["type"] == "CHAT_VIDEO"


def test_a_name_that_nobody_came_by_is_asked_about(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(stack, monkeypatch, "--tenant", "mistyped", "--pause") == 0
    said = capsys.readouterr()
    assert said.out.startswith("mistyped: PAUSED")
    assert "is the name right?" in said.err
    assert command(stack, monkeypatch, "--tenant", "mistyped", "--resume") == 0
    stack.key("known-by-a-key")
    capsys.readouterr()
    assert command(stack, monkeypatch, "--tenant", "known-by-a-key", "--pause") == 0
    assert capsys.readouterr().err == ""


def test_a_tenant_with_videos_is_known(
    stack: Stack,
    api: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert act(api, CREATE)[0]["type"] == "VIDEO_PENDING"
    capsys.readouterr()
    assert command(stack, monkeypatch, "--tenant", "default") == 0
    assert capsys.readouterr().err == ""


def test_a_cap_is_told_with_the_time_when_it_frees(
    stack: Stack,
    counted: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [made] = act(counted, STUCK)
    assert made["type"] == "VIDEO_PENDING"
    usage = counted.get("/usage").json()
    assert (usage["running"], usage["today"]["videos"]) == (1, 1)
    assert command(stack, monkeypatch, "--tenant", TENANT, "--caps", "videos=1") == 0
    assert "caps of its own: videos 1;" in capsys.readouterr().out
    [refused] = act(counted, CREATE)
    assert refused["code"] == "quota"
    assert re.search(r"It frees at \d{4}-\d\d-\d\d 00:00 UTC", refused["error"])
    assert 0 < refused["retryAfterSeconds"] <= 86_400
    usage = counted.get("/usage?days=3").json()
    assert usage["caps"] == {"videos": 1, "seconds": None, "usd": None, "concurrent": None}
    assert [len(usage["days"]), usage["today"]["videos"]] == [3, 1]
    counted.delete(f"/videos/{made['data']['videoId']}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--caps", "films=3"],
            "films=3 says nothing. Say videos=N, seconds=N, usd=N",
        ),
        (["--caps", "videos 5"], "videos says nothing. Say videos=N"),
        (
            ["--caps", "videos=-1 usd=x"],
            "videos must be a whole number and usd must be a number, from 0 to a billion.",
        ),
        (["--caps", "usd=1e400"], "usd must be a number, from 0 to a billion."),
        (["--caps", "seconds=5.5"], "seconds must be a whole number, from 0 to a billion."),
        (["--tenant", "No Tenant"], "A tenant's name has small letters"),
    ],
)
def test_what_cannot_be_done_is_told(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    assert command(stack, monkeypatch, *words) == 1
    assert told in capsys.readouterr().err


def test_what_runs_is_counted_anew(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A function of an older release has ended a video, and has not told the account."""
    services, tenant = bootstrap.services(), "counted-anew"
    now = services.now()
    later = now + timedelta(days=1)  # the sweep leaves them alone
    for number in range(3):
        counted = {"day": now.date(), "seconds": 8, "usd": "0.80"} if number else None
        video = a_video(
            tenant=tenant, video_id=str(uuid7()), next_check_at=later, reservation=counted
        )
        services.videos.add(tenant, [video], None)
    boto3.client("dynamodb").update_item(
        TableName="VideoTable",
        Key={"PK": {"S": f"TENANT#{tenant}"}, "SK": {"S": "ACCOUNT"}},
        UpdateExpression="ADD running :more",
        ExpressionAttributeValues={":more": {"N": "40"}},
    )
    assert services.accounts.of(tenant, now.date())[0].running == 42
    assert command(stack, monkeypatch, "--tenant", tenant, "--recount") == 0
    assert "being made: 2" in capsys.readouterr().out
    own, _ = services.accounts.of(tenant, now.date())
    assert (own.running, own.used.videos) == (2, 2)
    while command(stack, monkeypatch, "--recount"):  # other files' videos are still being made
        assert "Videos were started or ended" in capsys.readouterr().err
        assert services.now() - now < timedelta(seconds=GIVE_UP_SECONDS)
    assert services.accounts.of(tenant, now.date())[1].running >= 2, "of this tenant and others"
    assert command(stack, monkeypatch, "--tenant", "has-none", "--recount") == 0


@pytest.mark.parametrize("counter", ["running", "moves"])  # moves alone: one ends, one begins
@pytest.mark.parametrize(("changes", "code"), [(3, 0), (recount.TRIES, 1)])
def test_a_count_is_made_again_if_videos_end_during_it(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: int,
    code: int,
    counter: str,
) -> None:
    accounts, tenant = bootstrap.services().accounts, f"{counter}-change-{changes}"
    look, ends = recount._open, iter(range(changes))

    def open_keys(where: Deployment, of: str | None) -> Iterator[Key]:
        if next(ends, None) is not None:
            boto3.client("dynamodb").update_item(
                TableName="VideoTable",
                Key={"PK": {"S": f"TENANT#{tenant}"}, "SK": {"S": "ACCOUNT"}},
                UpdateExpression=f"ADD {counter} :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
        return look(where, of)

    monkeypatch.setattr(recount, "_open", open_keys)
    monkeypatch.setattr(recount, "INDEX_SECONDS", 0)
    assert command(stack, monkeypatch, "--tenant", tenant, "--recount") == code
    running = accounts.of(tenant, datetime.now(UTC).date())[0].running
    left = changes if counter == "running" else 0
    assert running == (0 if code == 0 else left), "counted, or left as it is"
    assert ("Videos were started or ended" in capsys.readouterr().err) is bool(code)


def test_where_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make caps", "--port", "9"])
    assert caps.main() == 1
    assert "Nothing runs at http://127.0.0.1:9. Start `make dev`" in capsys.readouterr().err


def test_caps_that_are_not_named_stay_and_can_be_taken_away(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, told in (
        ("videos=50 usd=20", "videos 50, usd 20"),
        ("seconds=400", "videos 50, seconds 400, usd 20"),
        ("usd=none", "videos 50, seconds 400"),
        ("none", "none"),
    ):
        assert command(stack, monkeypatch, "--tenant", TENANT, "--caps", words) == 0
        assert f"caps of its own: {told};" in capsys.readouterr().out

"""Tenants over HTTP: what is one's is nobody else's, and does not even seem to be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from uuid6 import uuid7

from actionreel import bootstrap
from actionreel.aws.dynamodb_items import typed, video_item
from actionreel.models import Failure, Video
from local import api_keys
from local.stack import HOME_KEY, Stack
from tests.conftest import act
from tests.fakes import NOON, a_video

TENANTS = [f"house-{number:02}" for number in range(20)]
UNKNOWN = "0199f3a0-0000-7000-8000-00000000ffff"
MALFORMED = ["nothing", "a" * 500, UNKNOWN.upper()]


@pytest.fixture(scope="module")
def keys(stack: Stack) -> dict[str, str]:
    return {tenant: stack.key(tenant) for tenant in TENANTS}


@pytest.fixture(scope="module")
def videos(stack: Stack) -> dict[str, list[str]]:
    """20 videos each, of which some are being made, some are made, and some have failed."""
    failed = Failure(code="moderation", message="Refused.")
    kinds: list[dict[str, Any]] = [
        {"status": "generating"},
        {"status": "completed", "completed_at": NOON},
        {"status": "failed", "failure": failed},
    ]
    client = boto3.client("dynamodb")
    made: dict[str, list[str]] = {}
    for tenant in TENANTS:
        records = [
            a_video(tenant=tenant, video_id=str(uuid7()), **kinds[number % 3])
            for number in range(20)
        ]
        for record in records:  # not in a transaction: moto's copies its whole table
            client.put_item(TableName="VideoTable", Item=typed(video_item(record)))
        made[tenant] = [record.video_id for record in records]
    return made


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as made:
        yield made


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything that an answer tells, but for the time."""
    return (
        answer.status_code,
        answer.content,
        [(name, value) for name, value in answer.headers.multi_items() if name != "date"],
    )


@pytest.mark.minutes
def test_every_pair_of_20_tenants_with_20_videos_gives_the_same_404(
    client: httpx.Client, keys: dict[str, str], videos: dict[str, list[str]]
) -> None:
    unknown = told(client.get(f"/videos/{UNKNOWN}", headers=bearer(keys["house-00"])))
    assert unknown[0] == 404
    ways = [("GET", ""), ("DELETE", ""), ("POST", "/retry")]
    for video_id in (UNKNOWN, *MALFORMED):
        for method, path in ways:
            address = f"/videos/{video_id}{path}"
            answer = client.request(method, address, headers=bearer(keys["house-00"]))
            assert told(answer) == unknown, (method, video_id)
    asked = 0
    for number, (tenant, key) in enumerate(keys.items()):
        for other, ids in videos.items():
            # Every video is asked for by every other tenant; by reading, and by one of the rest.
            for place, video_id in enumerate(ids):
                if other == tenant:
                    continue
                answer = client.get(f"/videos/{video_id}", headers=bearer(key))
                assert told(answer) == unknown, (tenant, other)
                if (place + number) % 20 == 0:
                    for method, path in ways[1:]:
                        answer = client.request(
                            method, f"/videos/{video_id}{path}", headers=bearer(key)
                        )
                        assert told(answer) == unknown, (method, tenant, other)
                asked += 1
    assert asked == 20 * 19 * 20


def test_each_sees_its_own(
    client: httpx.Client, keys: dict[str, str], videos: dict[str, list[str]]
) -> None:
    for tenant, key in keys.items():
        page = client.get("/videos?limit=100", headers=bearer(key)).json()
        assert {video["videoId"] for video in page["videos"]} == set(videos[tenant])
        assert client.get(f"/videos/{videos[tenant][0]}", headers=bearer(key)).status_code == 200


def test_the_id_of_a_message_is_its_tenant_s(client: httpx.Client, stack: Stack) -> None:
    text = '<createAIVideo>{"prompt": "[stuck] p"}</createAIVideo>'
    made = set()
    for tenant in ("sender", "another-sender"):
        client.headers.update(bearer(stack.key(tenant)))
        [first] = act(client, text, messageId="the same")
        [again] = act(client, text, messageId="the same")
        assert first["data"]["videoId"] == again["data"]["videoId"]
        made.add(first["data"]["videoId"])
        client.delete(f"/videos/{first['data']['videoId']}")
    assert len(made) == 2


@pytest.mark.parametrize("path", ["/videos", "/usage", f"/videos/{UNKNOWN}"])
def test_what_api_gateway_says(client: httpx.Client, path: str) -> None:
    refused = client.get(path, headers=bearer("ar_nobody"))
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert client.get(path, headers={"Authorization": "Basic x"}).status_code == 403
    assert client.get(path, headers=bearer(HOME_KEY)).status_code in (200, 404)
    assert client.get(path).status_code in (200, 404)  # from this machine
    elsewhere = client.get(path, headers={"Host": "rebound.example:8000"})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/instructions", "/openapi.json"])
def test_what_needs_no_key(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers=bearer("ar_nobody")).status_code == 200


def command(stack: Stack, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    port = stack.url.rpartition(":")[2]
    monkeypatch.setattr("sys.argv", ["make key", "--port", port, *words])
    return api_keys.main()


def test_a_key_is_made_listed_and_revoked(
    stack: Stack,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(stack, monkeypatch, "--tenant", "acme", "--name", "ci") == 0
    key, said = capsys.readouterr()
    key, key_id = key.strip(), said.split()[3]
    assert client.get("/videos", headers=bearer(key)).json()["videos"] == []
    assert command(stack, monkeypatch, "--tenant", "acme", "--list") == 0
    listed = capsys.readouterr().out
    assert key_id in listed
    assert key not in listed
    assert listed.strip().endswith("valid  ci")
    assert command(stack, monkeypatch, "--tenant", "acme", "--revoke", key_id) == 0
    assert client.get("/videos", headers=bearer(key)).status_code == 403
    assert command(stack, monkeypatch, "--tenant", "acme", "--list") == 0
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tenant", ""], "Say TENANT=: small letters"),
        (["--tenant", "Acme"], "Say TENANT=: small letters"),
        (["--tenant", "acme", "--revoke", "nothing"], "acme has no key nothing."),
    ],
)
def test_what_cannot_be_done_is_told(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    assert command(stack, monkeypatch, *words) == 1
    assert said in capsys.readouterr().err


def test_records_know_their_tenant(videos: dict[str, list[str]]) -> None:
    found = bootstrap.services().videos.get("house-07", videos["house-07"][0])
    assert isinstance(found, Video)
    assert found.tenant == "house-07"

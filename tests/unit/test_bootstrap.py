"""Which adapter a provider's name leads to, and what happens to a name that leads to none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actionreel.bootstrap import AwsServices
from actionreel.errors import KeyUnavailableError, ProviderRejectedError
from actionreel.links import open_token
from actionreel.models import VideoJob
from actionreel.settings import Settings
from tests.fakes import VIDEO_ID, a_job, a_video

SECRETS = {"openai_videos": {"api_key": "sk-own"}, "fal": {"api_key": "k"}, "runway": {}}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> AwsServices:
    def held(*_: object, **__: object) -> dict[str, dict[str, str]]:
        return SECRETS

    monkeypatch.setattr("actionreel.aws.secrets_manager._get", held)
    settings = Settings(provider_secret="s", provider_base_url="https://e.x/v1", bedrock_bucket="b")
    return AwsServices(settings)


@pytest.mark.parametrize(
    "name", ["openai_videos", "openrouter", "fal", "replicate", "runway", "bedrock"]
)
def test_a_provider_is_the_module_of_its_name(services: AwsServices, name: str) -> None:
    adapter = services.provider(name)
    assert type(adapter).__module__ == f"actionreel.providers.{name}"
    assert services.provider(name) is adapter


@pytest.mark.parametrize("name", ["answers", "transport", "veo", "", "../fal", "fal.x", "Fal"])
def test_what_is_no_provider_is_refused_before_anything_is_sent(
    services: AwsServices, name: str
) -> None:
    with pytest.raises(ProviderRejectedError, match=r"no (such )?provider"):
        services.provider(name)


def test_a_model_can_be_had_where_there_is_a_key(services: AwsServices) -> None:
    assert services.registry.providers == frozenset(("openai_videos", "fal", "bedrock"))
    without = AwsServices(Settings(provider_secret="s"))
    assert without.registry.providers == frozenset(("fal",))
    assert AwsServices(Settings()).registry.providers is None


@pytest.mark.parametrize("base_url", [None, "http://127.0.0.1:8000", "https://api.example.com"])
def test_only_an_address_that_providers_reach_is_given_to_them(
    base_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionreel.aws.secrets_manager._get", lambda *_, **__: "a-secret")
    job: VideoJob = a_job(base_url=base_url)
    address = AwsServices(Settings(webhook_secret="w")).callback_url(job)
    assert (address is not None) == (base_url == "https://api.example.com")
    assert AwsServices(Settings()).callback_url(job) is None
    if address:
        assert address.startswith("https://api.example.com/webhooks/openai_videos/")


def test_links_are_made_with_the_secret_and_for_the_days_of_the_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("actionreel.aws.secrets_manager._get", lambda *_, **__: "a-secret")
    services = AwsServices(Settings(link_secret="l", link_days=2))
    link = services.links("https://api.example.com").content(a_video())
    address, _, given = link.partition("?token=")
    assert address == f"https://api.example.com/videos/{VIDEO_ID}/content"
    now = services.now()
    assert open_token(services.link_key, given, VIDEO_ID, now + timedelta(days=2))
    assert open_token(services.link_key, given, VIDEO_ID, now + timedelta(days=4)) is None


@pytest.mark.parametrize(("name", "held"), [("", "a-secret"), ("l", None), ("l", "")])
def test_links_are_not_made_without_their_secret(
    name: str, held: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionreel.aws.secrets_manager._get", lambda *_, **__: held)
    services = AwsServices(Settings(link_secret=name))
    with pytest.raises(KeyUnavailableError, match="links of videos"):
        services.links("https://api.example.com").poster(a_video())

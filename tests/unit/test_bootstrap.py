"""Which adapter a provider's name leads to, and what happens to a name that leads to none."""

from __future__ import annotations

import pytest

from actionreel.bootstrap import AwsServices
from actionreel.errors import ProviderRejectedError
from actionreel.models import VideoJob
from actionreel.settings import Settings
from tests.fakes import a_job

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

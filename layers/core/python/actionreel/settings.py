"""The environment in, a frozen model out. Only `bootstrap` reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from actionreel.accounts import Caps
from actionreel.links import DAYS
from actionreel.models import Document, Recovery


class CapsSetting(Document):
    """The caps of each tenant, and of the whole deployment; the JSON in the variable CAPS."""

    tenant: Caps = Caps()
    deployment: Caps = Caps()

    @field_validator("tenant", "deployment", mode="before")
    @classmethod
    def _empty_is_none(cls, caps: Any) -> Any:
        """A parameter of the template that is left empty is no cap."""
        return {name: cap for name, cap in caps.items() if cap != ""}


class Settings(Document):
    """What a deployment decides. Each function's environment holds only the part that it uses.

    `provider_secret` names the Secrets Manager secret with a section for each provider.
    `provider_base_url` is the address of an OpenAI-compatible server, up to and with `/v1`,
    `provider_dialect` how it speaks, `provider_recovery` what it can do about a create that went
    unanswered, `provider_webhooks` that it will call us. `webhook_secret` names the secret that the
    addresses of webhooks are made with. `video_models` is a JSON list of entries for the model
    registry. Bedrock puts its videos into `bedrock_bucket`, in `bedrock_region`.

    `chat_secret` names the secret with a section for each chat platform, `callback_secret` the one
    that callbacks are signed with; `callback_origins` are addresses that may be called although
    they are not public, with commas between. `chat_model` answers messages: at the
    OpenAI-compatible server `chat_model_url`, up to and with `/v1`, or else in Amazon Bedrock.
    `chat_follow_up` has it see the results, `chat_user_tags` has tags acted on that ordinary users
    type. `caps` are how much may be made each day, and at one time. `link_secret` names the secret
    that the links of videos are made with, which work for `link_days` at least.

    With `jwt_issuer`, an OpenID Connect provider, callers come with its tokens for `jwt_audience`,
    and not with API keys; the tenant is their claim `jwt_tenant_claim`.
    """

    table_name: str = ""
    bucket_name: str = ""
    state_machine_arn: str = ""
    default_model: str = ""
    provider_base_url: str = ""
    provider_secret: str = ""
    provider_recovery: Recovery = "list"
    provider_dialect: Literal["openai", "litellm", "sglang", "vllm-omni"] = "openai"
    video_models: str = ""
    bedrock_bucket: str = ""
    bedrock_region: str = ""
    provider_webhooks: bool = False
    webhook_secret: str = ""
    chat_secret: str = ""
    chat_state_machine_arn: str = ""
    chat_model: str = ""
    chat_model_url: str = ""
    chat_follow_up: bool = False
    chat_user_tags: bool = False
    callback_secret: str = ""
    callback_origins: str = ""
    caps: CapsSetting = CapsSetting()
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_tenant_claim: str = "sub"
    link_secret: str = ""
    link_days: int = Field(DAYS, ge=1, le=3650)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads TABLE_NAME, BUCKET_NAME and so on: the names of the fields, in capitals."""
        found = {name: environment.get(name.upper(), "").strip() for name in cls.model_fields}
        given: dict[str, Any] = {name: value for name, value in found.items() if value}
        if "caps" in given:
            given["caps"] = json.loads(given["caps"])
        return cls.model_validate(given)

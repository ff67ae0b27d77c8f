"""Whose request it is: the verb of the authorizer, the only one who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actionreel.api_keys import PREFIX, Caller, bearer_token, is_tenant, key_hash

if TYPE_CHECKING:
    from actionreel.ports import Services


def authorize(authorization: str, services: Services) -> Caller | None:
    """Who sends a request with that Authorization header; None if nobody may.

    Where the deployment takes JSON Web Tokens, it takes no API keys. What is raised is trouble of
    ours, which is told apart from a refusal.
    """
    token = bearer_token(authorization)
    if token is None:
        return None
    if services.tokens is not None:
        tenant = services.tokens.tenant(token)
        return Caller(tenant) if tenant is not None and is_tenant(tenant) else None
    if not token.startswith(PREFIX):
        return None
    found = services.keys.get(key_hash(token))
    if found is None or found.revoked_at is not None:
        return None
    return Caller(found.tenant, found.key_id)

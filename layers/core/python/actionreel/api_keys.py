"""API keys, and whose request comes with one. Pure, but for chance.

A key is 256 bits of chance, so that its SHA-256 says nothing about it and can be kept in its place.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import NamedTuple

from pydantic import field_validator

from actionreel.models import Document

PREFIX = "ar_"
HOME_TENANT = "default"  # at home, and of chats that name no other
MAX_TOKEN_CHARACTERS = 8192  # of a key, or of a JSON Web Token
_TENANT = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([\x21-\x7e]+) *")


class ApiKey(Document):
    """What is kept of a key: never the key itself. `name` is the operator's word for its use."""

    tenant: str
    key_hash: str
    name: str = ""
    created_at: datetime
    revoked_at: datetime | None = None

    @field_validator("tenant")
    @classmethod
    def _tenant_can_be_one(cls, tenant: str) -> str:
        """A record that was written by hand must not lead to records that are no tenant's."""
        if not is_tenant(tenant):
            raise ValueError("no tenant has this name")
        return tenant

    @property
    def key_id(self) -> str:
        """The name by which an operator revokes it."""
        return self.key_hash[:12]


class Caller(NamedTuple):
    """Whose request it is, and by which key; that of a JSON Web Token has none."""

    tenant: str
    key_id: str | None = None


def is_tenant(name: str) -> bool:
    """Whether that can be a tenant's name: small letters, digits and hyphens, at most 40."""
    return _TENANT.fullmatch(name) is not None


def new_key() -> str:
    """A key that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is kept in place of the key."""
    return hashlib.sha256(key.encode()).hexdigest()


def bearer_token(authorization: str) -> str | None:
    """What the Authorization header brings; None if it is none that could be ours."""
    found = _BEARER.fullmatch(authorization)
    return found[1] if found and len(found[1]) <= MAX_TOKEN_CHARACTERS else None

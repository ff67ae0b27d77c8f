"""What Discord refuses of a message, in its own words and numbers. Pure.

Source: discord.com/developers/docs (message resource, components, commands, error codes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MAX_FILE = 10 * 1024 * 1024
_MAX_CONTENT, _MAX_NONCE, _MAX_LABEL, _MAX_CUSTOM_ID, _MAX_URL = 2000, 25, 80, 100, 512
_COMMAND_NAME = re.compile(r"[-_\w]{1,32}")


class RefusedError(Exception):
    """An answer with a status of 400 or more, and Discord's JSON."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code, **more}


UNAUTHORIZED = (401, 0, "401: Unauthorized")
UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
NOT_FOUND = (404, 0, "404: Not Found")
EXPIRED = (401, 50027, "Invalid Webhook Token")
ANOTHER_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
EMPTY = (400, 50006, "Cannot send an empty message")
TOO_LARGE = (413, 40005, "Request entity too large")


def invalid(field: str, why: str) -> RefusedError:
    """The refusal of a field; who wrote it finds there which one it was."""
    errors = {field: {"_errors": [{"code": "INVALID", "message": why}]}}
    return RefusedError(400, 50035, "Invalid Form Body", errors=errors)


def check_message(payload: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Raises RefusedError for a message that Discord does not take."""
    content, nonce = payload.get("content"), payload.get("nonce", "")
    if content is not None and not isinstance(content, str):
        raise invalid("content", "Could not interpret as string.")
    if content and len(content.encode("utf-16-le")) > 2 * _MAX_CONTENT:
        raise invalid("content", "Must be 2000 or fewer in length.")
    if not isinstance(nonce, str | int) or len(str(nonce)) > _MAX_NONCE:
        raise invalid("nonce", "Must be 25 or fewer in length.")
    if any(len(file) > MAX_FILE for file in files.values()):
        raise RefusedError(*TOO_LARGE)
    for attachment in payload.get("attachments") or ():
        if f"files[{attachment.get('id')}]" not in files and not _is_id(attachment.get("id")):
            raise invalid("attachments", "An attachment without its file.")
    _check_components(payload.get("components") or [])


def check_commands(commands: Any) -> None:
    """Raises RefusedError for commands that cannot be registered."""
    if not isinstance(commands, list):
        raise invalid("commands", "Only lists can be put here.")
    for command in commands:
        for named in (command, *command.get("options", ())):
            name, described = str(named.get("name")), str(named.get("description", ""))
            if not _COMMAND_NAME.fullmatch(name) or name != name.lower():
                raise invalid("name", "String value did not match validation regex.")
            if not 1 <= len(described) <= 100:
                raise invalid("description", "Must be between 1 and 100 in length.")
        required = [bool(option.get("required")) for option in command.get("options", ())]
        if required != sorted(required, reverse=True):
            raise invalid("options", "Required options must be placed before non-required options")


def buttons_of(components: Any) -> list[dict[str, Any]]:
    """The buttons in the rows."""
    return [button for row in components for button in row["components"]]


def _check_components(rows: list[dict[str, Any]]) -> None:
    if len(rows) > 5 or any(row.get("type") != 1 for row in rows):
        raise invalid("components", "Must be 5 or fewer rows.")
    if any(not 1 <= len(row.get("components", ())) <= 5 for row in rows):
        raise invalid("components", "Must be between 1 and 5 in length.")
    for button in buttons_of(rows):
        _check_button(button)
    ids = [button["custom_id"] for button in buttons_of(rows) if "custom_id" in button]
    if len(set(ids)) < len(ids):
        raise invalid("components", "Component custom id cannot be duplicated")


def _check_button(button: dict[str, Any]) -> None:
    label, style = button.get("label", ""), button.get("style")
    if button.get("type") != 2 or style not in (1, 2, 3, 4, 5):
        raise invalid("components", "No button of a style that there is.")
    if not 1 <= len(label) <= _MAX_LABEL:
        raise invalid("label", "Must be between 1 and 80 in length.")
    if style == 5:
        url = str(button.get("url", ""))
        if urlsplit(url).scheme not in ("http", "https") or len(url) > _MAX_URL:
            raise invalid("url", "Not a well formed URL.")
        if "custom_id" in button:
            raise invalid("components", "A custom id and url cannot both be specified")
    elif not 1 <= len(str(button.get("custom_id", ""))) <= _MAX_CUSTOM_ID:
        raise invalid("custom_id", "Must be between 1 and 100 in length.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isdigit() and len(value) > 10

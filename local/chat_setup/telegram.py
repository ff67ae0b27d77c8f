"""Telegram: a bot of BotFather's, its webhook and its commands.

Source: core.telegram.org/bots/api (getMe, setWebhook, getWebhookInfo, setMyCommands).
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

from local.chat_setup.api import call
from local.chat_setup.walk import Section, SetupError, Walk, shown

API_URL = "https://api.telegram.org"
ALLOWED_UPDATES = ["message", "callback_query"]
COMMANDS = [
    {"command": "video", "description": "Makes a video: /video a paper boat in the rain"},
    {"command": "help", "description": "Says what can be asked for"},
]

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")
_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,256}")  # Telegram takes 1, who forges would guess it
_RECENT_SECONDS = 3600

_STEPS = """\
1. Write /newbot to https://t.me/BotFather, and have the token at hand that it gives you.
2. In groups the bot sees what begins with /video, and answers to it. To have it see mentions in all
   groups, write /setprivacy to BotFather and disable it.
"""


def collect(walk: Walk, held: Section) -> Section:
    """See Platform."""
    terminal = walk.terminal
    terminal.say(_STEPS)
    token = terminal.value("TELEGRAM_BOT_TOKEN", "bot token", held.get("bot_token", ""))
    if not _TOKEN.fullmatch(token):
        raise SetupError("That is no bot token: one has an id, a colon and 35 characters.")
    bot = _call(walk, {**held, "bot_token": token}, "getMe")
    # A deployment whose secret is out of reach must be told one that it has already.
    made = held.get("secret_token") or (secrets.token_urlsafe(48) if walk.stored else "")
    secret_token = terminal.environment.get("TELEGRAM_SECRET_TOKEN", "").strip() or made
    if not secret_token:
        secret_token = terminal.value("TELEGRAM_SECRET_TOKEN", "secret_token of the deployment")
    if not _SECRET_TOKEN.fullmatch(secret_token):
        raise SetupError("A secret_token has 16 to 256 letters, digits, _ and -.")
    username = bot.get("username") if isinstance(bot, dict) else None
    if not isinstance(username, str) or not username:
        raise SetupError("Telegram does not tell the bot's name.")
    return {**held, "bot_token": token, "secret_token": secret_token, "username": username}


def connect(walk: Walk, section: Section) -> None:
    """See Platform."""
    webhook = {
        "url": f"{walk.url}/chat/telegram",
        "secret_token": section["secret_token"],
        "allowed_updates": ALLOWED_UPDATES,
    }
    _call(walk, section, "setWebhook", **webhook)
    _call(walk, section, "setMyCommands", commands=COMMANDS)
    name = shown(section["username"])
    walk.terminal.say(f"Telegram is set up. Open https://t.me/{name} and write:")
    walk.terminal.say("/video a paper boat in the rain")


def check(walk: Walk, section: Section) -> list[str]:
    """See Platform."""
    troubles = []
    try:
        bot = _call(walk, section, "getMe")
        username = bot.get("username") if isinstance(bot, dict) else None
        walk.terminal.say(f"Telegram knows the token: it is @{shown(username)}'s.")
        if username != section.get("username"):
            troubles.append("The username of the section is not this bot's.")
        troubles += _webhook_troubles(walk, _call(walk, section, "getWebhookInfo"))
    except SetupError as error:
        troubles.append(str(error))
    if not _SECRET_TOKEN.fullmatch(section.get("secret_token", "")):
        troubles.append("The section has no secret_token that Telegram takes.")
    return troubles


def _webhook_troubles(walk: Walk, info: Any) -> list[str]:
    info = info if isinstance(info, dict) else {}
    address = f"{walk.url}/chat/telegram"
    if info.get("url") != address:
        return [f"The bot's updates do not go to {address}."]
    walk.terminal.say(f"Its updates go to {address}.")
    troubles = []
    if missing := set(ALLOWED_UPDATES) - set(info.get("allowed_updates") or ALLOWED_UPDATES):
        troubles.append(f"It is not told of {', '.join(sorted(missing))}.")
    happened = info.get("last_error_date")
    # The last error stays there when all is well again.
    if isinstance(happened, int) and time.time() - happened < _RECENT_SECONDS:
        said, waiting = info.get("last_error_message"), info.get("pending_update_count")
        troubles.append(
            f"Telegram's last trouble with the deployment, within this hour: {shown(said)};"
            f" {shown(waiting)} updates wait. A secret that has changed takes five minutes."
        )
    return troubles


def _call(walk: Walk, section: Section, method: str, **fields: Any) -> Any:
    token = section.get("bot_token", "")
    if not _TOKEN.fullmatch(token):
        raise SetupError("The section has no bot token.")
    base = walk.base_url("TELEGRAM_API_URL", section, API_URL)
    answer = call("Telegram", "POST", f"{base}/bot{token}/{method}", json=fields)
    if answer.status in (401, 404):
        raise SetupError("Telegram refuses the bot token.")
    if answer.get("ok") is not True:
        reason = answer.get("description") or f"HTTP {answer.status}"
        raise SetupError(f"Telegram refuses {method}: {shown(reason)}.")
    return answer.get("result")

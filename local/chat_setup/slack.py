"""Slack: an app from a manifest, its signing secret and its bot's token.

Sources: docs.slack.dev (app manifests, auth.test, verifying requests, url_verification).
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from typing import Any

from local.chat_setup.api import Answer, call
from local.chat_setup.walk import Section, SetupError, Walk, shown

API_URL = "https://slack.com/api"
SCOPES = ("app_mentions:read", "chat:write", "commands", "files:write", "im:history")
EVENTS = ("app_mention", "message.im")
# What it takes to hear the owner's own bots in channels, and with them everybody else there.
BOTS_SCOPES = ("channels:history", "groups:history")
BOTS_EVENTS = ("message.channels", "message.groups")

_STEPS = """\
1. Open https://api.slack.com/apps?new_app=1, choose "From a manifest" and your workspace, and put
   this in place of what is in the field JSON:

{manifest}

2. Install it to the workspace ("Install App").
3. Have at hand: "Basic Information" > "Signing Secret", and "Install App" > "Bot User OAuth Token".
"""
_LAST = """\
Slack is set up. At "Event Subscriptions" of the app, press "Retry" if the address is not verified.
Invite the bot to a channel (/invite @Actionreel), and write: /video a paper boat in the rain"""


def manifest(url: str, *, owner_bots: bool = False) -> dict[str, Any]:
    """The app, as Slack creates it: whatever happens in it goes to one address."""
    request_url = f"{url}/chat/slack"
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Actionreel",
            "description": "Makes videos of what you write.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Actionreel", "always_online": True},
            "slash_commands": [
                {
                    "command": "/video",
                    "url": request_url,
                    "description": "Makes a video",
                    "usage_hint": "a paper boat in the rain --seconds 8 --portrait",
                    "should_escape": False,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(_scopes(owner_bots))}},
        "settings": {
            "event_subscriptions": {
                "request_url": request_url,
                "bot_events": sorted(EVENTS + BOTS_EVENTS if owner_bots else EVENTS),
            },
            "interactivity": {"is_enabled": True, "request_url": request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def collect(walk: Walk, held: Section) -> Section:
    """See Platform."""
    terminal = walk.terminal
    bots = terminal.value(
        "SLACK_OWNER_BOTS",
        "ids of bots of your own whose tags count, with commas between",
        held.get("owner_bots", ""),
        required=False,
    )
    written = json.dumps(manifest(walk.url, owner_bots=bool(bots)), indent=2)
    terminal.say(_STEPS.format(manifest=written))
    section = {
        **held,
        "signing_secret": terminal.value(
            "SLACK_SIGNING_SECRET", "signing secret", held.get("signing_secret", "")
        ),
        "bot_token": terminal.value(
            "SLACK_BOT_TOKEN", "bot token (xoxb-...)", held.get("bot_token", "")
        ),
        **({"owner_bots": bots} if bots else {}),
    }
    _bot(walk, section)
    return section


def connect(walk: Walk, section: Section) -> None:
    """See Platform. Slack was told the address by the manifest."""
    if walk.stored:
        wrong = walk.until_right(
            lambda: _challenge(walk, section), "Waiting for the deployment to know the secret"
        )
        if wrong:
            raise SetupError(wrong)
    walk.terminal.say(_LAST)


def check(walk: Walk, section: Section) -> list[str]:
    """See Platform."""
    troubles = []
    try:
        answer = _bot(walk, section)
        who = f"{shown(answer.get('user'))}, in the workspace {shown(answer.get('team'))}"
        walk.terminal.say(f"Slack knows the token: it is of {who}.")
        granted = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
        missing = sorted(_scopes(bool(section.get("owner_bots"))) - granted)
        if "x-oauth-scopes" in answer.headers and missing:
            troubles.append(
                f"The app lacks the scopes {', '.join(missing)}: add them at OAuth & Permissions,"
                " and install it again."
            )
    except SetupError as error:
        troubles.append(str(error))
    wrong = _challenge(walk, section)
    if wrong:
        troubles.append(wrong)
    else:
        walk.terminal.say("The deployment takes in what is signed with the signing secret.")
    return troubles


def _scopes(owner_bots: bool) -> set[str]:
    return {*SCOPES, *(BOTS_SCOPES if owner_bots else ())}


def _bot(walk: Walk, section: Section) -> Answer:
    """What auth.test says of the token. Raises SetupError if it is no bot's."""
    base = walk.base_url("SLACK_API_URL", section, API_URL)
    headers = {
        "Authorization": f"Bearer {section.get('bot_token', '')}",
        "Content-Type": "application/x-www-form-urlencoded",  # of an empty form
    }
    answer = call("Slack", "POST", f"{base}/auth.test", headers=headers)
    if answer.get("ok") is not True:
        reason = answer.get("error") or f"HTTP {answer.status}"
        raise SetupError(f"Slack refuses the bot token ({shown(reason)}).")
    if not answer.get("bot_id"):
        raise SetupError("The token is not a bot's: take the one that begins with xoxb-.")
    return answer


def _challenge(walk: Walk, section: Section) -> str | None:
    """Asks the deployment as Slack does when it verifies an address; what is wrong, if anything."""
    challenge, sent_at = secrets.token_urlsafe(), str(int(time.time()))
    body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "none"})
    signed = f"v0:{sent_at}:{body}".encode()
    signature = hmac.new(section.get("signing_secret", "").encode(), signed, "sha256").hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": sent_at,
        "X-Slack-Signature": f"v0={signature}",
    }
    url = f"{walk.url}/chat/slack"
    try:
        answer = call("The deployment", "POST", url, content=body, headers=headers)
    except SetupError as error:
        return str(error)
    if answer.status == 200 and answer.get("challenge") == challenge:
        return None
    if answer.status == 401:
        return "The deployment does not know this signing secret, or not yet."
    return f"{url} answers something else than Actionreel does (HTTP {answer.status})."

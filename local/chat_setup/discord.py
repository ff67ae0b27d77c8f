"""Discord: an application, its commands, and the address that its interactions go to.

Sources: discord.com/developers/docs (application resource, application commands, receiving
interactions, OAuth2 scopes, permissions).
"""

from __future__ import annotations

from typing import Any

from local.chat_setup.api import Answer, call
from local.chat_setup.walk import Section, SetupError, Walk, shown

API_URL = "https://discord.com/api/v10"

_STRING, _INTEGER, _ATTACHMENT = 3, 4, 11  # types of options
_GUILD, _BOT_DM = 0, 1  # contexts of commands
_GUILD_INSTALL = 0
# View channels, send messages, attach files, read the history (to answer in it), send in threads.
_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 38
_OUR_COMMANDS = ("video", "ask")

_STEPS = """\
1. Open https://discord.com/developers/applications and create a "New Application".
2. At "Bot", press "Reset Token", and have the token at hand. Everything else is done from here.
"""
_UNVERIFIED = """\
Discord asked {url} and did not get the right answer. It wants to be answered within 3 seconds, and
401 for a wrong signature. Either that is not the deployment's address, or the deployment is older
than its chats, or it does not know this application's public key yet."""


def commands(*, model: bool) -> list[dict[str, Any]]:
    """The commands; with a `model` also the one that talks to it."""
    video: dict[str, Any] = {
        "name": "video",
        "description": "Makes a video of what you describe",
        "options": [
            {
                "type": _STRING,
                "name": "prompt",
                "description": "What the video shows",
                "required": True,
                "max_length": 4000,
            },
            {
                "type": _INTEGER,
                "name": "seconds",
                "description": "How long it is",
                "min_value": 1,
            },
            {
                "type": _STRING,
                "name": "shape",
                "description": "Its shape",
                "choices": [
                    {"name": shape, "value": shape} for shape in ("portrait", "landscape", "square")
                ],
            },
            {"type": _STRING, "name": "model", "description": "The model that makes it"},
            {"type": _ATTACHMENT, "name": "image", "description": "An image that it starts from"},
        ],
    }
    words = {
        "type": _STRING,
        "name": "words",
        "description": "What you say to it",
        "required": True,
        "max_length": 4000,
    }
    ask = {"name": "ask", "description": "Asks the model that answers here", "options": [words]}
    # Where the bot is a member: elsewhere it could not answer after 15 minutes.
    where = {"type": 1, "contexts": [_GUILD, _BOT_DM], "integration_types": [_GUILD_INSTALL]}
    return [command | where for command in ([video, ask] if model else [video])]


def collect(walk: Walk, held: Section) -> Section:
    """See Platform. The token tells the application's id and public key: they are not asked for,
    and compared with those that the environment has."""
    terminal = walk.terminal
    terminal.say(_STEPS)
    token = terminal.value("DISCORD_BOT_TOKEN", "bot token", held.get("bot_token", ""))
    answer = _application(walk, {**held, "bot_token": token})
    section = {
        **held,
        "application_id": str(answer.get("id")),
        "public_key": str(answer.get("verify_key")),
        "bot_token": token,
    }
    for field in ("application_id", "public_key"):
        said = terminal.environment.get(f"DISCORD_{field.upper()}", "").strip()
        if said and said.lower() != section[field].lower():
            raise SetupError(
                f"The token is another application's: its {field} is {shown(section[field])}."
            )
    return section


def connect(walk: Walk, section: Section) -> None:
    """See Platform."""
    _register(walk, section)
    url = f"{walk.url}/chat/discord"
    waiting = "Discord cannot verify the address yet: the deployment has to learn the secret first"
    wrong = walk.until_right(lambda: _endpoint(walk, section, url), waiting)
    if wrong:
        raise SetupError(wrong)
    invitation = (
        "https://discord.com/oauth2/authorize?scope=bot+applications.commands"
        f"&client_id={section['application_id']}&permissions={_PERMISSIONS}"
    )
    walk.terminal.say(f"Discord is set up. Invite the bot to your server:\n  {invitation}")
    walk.terminal.say("Then write: /video prompt: a paper boat in the rain")


def check(walk: Walk, section: Section) -> list[str]:
    """See Platform."""
    troubles = []
    try:
        answer = _application(walk, section)
        walk.terminal.say(f"Discord knows the token: it is {shown(answer.get('name'))}'s.")
        for field, name in (("application_id", "id"), ("public_key", "verify_key")):
            if str(answer.get(name)).lower() != section.get(field, "").lower():
                troubles.append(f"The {field} of the section is not this application's.")
        address = f"{walk.url}/chat/discord"
        if answer.get("interactions_endpoint_url") != address:
            troubles.append(f"The application's interactions do not go to {address}.")
        else:
            walk.terminal.say(f"Its interactions go to {address}.")
        registered = _registered(walk, section)
        missing = [it["name"] for it in commands(model=walk.model) if it["name"] not in registered]
        if missing:
            troubles.append(f"It lacks the commands {', '.join(missing)}.")
    except SetupError as error:
        troubles.append(str(error))
    return troubles


def _application(walk: Walk, section: Section) -> Answer:
    answer = _call(walk, section, "GET", "/applications/@me")
    if answer.status != 200 or not (answer.get("id") and answer.get("verify_key")):
        raise SetupError(f"Discord does not tell the application (HTTP {answer.status}).")
    return answer


def _register(walk: Walk, section: Section) -> None:
    others = [name for name in _registered(walk, section) if name not in _OUR_COMMANDS]
    if others:
        names = ", ".join(shown(name) for name in others)
        walk.terminal.agree(f"The application has other commands ({names}). Remove them?")
    path = f"/applications/{section['application_id']}/commands"
    answer = _call(walk, section, "PUT", path, json=commands(model=walk.model))
    if answer.status != 200:
        raise SetupError(f"Discord refuses the commands: {_said(answer)}")
    names = ", ".join(f"/{it['name']}" for it in commands(model=walk.model))
    walk.terminal.say(f"Discord has the commands: {names}.")


def _registered(walk: Walk, section: Section) -> list[str]:
    path = f"/applications/{section.get('application_id', '')}/commands"
    answer = _call(walk, section, "GET", path)
    if answer.status != 200 or not isinstance(answer.document, list):
        raise SetupError(f"Discord does not tell the commands: {_said(answer)}")
    return [str(it.get("name")) for it in answer.document if isinstance(it, dict)]


def _endpoint(walk: Walk, section: Section, url: str) -> str | None:
    """Sets the address, which Discord verifies before it answers; what is wrong with it, if
    anything that time may mend. Raises SetupError for all else."""
    told = {"interactions_endpoint_url": url}
    answer = _call(walk, section, "PATCH", "/applications/@me", json=told)
    if answer.status == 200:
        return None
    if answer.get("errors", "interactions_endpoint_url"):
        return _UNVERIFIED.format(url=url)
    raise SetupError(f"Discord refuses the address: {_said(answer)}")


def _call(walk: Walk, section: Section, method: str, path: str, **options: Any) -> Answer:
    base = walk.base_url("DISCORD_API_URL", section, API_URL)
    # Discord wants to know who calls, in this form.
    headers = {
        "Authorization": f"Bot {section.get('bot_token', '')}",
        "User-Agent": "DiscordBot (actionreel, 1)",
    }
    answer = call("Discord", method, base + path, headers=headers, **options)
    if answer.status == 401:
        raise SetupError("Discord refuses the bot token.")
    return answer


def _said(answer: Answer) -> str:
    return f"{shown(answer.get('message') or 'no reason given')} (HTTP {answer.status})."

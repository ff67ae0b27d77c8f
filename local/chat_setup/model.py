"""The key of the language model that answers in chats, for a server that speaks OpenAI's protocol.

Source: platform.openai.com/docs/api-reference/models.
"""

from __future__ import annotations

from local.chat_setup.api import call
from local.chat_setup.walk import Section, SetupError, Walk, shown

_KEY_REFUSED = (401, 403)


def collect(walk: Walk, held: Section) -> Section:
    """See Platform."""
    held_key = held.get("api_key", "")
    section = {**held, "api_key": walk.terminal.value("CHAT_MODEL_KEY", "key", held_key)}
    if _list(walk, section) in _KEY_REFUSED:
        raise SetupError("The server of the model refuses the key.")
    return section


def connect(walk: Walk, section: Section) -> None:
    """See Platform. The model is a parameter of the stack."""
    if not walk.parameters.get("ChatModel"):
        walk.terminal.say("Name the model in the stack's parameters ChatModel and ChatModelUrl.")


def check(walk: Walk, section: Section) -> list[str]:
    """See Platform."""
    name, url = walk.parameters.get("ChatModel"), walk.parameters.get("ChatModelUrl")
    if not name or not url:
        which = "Amazon Bedrock, which needs no key" if name else "no model: commands work alone"
        walk.terminal.say(f"The deployment uses {which}.")
        return []
    try:
        status = _list(walk, section)
    except SetupError as error:
        return [str(error)]
    if status in _KEY_REFUSED:
        return ["The server of the model refuses the key."]
    walk.terminal.say(f"The server of the model {shown(name)} does not refuse the key.")
    return []


def _list(walk: Walk, section: Section) -> int | None:
    """The status of the server's list of models, which costs nothing; None without a server."""
    url = walk.parameters.get("ChatModelUrl", "").rstrip("/")
    if not url:
        return None
    headers = {"Authorization": f"Bearer {section.get('api_key', '')}"}
    return call("The server of the model", "GET", f"{url}/models", headers=headers).status

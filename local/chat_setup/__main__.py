"""The walk itself: which deployment, what is to be written, and whether all is well."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from actionreel.api_keys import is_tenant
from local.chat_setup import discord, events, model, slack, telegram
from local.chat_setup.deployment import ChatSecret, find
from local.chat_setup.walk import Platform, Section, SetupError, Terminal, Walk, shown

PLATFORMS: Mapping[str, Platform] = {
    "slack": slack,
    "discord": discord,
    "telegram": telegram,
    "events": events,
    "model": model,
}
_PUBLIC = ("application_id", "public_key", "username", "owner_bots", "base_url", "tenant")
_NO_TENANT = "{} is no tenant: small letters, digits and hyphens, at most 40."
_NOT_STORED = """\
Nothing is stored: without STACK the deployment's secret is not known. Its section must hold: {}."""


def main(
    arguments: Sequence[str],
    environment: Mapping[str, str] = os.environ,
    *,
    interactive: bool,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Goes through it; 1 if something is not as it should be, which is told."""
    chosen = _arguments(arguments)
    try:
        wrong = _walk(chosen, Terminal(environment, interactive=interactive, yes=chosen.yes), pause)
    except SetupError as error:
        wrong = [str(error)]
    except (KeyboardInterrupt, EOFError):
        wrong = ["Broken off."]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def _walk(
    chosen: argparse.Namespace, terminal: Terminal, pause: Callable[[float], None]
) -> list[str]:
    """What is wrong at the end. Raises SetupError if it cannot come to one."""
    platform, name = PLATFORMS[chosen.platform], chosen.platform
    if chosen.tenant and name == "model":
        raise SetupError("The model has no tenant: it answers for those of the platforms.")
    if chosen.tenant and not is_tenant(chosen.tenant):
        raise SetupError(_NO_TENANT.format(chosen.tenant))
    deployment = find(chosen.stack, chosen.url)
    secret = deployment.secret
    walk = Walk(
        url=deployment.url,
        terminal=terminal,
        secret_name=secret.name if secret else "",
        parameters=deployment.parameters,
        ask=chosen.ask,
        pause=pause,
    )
    if chosen.check:
        if secret is None:
            raise SetupError("Say which deployment's secret is to be checked: STACK=name.")
        held = secret.section(name)
        if not held:
            raise SetupError(f"The secret holds nothing for {name}.")
        tenant = held.get("tenant", "").strip()
        wrong = [_NO_TENANT.format(shown(tenant))] if tenant and not is_tenant(tenant) else []
        return [*platform.check(walk, held), *wrong]
    held = secret.section(name) if secret else {}
    section = platform.collect(walk, held)
    if chosen.tenant:
        section = {**section, "tenant": chosen.tenant}
    if secret is None:
        terminal.say(_NOT_STORED.format(", ".join(sorted(section))))
    else:
        _store(terminal, secret, name, held, section)
    platform.connect(walk, section)
    return platform.check(walk, section)


def _store(
    terminal: Terminal, secret: ChatSecret, name: str, held: Section, section: Section
) -> None:
    """Writes what has changed, once it is agreed to."""
    if section == held:
        terminal.say(f"The section {name} of {secret.name} holds that already.")
        return
    terminal.say(f"Into the section {name} of {secret.name}:")
    for field, value in sorted(section.items()):
        change = "as it is" if held.get(field) == value else "changed" if field in held else "new"
        terminal.say(f"  {field}: {shown(value) if field in _PUBLIC else '(secret)'}, {change}")
    terminal.agree("Write that?")
    secret.write(name, section)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chat", description="Sets up a chat platform for a deployment."
    )
    parser.add_argument("platform", choices=sorted(PLATFORMS))
    parser.add_argument("--stack", default="", help="the name of the CloudFormation stack")
    parser.add_argument(
        "--url", default="", help="the address of its API, if it is not the stack's own"
    )
    parser.add_argument(
        "--tenant", default="", help="whose videos its chats make (default: as it is, or default)"
    )
    parser.add_argument(
        "--ask",
        action="store_true",
        help="register /ask on Discord, too, as is done for a stack that has a ChatModel",
    )
    parser.add_argument("--check", action="store_true", help="only check what the secret holds")
    parser.add_argument("--yes", action="store_true", help="ask for nobody's agreement")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], interactive=sys.stdin.isatty()))

"""The kits of all adapters: whatever modules here bring along, so that a new one is a new file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.providers.kit import Kit


def _kits() -> list[Kit]:
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*_kit*.py"))
    brought = [vars(import_module(f"tests.providers.{name}")) for name in modules]
    return [kit for names in brought for kit in names.get("KITS", [names.get("KIT")])]


KITS = _kits()

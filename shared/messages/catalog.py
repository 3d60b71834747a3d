"""Which messages are there at all? Imports every file of this room, so that the registry is complete."""

import importlib
import pkgutil

import shared.messages


def load() -> None:
    """Import every module of shared.messages."""
    for module in pkgutil.iter_modules(shared.messages.__path__):
        importlib.import_module(f"shared.messages.{module.name}")

"""What the files under deploy/ are held against."""

from __future__ import annotations

from pathlib import Path

import typer

from dazi.gateway.routes import ROUTES
from dazi.main.cli import complete
from dazi.main.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = {f"DAZI_{name.upper()}" for name in Settings.model_fields} | {"DAZI_LANG"}
PATHS = {route.path for route in ROUTES if route.method == "GET"}
LONGEST_TURN_S = float(Settings.model_fields["turn_seconds"].default)
DAZI_PORT = int(Settings.model_fields["port"].default)
MODEL = "Qwen3-14B"
HERMES = {"--enable-auto-tool-choice", "--tool-call-parser=hermes", "--reasoning-parser=qwen3"}
"""What vLLM needs to find this model's calls: its parsers named after Qwen read another format."""


def is_command(words: list[str]) -> bool:
    """Whether ``dazi WORDS`` is a command."""
    group = typer.main.get_command(complete())
    for word in words:
        commands = getattr(group, "commands", {})
        if word not in commands:
            return False
        group = commands[word]
    return not hasattr(group, "commands")


def seconds(text: str) -> float:
    """Of Compose's ``110s`` and ``2m``."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    return float(text[:-1]) * units[text[-1]]

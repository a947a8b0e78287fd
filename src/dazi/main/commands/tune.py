"""``dazi tune``: data for models, and models from it. Each part has its commands in a module of its own."""

from __future__ import annotations

import typer

from dazi.main.commands import tune_adapters, tune_data

group = typer.Typer(no_args_is_help=True, help="数据与调优。Data and tuning.")
group.add_typer(tune_data.group, name="data")
for name, command in tune_adapters.COMMANDS.items():
    group.command(name)(command)

"""``dazi backup`` and ``dazi restore``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.core.language import Text
from dazi.main.commands.options import Company, language, settings

Keys = Annotated[
    Path | None,
    typer.Option(help="密钥文件,默认是备份旁的 dazi.keys。The file of keys; beside the backup."),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="第一行是口令;不给就用设置,再不然就问。Its first line is the passphrase."),
]
_ASKED = Text("备份的口令", "Passphrase of the backup")


def backup(
    file: Annotated[Path, typer.Argument(help="写到哪里。The file to write.")],
    keys: Keys = None,
    company_folder: Annotated[
        bool, typer.Option("--company-folder", help="连同公司目录。The company folder too.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    company: Company = None,
) -> None:
    """备份,服务不必停。Make a backup; the service may go on."""
    from dazi.main.backing import BackupOptions, made_text, make

    options = BackupOptions(file, keys, company_folder, passphrase_file)
    done = asyncio.run(make(settings(company), options, _ask, _tell))
    typer.echo(made_text(done, options)(language()))


def restore(
    file: Annotated[Path, typer.Argument(help="备份。The backup.")],
    keys: Keys = None,
    without_keys: Annotated[
        bool,
        typer.Option(
            "--without-keys", help="不带密钥:账本里的个人内容不可读。Sealed content stays so."
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
    keys_passphrase_file: Annotated[
        Path | None,
        typer.Option(help="密钥文件的口令不同时。Where the file of keys has another passphrase."),
    ] = None,
    company_folder: Annotated[
        Path | None, typer.Option(help="公司目录恢复到哪里。Where the company folder goes.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="换掉已有的数据,原来的留在一旁。Exchange what is there."),
    ] = False,
    company: Company = None,
) -> None:
    """恢复备份,先停服务;然后核对账本。Bring a backup back, then verify the ledger."""
    from dazi.main.backing import RestoreOptions, afterwards, bring_back, restored_text

    options = RestoreOptions(
        file, keys, without_keys, passphrase_file, keys_passphrase_file, company_folder, replace
    )
    done, there = asyncio.run(bring_back(settings(company), options, _ask, _tell))
    typer.echo(restored_text(done)(language()))
    sound, found = asyncio.run(afterwards(there, language(), done))
    typer.echo(found)
    raise typer.Exit(0 if sound else 1)


def _ask(twice: bool) -> str:
    asked: str = typer.prompt(
        _ASKED(language()), hide_input=True, confirmation_prompt=twice, err=True
    )
    return asked


def _tell(text: Text) -> None:
    typer.echo(f"  {text(language())}", err=True)

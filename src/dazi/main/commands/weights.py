"""``dazi model encrypt``, ``decrypt`` and ``rekey``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dazi.core.language import Text
from dazi.main.commands.bars import of_bytes
from dazi.main.commands.options import Company, language, settings

if TYPE_CHECKING:
    from dazi.inference.catalog import Catalog
    from dazi.main.settings import Settings

NAME = "模型名、目录,或 .gguf、.safetensors 文件。A model's name, a folder, or a file."


def model_encrypt(
    target: Annotated[str, typer.Argument(help=NAME)],
    to: Annotated[
        Path | None, typer.Option(help="加密后放哪里,默认数据目录。The folder to make.")
    ] = None,
    name: Annotated[str, typer.Option(help="另取名字。Another name.")] = "",
    delete: Annotated[
        bool,
        typer.Option("--delete", help="核对无误后删除明文。Then delete the plain files."),
    ] = False,
    company: Company = None,
) -> None:
    """加密模型的权重,并登记加密后的。Encrypt a model's weights, and use those from now on."""
    from dazi.main.weights import Wanted, encrypt_model

    chosen = settings(company)
    with _progress() as watch:
        lines = encrypt_model(chosen, _catalog(chosen), Wanted(target, to, name, delete), watch)
    _tell(lines)


def model_decrypt(
    target: Annotated[str, typer.Argument(help="加密的模型。An encrypted model.")],
    to: Annotated[
        Path, typer.Option(help="放哪里,应在内存里,如 /dev/shm/名字。Where to; in memory.")
    ],
    on_disk: Annotated[
        bool, typer.Option("--on-disk", help="就要放到磁盘上。A place on a disk is meant.")
    ] = False,
    company: Company = None,
) -> None:
    """解密到内存里的目录,交给 vLLM 等服务。Decrypt into a folder in memory, for a server such as vLLM."""
    from dazi.main.weights import Wanted, decrypt_model

    chosen = settings(company)
    with _progress() as watch:
        lines = decrypt_model(
            chosen, _catalog(chosen), Wanted(target, to), on_disk=on_disk, watch=watch
        )
    _tell(lines)


def model_rekey(
    target: Annotated[list[str], typer.Argument(help="加密的模型,可写多个。Encrypted models.")],
    new_key_env: Annotated[
        str, typer.Option(help="新密钥在哪个环境变量里。The variable that holds the new key.")
    ] = "",
    new_key_file: Annotated[
        Path | None, typer.Option(help="新密钥在哪个文件里。The file that holds the new key.")
    ] = None,
    new_key_command: Annotated[
        str, typer.Option(help="打印新密钥的命令。A command that prints the new key.")
    ] = "",
    company: Company = None,
) -> None:
    """换密钥:只重写几个字节,权重不动。Change the key: a few bytes are written, the weights stay."""
    import os

    from dazi.inference.weights.keys import KeySource
    from dazi.main.weights import NEW, rekey_models

    chosen = settings(company)
    value = os.environ.get(new_key_env, "") if new_key_env else ""
    new = KeySource(value, new_key_file, new_key_command, NEW)
    _tell(rekey_models(chosen, _catalog(chosen), target, new))


def _tell(lines: list[Text]) -> None:
    for line in lines:
        typer.echo(line(language()))


def _catalog(chosen: Settings) -> Catalog:
    from dazi.inference.catalog import Catalog

    return Catalog(chosen.data_folder(chosen.company_folder()))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar with rate and remaining time, on a terminal."""
    with of_bytes() as bar:
        task = bar.add_task("", total=None, visible=False)

        def watch(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total, visible=True)

        yield watch

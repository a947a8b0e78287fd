"""``dazi model``: add, list, use, remove."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dazi.main.commands.bars import of_bytes
from dazi.main.commands.options import Company, language, settings
from dazi.main.commands.pool import model_pool
from dazi.main.commands.weights import model_decrypt, model_encrypt, model_rekey

if TYPE_CHECKING:
    from dazi.inference.catalog import ModelEntry
    from dazi.inference.hub.fetching import Step

group = typer.Typer(
    no_args_is_help=True, help="模型:添加、列出、选用、移除。Models: add, list, use, remove."
)
group.command("pool")(model_pool)
group.command("encrypt")(model_encrypt)
group.command("decrypt")(model_decrypt)
group.command("rekey")(model_rekey)


@group.command("list")
def model_list(company: Company = None) -> None:
    """列出模型,和没下完的。List the models, and unfinished downloads."""
    from dazi.inference.hub.choosing import gib
    from dazi.inference.hub.notes import unfinished

    catalog = _catalog(company)
    active = catalog.active()
    for entry in catalog.list():
        mark = "*" if active and entry.name == active.name else " "
        adapter = f"  + {entry.adapter}" if entry.adapter else ""
        typer.echo(f"{mark} {entry.name}  {entry.kind}  {entry.location}{adapter}{_sealed(entry)}")
    for begun in unfinished(catalog.models):
        far = f"{gib(begun.held)} / {gib(begun.size)}"
        typer.echo(f"  {begun.note.repo}  {_say('没下完', 'unfinished')} {far}  {begun.folder}")
    _tell_of_pool(company)


def _sealed(entry: ModelEntry) -> str:
    from dazi.inference.weights.manifest import is_sealed

    sealed = entry.kind != "server" and is_sealed(Path(entry.adapter or entry.location))
    return _say("  已加密", "  encrypted") if sealed else ""


def _tell_of_pool(company: Path | None) -> None:
    """What is chosen here does not count where a file declares several servers."""
    from dazi.main.pool import pool_file

    if (path := pool_file(settings(company))) is not None:
        zh = f"注意:在用的是 {path} 里的模型服务,不是上面选的(dazi model pool)"
        en = f"note: the model servers of {path} are in use, not what is chosen above (dazi model pool)"
        typer.echo(_say(zh, en), err=True)


@group.command("add")
def model_add(
    target: Annotated[
        str,
        typer.Argument(
            help="目录、GGUF 文件、适配器,或模型站上的名字。Folder, file, adapter, or name at a hub."
        ),
    ],
    name: Annotated[str, typer.Option(help="另取名字。Another name.")] = "",
    file: Annotated[
        list[str] | None, typer.Option(help="只要这个文件,可重复。Only this file; repeatable.")
    ] = None,
    hub: Annotated[
        str,
        typer.Option(help="huggingface、modelscope 或镜像的 URL。A hub, or a mirror's URL."),
    ] = "",
    revision: Annotated[str, typer.Option(help="分支、标签或提交。Branch, tag or commit.")] = "",
    purpose: Annotated[
        Literal["engine", "server"],
        typer.Option(
            "--for", help="给内置引擎,或给 vLLM 等服务。For the built-in engine or a server."
        ),
    ] = "engine",
    base: Annotated[
        str, typer.Option(help="适配器加在哪个模型上。The model that an adapter is added to.")
    ] = "",
    alpha: Annotated[
        float | None, typer.Option(help="适配器的 alpha,默认照它的配置。LoRA's alpha.")
    ] = None,
    company: Company = None,
) -> None:
    """添加模型:这里的文件,或从模型站下载。Add a model: files here, or from a hub."""
    from dazi.inference.hub.places import repo_of
    from dazi.main.hub_models import Wanted, add_from_hub, unknown_place

    catalog, path = _catalog(company), Path(target).expanduser()
    here = path.exists() and not (hub or revision or file)
    if here and base:
        entry = catalog.add_adapter(path, base, name=name, alpha=alpha)
    elif here:
        entry = catalog.add(path, name)
    elif repo_of(target) is None:
        raise unknown_place(target)
    else:
        wanted = Wanted(
            target, name, tuple(file or ()), hub, revision, purpose == "server", base, alpha
        )
        with _progress() as watch:
            entry = _downloaded(add_from_hub(settings(company), catalog, wanted, watch))
    typer.echo(f"{entry.name}  {entry.adapter or entry.location}")
    typer.echo(_what_next(entry))


@group.command("use")
def model_use(
    target: Annotated[str, typer.Argument(help="模型名,或 OpenAI 兼容服务的 URL。Name or URL.")],
    model: Annotated[str, typer.Option(help="服务上的模型名。The model's name there.")] = "",
    company: Company = None,
) -> None:
    """选用模型,或指向一个服务。Use a model, or point at a server."""
    entry = _catalog(company).use(target, model)
    typer.echo(f"* {entry.name}  {entry.location}")
    _tell_of_pool(company)


@group.command("remove")
def model_remove(
    name: Annotated[
        str, typer.Argument(help="模型名,或没下完的名字。A model, or an unfinished download.")
    ],
    files: Annotated[
        bool, typer.Option("--files", help="也删除下载的文件。Delete downloaded files too.")
    ] = False,
    company: Company = None,
) -> None:
    """移出列表。Remove a model from the list."""
    from dazi.main.hub_models import remove_model

    typer.echo(remove_model(_catalog(company), name, files=files)(language()))


def _downloaded(work: Any) -> ModelEntry:
    try:
        entry: ModelEntry = asyncio.run(work)
    except KeyboardInterrupt:
        told = _say(
            "停下了。下载的部分还在；再运行同一条命令就接着下。",
            "Stopped. What has come is kept; the same command goes on with it.",
        )
        typer.echo(told, err=True)
        raise typer.Exit(130) from None
    return entry


@contextmanager
def _progress() -> Iterator[Callable[[Step], None]]:
    """A bar with rate and remaining time, on a terminal; what is tried again is told anywhere."""
    import stamina.instrumentation

    with of_bytes() as bar:
        task = bar.add_task("", total=None, visible=False)
        begun = False

        def watch(step: Step) -> None:
            nonlocal begun
            verb = _say("核对", "checking") + " " if step.checking else ""
            if not begun and not step.checking:
                bar.reset(task)  # what was there is no part of the rate
                begun = True
            bar.update(
                task,
                description=f"{verb}{step.name.rpartition('/')[2]}",
                completed=step.done,
                total=step.total,
                visible=True,
            )

        def retry(details: Any) -> None:
            why = f"{details.caused_by}, {details.wait_for:.0f} s"
            bar.console.print(_say("再试：", "again: ") + why, markup=False)

        hooks = stamina.instrumentation.get_on_retry_hooks()
        stamina.instrumentation.set_on_retry_hooks([retry])
        try:
            yield watch
        finally:
            stamina.instrumentation.set_on_retry_hooks(hooks)


def _what_next(entry: ModelEntry) -> str:
    if entry.kind == "files":
        place = f"/dev/shm/{entry.name}" if _sealed(entry) else entry.location
        serve = f"vllm serve {place} --served-model-name {entry.name}"
        if _sealed(entry):
            serve = f"dazi model decrypt {entry.name} --to {place} && {serve}"
        return _say(
            f"给服务用的。起服务：{serve} --enable-auto-tool-choice --tool-call-parser hermes；"
            f"再选用：dazi model use 网址 --model {entry.name}",
            f"For a server: {serve} --enable-auto-tool-choice --tool-call-parser hermes, then: "
            f"dazi model use URL --model {entry.name}",
        )
    return _say(f"选用：dazi model use {entry.name}", f"To use it: dazi model use {entry.name}")


def _say(zh: str, en: str) -> str:
    return zh if language() == "zh" else en


def _catalog(company: Path | None) -> Any:
    from dazi.inference.catalog import Catalog

    chosen = settings(company)
    return Catalog(chosen.data_folder(chosen.company_folder()))

"""``dazi knowledge``: the company's documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dazi.main.commands.options import Company, Json, User, language, settings

if TYPE_CHECKING:
    from dazi.knowledge.indexing import Step, Watch
    from dazi.main.managing_documents import Desk

group = typer.Typer(no_args_is_help=True, help="公司文档。The company's documents.")
Readers = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        help="谁可以看,可写多次:all、role:角色、department:部门、user:用户。Who may read it.",
    ),
]
Tenant = Annotated[str, typer.Option(help="哪个租户。Which tenant.")]


@group.command("add")
def knowledge_add(
    what: Annotated[
        list[str],
        typer.Argument(help="文件夹、文件或网址,可写多个。Folders, files or URLs."),
    ],
    reader: Readers = None,
    tenant: Tenant = "default",
    company: Company = None,
) -> None:
    """添加文档并读进来;文件夹和网址以后会自动更新。Add documents and read them."""

    async def add(d: Desk) -> None:
        for one in what:
            added = await d.administration.add(d.by, one, reader or ())
            typer.echo(f"{added.id}  {added.place}")

    _show(asyncio.run(_and_read(company, tenant, add)))


@group.command("list")
def knowledge_list(
    json_out: Json = False, tenant: Tenant = "default", company: Company = None
) -> None:
    """列出来源和文档、状态、谁可以看。List sources and documents, their state and who may read them."""
    from dazi.main.managing_documents import as_json, desk, listed, summary

    async def work() -> list[str]:
        async with desk(settings(company), tenant) as d:
            sources = await d.administration.sources(d.by)
            documents = await d.administration.documents(d.by)
            if json_out:
                return [as_json(sources, documents)]
            return [*listed(sources, documents, language()), *await summary(d, language())]

    _show(asyncio.run(work()))


@group.command("search")
def knowledge_search(
    text: Annotated[str, typer.Argument(help="要查什么。What to look for.")],
    user: User = "",
    limit: Annotated[int, typer.Option(min=1, max=30, help="最多几段。Passages at most.")] = 6,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """按某个用户的权限检索,看原文和出处。Search by a user's rights; see passages and sources."""
    from dazi.main.managing_documents import Asked, search

    asked = Asked(text, user, limit)
    typer.echo(asyncio.run(search(settings(company), asked, language(), json_out=json_out)))


@group.command("rights")
def knowledge_rights(
    number: Annotated[
        str,
        typer.Argument(help="文档或来源的编号(dazi knowledge list)。A document's or source's id."),
    ],
    reader: Readers = None,
    inherit: Annotated[
        bool, typer.Option("--inherit", help="文档改回按来源的权限。As its source says.")
    ] = False,
    tenant: Tenant = "default",
    company: Company = None,
) -> None:
    """看或改谁可以看;收回立即生效。See or set who may read it; taking away works at once."""
    from dazi.main.managing_documents import desk, index, readers_of_number

    async def work() -> list[str]:
        async with desk(settings(company), tenant) as d:
            if not reader and not inherit:
                return [", ".join(await readers_of_number(d, number))]
            given = None if inherit else reader
            labels = await d.administration.set_readers(d.by, number, given)
            with _progress() as watch:
                await index(d, watch, language())
            return [", ".join(sorted(labels))]

    _show(asyncio.run(work()))


@group.command("reindex")
def knowledge_reindex(
    number: Annotated[
        str,
        typer.Argument(
            help="文档或来源的编号;不写只读有变化的。An id; what has changed if left out."
        ),
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="全部重读。Read everything anew.")
    ] = False,
    tenant: Tenant = "default",
    company: Company = None,
) -> None:
    """重新查看来源,读新的和变了的。Look through the sources; read what is new or has changed."""

    async def mark(d: Desk) -> None:
        if number or everything:
            await d.administration.again(d.by, number)

    _show(asyncio.run(_and_read(company, tenant, mark)))


@group.command("rm")
def knowledge_rm(
    number: Annotated[
        str,
        typer.Argument(help="文档或来源的编号(dazi knowledge list)。A document's or source's id."),
    ],
    tenant: Tenant = "default",
    company: Company = None,
) -> None:
    """删除文档,或来源和它的全部文档。Delete a document, or a source with all of its documents."""

    async def remove(d: Desk) -> None:
        await d.administration.remove(d.by, number)

    _show(asyncio.run(_and_read(company, tenant, remove)))


@group.command("gaps")
def knowledge_gaps(
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=52, help="最近几周。Weeks.")] = 8,
    close: Annotated[
        str, typer.Option("--close", help="用 --document 补上这个缺口。Close this gap.")
    ] = "",
    document: Annotated[
        str, typer.Option("--document", help="补上它的文档的编号。The document that answers it.")
    ] = "",
    measure: Annotated[
        str, typer.Option("--measure", help="已补上的再查一遍。Search again for a closed one.")
    ] = "",
    reopen: Annotated[str, typer.Option("--reopen", help="重新打开。Open it again.")] = "",
    json_out: Json = False,
    tenant: Tenant = "default",
    company: Company = None,
) -> None:
    """问了没答上的,按意思归类,和建议写的文档。What was not answered, and documents to write."""
    from dazi.main.gaps_terminal import Doing, gaps

    doing = Doing(close, document, measure, reopen)
    chosen = settings(company)
    _show(asyncio.run(gaps(chosen, tenant, doing, weeks, language(), json_out=json_out)))


@group.command("eval")
def knowledge_eval(
    file: Annotated[Path, typer.Argument(help="有问题和段落的文件。Questions and passages.")],
    format: Annotated[str, typer.Option(help="文件格式:squad。The file's form: squad.")] = "squad",
    json_out: Json = False,
) -> None:
    """量检索:每个问题自己的段落排第几。Measure search: where each question's own passage stands."""
    typer.echo(asyncio.run(_evaluated(file, format, json_out=json_out)))


async def _evaluated(file: Path, format: str, *, json_out: bool) -> str:
    from dazi.main.engines import make_embedder, make_reranker
    from dazi.main.search_eval import Models, evaluate
    from dazi.main.settings import Settings

    settings = Settings()
    models = Models(make_embedder(settings), make_reranker(settings))
    try:
        return await evaluate(file, format, language(), models, json_out=json_out)
    finally:
        for model in (models.embedder, models.reranker):
            if model is not None:
                await model.close()


async def _and_read(
    company: Path | None, tenant: str, act: Callable[[Desk], Awaitable[None]]
) -> list[str]:
    """Do something with the library, and read what is to be read then; what came of it."""
    from dazi.main.managing_documents import desk, index

    async with desk(settings(company), tenant) as d:
        await act(d)
        with _progress() as watch:
            return await index(d, watch, language())


def _show(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)


@contextmanager
def _progress() -> Iterator[Watch]:
    """A bar for the documents, and beside it the page of a long one; on a terminal only."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def watch(step: Step) -> None:
            name = step.document.place.rpartition("/")[2]
            page = f"  {step.page}/{step.pages}" if step.pages else ""
            done = step.number if step.done else step.number - 1
            bar.update(
                task, description=f"{name}{page}", completed=done, total=step.total, visible=True
            )

        yield watch

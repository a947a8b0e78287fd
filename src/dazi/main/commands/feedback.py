"""``dazi feedback``: what people said of answers, reviewed and made into a dataset."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from dazi.main.commands.options import Company, Json, language, settings
from dazi.main.commands.prompts import By

group = typer.Typer(
    no_args_is_help=True,
    help="反馈:审大家对回答的评价,采纳的做成数据集。Feedback: review it, make datasets of it.",
)
Id = Annotated[str, typer.Argument(help="编号,见 list。Its id, from list.")]


@group.command("list")
def feedback_list(
    state: Annotated[
        str,
        typer.Option(
            "--state",
            help="new、accepted、refused、private 或 all。Which: new, accepted, refused, private, all.",
        ),
    ] = "new",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="最多几条。At most.")] = 50,
    by: By = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """列出反馈,新的在前。List feedback, the latest first."""
    from dazi.main.feedback_terminal import list_feedback

    asyncio.run(list_feedback(settings(company), by, state, limit, language(), json_out=json_out))


@group.command("show")
def feedback_show(entry: Id, by: By = "", json_out: Json = False, company: Company = None) -> None:
    """看一条,和拟用的样本。Show one, and the sample that it would become."""
    from dazi.main.feedback_terminal import show_feedback

    asyncio.run(show_feedback(settings(company), by, entry, language(), json_out=json_out))


@group.command("accept")
def feedback_accept(
    entry: Id,
    sample: Annotated[
        Path | None,
        typer.Option("--sample", help="改过的样本(JSON:messages、kind)。The sample as edited."),
    ] = None,
    by: By = "",
    company: Company = None,
) -> None:
    """采纳:成为数据集的样本。Accept: it becomes a sample of datasets."""
    from dazi.main.feedback_terminal import decide

    asyncio.run(decide(settings(company), by, entry, "accept", language(), sample=sample))


@group.command("refuse")
def feedback_refuse(
    entry: Id,
    why: Annotated[str, typer.Option("--why", help="为什么不采纳。Why not.")] = "",
    private: Annotated[
        bool, typer.Option("--private", help="不用于训练,不论好坏。Keep it out of training.")
    ] = False,
    by: By = "",
    company: Company = None,
) -> None:
    """不采纳,写明为什么;或不用于训练。Refuse, and say why; or keep it out of training."""
    from dazi.main.feedback_terminal import decide

    act: Literal["private", "refuse"] = "private" if private else "refuse"
    asyncio.run(decide(settings(company), by, entry, act, language(), why))


@group.command("export")
def feedback_export(
    dataset: Annotated[
        str, typer.Option("--dataset", help="数据集的名字。The dataset's name.")
    ] = "feedback",
    file: Annotated[
        Path | None,
        typer.Option("--file", help="只写样本到这个 JSONL 文件。Only the samples, to a file."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="没有新采纳的就不做。Only where something is new.")
    ] = False,
    by: By = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """把采纳的做成数据集的下一版。Make the next version of a dataset from what is accepted."""
    from dazi.main.feedback_terminal import Exporting, export

    asked = Exporting(dataset, file, fresh, json_out)
    asyncio.run(export(settings(company), by, asked, language()))

"""``dazi review``: contracts, one or many, and how well the rules do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from dazi.main.commands.options import Company, Json, User, language, settings

RUN = "run"


class _RunByDefault(TyperGroup):
    """``dazi review FILE`` is ``dazi review run FILE``."""

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help",):
            args = [RUN, *args]
        return super().parse_args(ctx, args)  # type: ignore[arg-type]


group = typer.Typer(
    no_args_is_help=True,
    cls=_RunByDefault,
    help="审合同:一份或一批,以及规则准不准。Review contracts, and see how well the rules do.",
)
Out = Annotated[Path | None, typer.Option(help="批量:结果放在哪个目录。A batch's folder.")]


@group.command(RUN)
def review_run(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="合同(PDF、Word、Markdown)或目录,可写多个。Contracts or folders of them."
        ),
    ],
    template: Annotated[
        Path | None, typer.Option(help="公司的范本。The company's template.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="政策文件,默认内置的。A policy; the built-in one without.")
    ] = None,
    json_out: Json = False,
    ocr: Annotated[
        bool, typer.Option("--ocr", help="识别扫描页(要装 OCR)。Read scanned pages.")
    ] = False,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="也列出低级别的。List low findings as well.")
    ] = False,
    word: Annotated[
        Path | None, typer.Option(help="带批注的 Word(合同要是 .docx)。A Word file with comments.")
    ] = None,
    highlights: Annotated[
        Path | None, typer.Option(help="带高亮的 PDF(合同要是 PDF)。The PDF with highlights.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="摘要,PDF。A summary, as PDF.")] = None,
    html: Annotated[Path | None, typer.Option(help="网页,一个文件。One HTML file.")] = None,
    out: Out = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="批量:同时几份。At once.")] = 2,
    user: User = "",
    company: Company = None,
) -> None:
    """审合同:对照范本和政策,找矛盾和错误引用。Review contracts against template and policy."""
    chosen = settings(company, jobs_at_once=jobs)
    if out is not None or len(files) > 1 or any(f.is_dir() for f in files):
        from dazi.core.errors import CallerError
        from dazi.main.contract_batch import Batch, review_batch

        one = {"--word": word, "--highlights": highlights, "--pdf": pdf, "--html": html}
        given = [name for name, path in one.items() if path is not None]
        if given := [*given, *(["--all"] if all_of_them else [])]:
            told = "、".join(given), ", ".join(given)
            raise CallerError(
                "one_file",
                f"{told[0]} 只用于一份合同;一批的结果都在 --out 的目录里",
                f"{told[1]}: of a single contract only; a batch has its results in the folder of --out",
            )
        batch = Batch(tuple(files), template, policy, out or Path("reviews"), ocr, json_out)
        asyncio.run(review_batch(chosen, user, batch, language()))
        return
    from dazi.main.reviewing import Asked, Wanted, review_contract

    wanted = Wanted(word, highlights, pdf, html)
    asked = Asked(files[0], template, policy, json_out, ocr, all_of_them, wanted)
    asyncio.run(review_contract(chosen, asked, language()))


@group.command("stats")
def review_stats(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """每条规则提示了几次、几次被认可。How often each rule spoke, and how often people agreed."""
    from dazi.main.reviewing import show_statistics

    asyncio.run(show_statistics(settings(company), user, language(), json_out=json_out))


@group.command("judge")
def review_judge(
    job: Annotated[str, typer.Argument(help="审查的编号,见 dazi jobs list。Id of the review.")],
    item: Annotated[
        str, typer.Argument(help="哪一条的编号,或 field:名称。Id of the finding, or field:NAME.")
    ],
    verdict: Annotated[str, typer.Argument(help="accept、reject 或 correct。")],
    note: Annotated[str, typer.Option(help="说明。A note.")] = "",
    value: Annotated[str, typer.Option(help="应该是什么。What it should be.")] = "",
    user: User = "",
    company: Company = None,
) -> None:
    """对一条结果表态:认可、不认可、改正。Say what you think of a finding."""
    from dazi.main.reviewing import Opinion, judge_item

    opinion = Opinion(job, item, verdict, note, value)
    asyncio.run(judge_item(settings(company), user, opinion, language()))

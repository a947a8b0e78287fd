"""``dazi risk``: transactions assessed, and the life of the model that does it."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, Today, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="风险:给交易评分、说明原因、由人决定;训练、适应、报告。Risk: scores, reasons, decisions, models.",
)
User = Annotated[
    str,
    typer.Option(
        "--as", help="以哪个用户的身份,默认第一个可以的。As which user; the first who may."
    ),
]


class Form(StrEnum):
    markdown = "markdown"
    html = "html"
    pdf = "pdf"


class Found(StrEnum):
    fraud = "fraud"
    genuine = "genuine"


Format = Annotated[Form, typer.Option("--format", help="格式。The format.")]
Out = Annotated[Path | None, typer.Option("--out", help="写到哪个文件。The file to write.")]


@group.command("train")
def risk_train(
    user: User = "", json_out: Json = False, company: Company = None, today: Today = None
) -> None:
    """用公司的交易训练,在后来的日子上检验,然后启用。Train, test on later days, put in use."""
    from dazi.main.risk_desk import train

    asyncio.run(train(settings(company, today), user, language(), json_out=json_out))


@group.command("assess")
def risk_assess(
    transactions: Annotated[list[str], typer.Argument(help="交易号。Transactions.")],
    user: User = "",
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
) -> None:
    """给交易评分:等级、原因、建议。Score transactions: level, reasons, proposal."""
    from dazi.main.risk_desk import assess

    asyncio.run(assess(settings(company, today), user, transactions, language(), json_out=json_out))


@group.command("explain")
def risk_explain(
    transaction: Annotated[str, typer.Argument(help="交易号。The transaction.")],
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """把一笔交易的情况说清楚。One transaction's case in words."""
    from dazi.main.risk_desk import explain

    asyncio.run(explain(settings(company, today), user, transaction, language()))


@group.command("queue")
def risk_queue(
    day: Annotated[
        str, typer.Option("--day", help="哪一天,默认最后一天。Which day; the last one.")
    ] = "",
    user: User = "",
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
) -> None:
    """给一天的交易评分,列出等人看的。Score a day and list what waits for a person."""
    from dazi.main.risk_desk import queue

    asyncio.run(queue(settings(company, today), user, day, language(), json_out=json_out))


@group.command("decide")
def risk_decide(
    transaction: Annotated[str, typer.Argument(help="交易号。The transaction.")],
    found: Annotated[Found, typer.Argument(help="是欺诈还是正常。What it is.")],
    note: Annotated[str, typer.Option("--note", help="备注。A note.")] = "",
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """记下人的结论。Keep what a person has found."""
    from dazi.main.risk_desk import decide

    chosen = settings(company, today)
    asyncio.run(decide(chosen, user, (transaction, found.value, note), language()))


@group.command("adapt")
def risk_adapt(
    cases: Annotated[
        Path | None, typer.Argument(help="CSV:id,outcome;默认用人的结论。Decisions without one.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="给这次起个名字。What to call it.")] = "",
    user: User = "",
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
) -> None:
    """从少量标注的案例学新手法;帮不上就不启用。Learn a new pattern from few cases, or refuse."""
    from dazi.main.risk_desk import adapt

    chosen = settings(company, today)
    asyncio.run(adapt(chosen, user, cases, name, language(), json_out=json_out))


@group.command("use")
def risk_use(
    version: Annotated[
        str, typer.Argument(help="版本;不写就列出。A version; lists them without.")
    ] = "",
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """换回以前的模型。Go back to an earlier model."""
    from dazi.main.risk_desk import use

    asyncio.run(use(settings(company, today), user, version, language()))


@group.command("card")
def risk_card(
    form: Format = Form.markdown,
    out: Out = None,
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """模型卡。The model card."""
    from dazi.main.risk_desk import paper

    asyncio.run(paper(settings(company, today), user, "card", form.value, out, language()))


@group.command("thresholds")
def risk_thresholds(
    form: Format = Form.markdown,
    out: Out = None,
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """阈值报告:看多少、找到多少。What each budget of alerts finds."""
    from dazi.main.risk_desk import paper

    asyncio.run(paper(settings(company, today), user, "thresholds", form.value, out, language()))


@group.command("drift")
def risk_drift(
    form: Format = Form.markdown,
    out: Out = None,
    user: User = "",
    company: Company = None,
    today: Today = None,
) -> None:
    """最近的交易与训练数据差多远(PSI)。How far the last days have moved from the training data."""
    from dazi.main.risk_desk import paper

    asyncio.run(paper(settings(company, today), user, "drift", form.value, out, language()))

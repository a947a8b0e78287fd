"""``dazi alerts``: what fires, what is watched for, and where it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="告警:正在响的、规则、静默、路线。Alerts: firing, rules, silences, routes.",
)


@group.command("list")
def alerts_list(
    past: Annotated[bool, typer.Option("--past", help="已经结束的。Those that are over.")] = False,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """列出正在响的告警。What fires."""
    from dazi.main.alert_commands import listed

    for line in asyncio.run(listed(settings(company), language(), past=past, as_json=json_out)):
        typer.echo(line)


@group.command("rules")
def alerts_rules(json_out: Json = False, company: Company = None) -> None:
    """列出规则:内置的和 alerts.yaml 里的。The rules, built in and of alerts.yaml."""
    from dazi.main.alert_commands import rules

    for line in rules(settings(company), language(), as_json=json_out):
        typer.echo(line)


@group.command("silence")
def alerts_silence(
    rule: Annotated[str, typer.Argument(help="规则名,可以是正则。A rule, or a pattern.")],
    why: Annotated[str, typer.Option(help="为什么,会记进审计。Why; it goes on record.")],
    hours: Annotated[float, typer.Option(help="静默几小时。For how many hours.")] = 1.0,
    label: Annotated[
        list[str] | None, typer.Option(help="只对这个标签,如 tool=crm。Only with this label.")
    ] = None,
    company: Company = None,
) -> None:
    """一段时间里不发这类告警。Send none of these for a while."""
    from dazi.main.alert_commands import silence

    asked = (rule, hours * 3_600, why, label or [])
    typer.echo(asyncio.run(silence(settings(company), language(), *asked)))


@group.command("ack")
def alerts_ack(
    alert: Annotated[str, typer.Argument(help="告警编号,见 list。Its number, as list tells.")],
    company: Company = None,
) -> None:
    """确认:有人在处理,不再重复提醒。Somebody looks after it; it is not repeated."""
    from dazi.main.alert_commands import acknowledge

    typer.echo(asyncio.run(acknowledge(settings(company), language(), alert)))


@group.command("test")
def alerts_test(
    route: Annotated[str, typer.Argument(help="alerts.yaml 里的路线。A route of alerts.yaml.")],
    company: Company = None,
) -> None:
    """向一条路线发一条测试。Send a test by a route."""
    from dazi.main.alert_commands import try_route

    well, said = asyncio.run(try_route(settings(company), language(), route))
    typer.echo(said)
    raise typer.Exit(0 if well else 1)


@group.command("export")
def alerts_export(
    out: Annotated[Path | None, typer.Option(help="写到文件。Write to this file.")] = None,
    company: Company = None,
) -> None:
    """生成 Prometheus 的规则文件。The rules as a file for Prometheus."""
    from dazi.main.alert_commands import export

    text = export(settings(company))
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")

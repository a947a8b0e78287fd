"""Asking and chatting in the terminal."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, assert_never

import msgspec
import typer
from rich.cells import cell_len

from dazi.agent.asking import Ask
from dazi.core.language import Language, language_of
from dazi.core.principal import Principal
from dazi.core.turn import (
    AnswerDelta,
    Attachment,
    CallFinished,
    CallProposed,
    ConfirmationNeeded,
    TurnEvent,
    TurnFinished,
)
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings
from dazi.prompt.reporting import COLUMNS, rows
from dazi.router.view import markdown_table


@dataclass(frozen=True, slots=True)
class Telling:
    """``json_out``: all of it as one object; ``approve``: confirm what needs it; ``show_context``:
    tell what the model was given."""

    json_out: bool = False
    approve: bool = False
    show_context: bool = False


async def ask_once(settings: Settings, question: str, user: str, how: Telling) -> None:
    """One question in a thread of its own. A refusal by policy is an answer, not a failure."""
    runtime = await open_runtime(settings)
    try:
        principal = principal_of(runtime, user)
        thread = f"cli-{secrets.token_hex(8)}"
        events: list[TurnEvent] = []
        ask = Ask(principal, thread, question, show_context=how.show_context)
        async for event in _answer(runtime, ask, how.approve):
            events.append(event)
            if not how.json_out:
                show(event)
                if how.show_context:
                    tell_context(event, language_of(question))
        if how.json_out:
            told = as_json(events)
            if how.show_context:
                told["context"] = next(e["context"] for e in told["events"] if "context" in e)
            sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
    finally:
        await runtime.close()


def principal_of(runtime: Runtime, user: str) -> Principal:
    """``user``, or the company's first one."""
    first = next((u.user for u in runtime.directory.users), "")
    return runtime.access.people.principal(user or first, "cli")


async def _answer(runtime: Runtime, ask: Ask, approve: bool) -> AsyncIterator[TurnEvent]:
    ticket = ""
    async for event in runtime.service.ask(ask):
        if isinstance(event, ConfirmationNeeded) and not event.approver:
            ticket = event.ticket
        yield event
    if ticket and approve:
        language = language_of(ask.text)
        async for event in runtime.service.decide(ask.principal, ticket, True, language):
            yield event


def as_json(events: list[TurnEvent]) -> dict[str, Any]:
    """A turn's events and its outcome as one object."""
    ends = [e for e in events if isinstance(e, TurnFinished)]
    last = ends[-1]
    return {
        "answer": last.answer,
        "calls": [
            {
                "name": r.name,
                "arguments": dict(r.arguments),
                "outcome": r.outcome,
                "result": r.result,
                "ms": round(r.ms, 2),
            }
            for end in ends
            for r in end.calls
        ],
        "usage": {
            "prompt_tokens": sum(e.usage.prompt for e in ends),
            "completion_tokens": sum(e.usage.completion for e in ends),
        },
        "ms": round(sum(e.ms for e in ends), 1),
        "reason": last.reason,
        "replaced": sum(e.replaced for e in ends),
        "events": [{"type": type(e).__name__, **_plain(asdict(e))} for e in events],
    }


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, enc_hook=str)


def show(event: TurnEvent) -> None:
    """One event as a person in a terminal sees it."""
    if isinstance(event, AnswerDelta):
        typer.echo(event.text, nl=False)
    elif isinstance(event, CallProposed):
        typer.secho(f"-> {event.name} {event.arguments}", fg="cyan")
    elif isinstance(event, CallFinished):
        r = event.record
        colour = "green" if r.outcome == "ok" else "yellow"
        shown = (
            json.dumps(r.result, ensure_ascii=False, default=str)
            if r.outcome == "ok"
            else r.message
        )
        typer.secho(f"   {r.outcome} ({r.ms:.0f} ms) {shown}", fg=colour)
    elif isinstance(event, ConfirmationNeeded):
        waits = f" [{event.approver}: {event.ticket}]" if event.approver else ""
        typer.secho(f"   ? {event.name} {dict(event.arguments)}{waits}", fg="magenta")
        for name, labels in event.sources.items():
            typer.secho(f"     {name} <- {', '.join(labels)}", fg="yellow")
    elif isinstance(event, Attachment):
        typer.echo("\n\n" + _attached(event), nl=False)
    elif isinstance(event, TurnFinished):
        typer.echo("")


def tell_context(event: TurnEvent, language: Language) -> None:
    """What the model was given, as a table under the answer."""
    if not isinstance(event, TurnFinished) or event.context is None:
        return
    heads = tuple(c(language) for c in COLUMNS)
    table = [heads, *rows(event.context, language)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table:
        cells = (c + " " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True))
        typer.secho("   " + "  ".join(cells).rstrip(), fg="bright_black")


def _attached(event: Attachment) -> str:
    match event.kind:
        case "table":
            return markdown_table(event)
        case "chart":
            return _chart(event)
        case "sources":
            return _sources(event)
        case _:
            assert_never(event.kind)


def _sources(attachment: Attachment) -> str:
    """A line a passage; where the model worded the answer, what rests on which."""
    lines = [attachment.title]
    for p in attachment.data["passages"]:
        title = p["title"] if p["title"] not in p["source"] else ""
        lines.append(f"[{p['number']}] {' · '.join(filter(None, (title, p['source'])))}")
    lines += [f"  {s['text']} [{s['passage']}]" for s in attachment.data.get("statements", ())]
    # Names of files are others' words too: nothing in them may steer the terminal.
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines)


def _chart(chart: Attachment) -> str:
    """Bars of text: a terminal has nothing better."""
    lines = [chart.title]
    for series in chart.data.get("series", []):
        values = [float(v) for v in series.get("data", []) if v is not None]
        largest = max(values, default=0) or 1
        lines.append(str(series.get("name", "")))
        for name, value in zip(
            chart.data.get("categories", []), series.get("data", []), strict=False
        ):
            lines.append(f"  {name}  {'█' * round(24 * float(value or 0) / largest)} {value}")
    return "\n".join(lines)


async def chat(
    settings: Settings, user: str, language: Language, *, show_context: bool = False
) -> None:
    """A conversation until an empty line or end of input."""
    runtime = await open_runtime(settings)
    try:
        principal = principal_of(runtime, user)
        user = principal.user
        thread = f"cli-{secrets.token_hex(8)}"
        hello = {
            "zh": f"你好,{user}。直接输入问题,空行结束。",
            "en": f"Hello, {user}. An empty line ends.",
        }
        typer.echo(hello[language])
        while text := _read():
            ticket = ""
            ask = Ask(principal, thread, text, show_context=show_context)
            async for event in runtime.service.ask(ask):
                show(event)
                if show_context:
                    tell_context(event, language)
                if isinstance(event, ConfirmationNeeded) and not event.approver:
                    ticket = event.ticket
            if ticket:
                question = "确认执行吗?" if language_of(text) == "zh" else "Confirm?"
                approve = typer.confirm(question)
                async for event in runtime.service.decide(
                    principal, ticket, approve, language_of(text)
                ):
                    show(event)
    finally:
        await runtime.close()


def _read() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""

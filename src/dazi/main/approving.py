"""``dazi approvals``: what others ask for, decided in the terminal."""

from __future__ import annotations

import json
import time

import typer

from dazi.core.language import Language, Text
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.main.terminal import principal_of, show
from dazi.router.approval import Ticket
from dazi.router.tickets import TicketStore

NONE = Text("没有等待审批的操作。", "Nothing waits for approval.")


async def list_waiting(
    settings: Settings, user: str, language: Language, *, json_out: bool
) -> None:
    """Needs no model and starts no services: it only reads."""
    company = load_company(settings.company_folder())
    first = next((u.user for u in company.users), "")
    async with desk(settings, user or first) as d:
        store = TicketStore(d.database, d.private, settings.confirmation_seconds)
        waiting = await store.pending(d.by, own=False)
    if json_out:
        typer.echo(json.dumps([_plain(t) for t in waiting], ensure_ascii=False, indent=1))
        return
    for t in waiting:
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(t.expires))
        said = json.dumps(dict(t.arguments), ensure_ascii=False)
        typer.echo(f"{t.id}  {t.user}  {t.tool} {said}  {until}")
        for name, labels in t.asked.untrusted.items():
            typer.echo(f"    {name} <- {', '.join(labels)}")
    if not waiting:
        typer.echo(NONE(language))


async def decide(settings: Settings, user: str, ticket: str, approve: bool, reason: str) -> None:
    """Decide, and carry it out. Raises what ``TicketStore.decide`` raises."""
    runtime = await open_runtime(settings)
    try:
        principal = principal_of(runtime, user)
        async for event in runtime.service.decide(principal, ticket, approve, reason=reason):
            show(event)
    finally:
        await runtime.close()


def _plain(t: Ticket) -> dict[str, object]:
    return {
        "ticket": t.id,
        "user": t.user,
        "tool": t.tool,
        "arguments": dict(t.arguments),
        "sources": {n: list(labels) for n, labels in t.asked.untrusted.items()},
        "approver": t.approver,
        "expires": t.expires,
    }

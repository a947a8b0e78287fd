"""``dazi desk``: the service desk, in the terminal. No model is needed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import typer

from dazi.apps.desk.clocks import Clock
from dazi.apps.desk.desk import Desk
from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.intents.recogniser import recogniser
from dazi.apps.desk.model import ACTS, PRIORITIES, STATES, Act, State
from dazi.apps.desk.records import ALIVE, Card, Wanted
from dazi.apps.desk.service import View
from dazi.apps.desk.statistics import Figures, Times
from dazi.console.desk_texts import STANDINGS
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.accounts import desk as room
from dazi.main.company import load_company
from dazi.main.desk import DeskFiles, make_desk
from dazi.main.settings import Settings
from dazi.main.sites import everybody, visitors_of
from dazi.memory.threads import ThreadStore

DAY_S = 86_400
NONE = Text("没有工单。", "No tickets.")
CLOCKS = {"response": Text("首次回复", "first response"), "resolution": Text("解决", "resolution")}


@dataclass(frozen=True, slots=True)
class Counter:
    """The desk, and who stands at it."""

    desk: Desk
    by: Principal
    language: Language

    @property
    def now(self) -> float:
        return self.desk.clock()


@asynccontextmanager
async def counter(settings: Settings, user: str, language: Language) -> AsyncIterator[Counter]:
    """As ``user``, or as the company's first agent."""
    company = load_company(settings.company_folder())
    agents = [u.user for u in company.users if "agent" in u.roles]
    first = next(iter([*agents, *(u.user for u in company.users)]), "")
    async with room(settings, user or first) as r:
        files = DeskFiles(r.database, r.private, ThreadStore(r.database, r.private))
        data = settings.data_folder(company.folder)
        visitors = visitors_of(company, data, r.database, r.private, keys=False)
        people = everybody(r.access.people, visitors)
        made = make_desk(company, files, people, visitors=visitors)
        yield Counter(made, r.by, language)


async def list_tickets(
    settings: Settings, user: str, language: Language, wanted: Wanted, *, mine: bool, json_out: bool
) -> None:
    async with counter(settings, user, language) as c:
        if mine:
            wanted = replace(wanted, assignee=c.by.user)
        cards = await c.desk.service.find(c.by, wanted)
    if json_out:
        _print_json([asdict(card) for card in cards])
        return
    for card in cards:
        typer.echo(_line(c, card))
    if not cards:
        typer.echo(NONE(language))


async def show_ticket(
    settings: Settings, user: str, id: str, language: Language, *, json_out: bool
) -> None:
    async with counter(settings, user, language) as c:
        view = await c.desk.service.view(c.by, id, c.now)
        if json_out:
            _print_json(asdict(view))
            return
        for line in _shown(c, view):
            typer.echo(line)


async def do(
    settings: Settings,
    user: str,
    id: str,
    act: Act,
    language: Language,
    text: str = "",
    canned: str = "",
    **data: Any,
) -> None:
    """``canned``: the reply's name, in place of ``text``."""
    async with counter(settings, user, language) as c:
        if canned:
            text = await c.desk.canned(c.by, id, canned)
        view = await c.desk.service.act(c.by, id, act, c.now, text, **data)
        typer.echo(_line(c, view.card))
        if canned:
            typer.echo(text)


async def show_statistics(
    settings: Settings, user: str, days: int, language: Language, *, json_out: bool
) -> None:
    company = load_company(settings.company_folder())
    first = next((u.user for u in company.users if "supervisor" in u.roles), "")
    async with counter(settings, user or first, language) as c:
        found = await c.desk.statistics(c.by, c.now - days * DAY_S)
    if json_out:
        _print_json(asdict(found))
        return
    for line in _figures(found.total, language):
        typer.echo(line)
    parts: tuple[tuple[Text, Mapping[str, Figures]], ...] = (
        (Text("按周", "by week"), found.weeks),
        (Text("按客服", "by agent"), found.agents),
    )
    for head, groups in parts:
        typer.echo(f"{head(language)}:")
        for name, figures in groups.items():
            typer.echo(f"  {name}  {_short(figures, language)}")


def show_intent(text: str, language: Language, *, json_out: bool) -> None:
    found = recogniser().recognise(text)
    if json_out:
        _print_json(asdict(found))
        return
    typer.echo(f"{found.name}  {INTENTS[found.name](language)}  {found.sure:.2f}")
    for name, sure in found.best:
        typer.echo(f"  {name}  {sure:.2f}")


def states_of(name: str) -> tuple[State, ...]:
    """``alive`` is all that is not resolved. Raises ``CallerError`` for what is no state."""
    if name == "alive":
        return ALIVE
    if name == "all":
        return ()
    found = tuple(s for s in STATES if s == name)
    if not found:
        known = ", ".join(("alive", "all", *STATES))
        raise CallerError("state", f"状态应为 {known} 之一", f"a state is one of {known}")
    return found


def _line(c: Counter, card: Card) -> str:
    due, now, language = "", c.now, c.language
    if card.due is not None:
        late = Text("已超时", "late") if card.due < now else Text("到期", "due")
        due = f"{late(language)} {_when(c.desk, card.due)}"
    out = (
        card.id,
        STATES[card.state](language),
        PRIORITIES[card.priority](language),
        INTENTS[card.category](language),
        card.user,
        card.assignee or "-",
        card.title,
        due,
    )
    return "  ".join(p for p in out if p)


def _shown(c: Counter, view: View) -> list[str]:
    language = c.language
    out = [_line(c, view.card)]
    if view.ticket.orders:
        orders = ", ".join(view.ticket.orders)
        out.append(f"{Text('订单', 'orders')(language)}: {orders}")
    if view.clocks is not None:
        out += [_clock(c, k) for k in view.clocks.both]
    if view.summary is not None and view.summary.asked:
        out += view.summary.text.splitlines()
    for event in view.events:
        name = ACTS[event.act](language)
        detail = " ".join(f"{k}={v}" for k, v in event.data.items() if k != "summary")
        parts = (_when(c.desk, event.at), event.by, name, detail, event.text)
        out.append("  ".join(p for p in parts if p))
    can = ", ".join(view.possible)
    out.append(f"{Text('现在可以', 'possible now')(language)}: {can}")
    return out


def _clock(c: Counter, clock: Clock) -> str:
    language = c.language
    used, limit = round(clock.used / 60), round(clock.limit / 60)
    due = f"  {_when(c.desk, clock.due)}" if clock.due is not None else ""
    minutes = Text("分钟", "min")(language)
    name, standing = CLOCKS[clock.kind](language), STANDINGS[clock.standing](language)
    return f"{name}: {standing}  {used}/{limit} {minutes}{due}"


def _figures(f: Figures, language: Language) -> list[str]:
    intents = ", ".join(f"{INTENTS[n](language)} {c}" for n, c in f.intents.items())
    rows = (
        (Text("新建", "opened"), f.opened),
        (Text("已解决", "resolved"), f.resolved),
        (Text("未解决", "backlog"), f.backlog),
        (Text("首次回复", "first response"), _times(f.response, language)),
        (Text("解决时长", "resolution"), _times(f.resolution, language)),
        (Text("无人工解决率", "deflection"), _percent(f.deflection)),
        (Text("重开率", "reopened"), _percent(f.reopened)),
        (Text("满意度", "rating"), f"{f.rating or '-'} ({f.ratings})"),
        (Text("意图", "intents"), intents or "-"),
    )
    return [f"{name(language)}: {value}" for name, value in rows]


def _short(f: Figures, language: Language) -> str:
    parts = (
        f"{Text('新建', 'opened')(language)} {f.opened}",
        f"{Text('解决', 'resolved')(language)} {f.resolved}",
        f"{Text('首次回复', 'response')(language)} {_times(f.response, language)}",
        f"{Text('按时', 'within')(language)} {_percent(f.resolution.within)}",
        f"{Text('满意度', 'rating')(language)} {f.rating or '-'}",
    )
    return "  ".join(parts)


def _times(t: Times, language: Language) -> str:
    if not t.count:
        return "-"
    words = Text(
        "中位 {m}、九成 {p} 分钟,按时 {w}", "median {m}, p90 {p} min, {w} within the limit"
    )
    return words(language).format(m=t.median, p=t.p90, w=_percent(t.within))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _when(desk: Desk, at: float) -> str:
    return desk.local(at).strftime("%Y-%m-%d %H:%M")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"not JSON: {type(value).__name__}")

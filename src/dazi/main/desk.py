"""The service desk, wired: its rules, its parts, the door that tools have, its jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dazi.access.visitors import Visitors
from dazi.agent.rendering import in_words
from dazi.agent.service import AssistantService
from dazi.apps.desk.chores import tidy
from dazi.apps.desk.desk import Desk
from dazi.apps.desk.intents.recogniser import recogniser
from dazi.apps.desk.ports import Look, Nobody, Parts, Spoken, Untold
from dazi.apps.desk.records import DeskStore
from dazi.apps.desk.replies import load_replies
from dazi.apps.desk.rules import DeskRules, rules_of
from dazi.apps.desk.service import DeskService, team
from dazi.audit.private import Private
from dazi.core.company import Company
from dazi.core.errors import AccessError, ConfigError, ConnectorError, NotFound
from dazi.core.language import Language, Text
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.memory.threads import Kept, ThreadStore
from dazi.store.database import Database
from dazi.store.jobs.work import Kind, Run

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime

MOST_MESSAGES = 200
VISITOR = Text("访客 {user}", "visitor {user}")
BY_PERSON = Text("人工客服", "Support")
REFRESH, TIDY = "desk_refresh", "desk_tidy"


@dataclass(frozen=True, slots=True)
class Threads:
    """Implements ``apps.desk.ports.Conversations``."""

    store: ThreadStore

    async def read(self, customer: Principal, thread: str) -> Sequence[Spoken]:
        try:
            found = await self.store.latest(thread, customer, MOST_MESSAGES)
        except NotFound:
            return []
        return [Spoken(n.at, n.kept.message) for n in found]

    async def say(self, customer: Principal, thread: str, text: str) -> None:
        said = Message("assistant", f"【{BY_PERSON.zh}】{text}")
        await self.store.append(thread, customer, [Kept(said)])


@dataclass(frozen=True, slots=True)
class DeskFiles:
    database: Database
    private: Private
    threads: ThreadStore


def desk_rules(company: Company) -> DeskRules:
    """Raises ``ConfigError``, also for canned replies and a tool that there is not."""
    where = company.folder / "dazi.toml"
    rules = rules_of(company.settings, where)
    load_replies(company.folder)
    check = rules.orders
    if check is not None:
        tool = company.tools.get(check.tool)
        if tool is None or tool.effect != "read" or tool.parameter(check.parameter) is None:
            zh = f"desk.orders:没有只读工具 {check.tool} 或它没有参数 {check.parameter}"
            en = f"desk.orders: no read tool {check.tool} with a parameter {check.parameter}"
            raise ConfigError(where, None, zh, en)
    return rules


@dataclass(frozen=True, slots=True)
class Compared:
    """Implements ``apps.desk.ports.Heard``: what is tried on customers learns how it went."""

    assistant: AssistantService

    def handed_over(self, customer: Principal, thread: str) -> None:
        if (variants := self.assistant.agent.variants) is not None:
            variants.handed_over(customer, thread)

    def rated(self, customer: Principal, thread: str, stars: int) -> None:
        if (variants := self.assistant.agent.variants) is not None:
            variants.rated(customer, thread, stars)


def make_desk(
    company: Company,
    files: DeskFiles,
    people: Callable[[str, str, str], Principal],
    assistant: AssistantService | None = None,
    visitors: Visitors | None = None,
) -> Desk:
    """Without ``assistant`` nothing is looked up, as from the command line. ``visitors``: of the
    company's sites; ``people`` knows them once they are recalled."""
    rules = desk_rules(company)
    included = company.roles
    roles = {u.user: frozenset().union(*(included[r] for r in u.roles)) for u in company.users}
    rules = replace(rules, agents=team(rules, roles))
    parts = Parts(
        people,
        Threads(files.threads),
        looking(company, assistant) if assistant is not None else no_look,
        lambda text: recogniser().recognise(text).name,
        company.tools,
        visitors=visitors if visitors is not None else Nobody(),
        heard=Compared(assistant) if assistant is not None else Untold(),
    )
    names = {u.user: u.name for u in company.users}

    def called(user: str, language: Language) -> str:
        if visitors is not None and visitors.served(user) is not None:
            return visitors.name(user) or VISITOR(language).format(user=user[-6:])
        return names[user](language) if user in names else user

    service = DeskService(DeskStore(files.database, files.private), rules, parts)
    return Desk(service, time.time, load_replies(company.folder), None, called)


def looking(company: Company, assistant: AssistantService) -> Look:
    """Declared tools through the router, their results in the host's words."""

    async def look(
        principal: Principal, tool: str, arguments: dict[str, str], language: Language
    ) -> str | None:
        try:
            record = await assistant.call(principal, tool, json.dumps(arguments), language)
        except AccessError:
            return None
        return in_words(company, [record], language) if record.outcome == "ok" else None

    return look


async def no_look(
    principal: Principal, tool: str, arguments: dict[str, str], language: Language
) -> str | None:
    return None


# --- jobs ---------------------------------------------------------------------------------------


def kinds(runtime: Runtime) -> list[Kind]:
    """The desk's kinds of jobs: the catalogue's documents anew, and what is due."""

    async def check(principal: Principal, arguments: Any) -> Any:
        if runtime.desk is None:
            raise ConnectorError("unavailable", "服务台没有打开", "the service desk is not open")
        runtime.desk.service.check_supervisor(principal)
        return {}

    async def refresh(run: Run) -> Any:
        return await refreshed(runtime, run)

    async def tidied(run: Run) -> Any:
        if runtime.desk is None:
            return {}
        return asdict(await tidy(runtime.desk.service, runtime.database, runtime.desk.clock()))

    return [
        Kind(
            REFRESH,
            Text("从商品目录更新知识库", "refresh knowledge from the catalogue"),
            check,
            refresh,
        ),
        Kind(TIDY, Text("工单时限与关闭", "ticket limits and closing"), check, tidied),
    ]


async def refreshed(runtime: Runtime, run: Run) -> dict[str, Any]:
    """Ask the declared databases again and index what changed; the counts."""
    documents, desk = runtime.documents, runtime.desk
    if documents is None or desk is None:
        raise ConnectorError("unavailable", "文档检索没有打开", "documents are not open")
    library, wanted = documents.library, desk.service.rules.refresh
    sources = [
        s
        for s in await library.records.sources(run.principal.tenant)
        if s.kind == "database" and (not wanted or any(s.place.startswith(w) for w in wanted))
    ]
    counts: dict[str, Any] = {"sources": len(sources), "new": 0, "changed": 0, "gone": 0, "same": 0}
    errors: list[str] = []
    for i, source in enumerate(sources):
        run.report(
            Text(f"查询 {source.place[:60]}", f"asking {source.place[:60]}"), i / len(sources)
        )
        changes = await library.look(tenant=source.tenant, only=source.id)
        for name in ("new", "changed", "gone", "same"):
            counts[name] += getattr(changes, name)
        after = [s for s in await library.records.sources(source.tenant) if s.id == source.id]
        errors += [s.error_en for s in after if s.error_en]
    run.report(Text("索引有变化的", "indexing what changed"), 0.9)
    counts["indexed"] = await library.index_now(tenant=run.principal.tenant)
    return counts | ({"errors": errors} if errors else {})

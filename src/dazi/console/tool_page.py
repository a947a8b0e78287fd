"""One tool: what it takes, who may use it and why, and a place to try it."""

from __future__ import annotations

from contextlib import aclosing

from nicegui import background_tasks, ui

from dazi.access.cedar import CedarPolicy
from dazi.agent.again import needs_results
from dazi.agent.direct import new_turn
from dazi.console import tool_texts as texts
from dazi.console.abilities import short
from dazi.console.account import account
from dazi.console.account_view import draw_steps, shortened
from dazi.console.acts import act, button
from dazi.console.call_card import CallCard
from dazi.console.confirmation import ConfirmDialog, Waiting
from dazi.console.labels import exact
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.state import Scene
from dazi.console.tool_form import ToolForm
from dazi.console.tool_verdict import Verdict
from dazi.console.tools_page import PATH, STYLE, roles_of, visible
from dazi.core.errors import NotFound
from dazi.core.principal import Principal
from dazi.core.tools import Parameter, Tool
from dazi.core.turn import CallFinished, CallRecord


async def draw(scene: Scene, name: str) -> None:
    """Raises ``NotFound`` for a tool that is not there or not for whoever looks."""
    tool = next((t for t in visible(scene) if t.name == name), None)
    if tool is None:
        raise NotFound("tool", texts.NOT_FOUND.zh, texts.NOT_FOUND.en)
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-tools dz-tool"):
        head(scene)
        _back(scene)
        heading(short(tool.description, language))
        revealed(tool.description(language), "dz-muted")
        _facts(scene, tool)
        heading(texts.PARAMETERS(language), 2)
        if tool.parameters:
            _parameters(scene, tool)
        else:
            ui.label(texts.NO_PARAMETERS(language)).classes("dz-muted")
        heading(texts.TRY(language), 2)
        form = Trial(scene, tool).form
        heading(texts.EXPLAIN(language), 2)
        Verdict(scene, tool, form)
        if operates(scene.principal):
            _policies(scene, tool)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page dz-tools"):
        head(scene)
        _back(scene)
        heading(texts.NOT_FOUND(scene.language))


def _back(scene: Scene) -> None:
    with ui.element("a").classes("dz-back") as link:
        link.props["href"] = PATH
        ui.icon("arrow_back").props("aria-hidden=true")
        ui.label(texts.ALL_TOOLS(scene.language))


def _facts(scene: Scene, tool: Tool) -> None:
    language, names = scene.language, scene.state.company.role_names
    facts = [
        (texts.SYSTEM(language), tool.system(language)),
        (texts.EFFECT(language), texts.EFFECTS[tool.effect](language)),
        (texts.TIMEOUT(language), texts.SECONDS(language).format(s=tool.timeout_s)),
    ]
    if tool.approver:
        facts.append((texts.APPROVER(language), names[tool.approver](language)))
    bound = [
        texts.BOUND_BY(language).format(name=name, attribute=b.attribute)
        for name, b in tool.bind.items()
    ]
    if bound:
        facts.append((texts.BOUND(language), "、".join(bound)))
    if operates(scene.principal):
        who = "、".join(roles_of(scene, tool)) or texts.NOBODY(language)
        facts += [
            (texts.USERS(language), who),
            (texts.DECLARED(language), shortened(scene.state, tool.source)),
        ]
    with ui.element("dl").classes("dz-facts-list"):
        for label, value in facts:
            with ui.element("dt"):
                ui.label(label)
            with ui.element("dd"):
                revealed(value)


def _parameters(scene: Scene, tool: Tool) -> None:
    language = scene.language
    columns = (texts.PARAMETER, texts.KIND, texts.MARKS, texts.MEANING)
    with div("dz-table-wide").props("tabindex=0"), ui.element("table").classes("dz-rows"):
        with ui.element("thead"), ui.element("tr"):
            for column in columns:
                with ui.element("th").props("scope=col"):
                    ui.label(column(language))
        with ui.element("tbody"):
            for p in tool.parameters:
                kind = f"{p.type} ({p.format})" if p.format else p.type
                with ui.element("tr"):
                    for value in (p.name, kind, _marks(scene, p), p.description(language)):
                        with ui.element("td"):
                            revealed(value)


def _marks(scene: Scene, p: Parameter) -> str:
    language, out = scene.language, []
    if p.required:
        out.append(texts.REQUIRED(language))
    if p.grounded:
        out.append(texts.GROUNDED(language))
    if p.default is not None:
        out.append(texts.DEFAULT(language).format(value=exact(p.default, language)))
    if p.enum or p.items:
        out.append(texts.ONE_OF(language).format(values="、".join(p.enum or p.items)))
    if p.minimum is not None or p.maximum is not None:
        low = "…" if p.minimum is None else f"{p.minimum:g}"
        high = "…" if p.maximum is None else f"{p.maximum:g}"
        out.append(texts.RANGE(language).format(low=low, high=high))
    return "；".join(out) if language == "zh" else "; ".join(out)


def _policies(scene: Scene, tool: Tool) -> None:
    policy = scene.state.service.agent.router.policy
    if not isinstance(policy, CedarPolicy):
        return
    heading(texts.POLICIES(scene.language), 2)
    ui.label(texts.POLICIES_HINT(scene.language)).classes("dz-muted")
    for statement in policy.of_tool(tool.name):
        with ui.element("details").classes("dz-policy"):
            with ui.element("summary"):
                place = f"{shortened(scene.state, statement.path)}:{statement.line}"
                revealed(f"{statement.name} — {place}")
            with ui.element("pre").classes("dz-statement dz-code"):
                ui.label(statement.text)


class Trial:
    """The form, one call at a time, and what came of it."""

    def __init__(self, scene: Scene, tool: Tool) -> None:
        self._scene, self._tool = scene, tool
        self._turn = ""
        self._card: CallCard | None = None
        language = scene.language
        ui.label(texts.TRY_HINT(language)).classes("dz-muted")
        self.form = ToolForm(tool, language)
        able = tool in scene.state.service.tools_for(scene.principal)
        if needs_results(tool) or not able:
            why = texts.LATER_ONLY if able else texts.NOT_YOURS
            ui.label(why(language)).classes("dz-muted dz-tool-unable")
            return
        with div("dz-tool-acts"):
            self._run = button(texts.RUN(language), self._call, "dz-button-main dz-tool-run")
            button(texts.CLEAR(language), self.form.clear, "dz-button-quiet")
        self._told = div("dz-tool-told").props("aria-live=polite")

    async def _call(self) -> None:
        arguments = self.form.json()
        if arguments is None:
            return
        self._run.disable()
        self._turn = new_turn()
        name, service = self._tool.name, self._scene.state.service
        language = self._scene.language

        async def work(who: Principal) -> CallRecord:
            return await service.call(who, name, arguments, language, turn=self._turn)

        try:
            record = await act(self._scene, work)
        finally:
            self._run.enable()
        if record is None:
            return
        self._told.clear()
        with self._told:
            self._card = CallCard(self._scene.state.company, language, name, arguments)
            self._steps = div()
        self._card.finish(record)
        await self._show_steps()
        if record.outcome == "needs_confirmation":
            await self._await_decision(record)

    async def _await_decision(self, record: CallRecord) -> None:
        assert self._card is not None
        ticket = await self._scene.state.service.tickets.get(record.ticket)
        waiting = Waiting.of_ticket(ticket)
        if waiting.approver:
            names = self._scene.state.company.role_names
            self._card.waits_for(names[waiting.approver](self._scene.language))
            return
        told = self._told

        def review() -> None:
            with told:
                ConfirmDialog(self._scene, waiting, answer)

        def answer(id: str, approve: bool | None) -> None:
            if approve is not None:
                background_tasks.create(self._decide(id, approve), name="decided on a tool's page")

        self._card.offer_review(review)

    async def _decide(self, ticket: str, approve: bool) -> None:
        async def work(who: Principal) -> CallRecord | None:
            events = self._scene.state.service.decide(who, ticket, approve)
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, CallFinished) and event.record.ticket == ticket:
                        return event.record  # nobody here waits for a model to speak of it
            return None

        with self._told:
            record = await act(self._scene, work)
            if self._card is None or record is None:
                return
            self._card.decided(approve)
            self._card.finish(record)
            await self._show_steps()

    async def _show_steps(self) -> None:
        system = self._scene.state.system
        if system is None:
            return
        found = account(await system.records(self._turn))
        self._steps.clear()
        with self._steps:
            ui.label(texts.STEPS(self._scene.language)).classes("dz-block-head")
            for call in found.calls:
                draw_steps(self._scene, call)

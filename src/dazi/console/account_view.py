"""What became of a call, step by step, with the policy that decided."""

from __future__ import annotations

import time

from nicegui import ui

from dazi.access.cedar import CedarPolicy
from dazi.console import texts as words
from dazi.console import tool_texts as texts
from dazi.console.account import CallAccount
from dazi.console.pieces import revealed
from dazi.console.state import ConsoleState, Scene
from dazi.core.language import Text
from dazi.packs.layers import layers_of


def place_of(state: ConsoleState, policy: str) -> str:
    """File and line of a statement, from the company folder; empty where none is known."""
    known = state.service.agent.router.policy
    statement = known.where(policy) if isinstance(known, CedarPolicy) else None
    return f"{shortened(state, statement.path)}:{statement.line}" if statement else ""


def shortened(state: ConsoleState, path: str) -> str:
    """Relative to the company folder, or to the pack that it is from, which is named."""
    return layers_of(state.company.folder).told(path)


def draw_steps(scene: Scene, call: CallAccount) -> None:
    with ui.element("ol").classes("dz-tool-steps"):
        for kind, at in call.steps:
            with ui.element("li"):
                revealed(
                    f"{_clock(at)} {texts.STEP[kind](scene.language)}{_told(scene, call, kind)}"
                )
        for line in remarks(scene, call):
            with ui.element("li"):
                revealed(line)


def remarks(scene: Scene, call: CallAccount) -> list[str]:
    """What else is on record: policy and its place, sources, who agreed, signs, a reason."""
    language, out = scene.language, []
    if call.policy:
        where = place_of(scene.state, call.policy)
        at = f" ({texts.AT(language).format(where=where)})" if where else ""
        out.append(f"{texts.POLICY(language)}: {call.policy}{at}")
    for name, sources in call.sources.items():
        said = texts.SAID_BY(language)
        out.append(said.format(name=name, sources="、".join(sources)))
    if call.approver:
        role = scene.state.company.role_names.get(call.approver, Text(call.approver, call.approver))
        out.append(texts.NEEDS(language).format(role=role(language)))
    if call.by:
        name = scene.state.name_of(call.by, scene.principal.tenant, language)
        out.append(texts.AGREED(language).format(user=name))
    if call.signals:
        out.append(texts.SIGNALS(language).format(labels="、".join(call.signals)))
    if call.reason:
        out.append(texts.REASON(language).format(reason=call.reason))
    return out


def _told(scene: Scene, call: CallAccount, kind: str) -> str:
    known = next((o for o in words.OUTCOMES if o == call.outcome), None)
    if kind == "call" or known is None:
        return ""
    return f": {words.OUTCOMES[known](scene.language)}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at % 1 * 1000):03d}"

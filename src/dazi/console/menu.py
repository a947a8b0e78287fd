"""Where one can go: the pages by name, each for whom it is something.

What a page shows is decided by the page; here it is only whether it is worth a link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from nicegui import ui

from dazi.access.duties import may
from dazi.console import (
    alert_texts,
    audit_texts,
    channel_texts,
    compliance_texts,
    contract_texts,
    dashboard_texts,
    desk_texts,
    experiments_texts,
    job_texts,
    key_texts,
    knowledge_texts,
    people_texts,
    plan_texts,
    pool_texts,
    prompts_texts,
    report_texts,
    risk_texts,
    setting_page_texts,
    texts,
    tool_texts,
    tuning_texts,
)
from dazi.console.operators import answers_for_records, operates
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.core.language import Text
from dazi.ops.prompts.rights import may_read

Group = Literal["work", "watch", "govern"]
GROUPS: dict[Group, Text] = {
    "work": Text("工作", "Work"),
    "watch": Text("运行", "Operation"),
    "govern": Text("管理", "Administration"),
}
assert tuple(GROUPS) == get_args(Group)
PLACES = Text("去别的页面", "Go to another page")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu. ``shown`` tells for whom; ``name`` may depend on who looks."""

    group: Group
    path: str
    icon: str
    name: Callable[[Scene], Text]
    shown: Callable[[Scene], bool]


def _named(name: Text) -> Callable[[Scene], Text]:
    return lambda _: name


def _always(_: Scene) -> bool:
    return True


def _desk_name(scene: Scene) -> Text:
    desk = scene.state.desk
    staff = desk is not None and desk.service.actor(scene.principal) != "customer"
    return desk_texts.DESK if staff else desk_texts.MY_TICKETS


def _contracts(scene: Scene) -> bool:
    found, who = scene.state.contracts, scene.principal
    return found is not None and (found.may(who) or found.sees_statistics(who))


def _reports(scene: Scene) -> bool:
    found = scene.state.reports
    return found is not None and bool(found.visible(scene.principal))


def _audit(scene: Scene) -> bool:
    found = scene.state.reading
    return found is not None and found.may(scene.principal, "audit.read")


def _risk(scene: Scene) -> bool:
    return scene.state.risk is not None and scene.state.risk.may(scene.principal)


def _trials(scene: Scene) -> bool:
    return scene.state.experiments is not None and may_read(scene.principal)


ENTRIES: tuple[Entry, ...] = (
    Entry("work", "/", "chat", _named(texts.CHAT), _always),
    Entry("work", "/approvals", "pending_actions", _named(texts.APPROVALS), _always),
    Entry("work", "/knowledge", "menu_book", _named(knowledge_texts.KNOWLEDGE),
          lambda s: s.state.knowledge is not None),
    Entry("work", "/desk", "support_agent", _desk_name, lambda s: s.state.desk is not None),
    Entry("work", "/reports", "assessment", _named(report_texts.REPORTS), _reports),
    Entry("work", "/contracts", "fact_check", _named(contract_texts.CONTRACTS), _contracts),
    Entry("work", "/risk", "gpp_maybe", _named(risk_texts.RISK), _risk),
    Entry("work", "/jobs", "schedule", _named(job_texts.JOBS), lambda s: s.state.jobs is not None),
    Entry("work", "/channels", "forum", _named(channel_texts.CHANNELS),
          lambda s: s.state.channels is not None),
    Entry("work", "/memory", "psychology", _named(texts.MEMORY), _always),
    Entry("watch", "/alerts", "notifications", _named(alert_texts.ALERTS),
          lambda s: operates(s.principal)),
    Entry("watch", "/dashboards", "monitoring", _named(dashboard_texts.DASHBOARD),
          lambda s: operates(s.principal)),
    Entry("work", "/tools", "construction", _named(tool_texts.TOOLS), _always),
    Entry("watch", "/plan", "calculate", _named(plan_texts.PLAN),
          lambda s: operates(s.principal)),
    Entry("watch", "/pool", "dns", _named(pool_texts.POOL),
          lambda s: s.state.system is not None and operates(s.principal)),
    Entry("watch", "/tuning", "model_training", _named(tuning_texts.TUNING),
          lambda s: s.state.system is not None and operates(s.principal)),
    Entry("govern", "/compliance", "verified_user", _named(compliance_texts.COMPLIANCE),
          lambda s: s.state.system is not None and answers_for_records(s.principal)),
    Entry("govern", "/settings", "tune", _named(setting_page_texts.SETTINGS),
          lambda s: s.state.system is not None and operates(s.principal)),
    Entry("govern", "/prompts", "notes", _named(prompts_texts.PROMPTS), _trials),
    Entry("govern", "/experiments", "science", _named(experiments_texts.EXPERIMENTS), _trials),
    Entry("govern", "/people", "group", _named(people_texts.PEOPLE),
          lambda s: may(s.principal, "accounts.read")),
    Entry("govern", "/keys", "key", _named(key_texts.KEYS), _always),
    Entry("govern", "/limits", "speed", _named(key_texts.LIMITS), lambda s: operates(s.principal)),
    Entry("govern", "/account", "manage_accounts", _named(key_texts.ACCOUNT), _always),
    Entry("govern", "/audit", "policy", _named(audit_texts.AUDIT), _audit),
)  # fmt: skip


def entries(scene: Scene, *groups: Group) -> Iterator[Entry]:
    """Those for whoever looks, in order; of all groups where none is named."""
    return (e for e in ENTRIES if (not groups or e.group in groups) and e.shown(scene))


def link(entry: Entry, scene: Scene, classes: str = "") -> None:
    here = ui.context.client.request.url.path == entry.path
    with ui.element("a").classes(f"dz-place {classes}") as made:
        made.props["href"] = entry.path
        if here:
            made.props["aria-current"] = "page"
        ui.icon(entry.icon).props("aria-hidden=true")
        ui.label(entry.name(scene)(scene.language))


def places(scene: Scene) -> None:
    """A button that opens all of them, in their groups; it works without the server."""
    with ui.element("details").classes("dz-places"):
        with ui.element("summary").classes("dz-icon-button") as opener:
            opener.props["aria-label"] = opener.props["title"] = PLACES(scene.language)
            ui.icon("apps").props("aria-hidden=true")
        with ui.element("nav").classes("dz-places-list") as listed:
            listed.props["aria-label"] = PLACES(scene.language)
            for group, title in GROUPS.items():
                found = list(entries(scene, group))
                if not found:
                    continue
                with div("dz-places-group"):
                    ui.label(title(scene.language)).classes("dz-places-title")
                    for entry in found:
                        link(entry, scene)

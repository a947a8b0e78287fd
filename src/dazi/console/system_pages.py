"""Pages about the running system: models and servers, trainings, compliance, settings."""

from __future__ import annotations

from collections.abc import Iterator

from dazi.console import compliance_page, pool_page, settings_page, tuning_page, why
from dazi.console.own_page import OwnPage
from dazi.console.state import ConsoleState


def own_pages(state: ConsoleState) -> Iterator[OwnPage]:
    if (system := state.system) is None:
        return
    yield OwnPage(pool_page.PATH, lambda scene, _: pool_page.draw(scene, system))
    yield OwnPage(tuning_page.PATH, lambda scene, _: tuning_page.draw(scene, system))
    yield OwnPage(
        compliance_page.PATH, lambda scene, _: compliance_page.draw(scene, system.compliance)
    )
    yield OwnPage(
        "/why/{turn}",
        lambda scene, r: why.draw(scene, system, r.path_params["turn"]),
        why.draw_not_found,
    )
    yield OwnPage(settings_page.PATH, lambda scene, _: settings_page.draw(scene, system))

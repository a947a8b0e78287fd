"""Every page but the one to sign in on. A part with several pages lists them itself; here they are
joined."""

from __future__ import annotations

from collections.abc import Iterator

from dazi.console import (
    account_page,
    alerts_page,
    approvals_page,
    audit_page,
    audit_turn_page,
    channels_page,
    chat_page,
    contract_view,
    contracts_page,
    dashboard_page,
    desk_page,
    desk_ticket,
    document_page,
    experiments_page,
    jobs_page,
    keys_page,
    knowledge_page,
    limits_page,
    memory_page,
    people_page,
    person_page,
    plan_page,
    prompts_page,
    reports_page,
    requests_page,
    review_page,
    risk_page,
    simulate_page,
    system_pages,
    tools_page,
)
from dazi.console.own_page import OwnPage
from dazi.console.state import ConsoleState
from dazi.console.visits import Visits

TRAINED_S = 60.0
"""A page about risk may have to wait for the first model."""


def own_pages(state: ConsoleState, visits: Visits) -> Iterator[OwnPage]:
    chat = chat_page.draw_not_found
    yield OwnPage("/", lambda scene, _: chat_page.draw(scene, visits, None), chat, True)
    yield OwnPage("/approvals", lambda scene, _: approvals_page.draw(scene, visits), watches=True)
    yield OwnPage("/channels", lambda scene, _: channels_page.draw(scene))
    yield OwnPage("/memory", lambda scene, _: memory_page.draw(scene))
    yield OwnPage(alerts_page.PATH, lambda scene, _: alerts_page.draw(scene))
    yield OwnPage(dashboard_page.PATH, lambda scene, r: dashboard_page.draw(scene, r.query_params))
    yield OwnPage(plan_page.PATH, lambda scene, r: plan_page.draw(scene, r.query_params))
    yield from tools_page.own_pages(state)
    yield from system_pages.own_pages(state)
    yield from review_page.own_pages(state)
    if (trials := state.experiments) is not None:
        yield OwnPage(prompts_page.PATH, lambda scene, _: prompts_page.draw(scene, trials.prompts))
        yield OwnPage(experiments_page.PATH, lambda scene, _: experiments_page.draw(scene, trials))
        yield OwnPage(
            f"{experiments_page.PATH}/{{name}}",
            lambda scene, r: experiments_page.draw_one(scene, trials, r.path_params["name"]),
            experiments_page.draw_not_found,
        )
    yield OwnPage(simulate_page.PATH, lambda scene, r: simulate_page.draw(scene, r.query_params))
    yield OwnPage(people_page.PATH, lambda scene, r: people_page.draw(scene, r.query_params))
    yield OwnPage(keys_page.PATH, lambda scene, r: keys_page.draw(scene, r.query_params))
    yield OwnPage(limits_page.PATH, lambda scene, r: limits_page.draw(scene, r.query_params))
    yield OwnPage(
        account_page.PATH, lambda scene, r: account_page.draw(scene, visits, r.query_params)
    )
    yield OwnPage("/people/requests", lambda scene, _: requests_page.draw(scene))
    yield OwnPage(
        "/people/u/{user}",
        lambda scene, r: person_page.draw(scene, r.path_params["user"]),
        person_page.draw_not_found,
    )
    yield OwnPage(audit_page.PATH, lambda scene, r: audit_page.draw(scene, r.query_params))
    yield OwnPage(
        "/audit/turn/{turn}",
        lambda scene, r: audit_turn_page.draw(scene, r.path_params["turn"]),
        audit_turn_page.draw_not_found,
    )
    if (jobs := state.jobs) is not None:
        yield OwnPage("/jobs", lambda scene, _: jobs_page.draw(scene, jobs))
    if (contracts := state.contracts) is not None:
        yield OwnPage("/contracts", lambda scene, _: contracts_page.draw(scene, contracts))
        yield OwnPage(
            "/contracts/{job}",
            lambda scene, r: contract_view.draw(scene, contracts, r.path_params["job"]),
            contract_view.draw_not_found,
        )
    if (reports := state.reports) is not None:
        yield OwnPage("/reports", lambda scene, _: reports_page.draw(scene, reports))
    if (knowledge := state.knowledge) is not None:
        yield OwnPage("/knowledge", lambda scene, _: knowledge_page.draw(scene, knowledge))
        yield OwnPage(
            "/knowledge/d/{number}",
            lambda scene, r: document_page.draw(
                scene, knowledge, r.path_params["number"], _whole(r.query_params.get("at"))
            ),
            document_page.draw_not_found,
        )
    if (risk := state.risk) is not None:
        yield OwnPage("/risk", lambda scene, _: risk_page.draw(scene, risk))
        yield OwnPage(
            "/risk/model",
            lambda scene, _: risk_page.draw_model(scene, risk),
            within_s=TRAINED_S,
        )
        yield OwnPage(
            "/risk/t/{transaction}",
            lambda scene, r: risk_page.draw_case(scene, risk, r.path_params["transaction"]),
            risk_page.draw_not_found,
            within_s=TRAINED_S,
        )
    if (desk := state.desk) is not None:
        yield OwnPage(
            "/desk",
            lambda scene, r: desk_page.draw(scene, desk, r.query_params.get("show", "alive")),
        )
        yield OwnPage(
            "/desk/t/{number}",
            lambda scene, r: desk_ticket.draw(scene, desk, r.path_params["number"]),
            desk_ticket.draw_not_found,
        )
    yield OwnPage(
        "/t/{thread:path}",
        lambda scene, r: chat_page.draw(scene, visits, r.path_params["thread"]),
        chat,
        True,
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None

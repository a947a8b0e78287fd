"""A report's calls are those of the person who runs it, and are in the ledger as such."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dazi.apps.reports.result import Run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.core.errors import AccessError, CallerError, NotFound, OperatorError
from dazi.core.language import Language
from dazi.main.governed import Governed
from tests.apps.reports.conftest import WHO, service_of

Runs = dict[tuple[str, Language], Run]


async def records(g: Governed, turn: str) -> list[Any]:
    await g.ledger.flush()
    async with g.database.read() as connection:
        from sqlalchemy import text

        query = text('SELECT kind, "user", body FROM audit_records WHERE turn = :turn ORDER BY seq')
        return list(await connection.execute(query, {"turn": turn}))


async def test_every_call_is_in_the_ledger_as_the_person_who_ran_it(opened: Governed) -> None:
    done = await service_of(opened).run(
        opened.principal("manager"), Wanted("monthly-sales", "zh", {"span": "6"})
    )
    assert len(done.calls) == 11
    (turn,) = {c.reference for c in done.calls}
    found = await records(opened, turn)
    assert {r.user for r in found} == {"manager"}
    kinds = [r.kind for r in found]
    assert (kinds[0], kinds.count("call"), kinds.count("outcome")) == ("turn", 11, 11)


@pytest.mark.parametrize("name", [n for n in WHO if n != "annual-report"])
async def test_who_has_not_the_role_gets_a_refusal(opened: Governed, name: str) -> None:
    with pytest.raises(AccessError):
        await service_of(opened).run(opened.principal("customer"), Wanted(name, "zh"))


async def test_the_router_refuses_even_where_the_report_would_let_somebody(
    opened: Governed,
) -> None:
    """A report's own roles open nothing: the policies decide about each call."""
    service = service_of(opened)
    open_to_all = replace(service.reports["monthly-sales"], roles=frozenset({"employee"}))
    lenient = ReportService(
        opened.company, opened.router, opened.ledger, opened.today, reports={"m": open_to_all}
    )
    with pytest.raises(AccessError, match="query_sales_data"):
        await lenient.run(opened.principal("staff"), Wanted("m", "zh"))


async def test_parameters_are_said_as_people_say_them(opened: Governed) -> None:
    service, manager = service_of(opened), opened.principal("manager")
    given = {"month": "今年2月", "span": "6"}
    done = await service.run(manager, Wanted("monthly-sales", "zh", given))
    assert done.subject == "2025年2月"
    for wrong in ({"month": "何时"}, {"span": "99"}, {"nothing": "1"}):
        with pytest.raises(CallerError):
            await service.run(manager, Wanted("monthly-sales", "zh", wrong))
    with pytest.raises(NotFound, match="monthly-sales"):
        await service.run(manager, Wanted("no-such", "zh"))


async def test_a_month_that_the_system_does_not_have_is_no_report(opened: Governed) -> None:
    with pytest.raises((CallerError, OperatorError)):
        await service_of(opened).run(
            opened.principal("manager"), Wanted("monthly-sales", "zh", {"month": "2019-01"})
        )


async def test_a_mail_waits_for_the_persons_word(opened: Governed) -> None:
    done = await service_of(opened).run(
        opened.principal("finance"),
        Wanted("department-costs", "zh", mail_to="boss@yunshan.example", where="x"),
    )
    assert done.mail is not None
    assert (done.mail.outcome, bool(done.mail.ticket)) == ("needs_confirmation", True)
    ticket = await opened.router.tickets.get(done.mail.ticket)
    assert (ticket.user, ticket.tool) == ("finance", "send_email")
    assert "206.00万元" in ticket.arguments["body"]


async def test_who_may_not_mail_has_no_mail_sent(opened: Governed) -> None:
    done = await service_of(opened).run(
        opened.principal("supervisor"), Wanted("orders", "zh", mail_to="boss@yunshan.example")
    )
    assert done.mail is not None
    assert (done.mail.outcome, done.mail.ticket) == ("forbidden", "")


async def test_files_are_read_only_where_they_may_be(opened: Governed) -> None:
    with pytest.raises(CallerError):
        await service_of(opened).run(
            opened.principal("finance"), Wanted("annual-report", "zh", {"file": "/etc/hosts"})
        )


def test_checks_hold_and_are_told(runs: Runs) -> None:
    for run in runs.values():
        assert run.checks
        assert run.failed == (), run.report


def test_the_departments_are_compared_and_what_is_abnormal_is_marked(costs: Run) -> None:
    overview = costs.table("overview")
    assert [r["dept"] for r in overview.rows] == ["市场部", "研发部"]
    assert [r["spent"] for r in overview.rows] == [Decimal(920_000), Decimal(1_140_000)]
    marked = {(costs.table("items").rows[m.row]["dept"], costs.table("items").rows[m.row]["item"])
              for m in costs.table("items").marks}  # fmt: skip
    assert marked == {("市场部", "广告投放"), ("市场部", "差旅"), ("研发部", "云服务与设备")}
    side = costs.table("side_by_side")
    assert [c.label for c in side.columns] == ["科目", "市场部", "研发部"]
    assert side.totals == {"c1": Decimal(920_000), "c2": Decimal(1_140_000)}


def test_a_number_of_a_row_says_which_cell_it_is(costs: Run) -> None:
    bullet = next(p for p in costs.sections[1].paragraphs if "广告投放" in p.text)
    sources = {s for b in bullet.bound for s in b.sources}
    assert {"items[1 市场部].measure", "items[1 市场部].spent"} <= sources


def test_without_a_model_a_section_says_so_in_the_templates_words(costs: Run) -> None:
    assert all(p.origin == "template" for p in costs.sections[0].paragraphs)
    assert any("模板文字" in note for note in costs.notes)


def test_the_trends_outliers_are_the_seasons_that_the_seed_has(sales: Run) -> None:
    months = sales.table("months")
    assert {str(months.rows[m.row]["month"])[-2:] for m in months.marks} <= {"02", "06", "11", "12"}
    assert months.marks


def test_a_report_as_data_and_back(runs: Runs) -> None:
    from dazi.apps.reports.result import as_json, of_json

    for run in runs.values():
        assert of_json(as_json(run)) == run
        json.loads(as_json(run))
    with pytest.raises(ValueError, match="report"):
        of_json(b'{"report": 1}')

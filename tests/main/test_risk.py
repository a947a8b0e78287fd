"""``[risk]`` of a company, its transactions by a declared SELECT, and its work as jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdfium2 import PdfDocument

from dazi.apps.risk.papers import as_paper
from dazi.apps.risk.reading import read_cases
from dazi.apps.risk.service import Batch, RiskService
from dazi.connectors.context import ConnectorContext
from dazi.core.company import Company
from dazi.core.errors import AccessError, CallerError, ConfigError, ConnectorError
from dazi.core.principal import Principal
from dazi.main.company import load_company
from dazi.main.risk import DeclaredTransactions, declared
from dazi.main.risk_jobs import risk_kinds
from dazi.main.risk_settings import risk_settings
from dazi.main.settings import demo_folder

RISK, STAFF = (Principal(r, frozenset({r})) for r in ("risk", "staff"))


@pytest.fixture(scope="module")
def demo() -> Company:
    return load_company(demo_folder())


def given(company: Company, **changes: Any) -> Company:
    risk = {**company.settings["risk"], **changes}
    return replace(company, settings={**company.settings, "risk": risk})


def test_what_the_demo_declares(demo: Company) -> None:
    settings = risk_settings(demo)
    assert settings is not None and settings.trains
    assert settings.rights.reviewers == {"risk"}
    assert settings.rights.managers == {"risk", "admin"}
    assert (settings.plan.review, settings.plan.hold) == (0.03, 0.02)
    plain = {k: v for k, v in demo.settings.items() if k != "risk"}
    assert risk_settings(replace(demo, settings=plain)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, "no such key “colour”"),
        ({"database": "nowhere"}, "no “nowhere”"),
        ({"transactions": "DROP TABLE transactions"}, "must be a SELECT"),
        ({"review": 3}, "review must be a share"),
        ({"hold": 0.5}, "hold must not be more"),
        ({"settle_days": -1}, "settle_days"),
        ({"reviewers": ["wizard"]}, "must list roles"),
    ],
)
def test_what_cannot_be_is_said_at_once(demo: Company, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        risk_settings(given(demo, **changes))
    assert caught.value.where.endswith("dazi.toml")


@pytest.fixture
async def source(demo: Company, tmp_path: Path) -> AsyncIterator[DeclaredTransactions]:
    with closing(sqlite3.connect(tmp_path / "y.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE t (n TEXT, who TEXT, w TEXT, cents INTEGER)")
        rows = [(f"T{i}", f"A{i % 2}", f"2025-01-0{i + 1}T08:00:00", 100 + i) for i in range(4)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    settings = risk_settings(
        given(
            demo,
            transactions="SELECT n AS id, who AS account, w AS at, cents AS amount_cents FROM t;",
        )
    )
    assert settings is not None
    context = ConnectorContext(tmp_path, tmp_path, {"bi": "sqlite:///y.sqlite"})
    made = declared(settings, context)
    yield made
    await made.close()


async def test_transactions_by_a_declared_select(source: DeclaredTransactions) -> None:
    assert [t.id for t in await source.all()] == ["T0", "T1", "T2", "T3"]
    assert [t.id for t in await source.account("A1")] == ["T1", "T3"]
    found = await source.one("T2")
    assert found is not None and (found.account, found.amount_cents) == ("A0", 102)
    assert await source.one("T2' OR 1=1 --") is None


async def test_a_row_that_is_none_is_named(source: DeclaredTransactions, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "y.sqlite")) as connection, connection:
        connection.execute("INSERT INTO t VALUES ('T9', 'A1', 'soon', 5)")
    with pytest.raises(ConnectorError, match="row 5, column at 'soon'"):
        await source.all()
    with closing(sqlite3.connect(tmp_path / "y.sqlite")) as connection, connection:
        connection.execute("DROP TABLE t")
    with pytest.raises(ConnectorError, match=r"\[risk\]"):
        await source.all()


def test_cases_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("id,outcome\nT1,fraud\nT2,正常\n", "utf-8")
    assert read_cases(path) == {"T1": "fraud", "T2": "genuine"}
    for line in ("T3,maybe", "T1,fraud", ",fraud"):
        path.write_text(f"id,outcome\nT1,fraud\n{line}\n", "utf-8")
        with pytest.raises(CallerError, match="line 3"):
            read_cases(path)
    with pytest.raises(CallerError, match="cannot open"):
        read_cases(tmp_path / "none.csv")


class Scripted:
    """A service that only answers what its jobs ask."""

    async def review_right(self, by: Principal) -> None:
        if not by.has_role("risk"):
            raise AccessError("forbidden", "不行", "no")

    model_right = review_right

    async def batch(self, by: Principal, day: str) -> Batch:
        return Batch(day or "2025-04-02", 3, (), "v")


class Doing:
    """A try of a job."""

    def __init__(self, arguments: Any) -> None:
        self.arguments, self.principal, self.steps = arguments, RISK, 0

    def report(self, *_: Any) -> None:
        self.steps += 1


async def test_jobs_are_for_who_may(demo: Company) -> None:
    service: Any = Scripted()
    assert isinstance(service, Scripted) and not isinstance(service, RiskService)
    train, batch = risk_kinds(service)
    assert (train.name, batch.name) == ("risk_train", "risk_batch")
    for kind in (train, batch):
        with pytest.raises(AccessError):
            await kind.check(STAFF, {})
    assert await batch.check(RISK, {"day": "2025-04-01"}) == {"day": "2025-04-01"}
    with pytest.raises(CallerError):
        await batch.check(RISK, {"day": 5})
    run: Any = Doing({"day": "2025-04-01"})
    assert await batch.work(run) == {
        "day": "2025-04-01", "transactions": 3, "waiting": [], "version": "v",
    }  # fmt: skip
    assert run.steps


REPORT = "# 报告 <b> #x\n\n- 一 `code`\n\n| 甲 | 乙 |\n|---|---|\n| 1 | $x_2 #let |\n"


def test_reports_as_files() -> None:
    assert as_paper(REPORT, "markdown").decode() == REPORT
    page = as_paper(REPORT, "html").decode()
    assert "<td>$x_2 #let</td>" in page and "&lt;b&gt;" in page and "<b>" not in page
    document = PdfDocument(as_paper(REPORT, "pdf"))
    shown = document[0].get_textpage().get_text_range()
    assert all(word in shown for word in ("报告 <b> #x", "code", "$x_2 #let"))

"""The packs that ship: whole by themselves, in the wheel, made use of by ``dazi init`` and the examples."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import yaml

from dazi.access.cedar import CedarPolicy
from dazi.access.policy import Decision, Facts
from dazi.core.company import Company
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.lab.evals.reading import read_cases
from dazi.lab.evals.suite import Source
from dazi.main.checking import check_folder
from dazi.main.company import load_company
from dazi.main.demo import Demo
from dazi.main.eval_runs import declared
from dazi.main.initialise import initialise
from dazi.main.prompts import read_prompt
from dazi.main.settings import Settings, demo_folder
from dazi.ops.prompts.model import LANGUAGES
from dazi.packs.layers import HERE, built_in, layers_of, named_file
from dazi.prompt.system import PLACEHOLDERS

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2025, 4, 3)
PACKS = sorted(built_in().items())
EXAMPLE = ROOT / "examples" / "hongqiao"


@pytest.mark.parametrize("folder", [p for _, p in PACKS] + [EXAMPLE], ids=lambda p: p.name)
def test_a_pack_is_whole_by_itself(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path))
    assert "no mistakes found" in check_folder(folder, "en")[0]


@pytest.mark.parametrize("name", [n for n, _ in PACKS])
def test_init_makes_a_folder_on_it_that_check_accepts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    initialise(tmp_path / "new", "en", name)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["dazi.toml"]
    lines = check_folder(tmp_path / "new", "en")
    assert any(f"← {name}" in line for line in lines)
    company = load_company(tmp_path / "new")
    assert {r for u in company.users for r in u.roles} <= set(company.roles) and company.demo
    demo = Demo(company, tmp_path / "data", TODAY)
    assert demo.seed() and not demo.seed()  # of the same day it is filled once


def test_init_on_a_pack_of_ones_own_writes_the_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "packs" / "house").mkdir(parents=True)
    (tmp_path / "packs" / "house" / "dazi.toml").write_text('extends = "retail"\n')
    initialise(tmp_path / "new", "en", str(tmp_path / "packs" / "house"))
    assert 'extends = "../packs/house"' in (tmp_path / "new" / "dazi.toml").read_text()
    assert [x.name for x in layers_of(tmp_path / "new").layers] == ["", "house", "retail"]
    with pytest.raises(CallerError, match="finance, retail"):
        initialise(tmp_path / "other", "en", "medicine")


def test_the_demo_company_is_what_it_was_on_the_retail_pack() -> None:
    company = load_company(demo_folder())
    layers = layers_of(demo_folder())
    assert [x.name for x in layers.packs] == ["retail"]
    whence = {name: layers.whence(t.source) for name, t in company.tools.items()}
    assert len(whence) == 17
    assert {n for n, w in whence.items() if w} == {"query_sales_data", "search_product"}
    assert set(company.settings["databases"].values()) == {"sqlite:///yunshan.sqlite"}


def test_the_wheel_has_every_file_of_the_packs() -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel")
    builder = wheel.WheelBuilder(str(ROOT))
    shipped = {f.distribution_path for f in builder.recurse_included_files()}
    wanted = {
        p.relative_to(ROOT / "src").as_posix()
        for p in HERE.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert wanted and wanted <= shipped


# --- finance -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finance() -> Company:
    return load_company(built_in()["finance"])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    """The tables as the demonstration has them, and one more day."""
    from dazi.main.demo import load_module

    path = tmp_path_factory.mktemp("bank") / "b.sqlite"
    seed = load_module(built_in()["finance"] / "seed.py").seed
    assert seed(path, TODAY)
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    return connection


def test_the_statements_run_on_its_tables(finance: Company, bank: sqlite3.Connection) -> None:
    given = {
        "account_id": "AC200101", "customer_id": "C20001", "since": None, "direction": None,
        "loan_id": "LN70001", "card_id": "CD500101", "today": TODAY.isoformat(), "reason": "test",
        "employee_id": "E1", "idempotency_key": "k",
    }  # fmt: skip
    for tool in finance.tools.values():
        for key in ("sql", "returning", "totals"):
            if key in tool.operation:
                rows = bank.execute(str(tool.operation[key]), given).fetchall()
                assert rows or (key == "sql" and tool.effect != "read"), tool.name
    others = bank.execute(
        str(finance.tools["get_account_summary"].operation["sql"]),
        {**given, "customer_id": "C20002"},
    ).fetchall()
    assert others == []  # nobody else's account
    bank.rollback()


def test_freezing_takes_four_eyes(finance: Company) -> None:
    policy, tool = CedarPolicy(finance), finance.tools["freeze_card"]
    arguments = {"card_id": "CD500101", "reason": "lost"}
    said = {"card_id": ("person",), "reason": ("person",)}

    def decided(
        role: str, *, approved: str = "", sources: Mapping[str, tuple[str, ...]] = said
    ) -> Decision:
        who = Principal("somebody", finance.roles[role], {"employee_id": "E1"})
        by = frozenset({approved} if approved else ())
        return policy.decide(
            who, tool, Facts(arguments, sources, confirmed=bool(by), approved_by=by)
        )

    waits = decided("risk")
    assert waits.confirm and waits.approver == "risk_manager"
    assert decided("risk", approved="risk_manager").allowed
    refused = decided("risk", approved="service")
    assert not refused.allowed and refused.policy == "freeze-four-eyes"
    assert not decided("customer", approved="risk_manager").allowed
    bent = decided(
        "risk", approved="risk_manager", sources={**said, "card_id": ("document:search_knowledge",)}
    )
    assert not bent.allowed and bent.policy == "cards-not-from-texts"


def test_the_cases_name_tools_roles_and_arguments_that_there_are(finance: Company) -> None:
    path = built_in()["finance"] / "evals" / "calls.jsonl"
    read = read_cases(path)
    assert not read.problems and len(read.cases) == 40
    for line in path.read_text("utf-8").splitlines():
        case = json.loads(line)
        assert case["role"] in finance.roles
        turns = case.get("turns", [case])
        for call in (c for turn in turns for c in turn["expect"]):
            tool = finance.tools[call["name"]]
            may = not tool.roles.isdisjoint(finance.roles[case["role"]])
            assert may != case.get("forbidden", False), case["id"]
            assert set(call.get("arguments", {})) <= {p.name for p in tool.parameters}, case["id"]
            for name, value in call.get("arguments", {}).items():
                parameter = next(p for p in tool.parameters if p.name == name)
                if isinstance(value, str) and parameter.pattern:
                    assert re.fullmatch(parameter.pattern, value), case["id"]


def test_the_example_answers_over_its_own_tables(tmp_path: Path) -> None:
    from dazi.main.governed import governed

    async def asked() -> None:
        settings = Settings(company=EXAMPLE, data=tmp_path, today=TODAY)
        async with governed(settings, load_company(EXAMPLE)) as g:
            assert {"find_branch", "freeze_card"} <= set(g.company.tools)
            assert "list_cards" not in g.company.tools

    asyncio.run(asked())
    with closing(sqlite3.connect(tmp_path / "finance.sqlite")) as connection:
        (number,) = connection.execute("SELECT COUNT(*) FROM transactions").fetchone()
    assert number > 3_000


def test_cases_and_prompts_of_packs_are_found_by_their_names(tmp_path: Path) -> None:
    finance = built_in()["finance"]
    initialise(tmp_path / "new", "en", "finance")
    found = named_file(tmp_path / "new", "evals", Path("calls.jsonl"))
    assert found == finance / "evals" / "calls.jsonl"
    assert named_file(tmp_path / "new", "evals", Path("none.jsonl")) == Path("none.jsonl")
    content, note = read_prompt(named_file(tmp_path / "new", "prompts", Path("finance.yaml")))
    for language in LANGUAGES:
        text = content.texts[language]
        assert all(f"{{{name}}}" in text for name in PLACEHOLDERS)
    assert note


def test_evaluations_use_the_cases_of_packs_and_see_their_changes(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(built_in()["finance"], pack, ignore=shutil.ignore_patterns("__pycache__"))
    initialise(tmp_path / "new", "en", str(pack))
    found = Source(tmp_path / "new", None).own("calls*.jsonl")
    assert found == [pack / "evals" / "calls.jsonl"]
    before = declared(tmp_path / "new")
    (pack / "policies" / "more.cedar").write_text("// nothing yet\n")
    assert declared(tmp_path / "new") != before


def test_an_order_is_not_refunded_beyond_its_amount(tmp_path: Path) -> None:
    retail = built_in()["retail"]
    made = tmp_path / "retail.sqlite"
    runpy.run_path(str(retail / "seed.py"))["seed"](made, TODAY)
    tools = yaml.safe_load((retail / "tools" / "erp.yaml").read_text("utf-8"))["tools"]
    sql = tools["request_refund"]["sql"]
    with closing(sqlite3.connect(made)) as connection:

        def refund(key: str, order: str, amount: float | None) -> int:
            given = {"idempotency_key": key, "order_id": order, "amount": amount}
            given |= {"reason": "-", "today": "-"}
            return connection.execute(sql, given).rowcount

        assert refund("a", "ORD12345", None) == 1
        assert [refund("a", "ORD12345", None), refund("b", "ORD12345", None)] == [0, 0]
        parts = (("c", 500.0), ("d", 29.0), ("e", 0.01))
        assert [refund(k, "ORD12347", n) for k, n in parts] == [1, 1, 0]

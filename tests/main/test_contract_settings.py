"""``[contracts]`` of dazi.toml: what is wrong is told, what is right is used."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dazi.core.engine import ModelProfile
from dazi.core.errors import ConfigError
from dazi.main.company import load_company
from dazi.main.contract_settings import contract_conditions
from dazi.main.contracts import _conditions
from dazi.main.runtime import Runtime
from dazi.main.settings import demo_folder
from tests.fakes.engine import ScriptedEngine

POLICY = "rules:\n  - {id: own, check: present, pattern: 蓝莓, message: 没有蓝莓}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "company"
    shutil.copytree(demo_folder(), made)
    return made


def given(folder: Path, text: str) -> Any:
    file = folder / "dazi.toml"
    before, _, rest = file.read_text("utf-8").partition("[contracts]\n")
    _, _, after = rest.partition("\n\n")  # the section ends with an empty line
    file.write_text(f"{before}[contracts]\n{text}\n\n{after}", "utf-8")
    return load_company(folder)


def test_the_demo_company(folder: Path) -> None:
    conditions = contract_conditions(load_company(folder))
    assert set(conditions.templates) == {"服务合同", "Mutual NDA"}
    assert conditions.terms.ours == ("云杉商贸", "Yunshan Trading") and not conditions.model
    assert conditions.rights.reviewers == {"employee"} and conditions.policy == ""


def test_a_policy_and_muted_rules_of_its_own(folder: Path) -> None:
    (folder / "p.yaml").write_text(POLICY, "utf-8")
    company = given(folder, 'policy = "p.yaml"\nmuted = ["wording"]')
    conditions = contract_conditions(company)
    assert [r.id for r in conditions.terms.rules] == ["own"] and conditions.policy == POLICY
    assert conditions.terms.muted == {"wording"} and not conditions.templates
    assert conditions.rights.statistics == {"admin"} and not conditions.rights.reviewers


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("polcy = 'x'", "no such key “polcy”"),
        ("policy = 'nonesuch.yaml'", "there is no"),
        ("templates = 'dazi.toml'", "there is no"),
        ("reviewers = ['nobody']", "there is no role “nobody”"),
        ("statistics = 'admin'", "must be a list"),
        ("model = 'yes'", "must be true or false"),
    ],
)
def test_what_is_wrong_is_told(folder: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        contract_conditions(given(folder, text))
    assert told in str(wrong.value) and "dazi.toml" in str(wrong.value)


@pytest.mark.parametrize(
    ("wanted", "profile", "named"),
    [
        (True, ModelProfile("big", 32_000, version="v1"), "big v1"),
        (True, ModelProfile("mini", 32_000, bundled=True), ""),
        (False, ModelProfile("big", 32_000), ""),
    ],
)
def test_a_model_adds_its_views_where_it_is_wanted_and_able(
    folder: Path, wanted: bool, profile: ModelProfile, named: str
) -> None:
    company = given(folder, f"model = {str(wanted).lower()}")
    runtime = SimpleNamespace(company=company, engine=ScriptedEngine(profile=profile))
    conditions = _conditions(cast(Runtime, runtime))
    assert conditions.terms.model == named
    assert replace(conditions.terms, model="") == contract_conditions(company).terms

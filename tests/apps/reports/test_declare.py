"""Mistakes in a report's file are told with the line they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.apps.reports.declare import load_report, load_reports
from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.main.company import load_company
from dazi.main.settings import demo_folder

GOOD = """\
name: {zh: 甲, en: A}
description: 甲
roles: [manager]
parameters:
  month: {type: month, default: last month}
steps:
  now:
    tool: query_sales_data
    arguments: {month: "{month}"}
calculations:
  whole: {label: 合计, value: now.total}
tables:
  regions:
    title: 地区
    rows: now.rows
    columns:
      name: {label: 名称}
      amount: {label: 金额, format: yuan}
sections:
  one:
    title: 一
    parts:
      - text: "合计 {whole|yuan}"
    tables: [regions]
"""


@pytest.fixture(scope="module")
def company() -> Company:
    return load_company(demo_folder())


def loaded(tmp_path: Path, company: Company, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    load_report(path, company)


def test_the_demo_has_six_and_they_load(company: Company) -> None:
    assert len(load_reports(company)) >= 6


def test_a_small_one_is_enough(tmp_path: Path, company: Company) -> None:
    loaded(tmp_path, company, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("合计 {whole|yuan}", "前三名合计 {whole|yuan}", 23, "三"),
        ("合计 {whole|yuan}", "合计 {whole|euro}", 23, "euro"),
        ("合计 {whole|yuan}", "合计 {all_of_it|yuan}", 23, "all_of_it"),
        ("合计 {whole|yuan}", "合计 {12|integer}", 23, "12"),
        ("合计 {whole|yuan}", "合计 {whole.__class__}", 23, "__class__"),
        ("tool: query_sales_data", "tool: no_such_tool", 8, "no_such_tool"),
        ("tool: query_sales_data", "tool: send_email", 8, "send_email"),
        ("roles: [manager]", "roles: [staff]", 8, "staff"),
        ("roles: [manager]", "roles: [king]", 3, "king"),
        ('{month: "{month}"}', '{monat: "{month}"}', 9, "monat"),
        ('{month: "{month}"}', '{month: "{moon}"}', 9, "moon"),
        ("format: yuan", "format: yen", 18, "yen"),
        ("tables: [regions]", "tables: [products]", 24, "products"),
        ("value: now.total", "value: now.total +", 11, "now.total +"),
        ("  whole:", "  month:", 11, "month"),
        ("rows: now.rows", "rows: now.rows\n    colour: red", 16, "colour"),
    ],
)
def test_mistakes(
    tmp_path: Path, company: Company, old: str, new: str, line: int, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, company, GOOD.replace(old, new))
    assert raised.value.line == line
    assert said in raised.value.text.zh

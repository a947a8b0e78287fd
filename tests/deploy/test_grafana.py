"""The Grafana dashboard asks for what there is."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import promql_parser

from dazi.observe.observer import Observer

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
SOURCES = Path(__file__).parents[2] / "src" / "dazi"
_METRIC = re.compile(r"\b((?:dazi|gen_ai)_[a-z_]+)(?=[{\[)\s/]|$)")
_DECLARED = re.compile(r'"(dazi_[a-z_]+)"')


def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("grafana_make", FOLDER / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dazi.json").read_text("utf-8"))
    return found


def known() -> set[str]:
    """Names of all instruments: those of the meters, and gauges wherever they are declared."""
    names = {i.name for i in Observer().registry}
    for path in SOURCES.rglob("*.py"):
        if "gauge(" in (text := path.read_text("utf-8")):
            names |= set(_DECLARED.findall(text))
    pool = ("served", "failed", "moved", "cut", "prompt_tokens", "cached_tokens")
    return names | {f"dazi_pool_{name}" for name in pool}


def expressions() -> list[str]:
    return [t["expr"] for p in kept()["panels"] for t in p["targets"]]


def test_the_file_is_what_is_made() -> None:
    assert kept() == made().dashboard(), "run deploy/grafana/make.py"


def test_every_expression_is_promql() -> None:
    for expr in expressions():
        promql_parser.parse(expr.replace("$__rate_interval", "5m"))
    assert len(expressions()) > 20


def test_every_metric_is_told() -> None:
    asked = {name for expr in expressions() for name in _METRIC.findall(expr)}
    there = known()
    assert {n for n in asked if re.sub(r"_(total|bucket|count|sum)$", "", n) not in there} == set()
    assert len(asked) > 18


def test_panels_do_not_cover_each_other() -> None:
    panels = kept()["panels"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(places)) == len({p["id"] for p in panels}) == len(panels)

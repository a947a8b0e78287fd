"""The benchmarks run and give tables; nothing here is about time."""

from __future__ import annotations

import ast
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dazi.inference.catalog import BUNDLED

ROOT = Path(__file__).resolve().parent.parent
LINUX = sys.platform == "linux"


def test_what_benchmarks_import_of_the_product_exists() -> None:
    """Most of them run by hand only."""
    missing = []
    for path in sorted((ROOT / "bench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("dazi"):
                continue
            module = importlib.import_module(node.module or "")
            for name in (a.name for a in node.names):
                if not hasattr(module, name) and name not in _modules_in(module):
                    missing.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.module}.{name}")
    assert not missing


def _modules_in(package: ModuleType) -> set[str]:
    return {m.name for m in pkgutil.iter_modules(getattr(package, "__path__", ()))}


def run_part(name: str, results: Path) -> list[dict[str, Any]]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("DAZI_")}
    command = [sys.executable, "bench/run.py", "--quick", "--no-peers", "--only", name]
    done = subprocess.run(
        [*command, "--json", str(results)],
        cwd=ROOT,
        env={**env, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    part = json.loads(results.read_text())[name]
    assert part["quick"] is True
    for table in part["tables"]:
        assert table["title"] in done.stdout
    tables: list[dict[str, Any]] = part["tables"]
    return tables


def test_agent_turns_are_counted_with_audit_in_memory_and_durable(tmp_path: Path) -> None:
    results = tmp_path / "r.json"
    results.write_text(json.dumps({"gateway": {"kept": True}, "gone": {}}))
    (table,) = run_part("agent_cpu", results)
    rows = {row[0]: row for row in table["rows"]}
    ours = [name for name in rows if name.startswith("Dazi")]
    assert {"Dazi, audit in memory", "Dazi, audit durable"} <= set(ours)
    assert all(rows[name][1] > 0 for name in ours)
    assert rows["LangGraph + ChatOpenAI"][1] is None
    assert any("peers were left out" in note for note in table["notes"])
    known = json.loads(results.read_text())
    assert known["gateway"] == {"kept": True}
    assert "gone" not in known


@pytest.mark.skipif(not LINUX, reason="what a process used is read from Linux's /proc")
def test_the_gateway_is_measured_beside_a_pass_through(tmp_path: Path) -> None:
    figures, ratios = run_part("gateway", tmp_path / "r.json")
    rows = {row[0]: row for row in figures["rows"]}
    for name in ("Dazi, audit in memory", "Dazi, audit durable", "FastAPI + aiohttp"):
        _, _, rate, busy, cpu_request, cpu_piece = rows[name]
        assert rate is not None, figures["notes"]
        assert rate > 0
        assert busy.endswith("%")
        assert cpu_request > 0
        assert cpu_piece > 0
    assert any(row[1].endswith("x") for row in ratios["rows"])


def test_a_whole_turn_is_timed_alone_and_at_eight(tmp_path: Path) -> None:
    (table,) = run_part("turn", tmp_path / "r.json")
    if not (BUNDLED / "openvino_model.xml").is_file():
        assert "no bundled model" in table["notes"][0]
        return
    assert [row[0] for row in table["rows"]] == [1, 8]
    assert [row[1] for row in table["rows"]] == [1, 8]
    assert all(row[2] > 0 and row[3] >= row[2] for row in table["rows"])


def test_a_policy_decision_and_a_call_through_the_router_are_counted(tmp_path: Path) -> None:
    decisions, calls = run_part("router", tmp_path / "r.json")
    assert len(decisions["rows"]) == 5 and all(row[1] > 0 for row in decisions["rows"])
    assert [row[1] for row in calls["rows"]] == ["in memory", "in memory", "durable", "durable"]
    assert all(row[2] > 0 for row in calls["rows"])

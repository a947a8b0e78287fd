"""Three scores from what was measured, and nothing from what was not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from typer.testing import CliRunner

from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.lab.evals.runs import DataOf, ItemRecord, Metric, RunFolder, RunHead, RunStore, Tokens
from dazi.lab.scorecard import wording as w
from dazi.lab.scorecard.declared import Card, CostOf, Scale, read_card
from dazi.lab.scorecard.document import pdf
from dazi.lab.scorecard.evidence import read_compliance, read_run
from dazi.lab.scorecard.page import html
from dazi.lab.scorecard.plain import as_plain
from dazi.lab.scorecard.scoring import Found, Scorecard, cost_score, scored
from dazi.main.cli import complete
from dazi.main.scorecard import scorecard

COMPLIANCE = {
    "at": "2026-11-30T00:00:00Z",
    "frameworks": [
        {
            "key": "level3",
            "items": [
                {"id": "1", "status": "pass", "title": {"zh": "甲", "en": "A"}},
                {"id": "2", "status": "pass", "title": {"zh": "乙", "en": "B"}},
                {"id": "3", "status": "pass", "title": {"zh": "丙", "en": "C"}},
                {"id": "4", "status": "fail", "title": {"zh": "丁", "en": "D"}},
                {"id": "5", "status": "organisational", "title": {"zh": "戊", "en": "E"}},
            ],
        }
    ],
}


def run(data: Path, name: str, suite: str, metrics: Mapping[str, Metric], done: int = 2) -> str:
    folder = RunFolder(data / "evals" / name)
    folder.write(
        RunHead(
            name, suite, "m", "0", "v", "", DataOf("own", "ab" * 32), "", concurrency=4,
            ended="2026-11-30T00:00:00Z" if done == 2 else "", done=done, of=2, metrics=metrics,
        )
    )  # fmt: skip
    with folder.appending() as items:
        for n in range(2):
            tokens, ms = Tokens(1000, 200 * n), 1000.0 + 2000 * n
            items.add(ItemRecord(f"i{n}", "g", "zh", {}, n == 0, tokens=tokens, ms=ms))
    return name


def share(value: float, half: float = 0.05) -> Metric:
    return Metric(value, value - half, value + half, 100)


def made(tmp_path: Path, **more: Any) -> Scorecard:
    """Two candidates; the second was not measured by one metric and has no compliance report."""
    run(tmp_path, "a", "calls", {"exact": share(0.8), "false": share(0.1), "forbidden": Metric(0)})
    run(tmp_path, "b", "calls", {"exact": share(0.6), "forbidden": Metric(2)})
    (tmp_path / "compliance.json").write_text(json.dumps(COMPLIANCE))
    card = {
        "title": {"zh": "两个候选", "en": "Two candidates"},
        "candidates": [
            {"name": "A<b>", "runs": ["a"], "compliance": "compliance.json",
             "cost": {"api": {"read": 1.0, "written": 4.0}}},
            {"name": "B", "runs": ["b"]},
        ],
        "capability": [
            {"suite": "calls", "metric": "exact", "weight": 2},
            {"suite": "calls", "metric": "false", "lower": True},
        ],
        "must": [{"suite": "calls", "metric": "forbidden", "at_most": 0}],
    }  # fmt: skip
    return scorecard(Card.model_validate(card | more), RunStore(tmp_path), tmp_path)


def test_a_metric_that_one_lacks_counts_for_nobody(tmp_path: Path) -> None:
    s = made(tmp_path)
    assert (s.counted, s.left_out) == (("calls.exact",), ("calls.false",))
    a, b = s.candidates
    assert (a.scores["capability"].value, b.scores["capability"].value) == (0.8, 0.6)
    # What was measured is still shown, and what was not is empty.
    assert a.measured["calls.false"].value == 0.1 and "calls.false" not in b.measured
    assert as_plain(s)["candidates"][1]["measured"]["calls.false"] is None


def test_without_one_of_the_three_there_is_no_overall_score(tmp_path: Path) -> None:
    a, b = made(tmp_path).candidates
    assert a.overall is not None and a.lacking == ()
    assert b.overall is None and b.lacking == ("cost", "compliance")


def test_a_dimension_without_weight_is_not_needed(tmp_path: Path) -> None:
    _, b = made(tmp_path, weights={"capability": 1, "cost": 0, "compliance": 0}).candidates
    assert b.overall is not None and b.overall.value == pytest.approx(0.6)


def test_weights_and_intervals(tmp_path: Path) -> None:
    a, _ = made(tmp_path, weights={"capability": 1, "cost": 0, "compliance": 1}).candidates
    assert a.overall is not None
    assert a.overall.value == pytest.approx((0.8 + 0.75) / 2)
    assert (a.overall.low, a.overall.high) == (pytest.approx(0.75), pytest.approx(0.8))


def test_less_is_better_where_it_is_said(tmp_path: Path) -> None:
    run(tmp_path, "a", "calls", {"exact": share(0.8), "false": share(0.1)})
    card = Card.model_validate(
        {
            "candidates": [{"name": "A", "runs": ["a"]}],
            "capability": [
                {"suite": "calls", "metric": "exact"},
                {"suite": "calls", "metric": "false", "lower": True},
            ],
        }
    )
    (a,) = scorecard(card, RunStore(tmp_path), tmp_path).candidates
    score = a.scores["capability"]
    assert score.value == pytest.approx(0.85)
    # Two errors of 0.05 each, of half the weight and of the same items.
    assert score.high - score.value == pytest.approx(0.05, rel=1e-3)


def test_errors_of_several_runs_are_independent(tmp_path: Path) -> None:
    for name, suite in (("a", "calls"), ("b", "bfcl")):
        run(tmp_path, name, suite, {"exact": share(0.8)})
    card = Card.model_validate(
        {
            "candidates": [{"name": "A", "runs": ["a", "b"]}],
            "capability": [{"suite": s, "metric": "exact"} for s in ("calls", "bfcl")],
        }
    )
    score = scorecard(card, RunStore(tmp_path), tmp_path).candidates[0].scores["capability"]
    assert score.high - score.value == pytest.approx(0.05 / 2**0.5, rel=1e-3)


def test_what_must_hold(tmp_path: Path) -> None:
    a, b = made(tmp_path).candidates
    assert [k.holds for k in a.musts] == [True] and [k.holds for k in b.musts] == [False]
    c = made(tmp_path / "c", must=[{"suite": "calls", "metric": "false", "at_most": 0.5}])
    assert [k.holds for x in c.candidates for k in x.musts] == [True, None]


def test_costs(tmp_path: Path) -> None:
    def cost(spec: dict[str, Any], requests: int = 1000) -> Any:
        card = Card.model_validate(
            {
                "requests": requests,
                "candidates": [{"name": "A", "runs": ["a"], "cost": spec}],
                "capability": [{"suite": "calls", "metric": "exact"}],
            }
        )
        return scorecard(card, RunStore(tmp_path), tmp_path).candidates[0].cost

    run(tmp_path, "a", "calls", {"exact": share(0.8)})
    # 1,000 tokens read at 2 yuan a million, 100 written at 10.
    assert cost({"api": {"read": 2, "written": 10}}).thousand == pytest.approx(3.0)
    # 4 at once, 2 s each: 2 a second, 57,600 in eight hours.
    own = cost({"machine": {"price": 10950, "watts": 0}}, 57_600)
    assert own.machines == 1 and own.thousand == pytest.approx(10950 / (57_600 * 1095) * 1000)
    assert cost({"machine": {"price": 10950, "watts": 0}}, 57_601).machines == 2
    cards = cost({"cards": {"model": "Qwen/Qwen3-14B", "card": "A100-80GB"}})
    assert cards.machines == 1 and cards.assumed["card"] == "A100-80GB"


def test_the_scale_of_costs() -> None:
    scale = Scale(best=1, worst=100)
    assert [cost_score(x, scale) for x in (0.5, 1, 10, 100, 1e6)] == [1, 1, 0.5, 0, 0]


def test_a_run_that_is_not_done_is_refused(tmp_path: Path) -> None:
    run(tmp_path, "a", "calls", {}, 1)
    with pytest.raises(CallerError, match="1 of 2"):
        read_run("a", RunStore(tmp_path), tmp_path)
    run(tmp_path, "c", "calls", {})
    stopped = RunFolder(tmp_path / "evals" / "c")
    stopped.write(replace(stopped.head, ended=""))  # after the last item, before its figures
    with pytest.raises(CallerError, match="not finished, 2 of 2"):
        read_run("c", RunStore(tmp_path), tmp_path)
    with pytest.raises(NotFound, match="no run b"):
        read_run("b", RunStore(tmp_path), tmp_path)


def test_compliance_counts_what_software_answers_for(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(COMPLIANCE))
    found = read_compliance(path, ())
    assert found.score == 0.75 and [f[1] for f in found.failed] == ["4"]
    with pytest.raises(CallerError, match="has no gdpr"):
        read_compliance(path, ("gdpr",))
    path.write_text("{}")
    with pytest.raises(CallerError, match="dazi audit compliance"):
        read_compliance(path, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("candidates: []\ncapability: [{suite: a, metric: b}]", "candidates"),
        ("nonsense: 1", "candidates"),
        ("a: [", "2"),
        (
            "candidates: [{name: A, runs: [a]}, {name: A, runs: [b]}]\n"
            "capability: [{suite: a, metric: b}]",
            "A stands there twice",
        ),
        (
            "candidates: [{name: A, runs: [a]}]\ncapability: [{suite: a, metric: b}]\n"
            "weights: {capability: 0, cost: 0, compliance: 0}",
            "above 0",
        ),
        (
            "candidates: [{name: A, runs: [a]}]\ncapability: [{suite: a, metric: b}]\n"
            "must: [{suite: a, metric: b}]",
            "at_most or at_least",
        ),
        (
            "candidates: [{name: A, runs: [a]}]\ncapability: [{suite: a, metric: ms_p95, lower: true}]",
            "ms_p95 is no share",
        ),
    ],
)
def test_a_card_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_card(path)


def test_one_way_of_reckoning_the_cost() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        CostOf.model_validate({"api": {"read": 1, "written": 1}, "machine": {"price": 1}})


def test_the_page_runs_its_own_script_and_no_other(tmp_path: Path) -> None:
    text = html(made(tmp_path), "en")
    script = re.search(r"<script>(.*?)</script>", text, re.S)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "A<b>" not in text and "A&lt;b&gt;" in text
    assert "level3 4 D" in text
    assert "dazi eval report a" in text and "does not hold" in text
    assert "No overall score: Cost, Compliance not measured." in text


def test_the_document(tmp_path: Path) -> None:
    with pypdfium2.PdfDocument(pdf(made(tmp_path), "zh")) as read:
        text = "".join(page.get_textpage().get_text_bounded() for page in read)
    assert "两个候选" in text and "80.0%" in text and "没有总分" in text


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path))
    monkeypatch.setenv("DAZI_LANG", "en")
    run(tmp_path, "a", "calls", {"exact": share(0.8)})
    card = tmp_path / "card.yaml"
    card.write_text(
        "title: Mine\ncandidates: [{name: A, runs: [a]}]\ncapability: [{suite: calls, metric: exact}]\n"
    )
    out = tmp_path / "out"
    given = ["eval", "3c", str(card), "--out", str(out), "--weights", "1,0,0"]
    done = CliRunner().invoke(complete(), given)
    assert done.exit_code == 0, done.output
    assert "A: Overall 80.0 [75.0, 85.0]" in done.output
    assert json.loads((out / "3c.json").read_text())["weights"]["cost"] == 0
    assert (out / "3c.pdf").read_bytes().startswith(b"%PDF") and (out / "3c.html").is_file()
    wrong = CliRunner().invoke(complete(), ["eval", "3c", str(card), "--weights", "1,x,0"])
    assert wrong.exit_code != 0


def test_how_fast_a_request_fails_is_no_pace(tmp_path: Path) -> None:
    run(tmp_path, "a", "calls", {})
    before = read_run("a", RunStore(tmp_path), tmp_path).use
    with RunFolder(tmp_path / "evals" / "a").appending() as items:
        items.add(ItemRecord("i2", "g", "zh", {}, False, ms=1.0, error="down"))
    assert read_run("a", RunStore(tmp_path), tmp_path).use == before


def test_a_bound_of_money_or_time_is_no_share(tmp_path: Path) -> None:
    run(tmp_path, "a", "calls", {"exact": share(0.8), "cost": Metric(0.03)})
    card = Card.model_validate(
        {
            "candidates": [{"name": "A", "runs": ["a"]}],
            "capability": [{"suite": "calls", "metric": "exact"}],
            "must": [{"suite": "calls", "metric": "cost", "at_most": 0.05}],
        }
    )
    (a,) = scorecard(card, RunStore(tmp_path), tmp_path).candidates
    assert w.must(a.musts[0], "en") == "calls.cost <= 0.05: holds (0.03)"


def test_it_says_where_candidates_were_not_asked_the_same(tmp_path: Path) -> None:
    assert made(tmp_path).unlike == ()
    other = RunFolder(tmp_path / "evals" / "b")
    for change in ({"data": DataOf("own", "cd" * 32)}, {"limit": 10}):
        kept = other.head
        other.write(replace(kept, **change))  # type: ignore[arg-type]
        found = [Found("A", (read_run("a", RunStore(tmp_path), tmp_path),), None, None)]
        found += [Found("B", (read_run("b", RunStore(tmp_path), tmp_path),), None, None)]
        s = scored(made(tmp_path / "c").card, found, "")
        assert s.unlike == ("calls.exact",)
        assert "Not the same items: calls.exact" in html(s, "en")
        assert [m["same_items"] for m in as_plain(s)["metrics"]] == [False, True]
        other.write(kept)


def test_weights_that_are_moved_begin_where_the_file_has_them(tmp_path: Path) -> None:
    weights = {"capability": 500, "cost": 33.3, "compliance": 30}
    text = html(made(tmp_path, weights=weights), "en")
    assert text.count('max="500" step="any"') == 3
    assert all(f'value="{v}"' in text for v in weights.values())


def test_costs_are_reckoned_by_a_suite_that_all_have(tmp_path: Path) -> None:
    for name, suite in (("a", "agent"), ("b", "calls"), ("c", "calls")):
        run(tmp_path, name, suite, {"exact": share(0.8)})
    api = {"api": {"read": 1, "written": 1}}
    card = Card.model_validate(
        {
            "candidates": [
                {"name": "A", "runs": ["a", "b"], "cost": api},
                {"name": "B", "runs": ["c"], "cost": api},
            ],
            "capability": [{"suite": "calls", "metric": "exact"}],
        }
    )
    found = scorecard(card, RunStore(tmp_path), tmp_path).candidates
    assert [c.cost.run for c in found if c.cost] == ["b", "c"]

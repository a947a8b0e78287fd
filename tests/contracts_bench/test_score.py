"""The scorer counts right, by reviewers who know the truth, nothing, or something else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.contracts import run
from bench.contracts.blocks import FIELDS
from bench.contracts.matching import overlap, right
from bench.contracts.score import KINDS, score
from tests.contracts_bench.conftest import Truth


def plant(kind: str, page: int | None, quote: str = "", **about: Any) -> dict[str, Any]:
    places = [{"page": page, "quote": quote}] if quote else []
    base = {
        "kind": kind,
        "topic": kind,
        "severity_min": "medium",
        "page": page,
        "quote": quote or None,
    }
    return base | {"places": places, "words": []} | about


def contract(*plants: dict[str, Any], file: str = "a.pdf") -> dict[str, Any]:
    fields = dict.fromkeys(FIELDS) | {"payment_days": 30, "currency": "CNY"}
    return {
        "file": file, "language": "zh", "format": "pdf", "ocr": False, "noise": False,
        "clean": not plants, "plants": list(plants), "fields": fields,
    }  # fmt: skip


def finding(kind: str, page: int | None, quote: str, **about: Any) -> dict[str, Any]:
    base = {"rule": "r", "kind": kind, "severity": "medium", "page": page, "quote": quote}
    return base | {"message": "", "suggestion": ""} | about


LATE = "验收合格并收到发票后90日内付清其余货款"
FREE = "运至交货地点的运费和保险费由卖方承担"
GONE = plant("missing", None, words=["不可抗力", "force majeure"])


def perfect(truth: Truth) -> dict[str, dict[str, Any]]:
    """What a reviewer would say who knew the truth."""
    out = {}
    for one in truth:
        fields = {
            name: value["any_of"][0] if isinstance(value, dict) else value
            for name, value in one["fields"].items()
        }
        findings = [
            finding(p["kind"], p["page"], p["quote"] or "", severity=p["severity_min"], message=" ".join(p["words"]))
            for p in one["plants"]
        ]  # fmt: skip
        out[one["file"]] = {"findings": findings, "fields": fields}
    return out


def test_perfect_answers_are_counted_as_such(made: tuple[Path, Truth]) -> None:
    _, truth = made
    report = score(perfect(truth), truth)
    tally = report.tally()
    assert tally.planted > 20
    assert tally.found == tally.severe == tally.located == tally.planted
    assert (tally.recall, tally.precision, tally.false_alarms) == (1, 1, 0)
    assert all(right == asked for right, asked in report.fields().values())
    clean = sum(one["clean"] for one in truth)
    assert report.clean() == (clean, clean)
    for kind in KINDS:
        assert report.tally(kind).recall == 1
    by_language = [report.tally(language=language).planted for language in ("zh", "en")]
    assert sum(by_language) == tally.planted and all(by_language)


def test_no_answers_find_nothing(made: tuple[Path, Truth]) -> None:
    _, truth = made
    report = score({}, truth)
    assert report.tally().recall == 0
    assert report.tally().precision is None
    assert all(right == 0 for right, _ in report.fields().values())
    assert report.clean()[0] == 0


def test_noise_lowers_precision_only(made: tuple[Path, Truth]) -> None:
    _, truth = made
    answers = perfect(truth)
    for answer in answers.values():
        answer["findings"].append(finding("policy", 1, "此处并无这样的文字也无任何问题"))
    tally = score(answers, truth).tally()
    loud = sum(p["severity_min"] != "low" for one in truth for p in one["plants"])
    assert (tally.recall, tally.false_alarms) == (1, len(truth))
    assert tally.precision == loud / (loud + len(truth)) < 1


def test_low_findings_count_for_recall_and_never_against_precision() -> None:
    truth = [contract(plant("policy", 3, LATE))]
    low = [finding("policy", 3, LATE, severity="low"), finding("policy", 9, FREE, severity="low")]
    tally = score({"a.pdf": {"findings": low}}, truth).tally()
    assert (tally.found, tally.severe, tally.false_alarms, tally.precision) == (1, 0, 0, None)


@pytest.mark.parametrize(
    ("told", "found", "false_alarms"),
    [
        (finding("policy", 3, LATE), 1, 0),
        (finding("policy", 2, "收到发票后 ９０ 日内付清"), 1, 0),
        (finding("policy", 4, f"3.2 {LATE}。逾期的支付违约金。"), 1, 0),
        (finding("policy", 5, LATE), 0, 1),
        (finding("policy", None, LATE), 0, 1),
        (finding("policy", 3, "验收合格后双方另行协商"), 0, 1),
        (finding("policy", 3, ""), 0, 1),
        (finding("deviation", 3, LATE), 0, 0),
        (finding("policy", 3, LATE, severity="dreadful"), 1, 0),
        (finding("policy", 5, LATE, severity="dreadful"), 0, 1),
    ],
)
def test_kind_page_and_quote_decide(told: dict[str, Any], found: int, false_alarms: int) -> None:
    tally = score({"a.pdf": {"findings": [told]}}, [contract(plant("policy", 3, LATE))]).tally()
    assert (tally.found, tally.false_alarms) == (found, false_alarms)


def test_a_kind_that_is_as_right_is_found() -> None:
    truth = [contract(plant("policy", 3, LATE, also=["deviation"]))]
    for kind, found in (("policy", 1), ("deviation", 1), ("reference", 0)):
        tally = score({"a.pdf": {"findings": [finding(kind, 3, LATE)]}}, truth).tally()
        assert (tally.found, tally.false_alarms) == (found, 0)


def test_another_kinds_view_is_located_but_not_found() -> None:
    answers = {"a.pdf": {"findings": [finding("deviation", 3, LATE)]}}
    tally = score(answers, [contract(plant("policy", 3, LATE))]).tally()
    assert (tally.found, tally.located) == (0, 1)


def test_several_findings_on_one_plant_count_once() -> None:
    answers = {"a.pdf": {"findings": [finding("policy", 3, LATE)] * 5}}
    tally = score(answers, [contract(plant("policy", 3, LATE), plant("policy", 8, FREE))]).tally()
    assert (tally.found, tally.loud, tally.precision, tally.recall) == (1, 1, 1, 0.5)


def test_one_finding_hits_one_plant() -> None:
    both = [plant("deviation", 3, LATE), plant("deviation", 3, FREE)]
    answers = {"a.pdf": {"findings": [finding("deviation", 3, f"{LATE}；{FREE}")]}}
    tally = score(answers, [contract(*both)]).tally()
    assert (tally.found, tally.located) == (1, 2)


def test_either_side_of_a_contradiction_will_do() -> None:
    places = [{"page": 2, "quote": LATE}, {"page": 9, "quote": FREE}]
    truth = [contract(plant("contradiction", 2, LATE, places=places))]
    for page, quote in ((2, LATE), (9, FREE)):
        answers = {"a.pdf": {"findings": [finding("contradiction", page, quote)]}}
        assert score(answers, truth).tally().found == 1
    answers = {"a.pdf": {"findings": [finding("contradiction", 9, LATE)]}}
    assert score(answers, truth).tally().found == 0


@pytest.mark.parametrize(
    ("told", "found", "false_alarms"),
    [
        (finding("missing", None, "", message="模板中的不可抗力条款不见了"), 1, 0),
        (finding("missing", 4, "", message="no clause on Force  Majeure"), 1, 0),
        (finding("missing", None, "", rule="force_majeure"), 1, 0),
        (finding("missing", None, "", message="缺少保密条款"), 0, 1),
        (finding("policy", None, "", message="没有约定不可抗力"), 0, 0),
        (finding("deviation", 3, FREE, message="不可抗力"), 0, 1),
    ],
)
def test_what_is_missing_is_hit_by_its_name(
    told: dict[str, Any], found: int, false_alarms: int
) -> None:
    tally = score({"a.pdf": {"findings": [told]}}, [contract(GONE)]).tally()
    assert (tally.found, tally.false_alarms) == (found, false_alarms)


def test_a_replaced_clause_may_be_called_missing() -> None:
    truth = [contract(plant("policy", 3, LATE, words=["责任上限"]))]
    told = finding("missing", None, "", message="没有责任上限")
    tally = score({"a.pdf": {"findings": [told]}}, truth).tally()
    assert (tally.found, tally.located, tally.false_alarms) == (0, 1, 0)


def test_in_word_files_pages_do_not_count() -> None:
    truth = [contract(plant("policy", None, LATE))]
    assert score({"a.pdf": {"findings": [finding("policy", None, LATE)]}}, truth).tally().found == 1


def test_a_clean_contract_with_a_medium_finding_is_not_clean() -> None:
    truth = [contract(file="a.pdf"), contract(file="b.pdf")]
    loud = {"findings": [finding("deviation", 1, LATE)]}
    assert score({"a.pdf": loud, "b.pdf": {"findings": []}}, truth).clean() == (1, 2)


def test_quotes_that_share_common_words_only_do_not_overlap() -> None:
    one = "Neither party shall assign its rights without the written consent of the other party"
    other = "The other party shall pay within thirty days of the written notice of the parties"
    assert not overlap(one, other)
    assert overlap(one, "shall assign its rights without the written consent")
    assert overlap("第 9O 条违约金", "第9O条违约金为")


@pytest.mark.parametrize(
    ("name", "told", "true", "expected"),
    [
        ("payment_days", 30, 30, True),
        ("payment_days", 30.0, 30, True),
        ("payment_days", "30", 30, False),
        ("payment_days", None, 30, False),
        ("payment_days", 30, None, False),
        ("payment_days", None, None, True),
        ("payment_days", 45, {"any_of": [30, 45]}, True),
        ("liability_cap", None, {"any_of": [100, None]}, True),
        ("liability_cap", 100, {"any_of": [100, None]}, True),
        ("liability_cap", 50, {"any_of": [100, None]}, False),
        ("total_amount", 120000.0, 120000, True),
        ("total_amount", 120001, 120000, False),
        ("currency", "RMB", "CNY", True),
        ("currency", "USD", "CNY", False),
        ("start_date", "2025-01-06", "2025-01-06", True),
        ("party_a", "云杉商贸 有限公司", "云杉商贸有限公司", True),
        ("party_a", "Yunshan Trading Co Ltd", "Yunshan Trading Co., Ltd.", True),
        ("party_a", "云杉商贸", "云杉商贸有限公司", False),
        ("governing_law", "中华人民共和国法律", {"any_of": ["中华人民共和国", "PRC"]}, True),
        (
            "governing_law",
            "中华人民共和国香港特别行政区",
            {"any_of": ["中华人民共和国", "PRC"]},
            False,
        ),
        ("governing_law", "Singapore", {"any_of": ["中华人民共和国", "PRC"]}, False),
        ("seat", "Shanghai", {"any_of": ["Shanghai Arbitration Commission", "Shanghai"]}, True),
        ("seat", "杭州", {"any_of": ["上海仲裁委员会", "上海"]}, False),
    ],
)
def test_fields_are_right_or_wrong(name: str, told: object, true: object, expected: bool) -> None:
    assert right(name, told, true) is expected


def test_a_command_is_run_over_the_files_and_its_failures_are_counted(
    made: tuple[Path, Truth],
) -> None:
    folder, truth = made
    answers = folder / "answers.json"
    answers.write_text(json.dumps(perfect(truth), ensure_ascii=False), "utf-8")
    script = (
        "import json, sys; told = json.load(open(sys.argv[1]))"
        "['/'.join(sys.argv[2].split('/')[-2:])]; print(json.dumps(told)); sys.exit(1)"
    )
    command = [sys.executable, "-c", script, str(answers), "{file}"]
    told = run.review(command, folder, truth[1])
    assert told.answer is not None
    broken = run.review([sys.executable, "-c", "print('no JSON')"], folder, truth[0])
    assert (broken.answer, broken.why) == (None, "no JSON")
    report = score({truth[1]["file"]: told.answer, truth[0]["file"]: broken.answer}, truth[:2])
    faults, fields = run.tables(report, [told.seconds, broken.seconds])
    assert "without an answer: 1." in faults.notes[1]
    by_name = {row[0]: row for row in faults.rows}
    assert by_name["all"][1] == len(truth[0]["plants"]) + len(truth[1]["plants"])
    assert by_name["all"][2] == len(truth[1]["plants"])
    assert fields.rows[-1][-1] == f"{len(FIELDS)}/{2 * len(FIELDS)}"
    told_in_full = run.details(report)
    missed, found = told_in_full["contracts"]
    assert sum(of for _, of in told_in_full["topics"].values()) == by_name["all"][1]
    assert len(missed["missed"]) == len(truth[0]["plants"])
    assert found["missed"] == [] and found["wrong_fields"] == {}


def test_the_table_is_printed_and_written_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.md"
    monkeypatch.setattr(run, "RESULTS", results)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    nothing = f"{sys.executable} -c 'print(chr(123) + chr(125))' {{file}}"
    asked = ["--n", "2", "--seed", "3", "--short", "--command", nothing]
    assert run.main([*asked, "--folder", str(tmp_path / "kept")]) == 0
    assert not results.exists()
    assert (tmp_path / "kept" / "truth.json").is_file()
    assert run.main([*asked, "--write"]) == 0
    said = capsys.readouterr().out
    assert "Contracts: 2; without an answer: 0." in said
    assert "Contracts: 2; without an answer: 0." in results.read_text("utf-8")
    assert "--n 2 --seed 3 --short" in results.read_text("utf-8")

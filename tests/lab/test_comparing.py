"""Two runs, item by item, and what a second one must not lose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dazi.core.errors import CallerError, ConfigError
from dazi.lab.evals.comparing import Comparison, compare
from dazi.lab.evals.figures import groups_of, metrics_of, scored
from dazi.lab.evals.gates import judged, read_gates
from dazi.lab.evals.runs import ItemRecord, Metric, RunFolder
from dazi.ops.experiments.sequential import mcnemar
from tests.lab.test_runs import HEAD


def made(folder: Path, rights: str, talks: str = "", **more: object) -> RunFolder:
    """A run with an item for each character: ``1`` right, ``0`` wrong, ``-`` not in it. ``talks``: the
    conversation of each."""
    run = RunFolder(folder)
    records = [
        ItemRecord(
            f"i{n}",
            f"g{n % 2}",
            "zh",
            {"exact": float(x == "1"), "never": None, "partial": 0.5 if x == "1" else 0.25},
            x == "1",
            ms=100.0 + n,
            conversation=talks[n] if talks else "",
        )
        for n, x in enumerate(rights)
        if x != "-"
    ]
    with run.appending() as into:
        for record in records:
            into.add(record)
    found = scored(records)
    head = replace(
        HEAD,
        id=folder.name,
        ended="now",
        done=len(found),
        of=len(found),
        metrics=metrics_of(found),
        groups=groups_of(found),
        **more,
    )
    run.write(head)
    return run


def test_what_turned_right_and_what_turned_wrong(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "a", "1110001111"), made(tmp_path / "b", "1101101111"))
    assert (found.gained, found.lost) == (("i3", "i4"), ("i2",))
    exact = found.of("exact")
    assert exact is not None and (exact.n, exact.gained, exact.lost) == (10, 2, 1)
    assert exact.method == "newcombe" and exact.gap == pytest.approx(0.1)
    assert exact.p == mcnemar(1, 2) and exact.low < 0 < exact.high
    assert found.of("never") is None
    partial = found.of("partial")
    assert partial is not None and partial.method == "bootstrap"
    even = found.of("exact", "g0")
    assert even is not None and even.n == 5 and (even.gained, even.lost) == (1, 1)
    assert found.ms == 0 and not found.notes


def test_items_of_one_conversation_are_drawn_together(tmp_path: Path) -> None:
    rights, talks = ("1" * 20 + "0" * 20, "0" * 20 + "1" * 20), "aaaaaaaaaabbbbbbbbbb" * 2
    alone = compare(made(tmp_path / "a", rights[0]), made(tmp_path / "b", rights[1]))
    pairs = made(tmp_path / "c", rights[0], talks), made(tmp_path / "d", rights[1], talks)
    together = compare(*pairs)
    one, two = alone.of("exact"), together.of("exact")
    assert one is not None and two is not None
    assert (one.method, two.method) == ("newcombe", "bootstrap")
    assert together == compare(*pairs)


def test_it_says_what_does_not_compare(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a", "110"), made(tmp_path / "b", "-10", company="other")
    second.write(replace(second.head, ended=""))
    told = " ".join(n.en for n in compare(first, second).notes)
    assert all(w in told for w in ("declarations differ", "not finished", "1 items"))
    with pytest.raises(CallerError, match="no item in common"):
        compare(first, made(tmp_path / "c", "---1"))


def held(tmp_path: Path, text: str, comparison: Comparison) -> list[tuple[bool, str]]:
    path = tmp_path / "gates.yaml"
    path.write_text(text, "utf-8")
    return [(g.passed, g.text("en")) for g in judged(read_gates(path), comparison)]


def test_gates(tmp_path: Path) -> None:
    worse = compare(made(tmp_path / "a", "1" * 40), made(tmp_path / "b", "1" * 38 + "00"))
    results = held(
        tmp_path,
        """
gates:
  - {metric: exact, drops_at_most: 0.05}
  - {metric: exact, drops_at_most: 0.02}
  - {metric: exact, drops_at_most: 0.05, by: bound}
  - {metric: exact, drops_at_most: 0.02, by: proven}
  - {metric: exact, drops_at_most: 0.1, group: g0}
  - {metric: exact, at_least: 0.9}
  - {metric: exact, at_least: 0.9, by: bound}
  - {metric: exact, at_most: 0.9}
  - {metric: ms_p50, grows_at_most: 0.1}
  - {metric: forbidden_executed, at_most: 0}
""",
        worse,
    )
    passed = [p for p, _ in results]
    assert passed == [True, False, False, True, True, True, False, False, True, False]
    assert results[1][1] == "exact: drops by 0.05, at most 0.02"
    assert "worse end" in results[2][1] and "not measured" in results[9][1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gates: []", "no gate"),
        ("gates: [{metric: x}]", "needs one of"),
        ("gates: [{metric: x, at_most: 1, at_least: 0}]", "needs one of"),
        ("gates: [{metrik: x, at_most: 1}]", "metrik"),
        ("gates: [{metric: x, at_most: 1, by: luck}]", "luck"),
        ("gates: {", "no file of gates"),
    ],
)
def test_a_file_of_gates_that_is_none_says_why(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "g.yaml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_gates(tmp_path / "g.yaml")


def test_gates_of_one_language_and_of_what_was_nothing(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a", "1111"), made(tmp_path / "b", "1110")
    for run in (first, second):
        records = [replace(r, language="en" if r.id == "i3" else "zh") for r in run.records()]
        (run.path / "items.jsonl").unlink()
        with run.appending() as into:
            for record in records:
                into.add(record)
    results = held(
        tmp_path,
        """
gates:
  - {metric: exact, drops_at_most: 0, group: "[zh]"}
  - {metric: exact, drops_at_most: 0, group: "[en]"}
  - {metric: errors, grows_at_most: 0}
""",
        compare(first, second),
    )
    assert [p for p, _ in results] == [True, False, True], results
    head = second.head
    second.write(replace(head, metrics={**head.metrics, "errors": Metric(2.0, n=4)}))
    ((passed, told),) = held(
        tmp_path, "gates: [{metric: errors, grows_at_most: 9}]", compare(first, second)
    )
    assert not passed and "not measured" not in told

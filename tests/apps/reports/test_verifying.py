"""A number that nothing binds is never rendered."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bench.report_mutations import Counts, caught, count, mutations
from dazi.apps.reports import verifying
from dazi.apps.reports.expressions import Scope
from dazi.apps.reports.numerals import scan
from dazi.apps.reports.rendering import FORMATS, rendered
from dazi.apps.reports.result import Bound, Paragraph, Run, as_json, of_json
from dazi.apps.reports.templates import filled, template_of
from dazi.apps.reports.verifying import paragraphs, unbound, verify
from dazi.core.errors import OperatorError
from dazi.core.language import Language

Runs = dict[tuple[str, Language], Run]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("2025年3月销售额1,614.98万元", ["2025", "3", "1614.98万"]),
        ("环比 -3.1%,同比＋12.50％", ["-3.1%", "+12.50%"]),
        (
            "占三成,第一,百分之十二,翻倍",
            ["hanzi:三成", "hanzi:一", "percent:百分之十二", "word:翻倍"],
        ),
        ("进一步统一口径(单位:万元),一般不变", []),
        ("SKU-1001、iPhone 15、①、½", ["code:sku-1001", "15", "1", "sign:½"]),
        (
            "In March 2025 two regions rose by a third",
            ["month:March", "2025", "word:two", "word:third"],
        ),
        ("It may rise; May 2025", ["month:May", "2025"]),
    ],
)
def test_numbers_are_found_however_they_are_written(text: str, keys: list[str]) -> None:
    assert [n.key for n in scan(text)] == keys


def test_separators_do_not_make_another_number_but_digits_and_scales_do() -> None:
    def key(text: str) -> str:
        return scan(text)[0].key

    assert key("1,234.50") == key("1234.50")
    assert len({key(t) for t in ("1234.5", "1234.5万", "-1234.5", "1234.5%", "1234.6")}) == 5


def test_all_that_the_built_in_reports_say_is_bound(runs: Runs) -> None:
    for run in runs.values():
        verify(run)
        assert any(scan(p.text) for p in paragraphs(run)), run.report


def test_whatever_number_is_altered_it_is_caught(runs: Runs) -> None:
    """Every third alteration of every number; ``bench/reports.py`` tries them all."""
    counted = count(runs.values(), every=3)
    assert counted.missed == []
    assert counted.numbers > 300
    assert sum(counted.tried.values()) > 10 * counted.numbers
    assert {"another digit", "a digit less", "a digit more", "another scale",
            "another month", "a number more"} <= set(counted.tried)  # fmt: skip


def test_the_harness_notices_a_check_that_is_broken(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "scan", lambda text: [])
    missed = {kind for kind, _ in count([runs["monthly-sales", "zh"]]).missed}
    assert "a number more" in missed
    lenient = count([runs["monthly-sales", "zh"]], check=lambda p, language: False)
    assert len(lenient.missed) == sum(lenient.tried.values())


@pytest.mark.parametrize("format", FORMATS)
def test_no_file_is_made_of_a_report_with_an_altered_number(sales: Run, format: str) -> None:
    section = sales.sections[0]
    first = section.paragraphs[0]
    _, text = next(mutations(first.text, "zh"))
    altered = replace(section, paragraphs=(replace(first, text=text), *section.paragraphs[1:]))
    bad = replace(sales, sections=(altered, *sales.sections[1:]))
    with pytest.raises(OperatorError) as raised:
        rendered(bad, format)  # type: ignore[arg-type]
    assert raised.value.code == "unbound_number"
    assert "所在句子" in raised.value.text.zh and "月销售额" in raised.value.text.zh


def test_a_value_that_is_no_longer_what_the_text_says_is_caught(sales: Run) -> None:
    """Of a report that was kept: its text against its data."""
    kept = of_json(as_json(sales))
    assert kept == sales
    section = kept.sections[0]
    first = section.paragraphs[0]
    bound = tuple(
        replace(b, value=b.value + 10_000) if isinstance(b.value, Decimal) else b
        for b in first.bound
    )
    altered = replace(section, paragraphs=(replace(first, bound=bound),))
    with pytest.raises(OperatorError, match="is bound to nothing"):
        verify(replace(kept, sections=(altered,)))


def test_a_figure_and_its_unit_may_come_from_two_places_but_a_unit_may_not_be_made_up() -> None:
    number = Bound(0, 5, "v", "integer", Decimal(1234), "1,234", ("v",))
    unit = Bound(6, 8, "u", "text", "万元", "万元", ("u",))
    assert unbound("1,234 万元", (number, unit), "zh") is None
    assert unbound("1,234 万元", (number,), "zh") is not None
    assert unbound("-1,234", (replace(number, start=1, end=6),), "zh") is not None


def test_notes_below_tables_are_checked_as_well(costs: Run) -> None:
    table = next(t for t in costs.tables if t.notes)
    note = table.notes[0]
    changed = replace(table, notes=(Paragraph(note.text.replace("20.0%", "25.0%"), note.bound),))
    assert changed != table
    with pytest.raises(OperatorError):
        verify(replace(costs, tables=(changed,)))


def test_signs_are_part_of_their_numbers() -> None:
    text, bound = filled(template_of("环比 {v|change},z 分数 {z|number}"), SIGNED, "zh")
    counted = count_of(Paragraph(text, bound))
    assert counted.tried["sign turned"] == counted.tried["sign gone"] == 2
    assert counted.missed == []


SIGNED = Scope({"v": Decimal("0.123"), "z": Decimal("-4.87")})


def count_of(paragraph: Paragraph) -> Counts:
    out = Counts()
    for kind, text in mutations(paragraph.text, "zh"):
        out.tried[kind] += 1
        if not caught(replace(paragraph, text=text), "zh"):
            out.missed.append((kind, text))
    return out

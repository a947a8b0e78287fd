"""Wordings of one meaning say the same, and faults are chosen as they should be."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
import yaml

from bench.contracts import deal, draft, figures, layout, pages, plan, texts
from bench.contracts.generate import POLICY
from bench.contracts.score import KINDS

_UNIT = r"(?=(?:个)?(?:日|天|年|月|份|小时|工作日))"
_HANZI = {figures.hanzi(n): n for n in range(2, 100)} | {"两": 2}
_WORDS = {figures.words(n): n for n in range(2, 100)}


def numbers(text: str) -> set[str]:
    """All numbers of a wording but one, as 30, 三十日 and "thirty (30)" are the same."""
    text = re.sub(r"\{[^}]*\}", lambda m: f" {m[0].strip('{}#,')} ", text)
    found = set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<![\d.])\d+\)|[a-z_]+\.1\b", "", text)))
    found |= {
        str(_HANZI[m])
        for m in re.findall(rf"[一二三四五六七八九十两]+{_UNIT}", text)
        if m in _HANZI
    }
    found |= {str(_WORDS[m]) for m in re.findall(r"[a-z]+(?:-[a-z]+)?", text) if m in _WORDS}
    return found - {"1"}


def slots(text: str) -> set[str]:
    found = re.findall(r"\{([@%]?[a-z_]+(?:\.[a-z_]+)?)[#+,]?\}", text)
    return {name for name in found if name not in {"us", "them", "price"}}


@pytest.mark.parametrize("name", texts.names())
def test_wordings_of_a_paragraph_say_the_same(name: str) -> None:
    """Rewording changes no number, no value and no reference."""
    for clause in texts.kind(name).clauses:
        assert len(set(clause.titles)) >= 3
        for paragraph in clause.paragraphs:
            first, *others = paragraph.says
            assert others, f"{clause.id}.{paragraph.id} has one wording"
            for other in others:
                assert numbers(other) == numbers(first), other
                assert slots(other) == slots(first), other


@pytest.mark.parametrize("name", texts.names())
def test_each_plant_has_four_wordings_and_policy_plants_name_a_rule(name: str) -> None:
    kind = texts.kind(name)
    rules = {rule["id"] for rule in yaml.safe_load(POLICY.read_text("utf-8"))["rules"]}
    for option in plan.options(kind):
        if option.plant is not None and option.plant.kind != "contradiction":
            assert option.paragraph is not None
            assert len(set(option.plant.says or option.paragraph.says)) >= 4, option.topic
            assert option.plant.values or not set(option.plant.says) & set(option.paragraph.says)
        if option.inserted is not None:
            assert len(set(option.inserted.says)) >= 4, option.topic
        assert option.kind in KINDS
        assert option.kind != "policy" or option.topic in rules


@pytest.mark.parametrize("name", texts.names())
def test_every_fault_of_a_kind_can_be_planted_alone(name: str) -> None:
    kind = texts.kind(name)
    for number, option in enumerate(plan.options(kind)):
        rng = Random(number)
        contract = draft.contract(kind, deal.make(kind, rng), [option], rng)
        (fault,) = contract.faults
        assert (fault.kind, fault.topic) == (option.kind, option.topic)
        text = "\n".join(" ".join([b.text, *map(" ".join, b.rows)]) for b in contract.blocks)
        text += "".join(text for _, text in contract.annexed)
        assert all(pages.bare(quote) in pages.bare(text) for quote in fault.quotes)
        assert bool(fault.quotes) == (fault.kind != "missing")
        assert fault.kind not in {"missing"} or fault.words
        assert "{" not in text and "____" not in text


def test_faults_that_get_in_each_others_way_are_not_planted_together() -> None:
    kind = texts.kind("sales.zh")
    by = {option.topic: option for option in plan.options(kind)}
    assert by["no_law"].bars(by["seat_abroad"])
    assert by["payment_terms"].bars(by["payment_term"])
    assert by["seat_abroad"].bars(by["jurisdiction_counterparty"])
    assert not by["seat_abroad"].bars(by["payment_term"])


def test_a_missing_clause_is_referred_to_by_no_other() -> None:
    for name in texts.names():
        kind = texts.kind(name)
        said = " ".join(
            text for c in kind.clauses for p in c.paragraphs
            for text in (*p.says, *(text for plant in p.plants for text in plant.says))
        )  # fmt: skip
        for clause in kind.clauses:
            assert not (clause.removable and f"{{@{clause.id}" in said), clause.id


@pytest.mark.parametrize("name", texts.names())
def test_in_the_long_run_every_fault_gets_its_turn(name: str) -> None:
    kind, used, rng = texts.kind(name), Counter[str](), Random(1)
    chosen = [option for _ in range(40) for option in plan.choose(kind, 4, used, rng)]
    times = Counter((option.kind, option.topic) for option in chosen)
    assert set(times) == {(option.kind, option.topic) for option in plan.options(kind)}
    assert max(times.values()) <= 3 * min(times.values())


def test_movable_clauses_move_and_no_other_does() -> None:
    kind = texts.kind("service.zh")
    fixed = [clause.id for clause in kind.clauses if not clause.movable]
    orders = set()
    for seed in range(10):
        order = [clause.id for clause in plan.arranged(kind, [], Random(seed))]
        orders.add(tuple(order))
        assert sorted(order) == sorted(clause.id for clause in kind.clauses)
        assert [name for name in order if name in fixed] == fixed
    assert len(orders) > 5


def test_a_paragraph_that_moves_is_neither_lost_nor_doubled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = texts.kind("sales.zh")
    monkeypatch.setattr(draft, "ADDED", 0.0)
    monkeypatch.setattr(layout, "JOINED", 0.0)
    texts_in_all, in_the_last = [], []
    for share in (0.0, 1.0):
        monkeypatch.setattr(layout, "MOVED", share)
        contract = draft.contract(kind, deal.make(kind, Random(1)), [], Random(1))
        kinds = [block.kind for block in contract.blocks]
        *_, last, annex_list = [at for at, block in enumerate(kinds) if block == "heading"]
        texts_in_all.append(kinds.count("text"))
        in_the_last.append(kinds[last:annex_list].count("text"))
    assert texts_in_all[1] == texts_in_all[0]
    assert in_the_last[1] == in_the_last[0] + 1


def test_paragraphs_may_stand_under_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = texts.kind("software.en")
    monkeypatch.setattr(draft, "ADDED", 0.0)
    monkeypatch.setattr(layout, "MOVED", 0.0)
    lengths = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(layout, "JOINED", share)
        contract = draft.contract(kind, deal.make(kind, Random(1)), [], Random(1))
        lengths.append(sum(block.kind == "text" for block in contract.blocks))
        late = re.findall(r"(\d+)\.(\d+) [^\n]*?0\.05%", "\n".join(b.text for b in contract.blocks))
        assert late == [(late[0][0], "1" if share else "2")]
    assert lengths[1] < lengths[0] - 5


@pytest.mark.parametrize(
    ("amount", "zh", "en"),
    [
        (180_000, "壹拾捌万元整", "one hundred and eighty thousand"),
        (
            1_203_050,
            "壹佰贰拾万叁仟零伍拾元整",
            "one million two hundred and three thousand and fifty",
        ),
        (40_307, "肆万零叁佰零柒元整", "forty thousand three hundred and seven"),
        (2_000_600, "贰佰万零陆佰元整", "two million six hundred"),
    ],
)
def test_sums_in_words(amount: int, zh: str, en: str) -> None:
    assert figures.formal(amount) == zh
    assert figures.words(amount) == en


@pytest.mark.parametrize(
    ("number", "said"), [(10, "十"), (15, "十五"), (60, "六十"), (105, "一百零五")]
)
def test_numbers_in_hanzi(number: int, said: str) -> None:
    assert figures.hanzi(number) == said

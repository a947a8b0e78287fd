"""What is planted is a fault, and the fields tell what the text says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest

from bench.contracts import deal, draft, figures, layout, pages, plan, texts
from bench.contracts.blocks import Draft
from bench.contracts.matching import right

_HANZI = {figures.hanzi(n): n for n in range(2, 100)}


def planted(name: str, topic: str, seed: int) -> tuple[deal.Deal, Draft]:
    """With one fault, or with none where the topic is empty."""
    kind, rng = texts.kind(name), Random(seed)
    one = deal.make(kind, rng)
    chosen = [rng.choice([o for o in plan.options(kind) if o.topic == topic])] if topic else []
    return one, draft.contract(kind, one, chosen, rng)


def items_and_total(contract: Draft) -> tuple[float, float]:
    (rows,) = [block.rows for block in contract.blocks if block.kind == "table"]
    _, *items, last = [row[-1] for row in rows]
    return sum(float(item.replace(",", "")) for item in items), float(last.replace(",", ""))


PRICED = [name for name in texts.names() if texts.kind(name).total]


@pytest.mark.parametrize("name", PRICED)
@pytest.mark.parametrize("seed", range(3))
def test_items_make_up_the_total_unless_that_is_the_fault(name: str, seed: int) -> None:
    for topic in ("", "words_figures", "dates"):
        one, contract = planted(name, topic, seed)
        assert items_and_total(contract) == (one.total, one.total)
    one, contract = planted(name, "total_items", seed)
    items, total = items_and_total(contract)
    assert items != total == one.total
    assert contract.fields["total_amount"] == one.total
    assert one.values()["money"] in contract.faults[0].quotes[0]
    assert figures.money(one.total) in contract.faults[0].quotes[1]


@pytest.mark.parametrize("name", PRICED)
@pytest.mark.parametrize("seed", range(3))
def test_words_say_the_figures_unless_that_is_the_fault(name: str, seed: int) -> None:
    for topic, agree in (("", True), ("words_figures", False)):
        one, contract = planted(name, topic, seed)
        said = figures.sum_in_words(one.total, one.currency or "", contract.kind.language)
        text = "\n".join(block.text for block in contract.blocks)
        assert one.values()["money"] in text
        assert (said in text) == agree
        assert isinstance(contract.fields["total_amount"], dict) != agree


@pytest.mark.parametrize("name", texts.names())
def test_a_contract_ends_after_its_beginning_unless_that_is_the_fault(name: str) -> None:
    kind = texts.kind(name)
    for seed in range(3):
        one, contract = planted(name, "dates", seed)
        fields, quote = contract.fields, contract.faults[0].quotes[0]
        assert fields["end_date"] < fields["start_date"]
        shown = figures.day(date.fromisoformat(fields["end_date"]), one.date_style, kind.language)
        assert shown in quote


@pytest.mark.parametrize("name", texts.names())
def test_references_lead_nowhere(name: str) -> None:
    for seed in range(4):
        for topic in ("clause_gone", "annex_gone", "term_undefined", "clause_wrong"):
            _, contract = planted(name, topic, seed)
            headings = [block.text for block in contract.blocks if block.kind == "heading"]
            everything = "\n".join([*headings, *(b.text for b in contract.blocks)])
            (quote,) = contract.faults[0].quotes
            if topic == "clause_gone":
                (number,) = re.findall(r"第([\d一-龥]+?)条|(?:Article|Clause|Section) (\d+)", quote)
                at = next(filter(None, number))
                beyond = int(at) if at.isdigit() else {**_HANZI, "十": 10}[at]
                assert beyond > len(headings)
            elif topic == "annex_gone":
                at = re.findall(r"(?:附件|Annex )(\d+|[一二三四五六七八九])", quote)[0]
                assert (int(at) if at.isdigit() else _HANZI[at]) > len(contract.annexes)
            elif topic == "term_undefined":
                (term,) = re.findall('[“"](.+?)[”"]', quote)
                assert everything.count(term) == 1
            else:
                title = next(h for h in headings if any(f"{o}{t}" in quote for o, t in named(h)))
                number = re.findall(r"第[\d一-龥]+?条|(?:Article|Clause|Section) \d+", quote)[0]
                right = re.findall(r"\d+|[一二三四五六七八九十]+", title)[0]
                assert re.findall(r"\d+|[一二三四五六七八九十]+", number)[0] != right


def named(heading: str) -> list[tuple[str, str]]:
    title = re.split(r"\. |(?<=条) ", heading)[-1]
    return [(opening, title) for opening in ("（", "“", "(", '"', "on ", '("')]


BROKEN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "payment_term": lambda f: f["payment_days"] > 60,
    "penalty_limit": lambda f: f["penalty_rate"] > 20,
    "renewal_notice": lambda f: f["renewal_notice_days"] < 30,
    "governing_law": lambda f: not right("governing_law", "中华人民共和国", f["governing_law"]),
    "seat_abroad": lambda f: not {"上海", "Shanghai"} & set(f["seat"]["any_of"]),
    "jurisdiction_counterparty": lambda f: f["seat"] not in {"上海", "Shanghai"},
    "no_law": lambda f: f["seat"] is None and f["governing_law"] is None,
    "no_liability_cap": lambda f: f["liability_cap"] is None,
}


@pytest.mark.parametrize("name", texts.names())
def test_fields_tell_what_the_planted_text_says(name: str) -> None:
    for option in plan.options(texts.kind(name)):
        if option.topic in BROKEN:
            for seed in range(3):
                _, contract = planted(name, option.topic, seed)
                assert BROKEN[option.topic](dict(contract.fields)), option.topic


@pytest.mark.parametrize("name", texts.names())
def test_no_cap_is_left_or_one_above_the_price(name: str) -> None:
    kind = texts.kind(name)
    for option in plan.options(kind):
        if option.topic == "liability_cap":
            rng = Random(1)
            contract = draft.contract(kind, deal.make(kind, rng), [option], rng)
            cap = contract.fields["liability_cap"]
            assert right("liability_cap", None, cap) or cap > 100


@pytest.mark.parametrize("name", texts.names())
def test_what_is_planted_stands_there_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a paragraph of the same name has moved into the clause."""
    monkeypatch.setattr(layout, "MOVED", 1.0)
    kind, used = texts.kind(name), Counter[str]()
    for seed in range(12):
        rng = Random(seed)
        chosen = plan.choose(kind, 5, used, rng)
        contract = draft.contract(kind, deal.make(kind, rng), chosen, rng)
        lines = [" ".join([b.text, *map(" ".join, b.rows)]) for b in contract.blocks]
        everything = pages.bare("\n".join([*lines, *(text for _, text in contract.annexed)]))
        for fault in contract.faults:
            for quote in fault.quotes:
                assert everything.count(pages.bare(quote)) == 1, quote


@pytest.mark.parametrize("name", texts.names())
def test_in_clean_contracts_references_lead_somewhere(name: str) -> None:
    kind = texts.kind(name)
    for seed in range(8):
        _, contract = planted(name, "", seed)
        *headings, _ = [block.text for block in contract.blocks if block.kind == "heading"]
        said = "\n".join(block.text for block in contract.blocks if block.kind == "text")
        found = re.findall(r"第([一二三四五六七八九十]+|\d+)(?:\.\d+)?条", said) + re.findall(
            r"(?:Article|Clause|Section) (\d+)", said
        )
        assert found
        numbers = {int(at) if at.isdigit() else {**_HANZI, "一": 1}[at] for at in found}
        assert numbers <= set(range(1, len(headings) + 1))
        annexes = re.findall(r"(?:附件|Annex )([一二三四]|\d)", said)
        assert {int(at) if at.isdigit() else {**_HANZI, "一": 1}[at] for at in annexes} <= set(
            range(1, len(kind.annexes) + 1)
        )

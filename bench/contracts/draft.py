"""A contract, or a company's template, as blocks, with what is wrong in it and its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from bench.contracts import deal as deals
from bench.contracts import figures, numbering, texts
from bench.contracts.blocks import BLANK, Block, Draft, Fault
from bench.contracts.deal import Deal
from bench.contracts.layout import key, layout
from bench.contracts.numbering import Numbers
from bench.contracts.plan import Option, arranged
from bench.contracts.texts import Clause, Kind, Paragraph
from bench.contracts.writer import Writer

LONGEST = 300
ADDED = 0.4


def template(kind: Kind) -> Draft:
    """The company's own text: the first wording of everything, its clauses in their order, blanks
    where each contract has its own values."""
    return _draft(Writer(kind, Random(kind.name), None, ()))


def contract(kind: Kind, deal: Deal, chosen: Sequence[Option], rng: Random) -> Draft:
    writer = Writer(kind, rng, deal, chosen)
    writer.synonyms = [pair for pair in kind.synonyms if rng.random() < 0.5]
    return _draft(writer)


def _draft(writer: Writer) -> Draft:
    kind, deal, rng = writer.kind, writer.deal, writer.rng
    clauses = arranged(kind, writer.chosen, rng if deal else None)
    writer.titles = {clause.id: writer.pick(clause.titles) for clause in clauses}
    annexes = tuple((annex.id, writer.pick(annex.titles)) for annex in kind.annexes)
    there = layout(writer, clauses)
    numbers = numbering.numbers(
        kind.language,
        deal.style if deal else 0,
        [(c.id, [[key(c, p) for p in group] for group in there[c.id]]) for c in clauses],
        annexes,
    )
    writer.values = _values(writer, clauses, numbers)
    title = writer.pick(kind.titles)
    _head(writer, title)
    for clause in clauses:
        writer.blocks.append(Block("heading", numbers.heading(clause.id, writer.titles[clause.id])))
        _clause(writer, clause, there[clause.id], numbers)
    for option in writer.chosen:
        writer.faults.append(_fault(writer, option))
    labels = texts.labels(kind.language)
    writer.blocks.append(Block("heading", labels["annexes"]))
    listed = tuple((f"{numbers.annex(name)}{labels['colon']}{said}",) for name, said in annexes)
    writer.blocks.append(Block("list", rows=listed))
    _signatures(writer)
    return Draft(
        kind,
        deal.number if deal else f"{kind.prefix}-{BLANK}",
        title,
        tuple(writer.blocks),
        tuple(writer.faults),
        writer.fields,
        tuple((name, f"{numbers.annex(name)} {said}") for name, said in annexes),
        tuple(writer.annexed),
    )


def _values(writer: Writer, clauses: Sequence[Clause], numbers: Numbers) -> dict[str, Any]:
    """All that slots can ask for; what faults in sums and dates need is set off here."""
    kind, deal, rng = writer.kind, writer.deal, writer.rng
    out: dict[str, Any] = {}
    for clause in kind.clauses:
        for paragraph in clause.paragraphs:
            out |= paragraph.fixed
            if deal is not None:
                out |= {name: rng.choice(many) for name, many in paragraph.values.items()}
    if deal is None:
        roles = kind.roles[0]
        people = texts.people(kind.language)["us"]
        us, them = roles if kind.company == "a" else roles[::-1]
        return out | {
            "A": roles[0], "B": roles[1], "us": us, "them": them,
            "us_name": people["name"], "price": kind.price,
        }  # fmt: skip
    topics = {option.topic for option in writer.chosen if option.kind == "contradiction"}
    if "dates" in topics:
        deal = writer.deal = deal.ending(deal.dates[1] - timedelta(days=rng.randrange(60, 500)))
    out |= deal.values()
    out |= {"start_iso": deal.dates[1].isoformat(), "end_iso": deal.dates[2].isoformat()}
    if "words_figures" in topics:
        assert deal.currency is not None
        said = deal.total + rng.choice((-1, 1)) * max(1000, deal.total // 10 // 1000 * 1000)
        out["said_in_words"] = said
        out["money_words"] = figures.sum_in_words(said, deal.currency, kind.language)
    if "pay_days" in out:
        near = [days for days in (7, 10, 15, 20, 25, 30, 45, 60) if days != out["pay_days"]]
        out["other_days"] = rng.choice(near)
    ghost = rng.randrange(len(clauses) + 4, len(clauses) + 25)
    out["ghost"] = numbers.shown_clause(ghost)
    out["ghost_annex"] = numbers.shown_annex(rng.randrange(len(kind.annexes) + 2, 10))
    right, wrong = rng.sample([c for c in clauses if c.id not in ("definitions", "general")], 2)
    return out | {"wrong": numbers.clause(wrong.id), "right_title": writer.titles[right.id]}


def _head(writer: Writer, title: str) -> None:
    kind, deal = writer.kind, writer.deal
    labels = texts.labels(kind.language)
    add = writer.blocks.append
    add(Block("title", title))
    add(Block("text", f"{labels['number']}{labels['colon']}{deal.number if deal else BLANK}"))
    roles = deal.roles if deal else kind.roles[0]
    ours = texts.people(kind.language)["us"]
    called = writer.pick(labels["called"])
    for side, role, party, is_us in (
        (kind.sides[0], roles[0], deal and deal.a, kind.company == "a"),
        (kind.sides[1], roles[1], deal and deal.b, kind.company == "b"),
    ):
        name = party.name if party else ours["name"] if is_us else BLANK
        add(Block("text", called.format(side=side, name=name, role=role), whole=True))
        address = party.address if party else ours["address"] if is_us else BLANK
        person = party.person if party else ours["person"] if is_us else BLANK
        add(Block("text", f"{labels['address']}{labels['colon']}{address}"))
        if person and (is_us or kind.counterparty == "firms"):
            add(Block("text", f"{labels['person']}{labels['colon']}{person}"))
    if deal is not None:
        writer.fields |= {"party_a": deal.a.name, "party_b": deal.b.name}
        if kind.total is None:
            writer.fields["currency"] = _any_of(None, "CNY")
        them = 1 if kind.company == "a" else 0
        writer.quoted["parties"] = called.format(
            side=kind.sides[them], name=deal.counterparty.name, role=roles[them]
        )
    add(Block("text", writer.pick(texts.framing(kind.language, "opening"))))


def _clause(
    writer: Writer, clause: Clause, there: Sequence[Sequence[Paragraph]], numbers: Numbers
) -> None:
    replaced = {key(clause, o.paragraph): o for o in writer.chosen if o.plant and o.paragraph}
    inserted = [o for o in writer.chosen if o.clause.id == clause.id and o.inserted]
    extra = writer.deal is not None and clause is writer.kind.clauses[-1]
    for at, group in enumerate(there, 1):
        said = []
        for paragraph in group:
            name = key(clause, paragraph)
            said.append(_paragraph(writer, paragraph, replaced.get(name), numbers))
            writer.quoted[name] = said[-1].replace("‖", "")
        text = ("" if writer.kind.language == "zh" else " ").join(said)
        _put(writer, text, numbers.paragraph(clause.id, at), numbers)
        if any(paragraph.table for paragraph in group):
            _table(writer)
    at = len(there)
    if extra and writer.rng.random() < ADDED:
        at += 1
        harmless = writer.rng.choice(writer.kind.harmless)
        _put(writer, harmless, numbers.paragraph(clause.id, at), numbers)
    for option in inserted:
        one = option.inserted
        assert one is not None
        values = writer.values | {k: writer.rng.choice(v) for k, v in one.values.items()}
        text = writer.fill(writer.pick(one.says, plant=True), values, numbers)
        writer.quoted[f"+{option.kind} {option.topic}"] = text
        for name, slot in one.other.items():
            writer.fields[name] = _any_of(values["pay_days"], values[slot])
        if one.into.startswith("%"):
            annex = writer.kind.annexes[0 if one.into == "%first" else -1]
            writer.annexed.append((annex.id, text))
        else:
            at += 1
            _put(writer, text, numbers.paragraph(clause.id, at), numbers)


def _paragraph(
    writer: Writer, paragraph: Paragraph, option: Option | None, numbers: Numbers
) -> str:
    values, gives = writer.values, paragraph.gives
    plant = option.plant if option else None
    if plant is not None and plant.kind != "contradiction":
        values = values | {name: writer.rng.choice(many) for name, many in plant.values.items()}
        gives = plant.gives if plant.says else gives
        text = writer.pick(plant.says or paragraph.says, plant=True)
    else:
        text = writer.pick(paragraph.says)
        text = text if plant else writer.reworded(text)
    if writer.deal is not None:
        writer.fields |= {name: _given(value, values) for name, value in gives.items()}
    return writer.fill(text, values, numbers)


def _given(source: Any, values: Mapping[str, Any]) -> Any:
    if source == "total":
        return _any_of(values["total"], values.get("said_in_words", values["total"]))
    if isinstance(source, str) and source.endswith("?"):
        return _any_of(values[source[:-1]], None)
    value = values.get(f"{source}_iso", values.get(source, source))
    return _any_of(*value.split("|")) if isinstance(value, str) else value


def _any_of(*values: Any) -> Any:
    return values[0] if len(set(values)) == 1 else {"any_of": list(values)}


def _put(writer: Writer, text: str, number: str, numbers: Numbers) -> None:
    first, *items = text.split("‖")
    writer.blocks.append(Block("text", number + first, whole=not items))
    if items:
        listed = tuple((f"{numbers.item(at)}{item}",) for at, item in enumerate(items, 1))
        writer.blocks.append(Block("list", rows=listed))


def _table(writer: Writer) -> None:
    if writer.deal is None:
        writer.blocks.append(Block("table", rows=deals.blank_table(writer.kind)))
        return
    off = any(option.topic == "total_items" for option in writer.chosen)
    rows = deals.table(writer.deal, writer.rng if off else None)
    writer.quoted["total row"] = " ".join(cell for cell in rows[-1] if cell)
    writer.blocks.append(Block("table", rows=rows))


def _fault(writer: Writer, option: Option) -> Fault:
    clause, paragraph, inserted = option.clause, option.paragraph, option.inserted
    quotes: list[str] = []
    words = paragraph.words if paragraph else clause.words
    if option.kind == "missing":
        words = words if paragraph else (*clause.titles, *words)
    elif inserted is not None:
        quotes = [writer.quoted[f"+{option.kind} {option.topic}"]]
        quotes += [writer.quoted[inserted.contrary]] if inserted.contrary else []
        words = ()
    elif paragraph is not None:
        quotes = [writer.quoted[f"{clause.id}.{paragraph.id}"]]
        if option.topic == "total_items":
            quotes.append(writer.quoted["total row"])
    cut = tuple(quote[:LONGEST] for quote in quotes)
    also = option.plant.also if option.plant else ()
    return Fault(option.kind, option.topic, option.severity, clause.id, cut, words, also)


def _signatures(writer: Writer) -> None:
    kind, deal = writer.kind, writer.deal
    labels = texts.labels(kind.language)
    add = writer.blocks.append
    add(Block("text", writer.pick(texts.framing(kind.language, "closing"))))
    for side, party in ((kind.sides[0], deal and deal.a), (kind.sides[1], deal and deal.b)):
        name = party.name if party else BLANK
        person = party.person if party else BLANK
        add(Block("text", f"{side}{labels['colon']}{name} {labels['seal']}"))
        if person:
            add(Block("text", f"{labels['person']}{labels['colon']}{person}"))
    signed = writer.values.get("signed", BLANK)
    add(Block("text", f"{labels['signed']}{labels['colon']}{signed}"))

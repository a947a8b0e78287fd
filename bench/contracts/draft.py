"""A contract, or a company's template, as blocks, with what is wrong in it and its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Literal

from bench.contracts import deal as deals
from bench.contracts import figures, numbering, texts
from bench.contracts.deal import Deal, Rows
from bench.contracts.numbering import Numbers
from bench.contracts.plan import Option, arranged
from bench.contracts.texts import Clause, Kind, Paragraph

BLANK = "____"
LONGEST = 300
MOVED = 0.4
ADDED = 0.4
JOINED = 0.12
FIELDS = (
    "party_a",
    "party_b",
    "total_amount",
    "currency",
    "start_date",
    "end_date",
    "governing_law",
    "seat",
    "payment_days",
    "liability_cap",
    "penalty_rate",
    "renewal_notice_days",
)
_SLOT = re.compile(r"\{([@%]?[A-Za-z_]+(?:\.[a-z0-9_]+)?)([#+,]?)\}")
_SENTENCE = re.compile(r"(^|\. )([a-z])")


@dataclass(frozen=True, slots=True)
class Block:
    """``whole``: not torn apart by the end of a page; ``plain``: holds nothing that is asked for,
    so that noise may confuse its letters."""

    kind: Literal["title", "heading", "text", "list", "table", "annex", "break"]
    text: str = ""
    rows: Rows = ()
    whole: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """``quotes`` are the words in question, the first of them the planted ones and the others what
    they don't fit; none where something is missing. ``words`` are what a message would call it,
    ``also`` kinds that are as right as ``kind``."""

    kind: str
    topic: str
    severity: str
    clause: str
    quotes: tuple[str, ...]
    words: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """``annexes``: ids and titles; ``annexed``: sentences put into an annex, with its id."""

    kind: Kind
    number: str
    title: str
    blocks: tuple[Block, ...]
    faults: tuple[Fault, ...]
    fields: Mapping[str, Any]
    annexes: tuple[tuple[str, str], ...]
    annexed: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Writer:
    """Fills one contract's wordings; without ``deal`` the company's template."""

    kind: Kind
    rng: Random
    deal: Deal | None
    chosen: Sequence[Option]
    blocks: list[Block] = field(default_factory=list)
    quoted: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FIELDS))
    values: dict[str, Any] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    synonyms: list[tuple[str, str]] = field(default_factory=list)
    annexed: list[tuple[str, str]] = field(default_factory=list)

    def pick(self, says: Sequence[str], *, plant: bool = False) -> str:
        """One wording of a plant's; of a paragraph's the template's own in one of four."""
        if self.deal is None:
            return says[0]
        if plant or len(says) == 1 or self.rng.random() < 0.25:
            return self.rng.choice(says) if plant else says[0]
        return self.rng.choice(says[1:])

    def fill(self, text: str, values: Mapping[str, Any], numbers: Numbers) -> str:
        def slot(found: re.Match[str]) -> str:
            name, mark = found[1], found[2]
            if name.startswith("@"):
                return numbers.clause(name[1:])
            if name.startswith("%"):
                return numbers.annex(name[1:], titled=mark == "+")
            name, _, part = name.partition(".")
            value = values.get(name, BLANK if self.deal is None else None)
            if value is None:
                raise KeyError(f"{self.kind.name}: {name} has no value in: {text}")
            if isinstance(value, str):
                names = value.split("|")
                return names[int(part or 0)]
            if mark == "#":
                return figures.spelled(value, self.kind.language)
            return f"{value:,}" if mark == "," else str(value)

        out = _SLOT.sub(slot, text)
        return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), out)

    def reworded(self, text: str) -> str:
        for old, new in self.synonyms:
            text = text.replace(old, new)
        return text


def template(kind: Kind) -> Draft:
    """The company's own text: the first wording of everything, its clauses in their order, blanks
    where each contract has its own values."""
    return _draft(_Writer(kind, Random(kind.name), None, ()))


def contract(kind: Kind, deal: Deal, chosen: Sequence[Option], rng: Random) -> Draft:
    writer = _Writer(kind, rng, deal, chosen)
    writer.synonyms = [pair for pair in kind.synonyms if rng.random() < 0.5]
    return _draft(writer)


def _draft(writer: _Writer) -> Draft:
    kind, deal, rng = writer.kind, writer.deal, writer.rng
    clauses = arranged(kind, writer.chosen, rng if deal else None)
    writer.titles = {clause.id: writer.pick(clause.titles) for clause in clauses}
    annexes = tuple((annex.id, writer.pick(annex.titles)) for annex in kind.annexes)
    layout = _layout(writer, clauses)
    numbers = numbering.numbers(
        kind.language,
        deal.style if deal else 0,
        [(c.id, [[p.id for p in group] for group in layout[c.id]]) for c in clauses],
        annexes,
    )
    writer.values = _values(writer, clauses, numbers)
    title = writer.pick(kind.titles)
    _head(writer, title)
    for clause in clauses:
        writer.blocks.append(Block("heading", numbers.heading(clause.id, writer.titles[clause.id])))
        _clause(writer, clause, layout[clause.id], numbers)
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


def _layout(writer: _Writer, clauses: Sequence[Clause]) -> dict[str, list[list[Paragraph]]]:
    """Of each clause the paragraphs that stand in it; sometimes a free one stands in the last, and
    two that follow each other stand under one number."""
    touched = {(o.clause.id, o.paragraph.id) for o in writer.chosen if o.paragraph}
    gone = {
        (o.clause.id, o.paragraph.id) for o in writer.chosen if o.kind == "missing" and o.paragraph
    }
    out = {c.id: [p for p in c.paragraphs if (c.id, p.id) not in gone] for c in clauses}
    free = [
        (c.id, p) for c in clauses for p in c.paragraphs if p.free and (c.id, p.id) not in touched
    ]
    if writer.deal is not None and free and writer.rng.random() < MOVED:
        clause, paragraph = writer.rng.choice(free)
        out[clause].remove(paragraph)
        out[clauses[-1].id].append(paragraph)
    share = JOINED if writer.deal is not None else 0
    return {name: _joined(paragraphs, share, writer.rng) for name, paragraphs in out.items()}


def _joined(paragraphs: Sequence[Paragraph], share: float, rng: Random) -> list[list[Paragraph]]:
    groups: list[list[Paragraph]] = []
    for paragraph in paragraphs:
        plain = not paragraph.table and not any("‖" in text for text in paragraph.says)
        before = groups[-1] if groups else []
        if plain and len(before) == 1 and rng.random() < share:
            before.append(paragraph)
        else:
            groups.append([paragraph])
        if not plain:
            groups[-1:] = [groups[-1], []]
    return [group for group in groups if group]


def _values(writer: _Writer, clauses: Sequence[Clause], numbers: Numbers) -> dict[str, Any]:
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


def _head(writer: _Writer, title: str) -> None:
    kind, deal = writer.kind, writer.deal
    labels = texts.labels(kind.language)
    add = writer.blocks.append
    add(Block("title", title))
    add(Block("text", f"{labels['number']}{labels['colon']}{deal.number if deal else BLANK}"))
    roles = deal.roles if deal else kind.roles[0]
    ours = texts.people(kind.language)["us"]
    for side, role, party, is_us in (
        (kind.sides[0], roles[0], deal and deal.a, kind.company == "a"),
        (kind.sides[1], roles[1], deal and deal.b, kind.company == "b"),
    ):
        name = party.name if party else ours["name"] if is_us else BLANK
        add(Block("text", labels["called"].format(side=side, name=name, role=role), whole=True))
        address = party.address if party else ours["address"] if is_us else BLANK
        person = party.person if party else ours["person"] if is_us else BLANK
        add(Block("text", f"{labels['address']}{labels['colon']}{address}"))
        if person and (is_us or kind.counterparty == "firms"):
            add(Block("text", f"{labels['person']}{labels['colon']}{person}"))
    if deal is not None:
        writer.fields |= {"party_a": deal.a.name, "party_b": deal.b.name}
        if kind.total is None:
            writer.fields["currency"] = _any_of(None, "CNY")
        called = labels["called"]
        them = 1 if kind.company == "a" else 0
        writer.quoted["parties"] = called.format(
            side=kind.sides[them], name=deal.counterparty.name, role=roles[them]
        )
    add(Block("text", writer.pick(texts.framing(kind.language, "opening"))))


def _clause(
    writer: _Writer, clause: Clause, there: Sequence[Sequence[Paragraph]], numbers: Numbers
) -> None:
    replaced = {
        o.paragraph.id: o
        for o in writer.chosen
        if o.clause.id == clause.id and o.plant and o.paragraph
    }
    inserted = [o for o in writer.chosen if o.clause.id == clause.id and o.inserted]
    extra = writer.deal is not None and clause is writer.kind.clauses[-1]
    for at, group in enumerate(there, 1):
        said = []
        for paragraph in group:
            said.append(_paragraph(writer, paragraph, replaced.get(paragraph.id), numbers))
            writer.quoted[f"{clause.id}.{paragraph.id}"] = said[-1].replace("‖", "")
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
    writer: _Writer, paragraph: Paragraph, option: Option | None, numbers: Numbers
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


def _put(writer: _Writer, text: str, number: str, numbers: Numbers) -> None:
    first, *items = text.split("‖")
    writer.blocks.append(Block("text", number + first, whole=not items))
    if items:
        listed = tuple((f"{numbers.item(at)}{item}",) for at, item in enumerate(items, 1))
        writer.blocks.append(Block("list", rows=listed))


def _table(writer: _Writer) -> None:
    if writer.deal is None:
        writer.blocks.append(Block("table", rows=deals.blank_table(writer.kind)))
        return
    off = any(option.topic == "total_items" for option in writer.chosen)
    rows = deals.table(writer.deal, writer.rng if off else None)
    writer.quoted["total row"] = " ".join(cell for cell in rows[-1] if cell)
    writer.blocks.append(Block("table", rows=rows))


def _fault(writer: _Writer, option: Option) -> Fault:
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


def _signatures(writer: _Writer) -> None:
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

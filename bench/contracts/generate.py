"""Contracts with planted faults, the company's templates, and the truth about them.

A folder gets ``templates/KIND.LANGUAGE.docx``, ``contracts/NNN-KIND.LANGUAGE.pdf`` or ``.docx``,
``policy.yaml`` and ``truth.json``: a list, one entry a contract::

    {"file": "contracts/003-sales.zh.pdf", "template": "templates/sales.zh.docx", "kind": "sales",
     "language": "zh", "format": "pdf", "pages": 14, "ocr": false, "noise": true, "clean": false,
     "plants": [{"kind": "policy", "also": [], "topic": "payment_term", "severity_min": "medium",
                 "clause": "payment",
                 "page": 3, "quote": "...", "places": [{"page": 3, "quote": "..."}], "words": []}],
     "fields": {"party_a": "...", "total_amount": 120000, ...}}

``topic`` is the policy's rule where the kind is policy, and kinds in ``also`` are as right as
``kind``. ``page`` counts from 1, and is null in Word files, which have no pages of their own, and
where something is missing. ``places`` are all the places a finding may quote: of a contradiction
both sides. ``words`` speak of what is missing, or of the clause that a plant has replaced. A field
is null where the contract says nothing of it, and ``{"any_of": [...]}`` where it may be told in
several ways or says two things.

``penalty_rate`` is the penalty for a fundamental breach in percent of the price; the charge for
late payment, in percent a day, is not meant. ``liability_cap`` is in percent of the price and null
where the cap is a fixed sum. ``seat`` is the court or the arbitration body, or its place.
``payment_days`` is the term of the main payment, not of an advance. ``renewal_notice_days`` is how
long before the end one must say that one does not renew. Where there is no price, ``currency`` may
be null or that of the sums that are there.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from bench.contracts import annexes, draft, noise, pages, plan, scan, texts
from bench.contracts import deal as deals
from bench.contracts.blocks import Block, Draft, Fault
from bench.contracts.pages import Look

POLICY = Path(__file__).resolve().parent / "policy.yaml"
LEAST_PAGES = 10
MOST_PAGES = 100
MAIN_PAGES = 4
SCANNED_PAGES = 5
WATERMARKS = {"zh": ("草稿", "仅供审阅", "内部资料"), "en": ("DRAFT", "FOR REVIEW", "CONFIDENTIAL")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One contract to be made. ``plants`` is 0 in a clean one; ``pages`` is a least number."""

    index: int
    kind: str
    format: str
    plants: int
    pages: int
    noise: bool
    ocr: bool


def generate(
    folder: Path, seed: int, n: int = 60, *, only: Sequence[str] = (), short: bool = False
) -> list[dict[str, Any]]:
    """``only``: kinds by name (``sales.zh``); ``short``: main text and one section of annex."""
    (folder / "contracts").mkdir(parents=True, exist_ok=True)
    (folder / "templates").mkdir(exist_ok=True)
    shutil.copy(POLICY, folder / "policy.yaml")
    for name in only or texts.names():
        (folder / "templates" / f"{name}.docx").write_bytes(template(name))
    used: Counter[str] = Counter()
    truth = [_made(folder, one, used, seed) for one in wanted(seed, n, only=only, short=short)]
    listing = json.dumps(truth, ensure_ascii=False, indent=1)
    (folder / "truth.json").write_text(f"{listing}\n", "utf-8")
    return truth


def template(name: str) -> bytes:
    made = draft.template(texts.kind(name))
    blocks = [*made.blocks, *annexes.blank(made)]
    return pages.word(blocks, Look(made.title, made.title, made.kind.language))


def wanted(seed: int, n: int, *, only: Sequence[str] = (), short: bool = False) -> list[Wanted]:
    """Kinds by turns; one in five of each is clean, one in three a Word file, one in fourteen a
    scan, which is short, half of the other PDFs noisy."""
    rng = Random(f"contracts {seed}")
    names = list(only or texts.names())
    out = []
    for index in range(n):
        turn, place = divmod(index, len(names))
        clean = (turn + 2 * place) % 5 == 0
        ocr = index % 14 == 6
        word = not ocr and (turn + place) % 3 == 2
        long = rng.random()
        least = (
            rng.randint(LEAST_PAGES, 20)
            if ocr or long < 0.6
            else rng.randint(21, 45)
            if long < 0.85
            else rng.randint(46, MOST_PAGES - 4)
        )
        out.append(
            Wanted(
                index=index,
                kind=names[place],
                format="docx" if word else "pdf",
                plants=0 if clean else rng.randint(2, 6),
                pages=0 if short else SCANNED_PAGES if ocr else least,
                noise=not word and not ocr and rng.random() < 0.5,
                ocr=ocr,
            )
        )
    return out


def _made(folder: Path, one: Wanted, used: Counter[str], seed: int) -> dict[str, Any]:
    rng = Random(f"contract {seed} {one.index} {one.kind}")
    kind = texts.kind(one.kind)
    deal = deals.make(kind, rng)
    chosen = plan.choose(kind, one.plants, used, rng)
    made = draft.contract(kind, deal, chosen, rng)
    mark = rng.choice(WATERMARKS[kind.language]) if one.noise and rng.random() < 0.5 else ""
    look = Look(made.title, f"{made.title} {made.number}", kind.language, mark)
    blocks, printed = _long_enough(made, one, look, rng)
    name = f"contracts/{one.index:03d}-{kind.name}.{one.format}"
    read = pages.texts_of(printed)
    if one.format == "docx":
        data = pages.word(blocks, look)
    else:
        data = scan.scan(printed, seed + one.index) if one.ocr else printed
    (folder / name).write_bytes(data)
    return {
        "file": name,
        "template": f"templates/{kind.name}.docx",
        "kind": kind.kind,
        "language": kind.language,
        "format": one.format,
        "pages": len(read) if one.format == "pdf" else None,
        "ocr": one.ocr,
        "noise": one.noise,
        "clean": not made.faults,
        "plants": [_plant(fault, read if one.format == "pdf" else None) for fault in made.faults],
        "fields": dict(made.fields),
    }


def _long_enough(made: Draft, one: Wanted, look: Look, rng: Random) -> tuple[list[Block], bytes]:
    """The contract with as much annex as its pages need, and how it is printed. Sections are drawn
    anew at each try, from the same state, so that the length alone decides how many there are."""
    front = _contents(made) if one.pages > LEAST_PAGES * 2 and rng.random() < 0.6 else []
    count, state = max(3, 2 * (one.pages - MAIN_PAGES)), rng.random()
    disturb = noise.Noise.some(rng)
    while True:
        drawn = Random(f"{made.number} {state}")
        blocks = [*front, *made.blocks, *annexes.sections(made, count, drawn)]
        if one.noise:
            blocks = noise.noisy(blocks, disturb, drawn)
        printed = pages.pdf(blocks, look)
        there = pages.count(printed)
        if there >= one.pages:
            return blocks, printed
        each = max(0.1, (there - MAIN_PAGES) / count)
        count += max(1, ceil((one.pages - there) / each))


def _contents(made: Draft) -> list[Block]:
    """A cover with the clauses and annexes; no page numbers, as some have none."""
    title = texts.labels(made.kind.language)["contents"]
    headings = [block.text for block in made.blocks if block.kind == "heading"][:-1]
    lines = tuple((line,) for line in (*headings, *(title for _, title in made.annexes)))
    cover = [Block("title", made.title), Block("text", made.number), Block("heading", title)]
    return [*cover, Block("list", rows=lines), Block("break")]


def _plant(fault: Fault, read: Sequence[str] | None) -> dict[str, Any]:
    places = [
        {"page": page_of(quote, read) if read is not None else None, "quote": quote}
        for quote in fault.quotes
    ]
    return {
        "kind": fault.kind,
        "also": list(fault.also),
        "topic": fault.topic,
        "severity_min": fault.severity,
        "clause": fault.clause,
        "page": places[0]["page"] if places else None,
        "quote": places[0]["quote"] if places else None,
        "places": places,
        "words": list(fault.words),
    }


def page_of(quote: str, read: Sequence[str]) -> int:
    """The page, from 1, whose text holds the words, noise and line ends aside."""
    sought = pages.bare(quote)
    for number, text in enumerate(read, 1):
        if sought in pages.bare(text):
            return number
    raise AssertionError(f"planted but not to be found in the PDF: {quote}")

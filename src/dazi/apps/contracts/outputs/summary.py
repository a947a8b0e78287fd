"""What a review found, as a PDF for people who decide (typst): facts, findings, fields, what was checked,
and how the contract stands beside the template."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import typst

from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.outputs import words
from dazi.apps.contracts.outputs.difference import difference
from dazi.apps.contracts.outputs.words import value_of
from dazi.apps.contracts.reviewed import Compared, Remark, Reviewed
from dazi.core.language import Language, Text

SUMMARY = Text("合同审查摘要", "Contract review: summary")
FACTS = Text("文件", "The document")
FILE = Text("文件名", "file")
DEAL = Text("类型", "kind")
PAGES = Text("页数", "pages")
TEMPLATE = Text("对照的范本", "template")
COUNTS = Text("高 {high} · 中 {medium} · 低 {low}", "high {high} · medium {medium} · low {low}")
LOW = Text("低级别", "Low findings")
FIELDS = Text("要点", "Fields")
FIELD_COLUMNS = Text("要点\n内容\n原文\n位置", "field\nvalue\nwords\nplace")
CHECKED = Text("核对过、没有发现的", "Checked, and not found")
ALIGNED = Text("与范本对照", "Beside the template")
ALIGNED_COUNTS = Text(
    "{same} 条相同,{changed} 条措辞有改动,{moved} 条挪了位置,缺 {missing} 条,多 {added} 条",
    "{same} the same, {changed} worded otherwise, {moved} moved, {missing} missing, {added} added",
)
LEGEND = Text(
    "划去的是范本的,加底色的是合同的。", "Struck out: the template's. Shaded: the contract's."
)
MOST_COMPARED = 400
LONGEST = 1_200
"""Characters of one clause that are shown."""
_COLOURS: dict[Severity, str] = {"high": "#c2413b", "medium": "#b7791f", "low": "#5b6770"}
_FONTS = ("Noto Sans CJK SC", "Libertinus Serif")


def summary(done: Reviewed, language: Language) -> bytes:
    """A PDF."""
    source = "\n".join(_lines(done, language))
    found = find_spec("manimgx_fonts_cjk")
    places = found.submodule_search_locations if found is not None else None
    fonts = [Path(p) for p in places or ()]
    made = typst.compile(  # type: ignore[misc]
        source.encode(), font_paths=fonts, ignore_system_fonts=True
    )
    assert isinstance(made, bytes)
    return made


def _lines(done: Reviewed, language: Language) -> Iterator[str]:
    yield from _look(done, language)
    yield f"#align(center, text(16pt, weight: 700, {_q(SUMMARY(language))}))"
    yield f"#align(center, text(11pt, {_q(done.title or done.name)}))"
    yield from _facts(done, language)
    yield _heading(words.FINDINGS(language))
    grave = [r for r in done.remarks if r.severity != "low"]
    if not grave:
        yield f"#par({_q(words.NOTHING(language))})"
    for remark in grave:
        yield from _finding(remark, language)
    low = [r for r in done.remarks if r.severity == "low"]
    if low:
        yield _heading(LOW(language))
        yield from (_short(r, language) for r in low)
    yield _heading(FIELDS(language))
    yield _fields(done, language)
    if done.passed:
        yield _heading(CHECKED(language))
        yield "\n".join(f"#list.item({_q(p.message(language))})" for p in done.passed)
    if done.compared:
        yield from _aligned(done.compared, language)
    yield f"#v(1em)#text(8pt, fill: luma(90), {_q(words.NOTE(language))})"
    if any(r.by == "model" for r in done.remarks):
        yield f"#text(8pt, fill: luma(90), {_q(words.NOTE_MODEL(language))})"


def _look(done: Reviewed, language: Language) -> Iterator[str]:
    fonts = _FONTS if language == "zh" else _FONTS[::-1]
    yield f"#set document(title: {_q(SUMMARY(language) + ' · ' + done.name)}, date: none)"
    yield (
        '#set page(paper: "a4", margin: 2cm, footer: context align(center, text(8pt, '
        'counter(page).display() + " / " + str(counter(page).final().first()))))'
    )
    yield f"#set text(font: ({', '.join(map(_q, fonts))}), size: 9.5pt, lang: {_q(language)}, hyphenate: false)"
    yield "#set par(leading: 0.7em)"
    yield "#set table(stroke: 0.5pt + luma(200), inset: 5pt)"
    yield "#let gone(it) = strike(text(fill: rgb(194, 65, 59), it))"
    yield "#let new(it) = highlight(fill: rgb(211, 239, 226), it)"


def _facts(done: Reviewed, language: Language) -> Iterator[str]:
    said = {f.name: f for f in done.fields}
    rows = [(FILE(language), done.name)]
    deal = words.DEALS.get(done.kind)
    rows.append((DEAL(language), deal(language) if deal else done.kind))
    if done.pages:
        rows.append((PAGES(language), str(done.pages)))
    if done.template:
        rows.append((TEMPLATE(language), done.template))
    for name in ("party_a", "party_b", "total_amount", "start_date", "end_date"):
        if name in said:
            rows.append((words.FIELDS[name](language), value_of(done, name)))
    severities: tuple[Severity, ...] = ("high", "medium", "low")
    counts = {s: done.counted(s) for s in severities}
    rows.append((words.FINDINGS(language), COUNTS(language).format(**counts)))
    cells = ", ".join(f"{_q(a)}, {_q(b)}" for a, b in rows)
    yield f"#table(columns: (auto, 1fr), {cells})"


def _finding(r: Remark, language: Language) -> Iterator[str]:
    head = (
        f"text(weight: 700, fill: rgb({_q(_COLOURS[r.severity])}), {_q(words.label(r, language))})"
    )
    place = words.where(r, language)
    if place:
        head += f" + h(0.6em) + text(8pt, fill: luma(110), {_q(place + '  ')})"
    parts = [f"par({head})", f"par({_q(r.message(language))})"]
    if r.quote:
        parts.append(f"pad(left: 1em, text(8.5pt, fill: luma(70), {_q(f'「{r.quote}」')}))")
    suggestion = r.suggestion(language)
    if suggestion:
        parts.append(f"par({_q(f'{words.SUGGESTED(language)}: {suggestion}')})")
    yield f"#block(breakable: false, inset: (left: 8pt), stroke: (left: 2pt + rgb({_q(_COLOURS[r.severity])})), stack(spacing: 0.7em, {', '.join(parts)}))"


def _short(r: Remark, language: Language) -> str:
    said = " ".join(x for x in (words.where(r, language), r.message(language)) if x)
    return f"#text(8.5pt, list.item({_q(said)}))"


def _fields(done: Reviewed, language: Language) -> str:
    head = FIELD_COLUMNS(language).split("\n")
    cells = [f"table.header({', '.join(f'strong({_q(h)})' for h in head)})"]
    for f in done.fields:
        page = words.PAGE(language).format(n=f.page) if f.page else ""
        place = " · ".join(x for x in (f.clause, page) if x)
        name = words.FIELDS.get(f.name)
        row = (name(language) if name else f.name, value_of(done, f.name), f.quote[:160], place)
        cells += [f"text(8.5pt, {_q(c)})" for c in row]
    return f"#table(columns: (auto, 1.1fr, 2fr, auto), {', '.join(cells)})"


def _aligned(compared: Iterable[Compared], language: Language) -> Iterator[str]:
    rows = list(compared)
    counts = {h: sum(c.how == h for c in rows) for h in words.HOWS}
    moved = sum(c.moved for c in rows)
    yield _heading(ALIGNED(language))
    yield f"#par({_q(ALIGNED_COUNTS(language).format(**counts, moved=moved))})"
    yield f"#text(8pt, fill: luma(110), {_q(LEGEND(language))})"
    shown = [c for c in rows if c.how != "same" or c.moved]
    for c in shown[:MOST_COMPARED]:
        name = words.HOWS[c.how](language)
        if c.moved:
            name += f" · {words.MOVED(language)}"
        numbers = " → ".join(dict.fromkeys(x for x in (c.number, c.their_number) if x))
        yield f"#par(text(8pt, fill: luma(110), {_q(f'{name}  {numbers}')}) + linebreak() + {_diff(c)})"


def _diff(c: Compared) -> str:
    wrap = {"kept": "{}", "gone": "gone({})", "new": "new({})"}
    pieces = difference(c.template[:LONGEST], c.contract[:LONGEST])
    return " + ".join(wrap[p.change].format(f"[#{_q(p.text)}]") for p in pieces)


def _heading(text: str) -> str:
    return f"#v(0.6em)#block(sticky: true, text(12pt, weight: 700, {_q(text)}))"


def _q(text: str) -> str:
    """A string of typst: nothing in it can be markup."""
    return json.dumps("".join(c for c in text if c >= " " or c == "\n"), ensure_ascii=False)

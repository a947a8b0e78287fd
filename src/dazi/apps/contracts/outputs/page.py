"""A review as one HTML file: the document's text with its highlights, the findings beside it.

It fetches nothing and says so (Content-Security-Policy); without scripts all findings are shown, links
lead to their places, and the severity is chosen by radio buttons and CSS.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from html import escape
from pathlib import Path

from dazi.apps.contracts.findings import ORDER
from dazi.apps.contracts.outputs import words
from dazi.apps.contracts.outputs.marks import Mark, marked
from dazi.apps.contracts.outputs.words import value_of
from dazi.apps.contracts.reviewed import Passage, Remark, Reviewed
from dazi.core.language import Language, Text

FILTERS = {
    "all": Text("全部", "all"),
    "medium": Text("中以上", "medium and high"),
    "high": Text("只看高", "high only"),
}
_CSS = Path(__file__).with_name("page.css")


def page(done: Reviewed, language: Language) -> str:
    """The whole file."""
    style = _CSS.read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    title = f"{words.REVIEW(language)} · {done.name}"
    head = (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
    )
    return head + "".join(_body(done, language)) + "</body></html>"


def _body(done: Reviewed, language: Language) -> Iterator[str]:
    for name in FILTERS:
        checked = " checked" if name == "all" else ""
        yield f'<input type="radio" name="severity" id="f-{name}"{checked}>'
    yield f"<header><h1>{escape(done.title or done.name)}</h1><p>{escape(done.name)}</p>"
    yield '<nav role="group">'
    for name, text in FILTERS.items():
        yield f'<label for="f-{name}">{escape(text(language))}</label>'
    yield "</nav></header><main>"
    yield f'<article lang="{done.language}">{"".join(document(done))}</article>'
    yield f"<aside><h2>{escape(words.FINDINGS(language))}</h2>{''.join(findings(done, language))}"
    yield f"{_fields(done, language)}<p class=note>{escape(words.NOTE(language))}"
    if any(r.by == "model" for r in done.remarks):
        yield f" {escape(words.NOTE_MODEL(language))}"
    yield "</p></aside></main>"


def document(done: Reviewed, shown: Callable[[str], str] = escape) -> Iterator[str]:
    """The text as HTML, a page's number before its first paragraph. ``shown`` makes HTML of text; the
    console, which draws it too, has its own."""
    seen: set[str] = set()
    by_id = {r.id: r for r in done.remarks}
    last = 0
    for passage, marks in zip(done.passages, marked(done), strict=True):
        if passage.page and passage.page != last:
            last = passage.page
            yield f'<div class="page" id="p{last}">{last}</div>'
        yield _passage(passage, [_mark(m, by_id, seen, shown) for m in marks], shown)


def _passage(p: Passage, marks: list[str], shown: Callable[[str], str]) -> str:
    tag = "h2" if p.heading else "p"
    number = f"<b>{shown(p.number)}</b> " if p.number else ""
    table = ' class="table"' if p.table else ""
    return f"<{tag}{table}>{number}{''.join(marks)}</{tag}>"


def _mark(m: Mark, by_id: Mapping[str, Remark], seen: set[str], shown: Callable[[str], str]) -> str:
    said = shown(m.text)
    if not m.remarks:
        return said
    anchors = "".join(f'<a id="m-{r}"></a>' for r in m.remarks if r not in seen)
    seen.update(m.remarks)
    gravest = min((by_id[r].severity for r in m.remarks), key=ORDER.__getitem__)
    return f'{anchors}<a class="mark {gravest}" href="#f-{m.remarks[0]}">{said}</a>'


def findings(done: Reviewed, language: Language) -> Iterator[str]:
    if not done.remarks:
        yield f"<p>{escape(words.NOTHING(language))}</p>"
    for r in done.remarks:
        place = words.where(r, language)
        there = f'<a href="#m-{r.id}">{escape(place or "↦")}</a>' if r.spot else escape(place)
        yield (
            f'<section class="finding {r.severity}" id="f-{r.id}">'
            f"<p class=label>{escape(words.label(r, language))} <span>{there}</span></p>"
            f"<p>{escape(r.message(language))}</p>"
        )
        if r.quote:
            yield f"<blockquote>{escape(r.quote)}</blockquote>"
        if r.suggestion(language):
            said = f"{words.SUGGESTED(language)}: {r.suggestion(language)}"
            yield f"<p class=suggestion>{escape(said)}</p>"
        yield "</section>"


def _fields(done: Reviewed, language: Language) -> str:
    rows = (
        f"<tr><th>{escape(words.FIELDS[f.name](language) if f.name in words.FIELDS else f.name)}</th>"
        f"<td>{escape(value_of(done, f.name))}</td></tr>"
        for f in done.fields
    )
    return f"<table>{''.join(rows)}</table>"

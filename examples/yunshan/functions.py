"""The demo company's own functions: tickets, documents, transaction rules and charts.

Each is a tool of ``tools/python.yaml``. ``ctx`` tells who asks, what day it is, and where the
company's folder and databases are.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, create_engine, text

from dazi.core.errors import ConnectorError
from dazi.core.language import Language, language_of

# --- service desk ---------------------------------------------------------------------------


def create_ticket(title: str, ctx: Any, priority: str = "normal") -> dict[str, Any]:
    """Open a ticket; the same idempotency key opens it once."""
    if not title.strip():
        raise ConnectorError("refused", "请写明是什么问题", "Say what the problem is")
    values = {
        "title": title.strip(),
        "priority": priority,
        "by": ctx.principal.user,
        "on": ctx.today.isoformat(),
        "key": ctx.idempotency_key,
    }
    with _engine(ctx.databases["oa"]).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tickets"
                " (ticket_id, title, priority, status, opened_by, opened_on, key)"
                " SELECT 'T' || substr(CAST(100001 + COALESCE(MAX(CAST(substr(ticket_id, 2) AS"
                " INTEGER)), 0) AS TEXT), 2), :title, :priority, 'open', :by, :on, :key"
                " FROM tickets WHERE true ON CONFLICT (key) DO NOTHING"
            ),
            values,
        )
        row = connection.execute(
            text("SELECT ticket_id, title, priority FROM tickets WHERE key = :key"), values
        ).one()
    return dict(row._mapping)


@lru_cache
def _engine(url: str) -> Engine:
    return create_engine(url)


# --- documents ------------------------------------------------------------------------------

LEAST_COVERAGE = {"zh": 0.45, "en": 0.6}  # pairs of hanzi also fall between words
LEAD_WEIGHT = 1.2
K1, B = 1.2, 0.5  # BM25 (Robertson and Zaragoza, 2009); sentences differ little in length
HEADING_WEIGHT = 0.5
_PIECE = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_SENTENCE = re.compile(r"[^。！？!?]+[。！？!?]?|[。！？!?]+")
_ASKING = re.compile(
    r"请问|怎么样|怎么|如何|多少|多久|多长|什么|哪些|哪里|能不能|可不可以|有没有|是不是|要不要"
    r"|需不需要|几天|几个|需要|可以|规定|政策|制度|办法|谁出|谁|的|了|吗|呢|么|啊"
)
_SMALL_WORD = re.compile(
    r"an?|and|any|are|at|be|by|can|do|does|for|from|have|how|i|in|is|it|long|many|me|much|my|need"
    r"|of|on|or|our|per|policy|rules?|s|should|the|there|they|this|to|up|us|we|what|when|where"
    r"|which|who|with|work|you|your"
)


@dataclass(frozen=True)
class Sentence:
    """A quotable sentence; ``context`` holds its document's title and its heading. The ``leads``
    of documents answer the broad questions."""

    text: str
    context: str
    leads: bool
    source: str
    roles: frozenset[str]


def search_knowledge(query: str, ctx: Any) -> dict[str, str] | None:
    """The sentence that answers ``query`` best, word for word, out of what the caller may read."""
    paths = sorted((ctx.folder / "knowledge").glob("*.md"))
    sentences = _sentences(tuple((path, path.stat().st_mtime_ns) for path in paths))
    readable = [s for s in sentences if not s.roles or s.roles & ctx.principal.roles]
    first: Language = language_of(query)
    for language in (first, "en" if first == "zh" else "zh"):
        in_english = language == "en"
        chosen = [s for s in readable if s.source.endswith(".en.md") == in_english]
        found = _best(query, chosen, language)
        if found is not None:
            return {"quote": found.text, "source": found.source}
    return None


@lru_cache(maxsize=2)
def _sentences(files: tuple[tuple[Path, int], ...]) -> tuple[Sentence, ...]:
    return tuple(sentence for path, _ in files for sentence in _read(path))


def _read(path: Path) -> Iterable[Sentence]:
    _, front, body = path.read_text("utf-8").split("---\n", 2)
    about = yaml.safe_load(front)
    roles, heading, leads = frozenset(about.get("roles", ())), "", True
    for line in filter(None, map(str.strip, body.splitlines())):
        if line.startswith("#"):
            heading = line.lstrip("# ")
            continue
        for piece in _SENTENCE.findall(line) if "。" in line else [line]:
            yield Sentence(piece.strip(), f"{about['title']} {heading}", leads, path.name, roles)
            leads = False


def _best(query: str, sentences: Sequence[Sentence], language: Language) -> Sentence | None:
    """BM25; nothing at all when too little of what the query is about occurs."""
    wanted = set(_terms(query))
    if not wanted or not sentences:
        return None
    own = [Counter(_terms(s.text)) for s in sentences]
    around = [Counter(_terms(s.context)) for s in sentences]
    length = [sum(terms.values()) for terms in own]
    mean = sum(length) / len(length)
    seen = Counter(term for a, b in zip(own, around, strict=True) for term in a.keys() | b.keys())
    weight = {t: math.log(1 + (len(sentences) - seen[t] + 0.5) / (seen[t] + 0.5)) for t in wanted}
    best, best_score = None, 0.0
    for n, sentence in enumerate(sentences):
        score = covered = 0.0
        for term in wanted:
            count = own[n][term] + (HEADING_WEIGHT if around[n][term] else 0)
            norm = K1 * (1 - B + B * length[n] / mean)
            score += weight[term] * count * (K1 + 1) / (count + norm)
            covered += weight[term] if count else 0
        score *= LEAD_WEIGHT if sentence.leads else 1
        enough = covered >= LEAST_COVERAGE[language] * sum(weight.values())
        if enough and score > best_score and wanted & own[n].keys():
            best, best_score = sentence, score
    return best


def _terms(value: str) -> list[str]:
    """Words of Latin script without endings, pairs of neighbouring hanzi."""
    value = _ASKING.sub(" ", unicodedata.normalize("NFKC", value).casefold())
    terms: list[str] = []
    for piece in _PIECE.findall(value):
        if piece[0] >= "\u3400":
            terms += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
        elif not _SMALL_WORD.fullmatch(piece):
            terms.append(_stem(piece))
    return terms


def _stem(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return (word.removesuffix(ending) + instead).rstrip("e")
    return word.rstrip("e")


# --- risk -----------------------------------------------------------------------------------

LEVELS = ((70, "high"), (40, "medium"), (0, "low"))


def assess_transaction(transaction_id: str, ctx: Any) -> dict[str, Any] | None:
    """Score by rules that can be read below; each rule that fires is a reason."""
    query = text("SELECT * FROM transactions WHERE transaction_id = :id")
    with _engine(ctx.databases["bi"]).connect() as connection:
        found = connection.execute(query, {"id": transaction_id}).mappings().one_or_none()
    if found is None:
        return None
    ratio = float(found["amount"]) / float(found["usual_amount"])
    rules = {
        "large": min(52, 34 + int(ratio)) if ratio >= 5 else 0,
        "night": 30 if int(found["at"][11:13]) < 5 else 0,
        "new_place": 22 if found["city"] != found["home_city"] else 0,
        "new_account": 20 if found["account_age_days"] < 30 else 0,
        "burst": 28 if found["last_hour_count"] > 5 else 0,
    }
    reasons = sorted((name for name, points in rules.items() if points), key=lambda n: -rules[n])
    score = min(99, 5 + sum(rules.values()))
    level = next(level for least, level in LEVELS if score >= least)
    return {
        "transaction_id": transaction_id,
        "level": level,
        "score": score,
        "reasons": reasons or ["none"],
    }


# --- charts ---------------------------------------------------------------------------------

MOST_CATEGORIES = 20
NAMES = ("dept_name", "dept", "name", "item", "city", "quarter", "month", "date", "kind_text",
         "room", "order_id", "sku", "transaction_id")  # fmt: skip
PERIODS = ("quarter", "month", "date")
# What may stand on one axis, most telling first: a unit, and fields with their names for people.
AXES: tuple[tuple[str, Mapping[str, tuple[str, str]]], ...] = (
    ("CNY", {"budget": ("预算(元)", "budget (CNY)"), "spent": ("已花费(元)", "spent (CNY)")}),
    ("CNY", {"amount": ("金额(元)", "amount (CNY)")}),
    ("CNY", {"price": ("价格(元)", "price (CNY)")}),
    ("°C", {"low": ("最低温(℃)", "low (°C)"), "high": ("最高温(℃)", "high (°C)")}),
    ("", {"quantity": ("库存", "in stock")}),
    ("", {"days": ("天数", "days")}),
    ("", {"rating": ("评分", "rating")}),
    ("", {"score": ("评分", "score")}),
    ("", {"capacity": ("人数", "seats")}),
)
Point = Mapping[str, Any]


def generate_comparison_chart(
    ctx: Any, kind: str = "bar", results: list[str] | None = None
) -> dict[str, Any] | None:
    """A chart of numbers that are in earlier results, never of numbers a model wrote.

    ``ctx.evidence`` already is what ``results`` chose. Several results of one tool stand side by
    side; of different tools, those of the last one are drawn.
    """
    drawable = [entry for entry in ctx.evidence if _points(entry)]
    if not drawable:
        return None
    chosen = [entry for entry in drawable if entry["name"] == drawable[-1]["name"]]
    groups = [_points(entry) for entry in chosen]
    unit, fields = next(axis for axis in AXES if _on_axis(groups[0][0], axis[1]))
    if len(groups) > 1 and not _same_names(groups):
        groups = [[group[0] for group in groups]]
    name = _telling_name(groups[0])
    categories = list(dict.fromkeys(str(p[name]) for group in groups for p in group))
    categories = categories[:MOST_CATEGORIES]
    series = [
        {
            "name": field if len(groups) == 1 else _period(chosen[n]) or f"{field} {n + 1}",
            "field": field,
            "labels": {"zh": zh, "en": en},
            "data": [_value(group, name, category, field) for category in categories],
        }
        for n, group in enumerate(groups)
        for field, (zh, en) in fields.items()
        if any(field in point for point in group)
    ]
    periods = list(dict.fromkeys(filter(None, map(_period, chosen))))
    title = " / ".join(categories[:4]) + (" …" if len(categories) > 4 else "")
    if name not in PERIODS and periods:
        title = f"{title} {', '.join(periods)}"
    return {"title": title, "kind": kind, "unit": unit, "categories": categories, "series": series}


def _points(entry: Mapping[str, Any]) -> list[Point]:
    """The things in a result that have a name and a number that can be drawn."""
    result = entry.get("result")
    if not isinstance(result, Mapping):
        return []
    rows = next((v for v in result.values() if isinstance(v, list)), None)
    points = [p for p in (rows or [result]) if isinstance(p, Mapping)]
    return [
        p
        for p in points
        if any(name in p for name in NAMES) and any(_on_axis(p, fields) for _, fields in AXES)
    ]


def _on_axis(point: Point, fields: Iterable[str]) -> bool:
    return any(isinstance(point.get(f), (int, float)) for f in fields)


def _same_names(groups: Sequence[Sequence[Point]]) -> bool:
    """Whether several lists are about the same things, as the regions of two months are."""
    names = [{str(p[_telling_name(group)]) for p in group} for group in groups]
    return min(map(len, names)) > 1 and len(set.intersection(*names)) * 2 >= min(map(len, names))


def _telling_name(points: Sequence[Point]) -> str:
    """The first field that tells the points apart, else the first that they have."""
    shared = [name for name in NAMES if all(name in p for p in points)]
    telling = [name for name in shared if len({p[name] for p in points}) == len(points)]
    return (telling or shared or [next(n for n in NAMES if n in points[0])])[0]


def _period(entry: Mapping[str, Any]) -> str | None:
    places = (entry["result"], entry.get("arguments", {}))
    return next((str(p[key]) for key in PERIODS for p in places if p.get(key)), None)


def _value(group: Iterable[Point], name: str, category: str, field: str) -> float | int | None:
    return next((p.get(field) for p in group if str(p.get(name)) == category), None)

"""Sections that a model words: it is given figures as they are written, and may say nothing else.

Each sentence is taken apart. A number stands if it is the figure of what the sentence speaks of there:
of the row named last before it (or next after it), under the heading named last, with the direction
(增长, down) that its sign has, or a figure of no row. What else holds a number that is not bound is
dropped, sentence by sentence; the agent's own check of ids, dates and status words comes on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dazi.access.limits.limiter import Limiter
from dazi.agent.check import AnswerChecker
from dazi.agent.sentences import SentenceCutter
from dazi.apps.reports.formats import FORMATS, is_number, written
from dazi.apps.reports.numerals import Numeral, scan
from dazi.apps.reports.result import Bound, Paragraph, Section, Table
from dazi.apps.reports.running import Worded
from dazi.core.engine import (
    Done,
    Engine,
    GenerateRequest,
    Purpose,
    Sampling,
    TextDelta,
    Usage,
)
from dazi.core.errors import CallerError, OperatorError, OverloadError
from dazi.core.language import Language, Text
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.router.grounding import Evidence

TOKENS = 500
MOST_ROWS = 30
SYSTEM = Text(
    "你在为公司报表写一节文字。只用给出的数字,照原样写,带上单位,不要换算、不要计算、不要四舍五入,也不要用别的数字。"
    "每个数字写明是谁的、是什么。写两到四句完整的话,不用列表和标题。",
    "You write one section of a company report. Use the figures that are given and no others, exactly as "
    "they are written, with their units; convert, calculate and round nothing. Say of each figure whose "
    "it is and what it is. Write two to four whole sentences, without lists or headings.",
)
FAILED = Text("模型没有写出能用的话", "the model wrote nothing that could stay")
_DOWN = re.compile(
    r"下降|减少|下滑|回落|降低|缩减|低于|少|down|fell|fall|drop|decreas|declin|lower|less|below",
    re.IGNORECASE,
)
_OTHER: dict[str, tuple[str, ...]] = {
    "yuan": ("wan",),
    "wan": ("yuan",),
    "change": ("grew",),
    "percent": ("grew",),
}
_UNIT = re.compile(r"\s*[((].*?[))]\s*")


@dataclass(frozen=True, slots=True)
class Fact:
    """``owner``: the row it stands in; empty where it is of none. ``heading``: of its column."""

    owner: str
    heading: str
    value: Decimal
    format: str
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a section may speak of: figures, and names, which may hold digits themselves."""

    facts: tuple[Fact, ...]
    names: tuple[str, ...]
    owners: frozenset[str]
    headings: frozenset[str]


def known(section: Section, tables: Sequence[Table], language: Language) -> Known:
    facts: list[Fact] = []
    names: set[str] = set()
    owners: set[str] = set()
    for p in section.paragraphs:
        for b in p.bound:
            if isinstance(b.value, Decimal) and is_number(b.format):
                if not p.bullet:  # a bullet speaks of one row, which its table tells better
                    facts.append(Fact("", "", b.value, b.format, b.expression))
            else:
                names.add(b.text)
    for table in tables:
        for row in table.rows[:MOST_ROWS]:
            owner = str(row[table.columns[0].name] or "")
            owners.add(owner)
            for column in table.columns:
                value = row[column.name]
                if isinstance(value, Decimal) and is_number(column.format):
                    heading = _UNIT.sub("", column.label)
                    source = f"{table.id}[{owner}].{column.name}"
                    facts.append(Fact(owner, heading, value, column.format, source))
                elif value is not None:
                    names.add(written(value, column.format, language))
    names |= owners
    headings = frozenset(f.heading for f in facts if f.heading)
    return Known(
        tuple(facts),
        tuple(sorted(names - {""}, key=len, reverse=True)),
        frozenset(owners - {""}),
        headings,
    )


def bound_in(sentence: str, k: Known, language: Language) -> tuple[Bound, ...] | None:
    """What each number of ``sentence`` is bound to, in order; ``None`` where one is not."""
    out: list[Bound] = []
    named = list(_named(sentence, k.names))
    for start, end, name in named:
        if scan(name):
            out.append(Bound(start, end, "name", "text", name, name, (name,)))
    for numeral in scan(sentence):
        if any(start <= numeral.start < end for start, end, _ in named):
            continue
        found = _bound(sentence, numeral, k, named, language)
        if found is None:
            return None
        out.append(found)
    return tuple(sorted(out, key=lambda b: b.start))


def _named(sentence: str, names: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Where names stand, the longest first; none within another."""
    taken: set[int] = set()
    for name in names:
        at = sentence.find(name)
        while at >= 0:
            span = range(at, at + len(name))
            if taken.isdisjoint(span):
                taken.update(span)
                yield at, at + len(name), name
            at = sentence.find(name, at + len(name))


def _bound(
    sentence: str,
    numeral: Numeral,
    k: Known,
    named: Sequence[tuple[int, int, str]],
    language: Language,
) -> Bound | None:
    owner = _owner(numeral, k, named)
    heading = _heading(sentence[: numeral.start], k)
    for fact in k.facts:
        if fact.owner and fact.owner != owner:
            continue
        if fact.owner and heading and fact.heading != heading and _has(k, owner, heading):
            continue
        for format in (fact.format, *_OTHER.get(fact.format, ())):
            said = written(fact.value, format, language)
            keys = [n.key for n in scan(said)]
            if keys != [numeral.key]:
                continue
            if format in ("grew", "percent", "change") and not _direction(
                sentence, numeral, fact, format
            ):
                continue
            return Bound(
                numeral.start,
                numeral.end,
                fact.source,
                format,
                fact.value,
                numeral.text,
                (fact.source,),
            )
    return None


def _owner(numeral: Numeral, k: Known, named: Sequence[tuple[int, int, str]]) -> str:
    rows = sorted((at, name) for at, _, name in named if name in k.owners)
    before = [name for at, name in rows if at < numeral.start]
    after = [name for at, name in rows if at >= numeral.start]
    return before[-1] if before else after[0] if after else ""


def _heading(before: str, k: Known) -> str:
    """The heading named last, in the clause that leads to the number."""
    clause = re.split(r"[,,;;。、]", before)[-1]
    places = [(clause.rfind(h), h) for h in k.headings if h in clause]
    return max(places)[1] if places else ""


def _has(k: Known, owner: str, heading: str) -> bool:
    return any(f.owner == owner and f.heading == heading for f in k.facts)


def _direction(sentence: str, numeral: Numeral, fact: Fact, format: str) -> bool:
    """What is written with its sign needs no word; what is not must have the right one."""
    if format == "change" and numeral.text[:1] in "+-":
        return True
    if format == "percent" and fact.format == "percent":
        return True
    clause = re.split(r"[,,;;。、]", sentence[: numeral.start])[-1]
    return bool(_DOWN.search(clause)) == (fact.value < 0)


class ModelWriter:
    """``running.Word`` by an engine, on the account of ``principal``."""

    def __init__(
        self, engine: Engine, principal: Principal, today: date, limiter: Limiter | None = None
    ) -> None:
        self._engine, self._principal, self._today = engine, principal, today
        self._limiter = limiter or Limiter()

    async def __call__(
        self, section: Section, tables: tuple[Table, ...], language: Language
    ) -> Worded:
        if self._engine.profile.copies_text:
            why = "内置模型不会自己写文字", "the bundled model cannot word anything itself"
            return Worded((), (), Text(*why))
        prompt = _prompt(section, tables, language)
        try:
            said = await self._said(prompt, language)
        except (OperatorError, OverloadError, CallerError) as e:
            return Worded((), (), e.text)
        return self.checked(said, section, tables, language)

    def checked(
        self, said: str, section: Section, tables: tuple[Table, ...], language: Language
    ) -> Worded:
        """``said``, without the sentences that hold a number nobody bound."""
        k = known(section, tables, language)
        evidence = Evidence(self._today)
        evidence.found("report", _prompt(section, tables, language))
        checker = AnswerChecker.over(evidence, ())
        kept: list[Paragraph] = []
        dropped: list[str] = []
        cutter = SentenceCutter()
        for sentence in (*cutter.feed(said.strip()), cutter.rest()):
            text = sentence.strip()
            if not text:
                continue
            bound = bound_in(text, k, language)
            if bound is None or not checker.check(_rest(text, bound)).ok:
                dropped.append(text)
            else:
                kept.append(Paragraph(text, bound, origin="model"))
        return Worded(tuple(kept), tuple(dropped), FAILED)

    async def _said(self, prompt: str, language: Language) -> str:
        messages = (Message("system", SYSTEM(language)), Message("user", prompt))
        who = self._principal
        request = GenerateRequest(
            messages,
            sampling=Sampling(max_tokens=TOKENS),
            whole=True,
            purpose=Purpose("report", who.user, who.roles, condensed=True),
        )
        admission = await self._limiter.admit(
            self._principal, self._engine.profile.name, Usage(0, TOKENS)
        )
        said, used = "", Usage(0, TOKENS)
        try:
            async for event in self._engine.generate(request):
                if isinstance(event, TextDelta):
                    said += event.text
                elif isinstance(event, Done):
                    used = event.usage
        finally:
            await admission.settle(used)
        return said


def _rest(text: str, bound: Sequence[Bound]) -> str:
    """What is left to the agent's own check."""
    for b in reversed(bound):
        text = f"{text[: b.start]} {text[b.end :]}"
    return text


def _prompt(section: Section, tables: Sequence[Table], language: Language) -> str:
    lines = [section.title, *(p.text for p in section.paragraphs)]
    for table in tables:
        heads = [c.label for c in table.columns]
        lines += ["", table.title, f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
        for row in table.rows[:MOST_ROWS]:
            cells = [written(row[c.name], _short(c.format), language) for c in table.columns]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(format: str) -> str:
    """Sums in tens of thousands, which read better in a sentence."""
    return "wan" if format == "yuan" and "wan" in FORMATS else format

"""Where a contract departs from the template in what it says, and what it leaves out or adds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.alignment import Alignment, Pair, clauses_compared
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.edits import edited
from dazi.apps.contracts.findings import LONGEST_QUOTE, Finding, Severity, at
from dazi.apps.contracts.likeness import essence, likeness, sentences
from dazi.apps.contracts.lines import blank
from dazi.apps.contracts.quantities import changed_numbers, kept
from dazi.apps.contracts.shifts import moved, one_side_only, released, vanished
from dazi.apps.contracts.topics import NAMES, topics_of
from dazi.apps.contracts.wording import (
    FLAGS,
    Difference,
    denial,
    duty,
    flagged,
    safeguards,
    says,
    sides,
    softer,
)
from dazi.core.language import Text

WEIGHTY = frozenset(
    {"liability", "disputes", "law", "confidentiality", "payment", "termination", "ip", "data",
     "penalty", "warranty", "acceptance", "title_risk", "deposit", "renewal", "insurance"}
)  # fmt: skip
"""Topics a contract must not leave out."""
ALIKE = 0.93
COMPARED = 0.3
"""From here on numbers of a pair speak of the same thing; below, only under the same heading."""
WORD_BY_WORD = 0.5
"""From here on a duty that became an option, or a safeguard that is gone, counts."""
NEAR = 0.45
"""From here on a pair is compared word by word."""
AGAIN, AS_WELL, MATCHED, CLOSE = 0.3, 0.6, 0.35, 0.4
"""A sentence of the contract that is so like the template's, or so many times as like as the best, may be
what says it."""
OF_ANOTHER = 0.05
"""A sentence that is so much more like another of the template's says that one."""


def deviations(alignment: Alignment) -> Iterator[Finding]:
    elsewhere = _Elsewhere(alignment)
    told: list[str] = []
    for pair in alignment.pairs:
        finding = _changed(alignment, pair, elsewhere)
        if finding is not None:
            if finding.severity != "low":
                told.append(pair.theirs.words)
            yield finding
    for finding in _by_sentence(alignment, elsewhere):
        if not any(finding.quote in t for t in told):
            yield finding
    for clause in alignment.missing:
        yield _missing(alignment.template, clause)
    for clause in (*alignment.added, *alignment.beside):
        if _burdens(clause.words) and not elsewhere.usual(clause.words):
            yield at(
                clause,
                "added_clause",
                "deviation",
                "medium",
                Text(
                    "范本没有这一条,它加重一方责任或放弃权利",
                    "the template lacks this clause, which burdens one side or waives rights",
                ),
                Text("确认是否接受;不接受就删去", "accept it on purpose, or strike it"),
            )


def _burdens(text: str) -> bool:
    if re.search(r"不视为|不得视为|not (?:be )?deemed|no waiver|不(?:构成|意味着)", text, re.I):
        return False
    return any(says(pattern, text) for _, pattern, _ in FLAGS)


class _Elsewhere:
    """The sentences of both texts, and which of the contract's says what one of the template's says."""

    def __init__(self, a: Alignment) -> None:
        self._a = a
        self._ours = [(s, c) for c in clauses_compared(a.template) for s in _parts(c)]
        self._theirs = [(s, c) for c in clauses_compared(a.contract) for s in _parts(c)]
        language = a.contract.language
        mine = [essence(a.ours.marked(s), language) for s, _ in self._ours]
        other = [essence(a.theirs.marked(s), language) for s, _ in self._theirs]
        self._scores = likeness(mine, other, language) if mine and other else None
        self._at = {s: n for n, (s, _) in enumerate(self._ours)}

    def like(self, sentence: str) -> Iterator[tuple[str, Clause, float]]:
        """What may say the same, the likeliest first."""
        n = self._at.get(sentence)
        if n is None or self._scores is None:
            return
        row = self._scores[n]
        least = max(AGAIN, float(row.max()) * AS_WELL)
        for j in row.argsort()[::-1][:4]:
            another = float(self._scores[:, j].max())
            if row[j] >= least and row[j] >= another - OF_ANOTHER:
                yield *self._theirs[int(j)], float(row[j])

    def matched(self) -> Iterator[tuple[str, str, str, Clause, float]]:
        """Pairs of sentences that are each other's likeliest, the template's with its clause."""
        if self._scores is None:
            return
        rows, columns = self._scores.argmax(axis=1), self._scores.argmax(axis=0)
        for i, j in enumerate(rows):
            if columns[j] == i and self._scores[i, j] >= MATCHED:
                said, clause = self._theirs[int(j)]
                ours, whole = self._ours[i]
                score = float(self._scores[i, j])
                if not self._of_another(whole, said, score):
                    yield ours, whole.words, said, clause, score

    def _of_another(self, ours: Clause, said: str, score: float) -> bool:
        """Whether the sentence stands in a clause that answers better to another of the template's."""
        return any(
            p.ours.index != ours.index and p.score > score and said in p.theirs.words
            for p in self._a.pairs
        )

    def usual(self, text: str) -> bool:
        """Whether the template says the like anywhere, burdens included."""
        return any(
            re.search(pattern, text, re.I) and re.search(pattern, s, re.I)
            for _, pattern, _ in FLAGS
            for s, _ in self._ours
        )


def _by_sentence(a: Alignment, elsewhere: _Elsewhere) -> Iterator[Finding]:
    """Sentences that are each other's likeliest, wherever they stand, and differ in numbers, in who bears
    a cost or in what is denied."""
    for ours, whole, theirs, clause, score in elsewhere.matched():
        if kept(ours, theirs) and a.ours.marked(ours) == a.theirs.marked(theirs):
            continue
        marked = a.ours.marked(ours), a.theirs.marked(theirs)
        found = [
            *changed_numbers(ours, theirs),
            *_denied(ours, whole, theirs, a.contract.language),
            *moved(*marked),
            *softer(a.ours.marked(whole), marked[1]),
            *one_side_only(*marked),
            *edited(*marked),
        ]
        if score > WORD_BY_WORD and not re.search(_DISPUTES, ours, re.I):
            found += duty(ours, theirs)
        if score >= CLOSE:
            near = [clause.words, *(said for said, _, _ in elsewhere.like(ours))]
            found += [
                *released(ours, theirs, whole, " ".join(near)),
                *_gone(elsewhere, ours, theirs, clause),
            ]
        again = [said for said, _, _ in elsewhere.like(ours) if said != theirs]
        if found and not any(
            kept(ours, s) and not _differences(a, ours, s, max(score, NEAR + 0.06)) for s in again
        ):
            yield _told(clause, found, theirs, ours)


def _denied(ours: str, whole: str, theirs: str, language: str) -> Iterator[Difference]:
    """As ``denial``, where the rest of the template's clause doesn't say it either."""
    if list(denial(whole, theirs, language)):
        yield from denial(ours, theirs, language)


def _gone(elsewhere: _Elsewhere, ours: str, theirs: str, clause: Clause) -> Iterator[Difference]:
    """What vanished from a sentence and from all that is near it."""
    near = [clause.words, *(said for said, _, _ in elsewhere.like(ours))]
    if not any(kept(ours, text) for text in near):
        yield from vanished(ours, theirs)


def _parts(clause: Clause) -> list[str]:
    return sentences(clause.text) or [clause.text]


def _changed(a: Alignment, pair: Pair, elsewhere: _Elsewhere) -> Finding | None:
    ours, theirs = pair.ours.words, pair.theirs.words
    language = a.contract.language
    mine = essence(a.ours.marked(ours), language)
    other = essence(a.theirs.marked(theirs), language)
    if mine == other and a.ours.marks(ours) == a.theirs.marks(theirs):
        return None
    found = _differences(a, ours, theirs, pair.score, same_topic=_same_topic(a, pair))
    quoted = pair.theirs
    if found:
        found, quoted = _that_stay(a, pair, found, elsewhere)
    if not found:
        if pair.score > ALIKE:
            return None
        return at(
            pair.theirs, "wording", "deviation", "low",
            Text("措辞与范本不同,没有发现改变权利义务", "worded differently from the template; no change of rights or duties was found"),
            Text("看一下差异", "look at the difference"), theirs, ours,
        )  # fmt: skip
    return _told(quoted, found, quoted.words, ours)


def _told(clause: Clause, found: list[Difference], theirs: str, ours: str) -> Finding:
    severity: Severity = "high" if any(s == "high" for s, _ in found) else "medium"
    theirs = _what_is_new(ours, theirs)
    zh = ";".join(t.zh for _, t in found)
    en = "; ".join(t.en for _, t in found)
    return at(
        clause, "changed_terms", "deviation", severity,
        Text(f"与范本不同:{zh}", f"differs from the template: {en}"),
        Text(f"按范本改回:{ours[:120]}", f"restore the template's wording: {ours[:160]}"), theirs, ours,
    )  # fmt: skip


def _what_is_new(ours: str, theirs: str) -> str:
    """Of a text longer than a quote, from the part on that has least in common with the other."""
    if len(theirs) <= LONGEST_QUOTE:
        return theirs
    parts = [p for p in re.split(r"(?<=[。；;,，])\s*|(?<=[.:])\s+", theirs) if p.strip()]
    known = {ours[i : i + 3].lower() for i in range(len(ours) - 2)}

    def strange(part: str) -> float:
        pieces = [part[i : i + 3].lower() for i in range(len(part) - 2)]
        return sum(p not in known for p in pieces) / (len(pieces) + 8)

    at = theirs.find(max(parts, key=strange)) if parts else 0
    return theirs[max(0, min(at - 60, len(theirs) - LONGEST_QUOTE)) :]


def _that_stay(
    a: Alignment, pair: Pair, found: list[Difference], elsewhere: _Elsewhere
) -> tuple[list[Difference], Clause]:
    """Of the differences of a pair, those of a sentence that nothing in the contract says as the template
    does; and the clause that comes nearest to it."""
    parts = _parts(pair.ours)
    kept_as_is = 0
    for sentence in parts:
        for said, _, score in elsewhere.like(sentence):
            if kept(sentence, said) and not _differences(
                a, sentence, said, max(score, NEAR + 0.06)
            ):
                kept_as_is += 1
                break
    if parts and kept_as_is == len(parts):
        burdens = list(flagged(pair.ours.words, pair.theirs.words))
        return burdens, pair.theirs
    return found, pair.theirs


def _differences(
    a: Alignment, ours: str, theirs: str, score: float, *, same_topic: bool = False
) -> list[Difference]:
    """What changes rights between two texts that are so alike."""
    language = a.contract.language
    marked = a.ours.marked(ours), a.theirs.marked(theirs)
    found: list[Difference] = []
    if score >= COMPARED or same_topic:
        if not blank(ours):
            found += changed_numbers(ours, theirs)
        found += denial(ours, theirs, language)
    if score >= NEAR:
        found += flagged(ours, theirs)
        found += moved(*marked)
    if score > WORD_BY_WORD:
        found += safeguards(ours, theirs, language)
        if not re.search(_DISPUTES, ours, re.I):
            found += duty(ours, theirs)
    return [*found, *sides(*marked), *softer(*marked)]


_DISPUTES = r"争议|仲裁|诉讼|dispute|arbitrat|courts?\b"


def _same_topic(a: Alignment, pair: Pair) -> bool:
    mine, other = topics_of(a.template, pair.ours)[:1], topics_of(a.contract, pair.theirs)[:1]
    return pair.score >= 0.16 and bool(mine) and mine == other


_BOILERPLATE = re.compile(
    r"[Hh]eadings?\b.{0,60}convenience|标题.{0,20}(?:方便|便利|不影响)|take into consideration|[Ww]hereas|鉴于|words? (?:in|importing) the (?:singular|plural)"
)


def _short(clause: Clause) -> bool:
    """An item of a list, or a heading, that says nothing by itself."""
    text = clause.words
    if len(text) < 20 and text.endswith(("；", ";")):
        return True
    short = len(text) < 16 if re.search(r"[\u3400-\u9fff]", text) else len(text.split()) < 6
    return short and not re.search(r"不得|应当|\bshall\b|\bmust\b|\d", text)


def _missing(template: Contract, clause: Clause) -> Finding:
    topics = topics_of(template, clause)
    topic = topics[0] if topics else ""
    zh, en = NAMES.get(topic, (template.heading(clause), template.heading(clause)))
    title = template.heading(clause) or zh
    severity: Severity = "high" if topic in WEIGHTY else "medium"
    if (
        blank(clause.text)
        or topic == "general"
        or _BOILERPLATE.search(clause.text)
        or _short(clause)
    ):
        severity = (
            "low"  # what is to be filled in, and copies and order of precedence, differ everywhere
        )
    return Finding(
        f"missing_{topic or 'clause'}",
        "missing",
        severity,
        Text(
            f"缺少范本的“{title}”({zh})条款:{clause.text[:120]}",
            f"the template's clause on {en} (“{title}”) is missing: {clause.text[:160]}",
        ),
        Text(f"补上:{clause.text[:200]}", f"add: {clause.text[:200]}"),
        clause=clause.number,
        expected=clause.words[:300],
    )

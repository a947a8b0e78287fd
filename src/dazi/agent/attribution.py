"""Which passage each sentence of an answer rests on, where a model has put it in its own words.

A sentence rests on the passage that holds most of its telling terms, weighed by how few of the passages
hold them, and every number that it says; on none where too little of it is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dazi.agent.sentences import SentenceCutter
from dazi.core.turn import Attachment
from dazi.knowledge.quoting import asked
from dazi.knowledge.terms import folded, words

LEAST = 0.5
"""Share of a sentence's telling terms that its passage holds."""
FEWEST = 2
"""Terms that a sentence has, to say anything that could rest on something."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_MARKS = re.compile(r"^[\s>#*+-]+|^\s*\d+[.)、]\s+|[*_`]+")
_DIGITS = "零一二三四五六七八九"
_WRITTEN = re.compile(
    r"([一二三四五六七八九]?)(十?)([一二三四五六七八九两]?)(?=个?(?:[天年月日周次元岁折倍人]|小时|分钟))"
)
"""As Chinese writes a number, where something is counted by it."""
_ALONE = rf"(?<![\d.{_DIGITS}十百千]){{}}(?![\d{_DIGITS}十]|\.\d)"
"""A number that is not part of a longer one."""


def attributed(attachments: Sequence[Attachment], answer: str) -> tuple[Attachment, ...]:
    """Sources with ``statements`` of ``answer`` in their data, each with the number of its passage; an
    answer that is the quoted sentence itself has none."""
    sources = [a for a in attachments if a.kind == "sources"]
    told = {a.data.get("quote", "") for a in sources}
    if not sources or _plain(answer) in {_plain(t) for t in told if t}:
        return tuple(attachments)
    passages = [(n, p) for n, a in enumerate(sources) for p in a.data.get("passages", ())]
    texts = [_Text.of(p) for _, p in passages]
    found: dict[int, list[dict[str, Any]]] = {}
    for sentence in _sentences(answer):
        best = _rests_on(sentence, texts)
        if best is not None:
            which, passage = passages[best]
            found.setdefault(which, []).append({"text": sentence, "passage": passage["number"]})
    numbered = iter(range(len(sources)))
    return tuple(
        _with(a, found.get(next(numbered), [])) if a.kind == "sources" else a for a in attachments
    )


def _with(attachment: Attachment, statements: list[dict[str, Any]]) -> Attachment:
    if not statements:
        return attachment
    return replace(attachment, data={**attachment.data, "statements": statements})


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    latin: frozenset[str]

    @classmethod
    def of(cls, passage: Mapping[str, Any]) -> _Text:
        parts = (passage.get("title", ""), passage.get("section", ""), passage.get("text", ""))
        whole = "\n".join(map(str, parts))
        return cls(_ungrouped(folded(whole)), frozenset(asked(whole)))

    def has(self, term: str) -> bool:
        """A word of hanzi wherever it stands: it may be cut otherwise there."""
        return term in self.text if _is_hanzi(term) else term in self.latin

    def holds(self, spellings: Sequence[str]) -> bool:
        return any(re.search(_ALONE.format(re.escape(s)), self.text) for s in spellings)


def _rests_on(sentence: str, texts: Sequence[_Text]) -> int | None:
    terms = _telling(sentence)
    if len(terms) < FEWEST:
        return None
    # What no passage holds weighs no more than what one does: politeness is in none.
    holders = {t: max(sum(x.has(t) for x in texts), 1) for t in terms}
    weight = {t: math.log(1 + len(texts) / n) for t, n in holders.items()}
    numbers = [_spellings(n) for n in _numbers(sentence)]
    best, most = None, LEAST * sum(weight.values())
    for i, text in enumerate(texts):
        held = sum(w for t, w in weight.items() if text.has(t))
        if held > most and all(map(text.holds, numbers)):
            best, most = i, held
    return best


def _telling(sentence: str) -> list[str]:
    hanzi = [w for w in words(sentence) if len(w) > 1 and _is_hanzi(w)]
    return list(dict.fromkeys([*(t for t in asked(sentence) if not _is_hanzi(t)), *hanzi]))


def _is_hanzi(term: str) -> bool:
    return term[0] >= "\u3400"


def _numbers(sentence: str) -> Iterator[str]:
    yield from _NUMBER.findall(_ungrouped(sentence))
    for tens, ten, ones in _WRITTEN.findall(sentence):
        if ten or ones:
            value = (_DIGITS.find(tens) if tens else 1) * 10 if ten else 0
            yield str(value + (2 if ones == "两" else _DIGITS.find(ones) if ones else 0))


def _spellings(number: str) -> list[str]:
    """Up to 99 also as Chinese writes it."""
    if not number.isdigit() or not 0 < int(number) < 100:
        return [number]
    tens, ones = divmod(int(number), 10)
    ten = "" if not tens else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return [number, ten + (_DIGITS[ones] if ones else "")] + (["两"] if number == "2" else [])


def _ungrouped(text: str) -> str:
    return _GROUPED.sub("", text)


def _sentences(answer: str) -> Iterator[str]:
    cutter = SentenceCutter()
    for part in (*cutter.feed(answer), cutter.rest()):
        plain = _MARKS.sub("", part.strip()).strip()
        if plain:
            yield plain


def _plain(text: str) -> str:
    return "".join(c for c in folded(text) if c.isalnum())

"""What document a gap asks for: its title, what it has to answer, and who would know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dazi.core.language import Language, Text
from dazi.knowledge.records import Document, Source
from dazi.ops.gaps.likeness import likeness, most_central, terms_of

MOST_POINTS = 6
SAME = 0.75
"""Likeness from which on two questions are one point of an outline."""
LONGEST_TITLE = 40
TITLE = Text("关于“{what}”的说明", "About “{what}”")
SCOPE = Text(
    "适用于谁、从哪天起、由谁负责", "For whom it holds, from when on, and who is responsible"
)
BESIDE = Text(
    "现有的《{title}》没有写到,可以补在那里或从那里引用",
    "“{title}”, which there is, does not say it; add it there, or refer to it from there",
)
MANAGERS = Text("管理文档的人({roles})", "whoever looks after documents ({roles})")
_ASKING = re.compile(r"^(?:请问|你好|您好|hi|hello|please)[,,。.\s]*|[??!!。.\s]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``ask``: who looks after the nearest documents."""

    title: str
    outline: tuple[str, ...]
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What there is near the gap: documents, nearest first, with their sources; ``managers``: roles."""

    documents: Sequence[Document]
    sources: Mapping[str, Source]
    managers: Sequence[str]


def suggested(texts: Sequence[str], around: Around, language: Language) -> Suggestion:
    """``texts``: the questions, with stand-ins for what is personal."""
    central = texts[most_central(texts)]
    what = _ASKING.sub("", central.strip())[:LONGEST_TITLE] or central[:LONGEST_TITLE]
    outline = [*_points(texts, central), SCOPE(language)]
    if around.documents:
        outline.append(BESIDE(language).format(title=_called(around.documents[0])))
    return Suggestion(TITLE(language).format(what=what), tuple(outline), _who(around, language))


def _points(texts: Sequence[str], central: str) -> list[str]:
    """The different questions, the most central one first."""
    out: list[str] = []
    for text in (central, *texts):
        terms = terms_of(text)
        if all(likeness(terms, terms_of(other)) < SAME for other in out):
            out.append(text.strip())
        if len(out) == MOST_POINTS:
            break
    return out or [central.strip()]


def _who(around: Around, language: Language) -> tuple[str, ...]:
    found = [
        source.by
        for d in around.documents
        if (source := around.sources.get(d.source)) is not None and source.by
    ]
    roles = ", ".join(around.managers) or "-"
    return tuple(dict.fromkeys(found)) or (MANAGERS(language).format(roles=roles),)


def _called(document: Document) -> str:
    return document.title or document.place.rpartition("/")[2]

"""What searching the company's documents is to the tool that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dazi.core.language import Language
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class KnowledgeQuestion:
    """``before``: what the person said earlier, latest first, for a question that leans on it."""

    text: str
    principal: Principal
    language: Language
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that the person may read, and where it stands. ``number`` counts from 1. ``source`` is
    a file's name with its page, ``section`` the headings above. ``document`` and ``ordinal`` find it
    again."""

    number: int
    text: str
    title: str
    source: str
    section: str
    document: str
    ordinal: int
    page: int = 0


@dataclass(frozen=True, slots=True)
class KnowledgeAnswer:
    """``quote``: the sentence that answers, word for word, out of passage ``quoted``; empty where none
    does. ``passages``, best first, are what was looked at."""

    passages: tuple[Cited, ...]
    quote: str = ""
    quoted: Cited | None = None


class KnowledgeSource(Protocol):
    async def answer(self, question: KnowledgeQuestion) -> KnowledgeAnswer:
        """Only of what the person may read. Raises ``ConnectorError``, with code ``not_found`` where the
        documents do not say it and whoever asks can make nothing of passages that are merely near."""
        ...

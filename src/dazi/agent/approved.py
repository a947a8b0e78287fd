"""Answers that somebody approved ahead of time, for questions that come again and again.

A question is known by its words and by nothing that only resembles it: "can I return it" and "can I not
return it" are a hair apart. What is said around it (a greeting, "may I ask", a full stop) does not count.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.core.language import Language, Text
from dazi.core.source import Source

LONGEST = 200
"""Characters of a question; a longer message is looked up by no one."""
_SILENT = re.compile(r"(?<![0-9])(?:[^\w%‰]|_)+|(?:[^\w%‰]|_)+(?![0-9])|\s+")
"""What stands between two digits is part of a number: 1.5 is not 15. So is a sign before one."""
_SIGN = re.compile(r"(?<![0-9A-Za-z])-(?=[0-9])")
_BEFORE = re.compile(
    r"^(?:(?:你好|您好|请问|麻烦问一?下|想问一?下|问一?下|我?想问|劳驾)[\W_]*"
    r"|(?:hi|hello|please|excuse me|may i ask)\b[\W_]*)+"
)
_AFTER = re.compile(
    r"(?:[\W_]*(?:呢|啊|呀|哦|谢谢|多谢)|[\W_]+(?:please|thanks|thank you))+[\W_]*$"
)
_MINUS = "负"


@dataclass(frozen=True, slots=True)
class Approved:
    """``roles``: of those that it is for, all where there are none; ``until``: its last day."""

    name: str
    answer: Text
    roles: frozenset[str] = frozenset()
    until: date | None = None

    def holds(self, roles: frozenset[str], today: date) -> bool:
        timely = self.until is None or today <= self.until
        return timely and (not self.roles or not self.roles.isdisjoint(roles))


class ApprovedAnswers:
    """By the plain form of their questions."""

    def __init__(self, known: Mapping[str, Sequence[Approved]] | None = None) -> None:
        self._known = known or {}

    def __len__(self) -> int:
        return len({a.name for answers in self._known.values() for a in answers})

    def find(self, text: str, roles: frozenset[str], today: date) -> Approved | None:
        if not self._known or len(text) > LONGEST:
            return None
        found = self._known.get(plain(text), ())
        return next((a for a in found if a.holds(roles, today)), None)


def plain(text: str) -> str:
    """``text`` in the form that questions are compared in."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    bare = _AFTER.sub("", _BEFORE.sub("", folded))
    return _joined(bare) or _joined(folded)


def _joined(text: str) -> str:
    return _SILENT.sub("", _SIGN.sub(_MINUS, text))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: list[str] = Field(min_length=1)
    answer: str | dict[Language, str]
    approved_by: str = Field(min_length=1)
    roles: list[str] = []
    until: date | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answers: list[_Entry] = []


def read_approved(source: Source, roles: Sequence[str]) -> ApprovedAnswers:
    """``roles``: that there are. Raises ``ConfigError`` with file, line and mend."""
    known: dict[str, list[Approved]] = {}
    for i, entry in enumerate(_validated(source).answers):
        path = ("answers", i)
        for role in entry.roles:
            if role not in roles:
                near = difflib.get_close_matches(role, roles, 1) or sorted(roles)
                raise source.error(
                    (*path, "roles"),
                    f"没有角色 “{role}”,可用:{', '.join(near)}",
                    f"there is no role “{role}”; use {', '.join(near)}",
                )
        made = Approved(
            entry.questions[0], _text(entry.answer), frozenset(entry.roles), entry.until
        )
        for question in entry.questions:
            form = plain(question)
            if not form or len(question) > LONGEST:
                raise source.error(
                    (*path, "questions"),
                    f"问题要有字,最多 {LONGEST} 个:“{question[:50]}”",
                    f"a question has words, {LONGEST} characters at most: “{question[:50]}”",
                )
            same = known.setdefault(form, [])
            for other in same:
                if not other.roles or not made.roles or other.roles & made.roles:
                    raise source.error(
                        (*path, "questions"),
                        f"“{question}” 已经有回答了(在 “{other.name}” 下),同一角色只能有一个",
                        f"“{question}” has an answer already (under “{other.name}”); a role has one",
                    )
            same.append(made)
    return ApprovedAnswers(known)


def _text(given: str | dict[Language, str]) -> Text:
    return Text.of(given if isinstance(given, str) else {str(k): v for k, v in given.items()})


def _validated(source: Source) -> _File:
    data: Any = source.data or {}
    try:
        return _File.model_validate(data)
    except ValidationError as e:
        first = e.errors()[0]
        path = [p for p in first["loc"] if isinstance(p, str | int)]
        where = ".".join(map(str, path)) or "answers"
        raise source.error(
            path,
            f"{where}:写法不对({first['msg']});每条要有 questions、answer、approved_by",
            f"{where}: {first['msg']}; each has questions, answer and approved_by",
        ) from None

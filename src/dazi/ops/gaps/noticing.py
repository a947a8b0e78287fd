"""Which ends of turns tell that something is not in the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dazi.agent.closing import NOTHING_CERTAIN
from dazi.core.language import Language, Text
from dazi.core.learning import Ended

Why = Literal["not_found", "unsure", "handed_over", "missing"]
WHYS: dict[Why, Text] = {
    "not_found": Text("没有检索到", "nothing was found"),
    "unsure": Text("回答不知道", "the answer was “I don't know”"),
    "handed_over": Text("转了人工", "went to a person"),
    "missing": Text("被指出文档里没有", "said not to be in the documents"),
}
FROM_DOCUMENTS = "document:"
_UNSURE = re.compile(
    r"(?:我|文档里?|资料里?|公司文档里?|知识库里?)?(?:暂时|目前|还)?"
    r"(?:不知道|不清楚|不了解|没有(?:找到|查到|写)(?:这一点|相关|有关|对应|关于)?|无法(?:回答|确认|确定))"
    r"|\b(?:I(?: do not|'m not| don't| am not) (?:know|sure|aware)|could(?: not|n't) find|cannot answer|can't answer"
    r"|no (?:information|document)s? (?:about|on)|the documents do not)\b",
    re.IGNORECASE,
)
LEADS = 80
"""Characters at an answer's beginning: who does not know says so first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A question without an answer. ``turn`` may be empty, as where a person took over."""

    why: Why
    thread: str
    turn: str
    text: str
    language: Language


def noticed(turn: Ended) -> Why | None:
    """``None`` for a turn that was answered, or whose end says nothing of documents: an order that does
    not exist is no gap."""
    if not turn.said.strip():
        return None
    documents = [o for label, o in turn.outcomes if label.startswith(FROM_DOCUMENTS)]
    if "not_found" in documents and "ok" not in documents:
        return "not_found"
    others = [o for label, o in turn.outcomes if not label.startswith(FROM_DOCUMENTS)]
    if others:
        return None
    answer = turn.answer.strip()
    if answer == NOTHING_CERTAIN(turn.language) or _UNSURE.search(answer[:LEADS]):
        return "unsure"
    return None

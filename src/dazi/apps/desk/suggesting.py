"""A reply for a person to send or not: each sentence with where it is from.

Order data is asked for as the agent, who answers; documents are searched with the rights of the
customer, for what they may not read is not to be told them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dazi.apps.desk.model import Ticket
from dazi.apps.desk.ports import Look
from dazi.apps.desk.replies import Canned, filled
from dazi.apps.desk.rules import OrderCheck
from dazi.core.errors import CallerError, ConnectorError
from dazi.core.knowledge import KnowledgeQuestion, KnowledgeSource
from dazi.core.language import Language
from dazi.core.principal import Principal

Kind = Literal["order", "document", "canned"]
MOST_ORDERS = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """``source``: the tool and the order, the document with its page, or the canned reply's name."""

    text: str
    kind: Kind
    source: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return "\n".join(s.text for s in self.sentences)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who answers whom about what. ``question``: what the customer last asked; ``before``: what they
    said earlier, latest first. ``values``: of a canned reply's variables."""

    agent: Principal
    customer: Principal
    ticket: Ticket
    question: str
    before: tuple[str, ...]
    language: Language
    values: Mapping[str, str]


async def suggest(
    asking: Asking,
    check: OrderCheck | None,
    look: Look,
    knowledge: KnowledgeSource | None,
    replies: Sequence[Canned],
) -> Suggestion:
    """Without any sentence where nothing is known."""
    out: list[Sentence] = []
    if check is not None:
        for order in asking.ticket.orders[:MOST_ORDERS]:
            said = await look(asking.agent, check.tool, {check.parameter: order}, asking.language)
            if said:
                out.append(Sentence(said, "order", f"{check.tool}({order})"))
    found = await _quoted(asking, knowledge) if knowledge is not None else None
    if found is not None:
        out.append(found)
    for canned in replies:
        if canned.categories and canned.suits(asking.ticket.category):
            try:
                text = filled(canned, asking.values, asking.language)
            except CallerError:  # it needs what this ticket does not have
                continue
            out.append(Sentence(text, "canned", canned.name))
            break
    return Suggestion(tuple(out))


async def _quoted(asking: Asking, knowledge: KnowledgeSource) -> Sentence | None:
    if not asking.question.strip():
        return None
    question = KnowledgeQuestion(asking.question, asking.customer, asking.language, asking.before)
    try:
        answer = await knowledge.answer(question)
    except ConnectorError:  # the documents do not say, or cannot be asked: a person answers anyway
        return None
    if answer.quoted is None or not answer.quote:
        return None
    return Sentence(answer.quote, "document", answer.quoted.source)

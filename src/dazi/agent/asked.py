"""An answer to a question back belongs to the request that the question was about.

「我要退款」, 「请问订单号是多少？」, 「ORD12345」 is one request told in pieces. A large model sees that by itself; a
small one does better with the pieces put together: 「我要退款,ORD12345」. Only answers that hold a value
of the kind that was asked for, and no request of their own, are put to what went before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from dazi.agent.taught import sentences
from dazi.core.engine import TaughtReply
from dazi.core.ids import loose_pattern
from dazi.core.language import language_of
from dazi.core.messages import Message
from dazi.core.tools import Parameter
from dazi.memory.threads import Kept
from dazi.prompt.choose import ToolChooser
from dazi.router.grounding import Evidence
from dazi.router.normalise.find import find_durations, find_values
from dazi.router.records import loosely
from dazi.router.spoken import occurs
from dazi.router.wording import ASKING

ASKS = "ask:"
"""How the ``when`` of a taught question begins; the parameter that it asks for follows."""
OWN_REQUEST = 10.0
"""Relevance to some tool from which on an answer is a request of its own: of 1,000 answers to
questions 93 % stay below, of other requests that hold a value of the kind asked for half do."""

_LEANS = re.compile(
    r"[这那]一?[单个笔件条台款间边]|它|刚才|刚刚|同样|一样|不变|[呢呐][?？。!！]?$"
    r"|\b(?:it|its|that|this|same|instead)\b|^(?:and|what about|how about)\b",
    re.IGNORECASE,
)
"""Words that take something from what was talked about before."""


def leans(said: str) -> bool:
    """Does ``said`` take something from what was talked about before?"""
    return _LEANS.search(said) is not None


class Asked:
    """What the questions of one model ask for. Build it once."""

    def __init__(self, chooser: ToolChooser, replies: Sequence[TaughtReply]) -> None:
        self._chooser = chooser
        self._taught = {
            r.text: r.when.removeprefix(ASKS) for r in replies if r.when.startswith(ASKS)
        }
        others = {s for r in replies if not r.when.startswith(ASKS) for s in sentences(r.text)}
        self._beginnings: dict[str, set[str]] = {}
        for question, slot in self._taught.items():
            self._beginnings.setdefault(slot, set()).update({sentences(question)[0]} - others)
        self._parameters = [p for tool in chooser.tools.values() for p in tool.parameters]

    def slots(self, question: str) -> set[str]:
        """Names of parameters that ``question`` asks for; empty where it is no question that we know."""
        text = question.strip()
        if text in self._taught:
            return {self._taught[text]}
        if not text.startswith((ASKING.zh, ASKING.en)):
            return set()
        described = ((p, w) for p in self._parameters for w in (p.description.zh, p.description.en))
        return {p.name for p, words in described if words and words in text}

    def answers(self, slots: set[str], said: str, today: date) -> bool:
        """Does ``said`` hold a value for one of ``slots``, and no request of its own?"""
        rest, found = said, False
        for p in self._parameters:
            values = _values(p, said, today) if p.name in slots else []
            found = found or bool(values)
            for value in values:
                rest = rest.replace(value, " ")
        if not found:
            return False
        return max(self._chooser.scores(rest).values(), default=0.0) < OWN_REQUEST

    def needless(self, said: str, today: date, history: Sequence[Kept] = ()) -> frozenset[str]:
        """How taught questions begin, as ``taught.sentences`` has it, for what is known already.

        ``said`` tells it, or leans on the thread's latest call (「那这单呢」), which had it.
        """
        told = {p.name for p in self._parameters if _told(p, said, today)}
        if leans(said):
            told |= _latest(history)
        return frozenset(q for slot in told for q in self._beginnings.get(slot, ()))

    def joined(self, history: Sequence[Kept], said: str, today: date) -> tuple[list[Message], str]:
        """The thread's messages and the new one, with answers put to their requests."""
        out: list[Message] = []
        for message in (*(k.message for k in history), Message("user", said)):
            question = out[-1] if out else None
            if (
                message.role == "user"
                and len(out) > 1
                and question is not None
                and question.role == "assistant"
                and not question.calls
                and out[-2].role == "user"
                and self.answers(self.slots(question.content), message.content, today)
            ):
                del out[-1]
                gap = "," if language_of(out[-1].content) == "zh" else ", "
                whole = re.sub(r"[\s。.!?,，！？]+$", "", out[-1].content)
                out[-1] = Message("user", f"{whole}{gap}{message.content}")
            else:
                out.append(message)
        return out[:-1], out[-1].content


def _latest(history: Sequence[Kept]) -> set[str]:
    """Names of the arguments of the thread's latest call."""
    calls = (k.message.calls[-1] for k in reversed(history) if k.message.calls)
    latest = next(calls, None)
    return set(loosely(latest.arguments)) if latest else set()


def _told(p: Parameter, said: str, today: date) -> bool:
    """Does ``said`` hold a value for ``p``? A single time is a beginning and tells no end; a passage
    is told where its name comes with something behind it (「原因是漏发」)."""
    if p.prose:
        text = said.casefold()
        named = [w.casefold() for w in (p.description.zh, p.description.en) if w]
        return any(w in text and len(text.rpartition(w)[2]) > 2 for w in named)
    if p.after:
        return len(find_values("time", said, today)) > 1 or bool(find_durations(said))
    return bool(_values(p, said, today))


def _values(p: Parameter, said: str, today: date) -> list[str]:
    """The stretches of ``said`` that give a value for ``p``."""
    evidence = Evidence(today)
    evidence.said(said)
    if p.pattern:
        written = [m[0] for m in loose_pattern(p.pattern).finditer(said)]
        return written or list(evidence.values(p))
    if p.format == "time":
        lengths = [s.text for s in find_durations(said)]
        return [s.text for s in find_values("time", said, today)] + lengths
    if p.format:
        return [s.text for s in find_values(p.format, said, today)]
    if p.enum:
        return [w for v in p.enum for w in (v, *p.names(v)) if occurs(w, said)]
    return []

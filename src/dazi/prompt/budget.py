"""How many tokens a prompt may have, and how they are counted.

A bound that costs nothing decides where everything fits anyway; only where it does not are
messages counted by the engine's own tokenizer, each once.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import Message

MOST_TOKENS = 20_000
"""What a prompt takes at the most, however large the model's context is: more slows every answer,
and is read less well."""
SHARE = 5 / 8
"""Of the model's context; the rest is for its answer and for what the count does not see."""
MARKUP_BYTES = 64
"""More than the marks around one message, or one call, in any of the conversation formats."""
_encoded = msgspec.json.Encoder(enc_hook=dict).encode
REMEMBERED = 4_096
"""So many counts are kept."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the budget each layer may take, from 0 to 1. They need not add up to 1: what one
    leaves is there for the others."""

    live: float = 0.6
    short: float = 0.5
    middle: float = 0.15
    long: float = 0.1


@dataclass(frozen=True, slots=True)
class ContextRules:
    """``tokens``: of a whole prompt with its answer, 0 for what suits the model. ``turns``: how many
    are kept word for word. ``digest_tokens``: what older turns of one thread may come to."""

    tokens: int = 0
    turns: int = 5
    digest_tokens: int = 2_000
    shares: Shares = Shares()

    def total(self, context_tokens: int) -> int:
        """Prompt and answer together."""
        return self.tokens or min(MOST_TOKENS, int(context_tokens * SHARE))


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """Tokens for the messages of a prompt: ``total``, and no more for each layer than its own."""

    total: int
    live: int
    short: int
    middle: int
    long: int

    @classmethod
    def of(cls, total: int, shares: Shares) -> ContextBudget:
        total = max(total, 0)
        parts = (shares.live, shares.short, shares.middle, shares.long)
        return cls(total, *(int(total * share) for share in parts))

    def less(self, tokens: int) -> ContextBudget:
        return replace(self, total=max(self.total - tokens, 0))


class Measure(Protocol):
    """Counts tokens, never too few."""

    def message(self, message: Message) -> int: ...

    def text(self, text: str) -> int:
        """Of ``text`` as a part of a message."""
        ...


def bound(text: str) -> int:
    """Never fewer than the tokens of ``text``, in any form in which an engine may encode it.

    Tokens of a byte-level vocabulary stand for one byte or more (Sennrich et al. 2016, as GPT-2 and
    Qwen use it). Engines may normalise a text first, and make control tags harmless, which adds
    two bytes each.
    """
    if text.isascii():
        return len(text) + 2 * text.count("<")
    forms = {text, unicodedata.normalize("NFKC", text), unicodedata.normalize("NFC", text)}
    longest = max(len(form.encode("utf-8", "surrogatepass")) for form in forms)
    return longest + 2 * text.count("<")


class Bound:
    """A measure that asks no engine: a few times too high, and free."""

    def message(self, message: Message) -> int:
        calls = sum(bound(c.name) + bound(c.arguments) + MARKUP_BYTES for c in message.calls)
        return bound(message.content) + calls + MARKUP_BYTES

    def text(self, text: str) -> int:
        return bound(text)


@dataclass(slots=True)
class Counter:
    """A measure by an engine's ``count_tokens``. Counts are kept by digests, not by what was said."""

    count: Callable[[GenerateRequest], int]
    _known: OrderedDict[bytes, int] = field(default_factory=OrderedDict)
    _frame: int = -1

    def message(self, message: Message) -> int:
        written = [message.role, message.content]
        written += [part for c in message.calls for part in (c.name, c.arguments)]
        whole = "\0".join(written).encode("utf-8", "surrogatepass")
        return self._kept(whole, lambda: self._alone((message,)))

    def text(self, text: str) -> int:
        empty = self.message(Message("user", ""))
        return max(self.message(Message("user", text)) - empty, 1 if text else 0)

    def tools(self, tools: Sequence[OfferedTool]) -> int:
        """What their schemas add to a prompt."""
        if not tools:
            return 0
        written = _encoded([(t.name, t.description, t.parameters) for t in tools])
        return self._kept(b"tools\0" + written, lambda: self._alone((), tuple(tools)))

    def _alone(self, messages: tuple[Message, ...], tools: tuple[OfferedTool, ...] = ()) -> int:
        if self._frame < 0:
            self._frame = self.count(GenerateRequest(()))
        return max(self.count(GenerateRequest(messages, tools)) - self._frame, 0)

    def _kept(self, written: bytes, count: Callable[[], int]) -> int:
        key = hashlib.blake2b(written, digest_size=16).digest()
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = count()
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known

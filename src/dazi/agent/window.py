"""Fits each round's prompt into the model's context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.core.engine import Engine, GenerateRequest, OfferedTool
from dazi.core.errors import CallerError
from dazi.core.messages import Message
from dazi.core.turn import ContextReport, LayerUse
from dazi.prompt.assemble import Assembled, Fold, Layers, assemble
from dazi.prompt.budget import Bound, ContextBudget, ContextRules, Counter

BOUND = Bound()
LEAST = 0.25
"""Of the total, what messages have at least where the model's context allows it."""
SPARE = 64
TRIES = 4
"""Parts are counted one by one, and a whole may take a few tokens more than its parts."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """``made``: what the request's messages were made of. ``counted``: by the engine's tokenizer, which
    is asked only where there is a doubt that all fits; else no layer has more than is told."""

    request: GenerateRequest
    made: Assembled
    counted: bool

    @property
    def report(self) -> ContextReport | None:
        """Where it was asked for, or something was left out."""
        return self.made.report if self.counted else None


class Window:
    """Of one engine."""

    def __init__(self, engine: Engine, rules: ContextRules) -> None:
        self.engine = engine
        self.rules = rules
        self.counter = Counter(engine.count_tokens)

    def budget(self, request: GenerateRequest) -> ContextBudget:
        """What is left for messages, beside the answer and the tools' schemas."""
        context = self.engine.profile.context_tokens
        total = self.rules.total(context)
        tools: Sequence[OfferedTool] = request.tools if request.tool_choice != "none" else ()
        beside = request.sampling.max_tokens + self.counter.tools(tools)
        rest = total - beside
        if not self.rules.tokens:
            # Callers may bring very large tools: a turn still has to see its own results.
            rest = max(rest, min(int(total * LEAST), context - beside - SPARE))
        return ContextBudget.of(rest, self.rules.shares)

    def fit(
        self, request: GenerateRequest, layers: Layers, fold: Fold, *, exact: bool = False
    ) -> Fitted:
        """``request`` with the messages of ``layers`` that fit. ``exact``: count them even where
        there is no doubt that they do.

        Raises ``CallerError`` where the person's message alone is more than the operator's limit.
        """
        budget = self.budget(request)
        if not exact and (sure := _surely(layers, budget)) is not None:
            return Fitted(replace(request, messages=sure.messages), sure, counted=False)
        for _ in range(TRIES):
            made = assemble(layers, budget, self.counter, fold)
            whole = self._whole(request, made)
            over = whole - self.budget(request).total
            if over <= 0 or not _lessens(made):
                break
            budget = budget.less(over)
        if self.rules.tokens and over > 0:
            raise _too_long(whole, self.budget(request).total)
        report = replace(made.report, tokens=whole, limit=self.budget(request).total)
        made = replace(made, report=report)
        return Fitted(replace(request, messages=made.messages), made, counted=True)

    def _whole(self, request: GenerateRequest, made: Assembled) -> int:
        """Of the messages as they will be read, all together."""
        alone = GenerateRequest(made.messages, thinking=request.thinking, prefix=request.prefix)
        return self.engine.count_tokens(alone)


def _surely(layers: Layers, budget: ContextBudget) -> Assembled | None:
    """All messages, if there is no doubt that they fit; the ordinary case, and a cheap one."""
    if layers.middle or layers.facts:
        made = assemble(layers, budget, BOUND, lambda _: ())
        return made if made.whole and made.report.tokens <= budget.total else None
    spoken: tuple[Message, ...] = (layers.newest,) if layers.newest else ()
    past = [m for turn in layers.turns for m in turn]
    uses = (
        LayerUse("rules", BOUND.message(layers.rules), budget.total, 1),
        LayerUse("message", sum(map(BOUND.message, spoken)), budget.total, len(spoken)),
        LayerUse("live", sum(map(BOUND.message, layers.live)), budget.live, len(layers.live)),
        LayerUse("short", sum(map(BOUND.message, past)), budget.short, len(layers.turns)),
    )
    total = sum(use.tokens for use in uses)
    if total > min(budget.live, budget.short):
        return None
    whole = (layers.rules, *past, *spoken, *layers.live)
    return Assembled(whole, ContextReport(uses, total, budget.total))


def _lessens(made: Assembled) -> bool:
    """Is there anything in it that a smaller budget would leave out?"""
    return any(use.tokens for use in made.report.layers if use.layer not in ("rules", "message"))


def _too_long(needed: int, limit: int) -> CallerError:
    return CallerError(
        "context_overflow",
        f"这条消息需要 {needed} 个词元,而上下文的上限(DAZI_CONTEXT_TOKENS)只剩 {limit} 个;请缩短内容。",
        f"The message needs {needed} tokens, and the limit of the context (DAZI_CONTEXT_TOKENS) "
        f"leaves {limit}; shorten it.",
    )

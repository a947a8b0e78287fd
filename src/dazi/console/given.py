"""What the model was given in a turn, as the ledger has it: ids, counts and tokens, not a word of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dazi.core.language import Language, Text
from dazi.core.turn import ContextReport, LayerUse
from dazi.prompt.reporting import LAYERS, WHY, rows

SINCE = Text(
    "最近几轮从会话的第 {n} 条消息起", "last turns: from message {n} of the conversation on"
)
THROUGH = Text("更早的摘要讲到第 {n} 条消息", "older turns: what came up to message {n}, condensed")
FACTS = Text("记住的事:{ids}", "facts: {ids}")
PASSAGES = Text("文档段落:{ids}", "passages: {ids}")
CONSIDERED = Text("本人可用 {n} 个工具", "{n} tools that the person may use")
PASSED_OVER = Text("想过没给:{names}", "thought of and not offered: {names}")


@dataclass(frozen=True, slots=True)
class Given:
    """``counted``: by the tokenizer; else layers have no more tokens than is told. ``since``,
    ``through``: numbers of messages, 0 for none."""

    report: ContextReport
    counted: bool
    since: int = 0
    through: int = 0
    facts: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def given_of(answer: Mapping[str, Any]) -> Given | None:
    """Of the record of a turn's end; none where no model was asked, or it was not kept yet."""
    kept = answer.get("context")
    if not isinstance(kept, dict):
        return None
    uses = tuple(
        LayerUse(name, tokens, limit, taken, left, tuple(w for w in why if w in WHY))
        for name, tokens, limit, taken, left, *why in kept.get("layers", ())
        if name in LAYERS
    )
    return Given(
        ContextReport(uses, int(kept.get("tokens", 0)), int(kept.get("limit", 0))),
        bool(kept.get("counted")),
        int(kept.get("since", 0)),
        int(kept.get("through", 0)),
        tuple(map(str, kept.get("facts", ()))),
        tuple(map(str, kept.get("passages", ()))),
    )


def beside(given: Given, language: Language) -> list[str]:
    """What is told besides the table of the layers."""
    out = []
    if given.since:
        out.append(SINCE(language).format(n=given.since))
    if given.through:
        out.append(THROUGH(language).format(n=given.through))
    if given.facts:
        out.append(FACTS(language).format(ids=", ".join(given.facts)))
    if given.passages:
        out.append(PASSAGES(language).format(ids=", ".join(given.passages)))
    return out


def considered(turn: Mapping[str, Any], language: Language) -> str:
    """Of the record of a turn's beginning; empty where nothing is told."""
    kept = turn.get("considered")
    if not isinstance(kept, dict):
        return ""
    said = CONSIDERED(language).format(n=kept.get("allowed", 0))
    over = ", ".join(map(str, kept.get("passed_over", ())))
    return f"{said} · {PASSED_OVER(language).format(names=over)}" if over else said


def in_lines(given: Given) -> Text:
    """All of it as one text, a line for each layer."""
    return Text("\n".join(_lines(given, "zh")), "\n".join(_lines(given, "en")))


def _lines(given: Given, language: Language) -> Iterable[str]:
    for layer, tokens, limit, what, left in rows(given.report, language, counted=given.counted):
        told = " · ".join(x for x in (f"{tokens} / {limit}", what, left) if x)
        yield f"{layer}: {told}"
    yield from beside(given, language)

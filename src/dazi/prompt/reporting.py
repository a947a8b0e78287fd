"""A context report in words, for terminals and pages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Language, Text
from dazi.core.turn import ContextReport, Layer, LayerUse, Why

COLUMNS = (
    Text("层", "layer"),
    Text("词元", "tokens"),
    Text("上限", "limit"),
    Text("内容", "what"),
    Text("未放入", "left out"),
)
LAYERS: Mapping[Layer, Text] = {
    "rules": Text("规则", "rules"),
    "message": Text("这句话", "message"),
    "live": Text("本轮结果", "this turn"),
    "short": Text("最近几轮", "last turns"),
    "middle": Text("更早的摘要", "older turns"),
    "long": Text("记住的事", "facts"),
}
TAKEN: Mapping[Layer, Text] = {
    "rules": Text("系统消息", "system message"),
    "message": Text("原文", "word for word"),
    "live": Text("{n} 条消息", "{n} messages"),
    "short": Text("{n} 轮原文", "{n} turns word for word"),
    "middle": Text("{n} 行", "{n} lines"),
    "long": Text("{n} 条", "{n} facts"),
}
WHY: Mapping[Why, Text] = {
    "limit": Text("放不下", "no room"),
    "cut": Text("部分截短", "some cut"),
    "folded": Text("已并入摘要", "folded into older turns"),
    "needless": Text("这句话用不着", "not needed by the message"),
}
TOTAL = Text("合计", "total")


def rows(
    report: ContextReport, language: Language, *, counted: bool = True
) -> list[tuple[str, ...]]:
    """A row for each layer that holds or lacks anything, and one for all of them. ``counted``: by the
    tokenizer; else they are no more than that."""
    most = "" if counted else "≤ "
    used = [u for u in report.layers if u.taken or u.left_out]
    whole = TOTAL(language), f"{most}{report.tokens:,}", f"{report.limit:,}", "", ""
    return [*(_row(u, language, most) for u in used), whole]


def _row(use: LayerUse, language: Language, most: str) -> tuple[str, ...]:
    why = ", ".join(WHY[w](language) for w in use.why)
    left = f"{use.left_out} ({why})" if use.left_out and why else why
    return (
        LAYERS[use.layer](language),
        f"{most}{use.tokens:,}",
        f"{use.limit:,}",
        TAKEN[use.layer](language).format(n=use.taken) if use.taken else "",
        left,
    )

"""A report in words: what is there, what is not, and why."""

from __future__ import annotations

from dazi.core.turn import ContextReport, LayerUse
from dazi.prompt.reporting import COLUMNS, rows

REPORT = ContextReport(
    (
        LayerUse("rules", 120, 4_000, 1),
        LayerUse("live", 0, 2_400, 0),
        LayerUse("short", 1_900, 2_000, 3, 2, ("limit", "folded")),
        LayerUse("middle", 90, 600, 4, 0, ("cut",)),
    ),
    2_110,
    4_000,
)


def test_a_row_for_each_layer_that_holds_anything() -> None:
    assert rows(REPORT, "zh") == [
        ("规则", "120", "4,000", "系统消息", ""),
        ("最近几轮", "1,900", "2,000", "3 轮原文", "2 (放不下, 已并入摘要)"),
        ("更早的摘要", "90", "600", "4 行", "部分截短"),
        ("合计", "2,110", "4,000", "", ""),
    ]
    assert rows(REPORT, "en")[1] == (
        "last turns", "1,900", "2,000", "3 turns word for word", "2 (no room, folded into older turns)",
    )  # fmt: skip
    assert all(len(r) == len(COLUMNS) for r in rows(REPORT, "en"))

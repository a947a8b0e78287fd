"""Words beside a number that say what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Check, Hit

BEFORE, AFTER = 40, 12
"""Characters to the left and to the right of a match in which a label is looked for."""

GAP = r"(?:[^0-9。；;！!？?\n]|[0-9]{1,2}(?![0-9])|\n(?!\n)){0,16}"
_BEHIND = r"[^0-9A-Za-z。；;，,！!？?\n]{0,5}"


@dataclass(frozen=True, slots=True)
class Label:
    """``words`` is a regular expression of alternatives. A label stands before its number with
    little in between and nothing that is a number itself, or right behind it."""

    words: re.Pattern[str]
    before: re.Pattern[str]
    behind: re.Pattern[str]

    @classmethod
    def of(cls, words: str, gap: str = GAP) -> Label:
        return cls(
            re.compile(words),
            re.compile(rf"(?:{words}){gap}\Z"),
            re.compile(rf"{_BEHIND}(?:{words})"),
        )

    def stands_before(self, text: str, start: int) -> bool:
        left = text[max(0, start - BEFORE) : start]
        return self.words.search(left) is not None and self.before.search(left) is not None

    def stands_by(self, text: str, start: int, end: int) -> bool:
        if self.stands_before(text, start):
            return True
        return self.behind.match(text[end : end + AFTER]) is not None


_KINDS = (
    "编号 订单 订货 单号 单据 运单 快递 物流 包裹 流水 交易 序列 批次 批号 货号 条码 条形 编码 型号 规格 "
    "版本 发票 合同 工单 凭证 时间戳 金额 价格 总价 单价 数量 库存 邮编 专利 案号 招标 项目 设备 资产 商品 "
    "产品 物料 会议 sku isbn issn imei imsi iccid mac ean upc uuid gtin order invoice track tracking "
    "serial timestamp trade transaction batch version qq qq群 ¥ ￥ $ € £"
)
_OTHERS = tuple(_KINDS.split())
_SUFFIXES = ("号码", "编号", "编码", "号", "编", "码", "id", "no", "no.", "number")
_DOCUMENTS = ("护照编号", "证编号", "证件编号")
_LASTS = frozenset(word[-1] for word in (*_OTHERS, *_SUFFIXES))
_SIGNS = " \t\n:：=#№为是(（\"'“「[【"


def is_other_number(text: str, start: int) -> bool:
    """Does a label right before say that the number is of a kind that nobody needs to hide?"""
    left = text[max(0, start - 16) : start].rstrip(_SIGNS).lower()
    if left[-1:] not in _LASTS or left.endswith(_DOCUMENTS):
        return False
    if left.endswith(_OTHERS):
        return True
    for suffix in _SUFFIXES:
        if left.endswith(suffix):
            return left.removesuffix(suffix).rstrip(" _-").endswith(_OTHERS)
    return False


def labelled(words: str) -> Check:
    """The check of a pattern that counts only behind one of ``words``, written with | between."""
    label = Label.of("|".join(re.escape(word.strip()) for word in words.split("|")))

    def check(m: re.Match[str]) -> Hit | None:
        if not label.stands_before(m.string, m.start()):
            return None
        return Hit(m.start(), m.end(), Certainty.LABEL)

    return check

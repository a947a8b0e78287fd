"""Does a message say anything that free text could be copied from?

「帮我提个工单」 asks for a ticket and does not say what for: every word of it belongs to the request
itself. A model that can only copy must then ask, and not make 「工单」 the title.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from dazi.core.tools import Tool
from dazi.router.normalise.find import (
    find_dates,
    find_durations,
    find_emails,
    find_months,
    find_numbers,
    find_quarters,
    find_times,
)

_CODE = re.compile(r"[A-Za-z]{1,5}-?\d{2,}")
_UNIT = re.compile(r"[a-z][a-z']*|[\u3400-\u9fff]")
# Words that carry a request and no content of their own.
_CARRIERS_ZH = frozenset(
    "我你您他她它们咱俺帮请麻烦劳驾给替跟和与向对把将要想需得能可以会该让叫来去下一个件条封张份些点儿这那哪谁"
    "的地得了着过吗呢吧啊呀哦嗯哈嘛喂呗诶好行在上里就再还也都又先快赶紧马现刚才是有写发加记建开弄搞做办查看找问说讲告诉"
    "提交送打通知处理谢声事情东西公司同学老师亲"
)
_CARRIERS_EN = frozenset(
    "a an the i me my mine we us our you your he him his she her it its they them this that these those there here "  # noqa: SIM905
    "is are am was were be been do does did done have has had can could would will shall should may might must "
    "to of in on at for from with about and or so then please pls plz kindly hi hello hey ok okay thanks thank "
    "want need like help let get give make add put write send open file create raise log set up look find check "
    "show tell ask know see say something anything one some any just now again also too what which who how when "
    "where why mail message".split()
)

_DENIALS = frozenset({*"不没别未无", "not", "no", "never", "don't", "doesn't", "didn't", "won't"})
"""A denial is content: 不想要了."""


def says_something(text: str, tool: Tool, today: date) -> bool:
    """Is there a word in ``text`` beyond the request for ``tool`` itself, its ids and its dates?"""
    rest = unicodedata.normalize("NFKC", text)
    spans = [
        *find_emails(rest),
        *find_dates(rest, today),
        *find_months(rest, today),
        *find_quarters(rest, today),
        *find_times(rest),
        *find_durations(rest),
        *find_numbers(rest),
    ]
    for span in sorted(spans, key=lambda s: -len(s.text)):
        rest = rest.replace(span.text, " ")
    rest = _CODE.sub(" ", rest).casefold()
    own = own_words(tool)
    return any(u not in own for u in _UNIT.findall(rest))


def own_words(tool: Tool) -> frozenset[str]:
    """Words and hanzi that a bare request for ``tool`` is made of."""
    return (names_of(tool) | _CARRIERS_ZH | _CARRIERS_EN) - _DENIALS


def names_of(tool: Tool) -> frozenset[str]:
    """Words and hanzi that ``tool`` and its parameters are called by."""
    text = " ".join(
        [
            tool.name.replace("_", " "),
            tool.description.zh,
            tool.description.en,
            *(f"{p.name} {p.description.zh} {p.description.en}" for p in tool.parameters),
        ]
    )
    return frozenset(_UNIT.findall(text.casefold())) - _CARRIERS_ZH - _CARRIERS_EN

"""What moves from one side to the other, and what is let go: ownership, costs, prohibitions, limits of time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.polarity import without_harmless
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text

Difference = tuple[Severity, Text]

_TO_WHOM: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "归属", "who owns it",
        re.compile(r"(?:归|属于|属)(?P<a>[ⒼⓉ]|双方|各方)|(?P<b>[ⒼⓉ]|双方)(?:共同)?所有|由(?P<c>[ⒼⓉ]|双方)(?:共同)?(?:享有|所有|共有)|"
                   r"(?:vests? in|belongs? to|property of|remains? with|stays? with|owned by|title[^.;]{0,12} with|assigned to) (?P<d>[ⒼⓉ]|(?:both |the )?[Pp]arties)|(?P<e>joint(?:ly)?) (?:property|own)", re.I),
    ),
    (
        "由谁承担", "who bears it",
        re.compile(r"由(?P<a>[ⒼⓉ])[^，。；ⒼⓉ]{0,8}?(?:承担|负担|负责|支付|投保|维修|缴纳|办理)|(?P<b>[ⒼⓉ])[^，。；ⒼⓉ]{0,10}?(?:承担|负担)(?!.{0,8}责任)|"
                   r"(?:borne|paid) by (?P<c>[ⒼⓉ])|at (?P<d>[ⒼⓉ])(?: own| sole)? (?:cost|expense)|(?P<e>[ⒼⓉ]) (?:shall |will |must )?bears?\b", re.I),
    ),
    (
        "风险或所有权何时转移", "when risk or title passes",
        re.compile(r"自(?P<a>[ⒼⓉ])[^，。；]{0,10}时?起?[^，。；]{0,4}转移", re.I),
    ),
)  # fmt: skip


_BORNE = re.compile(
    r"(?P<what>[\u3400-\u9fff、]{2,16}?)(?:均|全部)?由(?P<who>[ⒼⓉ])[^，。；ⒼⓉ]{0,8}?(?:承担|负担|负责|支付|投保|缴纳)"
)


def moved(ours: str, theirs: str) -> Iterator[Difference]:
    """Between two texts with marks for the sides: what one side owned, bore or risked, the other does."""
    for zh, en, pattern in _TO_WHOM:
        was = {_who(m) for m in pattern.finditer(ours)}
        now = {_who(m) for m in pattern.finditer(theirs)}
        if len(was) == 1 and now and not was & now:
            yield "high", Text(f"{zh}变了", f"{en} has changed")
            return
    told = {m["what"]: m["who"] for m in _BORNE.finditer(ours)}
    for m in _BORNE.finditer(theirs):
        if told.get(m["what"], m["who"]) != m["who"]:
            yield "high", Text(f"{m['what']}换了承担的一方", f"the other side bears {m['what']}")
            return


def owners(marked: str) -> set[str]:
    """The sides that a text with marks for them gives something to."""
    return {_who(m) for m in _TO_WHOM[0][2].finditer(marked)}


def _who(m: re.Match[str]) -> str:
    found = next(g for g in m.groups() if g)
    return found if found in "ⒼⓉ" else "both"


_FORBIDS = re.compile(
    r"不得|禁止|无权|不能(?!预见|避免|克服|实现)|不属于|不承担|不予|\b(?:shall|may|must|will|is|are|does|do) not\b|\bneither\b|\bno (?:part|advance|party)\b", re.I
)  # fmt: skip
_SOME_NO = re.compile(
    r"不|未|无|非|免(?!费)|除|仅|只|限|禁|勿|没有|须经|同意|许可|批准|方可|才|拒|以外|为准|协商|固定|书面|"
    r"\b(?:not?|never|without|only|unless|non|except\w*|exclud\w*|neither|nor|none|nobody|nothing|waive\w*|outside|other than|exclusively|solely|purely|beyond|prohibit\w*|refrain\w*|limit\w*|consent\w*|prior|free (?:of|from)|harmless|fixed|requires?|subject to|cannot|fails?|un\w{4,}|in\w{2,}able)\b|n't\b",
    re.I,
)
_STRONG_NO = re.compile(
    r"不得|无须|无需|无权|不承担|\b(?:may|must|need) not\b|\bis not (?:liable|obliged|entitled)|\bno (?:right|claim|obligation)", re.I
)  # fmt: skip


def released(ours: str, theirs: str, whole: str, around: str) -> Iterator[Difference]:
    """A prohibition that nothing of the other text and what stands ``around`` it resembles, and the other way
    round; ``whole``: the clause of the first."""
    if _FORBIDS.search(without_harmless(ours)) and not _SOME_NO.search(without_harmless(around)):
        yield "medium", Text("禁止或否定没有了", "a prohibition or denial is gone")
    elif not _SOME_NO.search(without_harmless(whole)) and _STRONG_NO.search(
        without_harmless(theirs)
    ):
        yield "medium", Text("多了否定", "a denial was added")


_A_LIMIT = re.compile(r"内|前|期|后|以上|不少于|至少|within|for\b|after|of becoming|prior|before|at least|up to|no later|per\b", re.I)  # fmt: skip


_EQUAL_PARTS = re.compile(r"每季|季度|每期|等额|平均|每半年|按月|quarter|equal|monthly", re.I)


def vanished(ours: str, theirs: str) -> Iterator[Difference]:
    """A text fixes a time, a rate or a sum where the other has none at all."""
    before = [
        p
        for p in periods(ours)
        if not (p.number == 1 and p.unit in ("day", "workday"))
        and _A_LIMIT.search(ours[max(0, p.start - 12) : p.end + 8])
    ]
    if before and not list(periods(theirs)):
        shown = ours[before[0].start : before[0].end]
        yield "medium", Text(f"“{shown}”的期限没有了", f"the period of “{shown}” is gone")
    rates = list(percents(ours))
    equal = rates and 100 % rates[0].value == 0 and _EQUAL_PARTS.search(theirs)
    if rates and not equal and not list(percents(theirs)) and not list(moneys(theirs)):
        shown = f"{rates[0].value.normalize():f}%"
        yield "medium", Text(f"{shown} 没有了", f"the {shown} is gone")


_BOTH = re.compile(
    r"任何一方|任一方|双方|各方|各自|一方(?!面)|甲乙|[ⒼⓉ]\s*(?:、|和|与|及|and|or)\s*[ⒼⓉ]|one party|each (?:of the )?part(?:y|ies)|either party|neither party|both parties|no party|the parties|a party\b|each other|every party|any party", re.I
)  # fmt: skip
_SUBJECT = re.compile(rf"{_BOTH.pattern}|[ⒼⓉ]", re.I)


def one_side_only(ours: str, theirs: str) -> Iterator[Difference]:
    """What begins with both sides begins with one."""
    was, now = _SUBJECT.search(ours), _SUBJECT.search(theirs)
    if (
        was
        and now
        and was[0] not in "ⒼⓉ"
        and now[0] in "ⒼⓉ"
        and now[0] not in ours
        and not _BOTH.search(theirs)
        and "、" + now[0] not in theirs
        and not re.search(r"[”\"] (?:means|is|are)\b|指", theirs)
    ):
        yield (
            "medium",
            Text("原来对双方的约定,现在只对一方", "what held for both sides holds for one"),
        )

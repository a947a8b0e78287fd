"""From when to when a contract runs, and until when it can be kept from renewing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.numerals import HANZI_NUMBER, decimal_number
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import Day, Period, days, periods

_TERM = re.compile(
    r"期限|有效期|租期|服务期|合同期|租赁期|自.{0,30}起|日起|从.{0,24}(?:到|至|开始)|起至|生效|开始|届满|期为|期间|enters? into (?:force|effect)|takes? effect|begins?\b|\bruns?\b|in force|[Tt]erm\b|commenc|[Ee]ffective|expire|until|through|[Ss]tart(?:s|ing)?\b|remain in (?:full )?force"
)
_LASTS = re.compile(
    r"(?:期限?|租期)(?:为|是|共)?|共计?$|continues? for|in (?:full )?force for|stays? in force for|lasts? for|for (?:a (?:period|term|initial term) of|an initial (?:term|period) of)|term of|有效期"
)


_FROM_THEN = re.compile(
    r"[Ee]ffective [Dd]ate|signature|signing|its date\b|date (?:above|at the top|first|of this|hereof|written|stated|named|given)|签(?:订|署|字|约)|盖章|生效"
)


def term(contract: Contract) -> dict[str, Field]:
    """``start_date`` and ``end_date``; the latter counted where only a length is given."""
    best: tuple[float, dict[str, Field]] | None = None
    effective = _effective_date(contract)
    for clause in contract.body:
        text = clause.words
        if not _TERM.search(text):
            continue
        found = list(days(text))
        lengths = [
            p
            for p in periods(text)
            if p.unit in ("month", "year")
            and _LASTS.search(text[max(0, p.start - 30) : p.start + 1])
            and not _AFTERWARDS.search(sentence_at(text, p.start))
        ]
        score = 3.0 * about(contract, clause, "term", first=2) - 0.002 * clause.index
        here: dict[str, Field] = {}
        if len(found) >= 2 and re.search(
            r"[至到—~-]|止|于|until|to\b|through|[Ee]nds?\b|expire",
            text[found[0].end : found[1].start] + text[found[1].end : found[1].end + 6],
        ):
            quote = sentence_at(text, found[0].start)
            here = {
                "start_date": Field(found[0].day.isoformat(), clause, quote),
                "end_date": Field(found[1].day.isoformat(), clause, quote),
            }
            score += 2
        elif found and effective is not None and _UNTIL.search(text[: found[0].start]):
            quote = sentence_at(text, found[0].start)
            here = {
                "start_date": Field(effective.day.isoformat(), clause, quote),
                "end_date": Field(found[0].day.isoformat(), clause, quote),
            }
            score += 2
        elif found and re.search(r"起|生效|开始|commenc|effective|from|begin|[Ss]tart", text):
            quote = sentence_at(text, found[0].start)
            here = {"start_date": Field(found[0].day.isoformat(), clause, quote)}
            if lengths:
                end = _later(found[0].day, lengths[0].number, lengths[0].unit)
                here["end_date"] = Field(end.isoformat(), clause, quote)
                score += 1
        elif effective is not None and lengths and _FROM_THEN.search(text):
            quote = sentence_at(text, lengths[0].start)
            end = _later(effective.day, lengths[0].number, lengths[0].unit)
            here = {
                "start_date": Field(effective.day.isoformat(), clause, quote),
                "end_date": Field(end.isoformat(), clause, quote),
            }
            score += 2
        if (
            here
            and (score >= 1.5 or about(contract, clause, "term"))
            and (best is None or score > best[0])
        ):
            best = score, here
    return best[1] if best is not None else {}


_UNTIL = re.compile(
    r"(?:until|至|到|(?:end(?:s|ing)?|expir(?:es?|ing)|terminat(?:es|ing)) (?:on|with|at the end of))\s*$"
)
_AFTERWARDS = re.compile(
    r"保密|质保|保修|竞业|confidential|surviv|warrant|after (?:the )?(?:end|termination|expir)",
    re.I,
)
"""Of other lengths than the contract's own."""
_OF_CONTRACT = re.compile(
    r"as of|dated|[Ee]ffective|made on|concluded|entered into|signed|签订|签署|生效|立约", re.I
)


def _effective_date(contract: Contract) -> Day | None:
    """The date that the contract is made as of: at its beginning, else beside the signatures."""
    for clause in contract.clauses[:12]:
        for d in days(clause.words):
            near = clause.words[max(0, d.start - 40) : d.end + 30]
            if _OF_CONTRACT.search(near) or len(clause.words) <= d.end - d.start + 6:
                return d
    for clause in contract.clauses[12:]:
        for d in days(clause.words):
            if re.search(
                r"签(?:订|署|约)(?:日期|时间)", clause.words[max(0, d.start - 12) : d.start]
            ):
                return d
    return None


def _later(day: date, number: Decimal, unit: str) -> date:
    """The last day of a period that begins on ``day``."""
    months = int(number * (12 if unit == "year" else 1))
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last) - timedelta(days=1)
        except ValueError:
            continue
    raise AssertionError(day)


_RENEWS = re.compile(
    r"自动(?:续|延)|顺延(?:[一两二三\d]年|[一二三六九十两\d]+个月)|自动顺延|续(?:期|约|租|展|订|签|聘)|(?:期满|届满)[^。；]{0,16}延长|automatic(?:ally)?[^.]{0,20}(?:renew|extend|roll)|renew(?:s|ed|al|ing)?\b|non-renewal|is extended|rolls? over|continues? for (?:one|a further|another|\d+)|further (?:periods?|terms?|\d+ months)",
    re.I,
)


_NOTICE = re.compile(r"前|提前|通知|异议|倒算|prior|before|notice|notif|in advance|advance", re.I)
_THE_END = re.compile(
    r"届满|期满|到期|届至|expir|\bend\b|end of|the Term ends|is out\b|runs out", re.I
)


def renewal_notice(contract: Contract) -> Field | None:
    """How many days before the end notice must be given that the contract is not to be renewed, or that it
    is to be."""
    best: tuple[float, Field] | None = None
    for clause in contract.clauses:
        text = clause.words
        if not _RENEWS.search(text):
            continue
        for p in [*periods(text), *_counted_days(text)]:
            near = text[max(0, p.start - 40) : p.end + 40]
            sentence = sentence_at(text, p.start)
            if not _NOTICE.search(near) or p.unit in ("year", "hour"):
                continue
            if p.unit == "month" and p.number > 6:  # that long it renews itself
                continue
            if not (_RENEWS.search(sentence) or _THE_END.search(near)):
                continue
            score = 2.0 * bool(re.search(r"自动|automatic|extended", text, re.I))
            score += 1.5 * bool(_THE_END.search(near)) + 0.5 * bool(_RENEWS.search(sentence))
            score -= 0.001 * clause.index
            number = int(p.number) if p.unit in ("day", "workday") else round(p.days)
            if best is None or score > best[0]:
                best = score, Field(number, clause, sentence)
    return best[1] if best else None


_THE_NTH = re.compile(rf"前(?:的)?第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*[日天]")


def _counted_days(text: str) -> Iterator[Period]:
    """期满前第三日."""
    for m in _THE_NTH.finditer(text):
        number = decimal_number(m["n"])
        if number is not None:
            yield Period(m.start(), m.end(), number, "day")

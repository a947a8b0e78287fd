"""Sums of money as contracts write them, in figures and in words, in many currencies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from dazi.apps.contracts.numerals import DIGITS, NUMBER_WORDS, SCALES, hanzi_number, word_number
from dazi.apps.contracts.values import Span


@dataclass(frozen=True, slots=True)
class Money(Span):
    """``written``: in words (大写, ``Two hundred thousand``), not in figures."""

    amount: Decimal
    currency: str
    written: bool = False


_CURRENCIES = {
    "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "￥": "CNY", "¥": "CNY", "元": "CNY", "圆": "CNY",
    "yuan": "CNY", "renminbi": "CNY", "rmb¥": "CNY", "美元": "USD", "usd": "USD", "us$": "USD", "$": "USD",
    "u.s. dollars": "USD", "us dollars": "USD", "united states dollars": "USD", "dollars": "USD",
    "港元": "HKD", "港币": "HKD", "hkd": "HKD", "hk$": "HKD", "hong kong dollars": "HKD", "欧元": "EUR",
    "eur": "EUR", "€": "EUR", "euro": "EUR", "euros": "EUR", "gbp": "GBP", "£": "GBP", "英镑": "GBP",
    "pounds sterling": "GBP", "sgd": "SGD", "s$": "SGD", "singapore dollars": "SGD", "日元": "JPY", "jpy": "JPY",
}  # fmt: skip
_BEFORE = r"人民币|RMB|CNY|US\$|USD|HK\$|HKD|EUR|GBP|SGD|S\$|JPY|美元|港币|欧元|[¥￥€£$]"
_AFTER = (
    r"元|圆|美元|港元|港币|欧元|英镑|日元|(?:US|U\.S\.|United States|Hong Kong|Singapore) [Dd]ollars|[Dd]ollars|"
    r"[Ee]uros?|[Pp]ounds [Ss]terling|(?:Chinese )?[Yy]uan|Renminbi|RMB|CNY|USD|EUR|HKD|GBP|SGD|JPY"
)
_FIGURE = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALE = r"万|亿|million|thousand|billion"
_MONEY = re.compile(
    rf"(?P<before>{_BEFORE})\s*(?:[(（]?小写[)）]?)?\s*[:：]?\s*(?P<cur2>[¥￥$])?\s*(?P<fig>{_FIGURE})\s*(?P<scale>{_SCALE})?\s*(?P<after>{_AFTER})?"
    rf"|(?P<fig2>{_FIGURE})\s*(?P<scale2>{_SCALE})?\s*(?P<after2>{_AFTER})(?!/(?![月年季]))"
)
_CAPITAL = re.compile(
    r"(?P<num>[零壹贰叁肆伍陆柒捌玖拾佰仟万亿萬億]{2,}|[零〇一二三四五六七八九十百千万亿]{3,})(?P<unit>元|圆|美元|港元|欧元)(?P<rest>[零壹贰叁肆伍陆柒捌玖一二三四五六七八九角分]*)(?P<whole>整|正)?"
)
_WORDED = re.compile(
    rf"\b(?P<num>{NUMBER_WORDS}(?:[\s-]+(?:million|billion|thousand|hundred)(?:(?:[\s,-]+|\s+and\s+){NUMBER_WORDS})?)*)\s+(?P<after>{_AFTER})\b"
    rf"|(?P<cur>RMB|CNY|USD|US [Dd]ollars|Renminbi|Euros?)\s+(?P<num2>{NUMBER_WORDS}(?:[\s-]+(?:million|billion)(?:(?:[\s,-]+|\s+and\s+){NUMBER_WORDS})?)*)\s+(?:only|in words)\b",
    re.IGNORECASE,
)


def moneys(text: str) -> Iterator[Money]:
    """Every sum, in the order of the text; a sum in words besides its figures is one of its own."""
    found: list[Money] = []
    for m in _CAPITAL.finditer(text):
        whole = hanzi_number(m["num"])
        if whole is None or whole < 10:
            continue
        amount = Decimal(whole)
        for unit, part in (("角", Decimal("0.1")), ("分", Decimal("0.01"))):
            at = m["rest"].find(unit)
            if at > 0 and m["rest"][at - 1] in DIGITS:
                amount += DIGITS[m["rest"][at - 1]] * part
        found.append(Money(m.start(), m.end(), amount, _CURRENCIES[m["unit"]], written=True))
    for m in _WORDED.finditer(text):
        whole = word_number(m["num"] or m["num2"])
        if whole is not None and whole >= 20:
            currency = _currency(m["after"] or m["cur"], "USD")
            found.append(Money(m.start(), m.end(), Decimal(whole), currency, written=True))
    for m in _MONEY.finditer(text):
        if any(f.start < m.end() and m.start() < f.end for f in found):
            continue
        figure = (m["fig"] or m["fig2"]).replace(",", "").replace("，", "")
        factor = {"万": 10**4, "亿": 10**8} | SCALES
        amount = Decimal(figure) * factor.get((m["scale"] or m["scale2"] or "").lower(), 1)
        named = m["after"] or m["after2"] or m["before"] or ""
        if named in ("元", "圆") and m["before"] and m["before"] not in ("¥", "￥", "人民币"):
            named = m["before"]
        found.append(Money(m.start(), m.end(), amount, _currency(named, "CNY")))
    yield from sorted(found, key=lambda f: f.start)


def _currency(named: str, otherwise: str) -> str:
    return _CURRENCIES.get(named.lower().removeprefix("chinese "), otherwise)

"""Bank cards and the numbers of bank accounts."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser
from dazi.guard.recognisers.labels import AFTER, Label, is_other_number

_BETWEEN = r"(?: ?[-—.·] ?| )?"
_CARD = Label.of(
    r"卡号?|银行|信用卡|储蓄|借记|贷记|账户|账号|帐户|帐号|收款|付款|汇款|转账|打款|尾号|[Cc]ard|CARD|[Vv]isa|VISA"
    r"|[Mm]aster[Cc]ard|AMEX|JCB|银联"
)
_ACCOUNT = Label.of(
    r"(?<!登录)(?<!登陆)(?<!微信)(?<!QQ)(?<!游戏)(?<!抖音)(?<!用户)(?<!系统)(?<!邮箱)(?<!支付宝)"
    r"(?:账号|帐号|账户|帐户|户号|银行卡号?|储蓄卡号?|存折号?)|[Aa]ccount(?: ?(?:[Nn]o|[Nn]umber))?|A/C"
)
_ID = Label.of("身份证|证件|身份号码", r"(?:号码?)?[\s:：=为是]{0,3}")
"""One resident id in ten of Gansu would pass for a card if it did not say what it is."""
_BANK = Label.of("银行|支行|分行|信用社", r"[:：\s]{0,2}")
_SINGLE = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_RARE = frozenset(["10", "60", "64", "68", "69", "84", "87", "88", "90", "94", "96", "98", "99"])
_GROUP = re.compile(r"[0-9]+")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    raw = digits.encode()
    return (sum(raw[::-2].translate(_SINGLE)) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def is_issued(digits: str, labelled: bool) -> bool:
    """Whether cards of this length begin like this: ISO/IEC 7812 ranges, China UnionPay's and those
    of Chinese banks before it. Ranges that few banks use need a label."""
    n, two, four = len(digits), digits[:2], int(digits[:4])
    if two == "62":
        return 16 <= n <= 19
    if digits[0] == "4":
        return n == 16 or (n == 19 and four in (4367, 4563)) or (labelled and n in (13, 19))
    if "51" <= two <= "55" or 2221 <= four <= 2720 or 3528 <= four <= 3589 or four == 6011:
        return n == 16 or (labelled and n in (17, 18, 19))
    if two in ("34", "37"):
        return n == 15
    if two in ("95", "65", "81"):
        return n in (16, 19)
    if two in ("36", "38", "39") or 3000 <= four <= 3059:
        return labelled and n == 14
    return labelled and two in _RARE and n >= 16


def _card(m: re.Match[str]) -> Hit | None:
    """Longest first, then without the last groups: a card's number may have another behind it."""
    groups = list(_GROUP.finditer(m[0]))
    text, start = m.string, m.start()
    labelled = None
    for last in range(len(groups), 0, -1):
        digits = "".join(g[0] for g in groups[:last])
        if len(digits) < 13:
            return None
        if not luhn(digits) or len(set(digits)) < 2:
            continue
        end = start + groups[last - 1].end()
        if labelled is None:
            labelled = _CARD.stands_by(text, start, end)
        if not is_issued(digits, labelled) or not (
            labelled or _usual([len(g[0]) for g in groups[:last]])
        ):
            continue
        if is_other_number(text, start) or _ID.stands_before(text, start):
            return None
        return Hit(start, end, Certainty.DIGIT)
    return None


def _usual(sizes: list[int]) -> bool:
    """Groupings that are written without a label: none, fours, or 4-6-5 and 6-n."""
    if len(sizes) == 1 or sizes in ([4, 6, 5], [6, 10], [6, 11], [6, 12], [6, 13]):
        return True
    return (set(sizes[:-1]) <= {4} and sizes[-1] <= 4) or set(sizes) == {1}


def _account(m: re.Match[str]) -> Hit | None:
    text, start = m.string, m.start()
    if not (_ACCOUNT.stands_before(text, start) or _BANK.stands_before(text, start)):
        return None
    return Hit(m.start(), m.end(), Certainty.LABEL)


RECOGNISERS = (
    Recogniser(
        "bank_card",
        "number",
        re.compile(
            r"(?<![0-9])(?<![0-9]\.)[1-9](?:[0-9]{12,18}(?![-—.· ]?[0-9])"
            rf"|(?:{_BETWEEN}[0-9]){{12,18}})(?![0-9A-Za-z]|\.[0-9])"
        ),
        _card,
        after=AFTER,
        digits=(13, 19),
    ),
    Recogniser(
        "bank_account",
        "number",
        re.compile(
            r"(?<![0-9A-Za-z])[0-9](?:[0-9]{11,20}(?![ -]{0,2}[0-9])|(?:[ -]{0,2}[0-9]){11,20})(?![0-9A-Za-z]|\.[0-9])"
        ),
        _account,
        after=2,
        digits=(12, 21),
    ),
)

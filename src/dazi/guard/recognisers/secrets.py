"""Keys, tokens and passwords."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser

_NOT_YET = re.compile(
    r"(?i:[$%{<*]|x{3,}|null|none|nil|true|false|string|str|int|bool|required|optional|undefined|redacted"
    r"|your|my_|example|changeme|placeholder|password|passwd|secret|token|os\.|env|process\.|self\.|config|get"
    r"|settings|input|field|test\Z|test[._-])"
)
"""Values that stand for a secret and are none."""
LONG = 11
"""Shortest run of letters, digits, - and _ in a token that no label announces."""
_PREFIXES = (
    "sk- AKIA ASIA AGPA AIDA AROA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xoxa- xoxb- xoxe- xoxo- "
    "xoxp- xoxr- xoxs- AIza LTAI AKID sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_ npm_ pypi- hf_ "
    "ya29. SG. eyJ"
)
PREFIXES = tuple(_PREFIXES.split())
"""What tokens begin with that no label announces."""
HAN_LABELS = frozenset(("密码", "口令", "密钥", "秘钥", "私钥", "令牌"))
_WORDY = re.compile(r"[a-z]{1,24}")


def _prefixed(m: re.Match[str]) -> Hit | None:
    """Tokens are random: they hold a digit, a letter, and many different characters."""
    value = m["value"]
    if not any(c.isdigit() for c in value) or len(set(value)) < 8:
        return None
    return Hit(m.start(), m.end(), Certainty.PROOF)


def _block(m: re.Match[str]) -> Hit | None:
    return Hit(m.start(), m.end(), Certainty.PROOF)


def _told(m: re.Match[str]) -> Hit | None:
    value, label = m["value"].rstrip(".:?"), m["label"].lower()
    if len(value) < 4 or _NOT_YET.match(value) or len(set(value)) < 2:
        return None
    if _WORDY.fullmatch(value) and "=" not in m["sign"]:
        return None
    if value.isdigit() and ("token" in label or "key" in label) and len(value) < 12:
        return None
    if m["sign"].isspace() and (value.isalpha() or len(value) < 6):
        return None
    return Hit(m.start("value"), m.start("value") + len(value), Certainty.LABEL)


def _carried(m: re.Match[str]) -> Hit | None:
    if _NOT_YET.match(m["value"]):
        return None
    return Hit(m.start("value"), m.end("value"), Certainty.LABEL)


_NO_CODE = r"(?<![0-9A-Za-z])"
_HAN = "|".join(sorted(HAN_LABELS))
_VALUE = r"[A-Za-z0-9!#$%&*+\-./:=?@^_~|]"
_OWNERS = "db|user|root|admin|my|access|refresh|auth|app|login|bot"
_LABELS = (
    r"[Pp](?:ass(?:word|wd|code|phrase)|wd)|PASS(?:WORD|WD)|PWD|[Ss]ecret(?:[_-]?(?:[Kk]ey|[Ii]d))?|SECRET(?:_KEY|_ID)?"
    r"|[Tt]oken|TOKEN|[Aa]pi[_ -]?[Kk]ey|API[_ -]?KEY|[Aa]ccess[_-]?[Kk]ey(?:[_-]?(?:[Ii]d|[Ss]ecret))?"
    r"|ACCESS[_-]?KEY(?:_ID|_SECRET)?|[Pp]rivate[_-]?[Kk]ey|PRIVATE_KEY|[Aa]pp[_-]?(?:[Kk]ey|[Ss]ecret)|APP_?(?:KEY|SECRET)"
    r"|[Cc]lient[_-]?[Ss]ecret|CLIENT_SECRET"
)
_CARRIED = r"(?P<value>[A-Za-z0-9._~+/=-]{12,4000})"
WORD_ENDS = ("word", "swd", "pwd", "code", "hase", "cret", "key", "id", "oken", "tion")
"""What these labels end with, in lower case."""


RECOGNISERS = (
    Recogniser(
        "api_key",
        "token",
        re.compile(
            _NO_CODE
            + r"(?P<value>sk-[A-Za-z0-9_-]{16,200}|(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}"
            r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{16,64}"
            r"|xox[abeoprs]-[A-Za-z0-9-]{10,250}|AIza[A-Za-z0-9_-]{35}|LTAI[A-Za-z0-9]{12,24}|AKID[A-Za-z0-9]{13,40}"
            r"|[srp]k_(?:live|test)_[A-Za-z0-9]{16,250}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{16,250}"
            r"|hf_[A-Za-z0-9]{30,40}|ya29\.[A-Za-z0-9_-]{20,500}|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"
            r"|eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,4000}(?:\.[A-Za-z0-9_-]{0,4000})?)"
        ),
        _prefixed,
        reach=(5, 12_100),
    ),
    Recogniser(
        "api_key",
        "block",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{2,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s,:.\\-]{0,8000}"
        ),
        _block,
        reach=(0, 8_200),
    ),
    Recogniser(
        "api_key",
        "word",
        re.compile(
            rf"(?<![A-Za-z])(?:(?:{_OWNERS})[_-]?)?(?P<label>{_LABELS})[\"'”]?"
            rf"(?P<sign>[ \t]{{0,3}}(?:[:：=]|=>|:=)[ \t]{{0,3}}|(?: is |是|为)[ \t]{{0,2}})[\"'“]?"
            rf"(?P<value>{_VALUE}{{4,256}})"
        ),
        _told,
        reach=(28, 300),
    ),
    Recogniser(
        "api_key",
        "secret",
        re.compile(
            rf"(?P<label>{_HAN})(?:[（(][^（()）]{{0,10}}[)）])?"
            rf"(?P<sign>\s{{0,3}}(?:[:：=]|->|=>|是|为|改成|改为|设为|设成|重置为)[:：]?\s{{0,3}}|\s{{0,2}})"
            rf"[\"'“「]?(?P<value>{_VALUE}{{4,256}})"
        ),
        _told,
        reach=(1, 300),
    ),
    Recogniser(
        "api_key",
        "bearer",
        re.compile(rf"{_NO_CODE}(?:[Bb]earer|BEARER)[ ]{{1,2}}{_CARRIED}"),
        _carried,
        reach=(0, 4_020),
    ),
    Recogniser(
        "api_key",
        "word",
        re.compile(
            rf"{_NO_CODE}[Aa]uthorization[\"']? ?[:=] ?[\"']?(?:Basic|Token|ApiKey) {{1,2}}{_CARRIED}"
        ),
        _carried,
        reach=(16, 4_030),
    ),
    Recogniser(
        "api_key",
        "url",
        re.compile(r"://[A-Za-z0-9._%-]{1,64}:(?P<value>[A-Za-z0-9!#$%&*+.:=?^_~|-]{3,128})(?=@)"),
        _carried,
        reach=(0, 220),
    ),
)

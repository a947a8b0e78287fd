"""Rules that a text of any use passes.

After those of Gopher (Rae et al. 2021) and C4 (Raffel et al. 2020), with bounds for short texts in two
languages: a sample is a question and an answer and no web page. Each rule names what it found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

SYMBOLS = 0.5
"""Share of what is neither a letter nor a digit nor white space."""
DIGITS = 0.6
SHORT = 8
"""Characters: in less there must be a letter, and more is not asked."""
LONG = 60
"""Characters from which on repetition is judged by runs of characters."""
GRAM = 6
REPEATED = 0.5
"""Share of a text's runs of ``GRAM`` characters that stand in it three times or more."""
SHORT_RUN, ALL_DIFFERENT = 40, 0.8
"""From so many characters on, a text is taken apart only where fewer than this share of its runs differ:
with more, none of the bounds can be reached."""
LINES = 0.3
"""Share of lines that repeat an earlier one."""
BOILERPLATE = 0.5
"""Share of a text's characters in clauses that say such things."""
_RUN = re.compile(r"(\S{1,12}?)\1{7,}")
_BYTE = "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
_MOJIBAKE = re.compile(
    "\ufffd|锟斤拷|烫烫烫|屯屯屯"
    f"|[\u00c2-\u00c5]{_BYTE}|[\u00e2-\u00ef]{_BYTE}{{1,2}}"
    "|鈥[\u4e00-\u9fff]|銆[\u4e00-\u9fff]|锛[\u4e00-\u9fff]|涓€|鐨勪|浣犲|鎴戜|璇风"
)
"""UTF-8 read as Windows-1252 or as GBK, and what broken decoders leave."""
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_UNLIKELY = re.compile(r"[bcdfghjklmnpqrstvwxz]{4,}", re.IGNORECASE)
_CLAUSE = re.compile(r"[^。!?！？\n.;；,，]+")
_NOTICES = (
    "版权所有", "all rights reserved", "copyright ©", "icp备", "点击这里", "点击此处", "点击下方", "点击查看",
    "点击关注", "扫码关注", "长按识别", "上一篇", "下一篇", "返回首页", "返回顶部", "加载更多", "分享到", "相关推荐",
    "责任编辑", "免责声明",
    "本邮件", "误收", "请勿回复", "请勿直接回复", "系统自动发送", "退订", "accept cookies", "accept all cookies",
    "we use cookies", "privacy policy", "terms of use", "terms of service", "click here", "read more", "subscribe to",
    "unsubscribe", "sign up for our", "follow us on", "share this", "share on", "back to top", "skip to content",
    "this email and", "this e-mail and", "this message is intended", "may contain confidential", "are confidential",
    "intended recipient", "do not reply to this", "powered by", "log in to view", "login to view", "load more",
    "javascript is disabled", "javascript is required",
)  # fmt: skip


def fault(text: str) -> str:
    """The name of the first rule that ``text`` breaks; empty for none."""
    return next((name for name, breaks in RULES if breaks(text)), "")


def _mojibake(text: str) -> bool:
    found = sum(len(m[0]) for m in _MOJIBAKE.finditer(text))
    return found * 25 >= max(len(text), 1) and found > 1


def _symbols(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    seen = (
        len("".join(text.split())) - text.count("|") - text.count("-")
    )  # of which tables are drawn
    if seen < SHORT:
        return not letters
    digits = sum(map(str.isdigit, text))
    return seen - letters - digits > SYMBOLS * seen or digits > DIGITS * seen


def _repetition(text: str) -> bool:
    lines = [line for part in text.splitlines() if (line := part.strip())]
    if len(lines) > 5 and len(lines) - len(set(lines)) > LINES * len(lines):
        return True
    plain = "".join(text.split())
    runs = [plain[i : i + GRAM] for i in range(len(plain) - GRAM + 1)]
    if len(plain) >= SHORT_RUN and len(set(runs)) > ALL_DIFFERENT * len(runs):
        return False
    run = _RUN.search(text)
    if run is not None and any(c.isalnum() for c in run[0]) and len(run[0]) * 3 > len(text):
        return True
    if len(plain) < LONG:
        return False
    return sum(n for n in Counter(runs).values() if n > 2) > REPEATED * len(runs)


def _gibberish(text: str) -> bool:
    """Of Latin words: none that could be said."""
    words = _LETTERS.findall(text)
    if len(words) < 3 or sum(map(len, words)) * 2 < len("".join(text.split())):
        return False
    lower = [w for w in words if not w.isupper()]
    bad = sum(not _VOWEL.search(w) or bool(_UNLIKELY.search(w)) or len(w) > 30 for w in lower)
    return bad > 0.4 * max(len(lower), 3)


def _boilerplate(text: str) -> bool:
    lower = text.casefold()
    present = [notice for notice in _NOTICES if notice in lower]
    if not present:
        return False
    clauses = _CLAUSE.findall(lower)
    said = sum(len(c) for c in clauses if any(notice in c for notice in present))
    return said > BOILERPLATE * sum(map(len, clauses))


RULES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("mojibake", _mojibake),
    ("symbols", _symbols),
    ("repetition", _repetition),
    ("gibberish", _gibberish),
    ("boilerplate", _boilerplate),
)

"""Rules that a text of any use passes.

After those of Gopher (Rae et al. 2021) and C4 (Raffel et al. 2020), with bounds for short texts in two
languages: a sample is a question and an answer and no web page. Each rule names what it found.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

SYMBOLS = 0.5
"""Share of what is neither a letter nor a digit nor white space."""
DIGITS = 0.6
TABLE = "|-"
"""What tables are drawn with does not count."""
SHORT = 8
"""Characters: in less there must be a letter, and more is not asked."""
LONG = 60
"""Characters from which on repetition is judged by runs of characters."""
GRAM = 6
REPEATED = 0.5
"""Share of a text's runs of ``GRAM`` characters that stand in it three times or more."""
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
_BOILERPLATE = re.compile(
    r"版权所有|all rights reserved|copyright ©|©\s?\d{4}|ICP备|点击(?:这里|此处|下方|查看|关注|加载)|扫码关注"
    r"|长按识别|上一篇|下一篇|返回(?:首页|顶部)|加载更多|分享到|相关推荐|责任编辑|免责声明"
    r"|本邮件(?:及其?附件)?(?:含有|可能包含|仅供)|如(?:您)?(?:误收|不是(?:指定|预期)的?收件人)"
    r"|请勿(?:直接)?回复(?:此|本)邮件|系统自动发送|退订"
    r"|accept (?:all )?cookies|we use cookies|privacy policy|terms of (?:use|service)|click here|read more"
    r"|subscribe to|unsubscribe|sign up for our|follow us on|share (?:this|on)|back to top|skip to content"
    r"|this (?:e-?mail|message) (?:and any|is intended|may contain)|intended recipient"
    r"|do not reply to this|powered by|log ?in to (?:view|comment)|load more|javascript is (?:disabled|required)",
    re.IGNORECASE,
)


def fault(text: str) -> str:
    """The name of the first rule that ``text`` breaks; empty for none."""
    return next((name for name, breaks in RULES if breaks(text)), "")


def _mojibake(text: str) -> bool:
    found = sum(len(m[0]) for m in _MOJIBAKE.finditer(text))
    return found * 25 >= max(len(text), 1) and found > 1


def _symbols(text: str) -> bool:
    seen = [c for c in text if not c.isspace() and c not in TABLE]
    letters = sum(c.isalpha() or unicodedata.category(c)[0] == "M" for c in seen)
    if len(seen) < SHORT:
        return not letters
    digits = sum(c.isdigit() for c in seen)
    others = len(seen) - letters - digits
    return others > SYMBOLS * len(seen) or digits > DIGITS * len(seen)


def _repetition(text: str) -> bool:
    run = _RUN.search(text)
    if run is not None and any(c.isalnum() for c in run[0]) and len(run[0]) * 3 > len(text):
        return True
    lines = [line for part in text.splitlines() if (line := part.strip())]
    if len(lines) > 5 and len(lines) - len(set(lines)) > LINES * len(lines):
        return True
    plain = "".join(text.split())
    if len(plain) < LONG:
        return False
    grams = Counter(plain[i : i + GRAM] for i in range(len(plain) - GRAM + 1))
    return sum(n for n in grams.values() if n > 2) > REPEATED * grams.total()


def _gibberish(text: str) -> bool:
    """Of Latin words: none that could be said."""
    words = _LETTERS.findall(text)
    if len(words) < 3 or sum(map(len, words)) * 2 < len("".join(text.split())):
        return False
    lower = [w for w in words if not w.isupper()]
    bad = sum(not _VOWEL.search(w) or bool(_UNLIKELY.search(w)) or len(w) > 30 for w in lower)
    return bad > 0.4 * max(len(lower), 3)


def _boilerplate(text: str) -> bool:
    if _BOILERPLATE.search(text) is None:
        return False
    clauses = _CLAUSE.findall(text)
    said = sum(len(c) for c in clauses if _BOILERPLATE.search(c))
    return said > BOILERPLATE * sum(map(len, clauses))


RULES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("mojibake", _mojibake),
    ("symbols", _symbols),
    ("repetition", _repetition),
    ("gibberish", _gibberish),
    ("boilerplate", _boilerplate),
)

"""A question that leans on the one before it, made whole: 「那海外的呢?」 after 「退货运费谁出?」."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dazi.knowledge.terms import folded, words

MOST_WORDS = 3
"""A question of so few telling words may be a rest of another."""
_LEANS = re.compile(
    r"^(?:那么?|还有|另外|and\b|what about\b|how about\b)|[呢呐][?？。!！\s]*$"
    r"|[这那](?:个|种|样|些|边|里|项|条)|它|其中|上面|刚才|\b(?:it|its|they|them|that|those|this|these)\b"
)
_EMPTY_WORDS = (
    "的 了 吗 呢 呐 啊 吧 是 有 在 和 与 及 或 要 能 会 可以 需要 怎么 怎样 如何 什么 哪 哪些 哪里 多少 多久 几 谁"
    " 请问 请 我 你 您 他 她 它 我们 那 这 那么 还 还有 另外 个 种 样 些 a an and are at be by can do does for from"
    " has have how i in is it its me my of on or that the their there they this to us was we what when"
    " where which who why will with you your about"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())


def whole(question: str, before: Sequence[str]) -> str:
    """What to look for: ``question``, behind the one it leans on if it does.

    ``before``: what the person said earlier, latest first. A question with enough words of its own
    that points at nothing is left as it is.
    """
    own = telling(question)
    leans = _LEANS.search(folded(question)) is not None
    if not before or len(own) > MOST_WORDS or not (leans or not own):
        return question
    earlier = next((t for t in before if t != question and telling(t)), "")
    return f"{earlier} {question}" if earlier else question


def telling(text: str) -> list[str]:
    """The words of ``text`` that say what it is about."""
    return [w for w in words(text) if w not in _EMPTY]

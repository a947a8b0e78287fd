"""How much two clauses say the same, whatever words they use for it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dazi.apps.contracts.lines import filled_out
from dazi.apps.contracts.values import percents, periods

_SAME_ZH = (
    (r"应当|必须|须|应该|需要?(?=[\u3400-\u9fff])|负有.{0,6}义务", "应"),
    (r"有权|可以?|得以", "可"),
    (r"不得|禁止|不可以?|不应当?|不能", "不得"),
    (r"本?(?:合同|协议)书?", "合同"),
    (r"商品|产品|货品|标的物|货物", "货物"),
    (r"支付|给付|缴纳|交付(?=.{0,4}(?:款|费|金))|付清|结清|付款|汇款", "支付"),
    (r"保密(?:义务|责任)", "保密义务"),
    (r"继续有效|继续存续|持续有效|存续", "有效"),
    (r"货款|价款|款项|费用|价金|金额", "款"),
    (r"天|日历日|自然日", "日"),
    (r"终止|解除", "解除"),
    (r"检验|验收|查验", "验收"),
    (r"告知|知会|通知|通报", "通知"),
    (r"交付|交货|送达|发货", "交货"),
    (r"损失|损害", "损失"),
    (r"赔偿|补偿", "赔偿"),
    (r"逾期|迟延|延迟|延误|拖延|拖欠|欠付|迟(?=[付交])", "逾期"),
    (r"届满|期满|到期", "届满"),
    (r"泄露|披露|透露|公开", "披露"),
    (r"任何一方|任一方|各方|双方", "双方"),
    (r"之日起|之后|以后|后", "后"),
    (r"之前|以前|前", "前"),
    (r"转让|让与|转移", "转让"),
    (r"出租|租赁|承租|租", "租"),
    (r"缴|交(?=付|纳|租)", "交"),
    (r"上浮|上涨|上调|涨幅|递增", "上涨"),
    (r"无偿|免费|不另(?:行)?收费|不收费", "免费"),
    (r"无须|无需|不必|毋须", "不须"),
    (r"互不|不负|不承担", "不承担"),
    (r"如果|若|倘若|如(?=[\u3400-\u9fff])", "如"),
    (r"的|了|所|之|其|该|本|且|并|及|和|与|或者?|以|于|在|对|由|为|是|等", ""),
)
_SAME_EN = (
    (r"\b(?:shall|must|will|is required to|agrees to|undertakes to)\b", "must"),
    (r"\b(?:may|is entitled to|has the right to|can)\b", "may"),
    (r"\b(?:agreement|contract)\b", "contract"),
    (r"\b(?:goods|products?|items?|merchandise)\b", "goods"),
    (r"\b(?:fees?|charges?|price|sums?|amounts?)\b", "price"),
    (r"\b(?:terminate[sd]?|termination|cancel\w*|end(?:s|ed)?)\b", "terminate"),
    (r"\b(?:notify|notif\w+|notice|inform\w*)\b", "notice"),
    (r"\b(?:disclos\w+|reveal\w*|divulg\w*)\b", "disclose"),
    (r"\b(?:pay\w*|settle\w*|remit\w*)\b", "pay"),
    (r"\b(?:keeps?|retain\w*|remains? with|stays? with)\b", "keep"),
    (r"\b(?:provid\w*|suppl(?:y|ies|ied)|render\w*|furnish\w*|perform\w*)\b", "provide"),
    (r"\b(?:approv\w*|consent\w*|permission|agreed?)\b", "consent"),
    (r"\b(?:late|overdue|delay\w*|default)\b", "late"),
    (r"\b(?:secret|confidential\w*|secrecy)\b", "confidential"),
    (r"\b(?:sublet\w*|subcontract\w*)\b", "subcontract"),
    (r"\b(?:defects?|faults?|non-?conform\w*)\b", "defect"),
    (r"\b(?:licen[cs]e\w*)\b", "licence"),
    (r"\b(?:subject to|in accordance with|pursuant to|according to)\b", "under"),
    (r"\b(?:deliver\w*|ship\w*|dispatch\w*)\b", "deliver"),
    (
        r"\b(?:a|an|the|of|to|in|on|for|and|or|by|with|any|such|that|this|these|those|it|its|be|is|are|as|at|from|which|who|other|all|each|party|parties|hereof|thereof|hereunder)\b",
        "",
    ),
)
_ZH = tuple((re.compile(p), r) for p, r in _SAME_ZH)
_EN = tuple((re.compile(p), r) for p, r in _SAME_EN)


def canonical(text: str) -> str:
    """With rates and periods in figures: 万分之五 is 0.05%, 三十日 and ``thirty (30) days`` are 30d."""
    spots = [(p.start, p.end, f"{p.value.normalize():f}%") for p in percents(text)]
    spots += [(p.start, p.end, f" {p.number.normalize():f}{p.unit[0]} ") for p in periods(text)]
    for start, end, said in sorted(spots, reverse=True):
        text = f"{text[:start]}{said}{text[end:]}"
    return text


@lru_cache(maxsize=20_000)
def essence(text: str, language: str) -> str:
    """Without what rewording changes: synonyms as one word, little words left out."""
    text = canonical(filled_out(text, "")).lower()
    for pattern, word in _ZH if language == "zh" else _EN:
        text = pattern.sub(word, text)
    return re.sub(r"[^\w\u3400-\u9fffⒼⓉ%]+", " " if language == "en" else "", text)


def _features(text: str, language: str) -> Counter[str]:
    if language == "en":
        words = [
            re.sub(r"(?:ations?|ings?|ments?|ions?|ed|es|s|ly|e)$", "", w)
            for w in text.split()
            if len(w) > 1
        ]
        return Counter(words)
    return Counter(text[i : i + 2] for i in range(len(text) - 1)) + Counter(
        c for c in text if "\u3400" <= c <= "\u9fff"
    )


def likeness(ours: Sequence[str], theirs: Sequence[str], language: str) -> NDArray[np.float64]:
    """Cosines, 0 to 1: a row for each of ``ours``, a column for each of ``theirs``, which are
    ``essence``s. What is rare in both together weighs more."""
    bags = [_features(t, language) for t in (*ours, *theirs)]
    seen = Counter(f for bag in bags for f in bag)
    index = {f: n for n, f in enumerate(seen)}
    rows = np.zeros((len(bags), len(index)), dtype=np.float32)
    for n, bag in enumerate(bags):
        for f, count in bag.items():
            rows[n, index[f]] = (1 + math.log(count)) * math.log(1 + len(bags) / seen[f])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    out: NDArray[np.float64] = (rows[: len(ours)] @ rows[len(ours) :].T).astype(np.float64)
    return out


def coverage(ours: Sequence[str], theirs: Sequence[str], language: str) -> NDArray[np.float64]:
    """How much of each of ``ours`` stands in each of ``theirs``, 0 to 1; what is rare weighs more."""
    mine = [_features(t, language) for t in ours]
    other = [_features(t, language) for t in theirs]
    seen = Counter(f for bag in (*mine, *other) for f in bag)
    count = len(mine) + len(other)
    out = np.zeros((len(mine), len(other)))
    for i, bag in enumerate(mine):
        weights = {f: math.log(1 + count / seen[f]) for f in bag}
        total = sum(weights.values()) or 1.0
        for j, found in enumerate(other):
            out[i, j] = sum(w for f, w in weights.items() if f in found) / total
    return out


_ENDS = re.compile(r"(?<=[。；;])|(?<=[a-z0-9)\"”%]\.)\s+(?=[A-Z(“\"])")


def sentences(text: str) -> list[str]:
    return [s.strip() for s in _ENDS.split(text) if len(s.strip()) > 8]

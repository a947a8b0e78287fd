"""What a sentence forbids or denies, by its verbs: so that a denial that came or went is told from one that
is said in other words."""

from __future__ import annotations

import re
from functools import lru_cache

# --- Chinese -------------------------------------------------------------------------------------

_NO_ZH = re.compile(
    r"不得|不应|不能|不再|不予|不会|不(?!论|管|仅|但|同|可抗|动产)|无须|无需|无权|没有(?=.{0,12}义务)|禁止|严禁|免(?:于|除)"
)
_NOT_YET_ZH = re.compile(r"未|没有(?!.{0,12}义务)|尚未|如不|若不|拒不|拒绝")
"""Of a condition: nothing is forbidden."""
_IF_ZH = re.compile(
    r"如需|(?<!根据)(?<!实际)(?<!业务)需要|确需|(?<!根据)(?<!实际)(?<!业务)需(?=[\u3400-\u9fff]{0,2}(?:调|变|更|改))|如有|若有|如(?=[调变更改])|拟"
)
"""Of what may come to be, and is dealt with in what follows."""
_HARMLESS_ZH = re.compile(
    r"不少于|不低于|不超过|不高于|不得超过|不得低于|不得少于|不迟于|不晚于|不可抗力|不符|不合格|不当|不合适|不成|不足|不影响|不限于|不履行|不完全|不真实|不及时|"
    r"不受此限|不在此限|不动产|无不|不同|不利|不定期|互不|不正当|不可预见|不能预见|不能避免|不能克服|不能实现|不论|不间断|不计(?:利)?息|不改正|不纠正|不支付的|不验收"
)
_VERBS_ZH = (
    "转让|转租|分包|转包|更换|变更|调整|泄露|复制|传输|传送|出境|拒绝|拆除|恢复|收取|退还|返还|扣除|扣减|抵扣|抵销|通知|保修|"
    "委托|属于|收回|抵押|修改|留置|暂停|招揽|上涨|上浮|增加|训练|销毁|优先|推迟|提价"
)
"""Acts that one text may allow and the other forbid; words as common as 使用 or 解除 tell nothing."""
_VERB_ZH = re.compile(_VERBS_ZH)
_CONSENT_ZH = re.compile(
    r"同意(?!接受|承担|向|按|将)|书面确认|许可|批准|认可|商定|协商|另行约定|(?<![甲乙丙对各双一租供需买卖托务收露])方可(?!以)|才能|才可"
)
_FREELY_ZH = re.compile(
    r"(?:无须|无需|不必|不经|不需|未经)[^，。；]{0,12}(?:同意|许可)[^，。；]{0,10}(?:即?可|有权|[转分])|(?<!不)(?:可以|有权)[^，。；]{0,6}(?:没有|未经|无须|无需|不经)[^，。；]{0,12}(?:同意|许可)"
)
_EXCEPT_ZH = re.compile(r"除外|除.{1,30}外")
_PAUSE = re.compile(r"[，。；：,;:]")

# --- English -------------------------------------------------------------------------------------

_NO_EN = re.compile(
    r"\b(?:not|no|never|neither|nor|none|nobody|nothing|without|cannot|prohibited|forbidden|exclud\w+|except\w*|unless|only|refrain\w*|fails?|requires?|subject to|consent\w*|approv\w*|agree(?:s|d|ment in)?|un(?!d|i)\w{4,})\b",
    re.I,
)
_HARMLESS_EN = re.compile(
    r"\bnot (?:later|less|more|earlier) than|\bno (?:later|less|more|earlier|longer) than|not exceed(?:ing)?|without (?:limit|prejudice|charge|delay|undue delay|limitation)|free of charge|at no (?:extra |additional |further )?(?:charge|cost|expense)|\bor not\b|whether or not|not limited to",
    re.I,
)
_DENIES_EN = r"\b(?:not|never|cannot|nobody|none|no|neither)\b"
_FREELY = re.compile(r"(?<!neither party )\bmay\b(?! not| only)[^.;]*\bwithout\b[^.;]*\b(?:consent|approval|notice)|\b(?:even )?without\b[^.;]*\bconsent[^.;]*\bmay\b", re.I)  # fmt: skip
_VERBS_EN = frozenset(
    [
        "assign",
        "subcontract",
        "transfer",
        "copi",
        "copy",
        "decompil",
        "revers",
        "sublet",
        "increas",
        "rais",
        "chang",
        "replac",
        "liabl",
        "responsibl",
        "accept",
        "compet",
        "solicit",
        "train",
        "suspend",
        "deduct",
        "refund",
        "restor",
        "remov",
        "withhold",
        "export",
        "amend",
        "modifi",
        "modify",
        "adjust",
        "infring",
        "withdraw",
        "postpon",
    ]
)


def without_harmless(text: str) -> str:
    """Without words that deny nothing, as 不当 and 不足."""
    return _HARMLESS_ZH.sub("〇", text)


def turned(ours: str, theirs: str, language: str) -> str:
    """The word that one text denies and the other affirms, empty where they agree."""
    mine, other = _read(ours, language), _read(theirs, language)
    found = sorted(
        ((mine[0] - mine[1]) & (other[1] - other[0]))
        | ((other[0] - other[1]) & (mine[1] - mine[0]))
    )
    return found[0] if found else ""


@lru_cache(maxsize=4_000)
def _read(text: str, language: str) -> tuple[frozenset[str], frozenset[str]]:
    """The verbs that it denies, and those that it affirms."""
    return _read_zh(text) if language == "zh" else _read_en(text)


def _read_zh(text: str) -> tuple[frozenset[str], frozenset[str]]:
    denied, affirmed = set[str](), set[str]()
    for sentence in re.split("[。；;]", _HARMLESS_ZH.sub("〇", text)):
        if _CONSENT_ZH.search(sentence) and not _FREELY_ZH.search(sentence):
            verbs = {v[0] for v in _VERB_ZH.finditer(sentence)}  # forbidden without consent
            denied |= verbs - {"通知"}  # which is how one asks for it
            continue
        for part in _PAUSE.split(sentence):
            if _EXCEPT_ZH.search(part):
                continue
            no, not_yet = _NO_ZH.search(part), _NOT_YET_ZH.search(part)
            for verb in _VERB_ZH.finditer(part):
                if no and no.start() < verb.start() <= no.end() + 16:
                    denied.add(verb[0])
                elif not no and not any(
                    m and m.start() < verb.start() for m in (not_yet, _IF_ZH.search(part))
                ):
                    affirmed.add(verb[0])
    return frozenset(denied), frozenset(affirmed)


def _read_en(text: str) -> tuple[frozenset[str], frozenset[str]]:
    denied, affirmed, touched = set[str](), set[str](), set[str]()
    for sentence in re.split(r"(?<=[.;])\s+", _HARMLESS_EN.sub(" ", text)):
        words = {_stem(w) for w in re.findall(r"[a-z]{4,}", sentence)}
        words &= _VERBS_EN
        if _FREELY.search(sentence) or not _NO_EN.search(sentence):
            affirmed |= words
            continue
        touched |= words
        if re.search(_DENIES_EN, sentence):
            denied |= words
    return frozenset(denied), frozenset(affirmed - touched)


def _stem(word: str) -> str:
    return re.sub(r"(?:ations?|ing|ions?|ed|es|s|e)$", "", word)

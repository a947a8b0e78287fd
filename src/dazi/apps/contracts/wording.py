"""What a changed wording changes: who must and who may, who bears what, what is waived or made soft."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.polarity import turned, without_harmless
from dazi.core.language import Text

Difference = tuple[Severity, Text]
FLAGS: tuple[tuple[str, str, str], ...] = (
    ("unilateral", r"单方(?:面)?(?:决定|变更|调整|解除|修改|确定)|自行(?:调整|变更)|随时(?:可以?|有权)?(?:变更|调整|解除|终止|停止|提出|收回|退租)|最终解释权|sole (?:and absolute )?discretion|unilaterally|at any time (?:and )?without (?:cause|notice)", "unilateral"),
    ("unconditional", r"无条件|不可撤销|无论任何(?:原因|情况)|irrevocabl|unconditional|regardless of (?:fault|cause)|(?:不论|无论)(?:[^，。；]{0,12})(?:过错|过失)|(?:不论|无论)[^，。；]{0,12}(?:起因|原因)[^。；]{0,16}(?:赔|补偿|负责|修|换|支付)", "unconditional"),
    ("waiver", r"放弃.{0,14}(?:权|抗辩|索赔|追索)|不得(?:提出)?(?:异议|抗辩)|waives?\b|no right to (?:object|claim)", "a waiver"),
    ("deemed", r"视为(?:验收合格|同意|认可|接受|放弃)|即视为|deemed (?:accepted|to have (?:accepted|waived|agreed))", "deemed consent"),
    ("unlimited", r"无限(?:责任|连带)|无限额|全部(?:直接(?:和|及|与)间接)?损失|间接损失(?!和可得利益)|连带责任|unlimited|without limit(?:ation)?(?! the)|consequential|jointly and severally", "unlimited"),
    ("exclusive", r"独家|排他|仅能向|不得(?:与|向)(?:任何)?第三方|exclusiv(?:e|ely) (?:right|suppl|purchas)", "exclusivity"),
    ("no_warranty", r"现状交付|不(?:作|做|提供|承担|就|对).{0,24}(?:保证|担保|质保)|不承担任何|概不负责|as[- ]is\b|no warrant|disclaims? all", "no warranty"),
    ("abroad", r"境外|海外|香港(?![东西中]?路)|新加坡|out(?:side)? (?:of )?(?:mainland )?china|overseas|offshore", "abroad"),
)  # fmt: skip
_SAFEGUARDS: tuple[tuple[str, str, str], ...] = (
    ("书面", r"书面", "in writing"),
    ("事先同意", r"(?:事先|事前|经).{0,12}(?:书面)?同意|prior (?:written )?consent|with the .{0,20}consent", "prior consent"),
    ("in writing", r"\bwritten\b|in writing", "in writing"),
    ("通知", r"提前.{0,12}通知|prior (?:written )?notice", "prior notice"),
    ("例外", r"但.{0,30}除外|except (?:where|for|that)|provided that", "an exception"),
)  # fmt: skip
_MUST = r"应当|必须|(?<![相对响供适])应(?![收付税急用])|(?<![无必])须|负责|有义务|\bshall(?! not)|\bmust(?! not)|is required|agrees to|\bwill(?! not)"
_MAY = r"可以|有权|可(?![能靠用得观以])|得以|\bmay(?! not)|is entitled|has the right|at its option|endeavou?rs? to|尽(?:力|量)|努力"
_CONSENT = re.compile(
    r"(?:未|非|没有)(?:经|得到|取得)?[^，。；]{0,14}(?:同意|许可)[^。；]{0,14}不得|除非[^，。；]{0,14}同意[^。；]{0,14}不得|(?:shall|may|must) not[^.;]{0,60}(?:without|unless)[^.;]{0,50}(?:consent|agree\w*|approv\w*)|only (?:with|upon)[^.;]{0,30}consent|(?:without|unless)[^.;]{0,40}(?:consent|agree\w*)[^.;]{0,60}(?:shall|may|must) not",
    re.I,
)
_HARMLESS = re.compile(
    r"(?:whatever|as|that|which) (?:that |it )?may be|\bmay only\b|\bmay (?:be )?\w+[^.;]{0,60}\bonly\b|仅可|只可|可以?[^，。；]{0,12}的[，,]?(?:仅|只)?限于|without (?:charge|delay|prejudice|undue delay|further)|free of charge|\bnot later than|no later than|not less than|不少于|不低于|不超过|不迟于|不符|不合|不成|不足|不影响|不可抗力|not exceed|not affect|(?:can|could) ?not be (?:foreseen|avoided)|not fall below|不能预见|不能避免|不能克服",
    re.I,
)
_WEAKER = re.compile(
    r"(?:合理|最大)努力|尽力|力求|无须|无需|不必|不负(?!责任的)|不保证|不负责|不得要求|不(?:因此)?免除|无关|自行(?:决定|处理|承担|调整|负责|解决)|"
    r"由(?:[ⒼⓉ]|对方)(?:单方)?决定|不(?:对|为|就)[^，。；]{0,16}(?:承担责任|负责)|不承担[^，。；]{0,24}(?:义务|责任)|当作|算作|自费|仅由|仅负责|立即解除|任何违约|最终依据|视(?:使用)?情况|酌情|无条件接受|没收|(?<!不)另(?:行)?计(?:费|价|收)|费用另计|(?<!不)另行收(?:费|取)|(?<!此前的)(?<!以往的)口头(?!(?:或者?|、|和|及|与)书面)|保留(?:数据)?副本|折旧|应[ⒼⓉ]要求|标准由[ⒼⓉ]|事后(?:告知|通知)|一切税费|全部(?:直接|间接)|不设|亦不以|"
    r"(?:reasonable|best|commercial) efforts|endeavou?r|expects?, but|not promise|need not|not (?:be )?(?:obliged|required|responsible|liable|released|require consent)|"
    r"(?:[ⒼⓉ]|party) alone\b|at once|without (?:a |any )?(?:reminder|notice|consent|cure|cause)|own products|of its choice|sees? fit|(?:thinks?|considers?) (?:appropriate|useful|necessary|fit)|where practicable|orally|(?:notice|consent|approv\w*|order|agree\w*)[^.;]{0,30}by telephone|reasonable time|extra charge|hourly rates|charged separately|free to|counts? as acceptance|standard terms|revocable|own (?:analytics|purposes|general business)|whomever|worldwide|no (?:indemnity|warranty)|discretion|may not withhold|whatever kind|any \w+ partner|without any limit",
    re.I,
)
"""A duty made soft, a right made one side's own affair."""
_MUTUAL = re.compile(
    r"任何一方|任一方|双方|一方|各方|对方|each party|either party|neither party|both parties|the parties|a party|the other|other party|party (?:affected|in breach)",
    re.I,
)


def sides(mine: str, other: str) -> Iterator[tuple[Severity, Text]]:
    """What held for both is one side's now."""
    was_mutual = _MUTUAL.search(mine) and not re.search("[ⒼⓉ]", mine)
    one_only = not _MUTUAL.search(other) or re.search(r"仅|只有|only|alone|solely", other)
    if was_mutual and one_only and re.search("[ⒼⓉ]", other):
        yield (
            "medium",
            Text("原来对双方的约定,现在只对一方", "what held for both sides holds for one"),
        )


_NOT_LESS = re.compile(r"\bno(?:t)? (?:less|lower|later|more)\b", re.I)
_DENIAL = (
    r"不再|无须|无需|不必|不负|不承担|不保证|不设|不免除|(?:need )?not\b|no\b|without\b|neither"
)
"""Ways to say that one need not."""
_RELEASED = r"免除|免责|releas|not liable|not responsible|不承担|not the .{0,24}fault|not the responsib|are not (?:the )?[ⒼⓉ]|excus|exempt"


def softer(mine: str, other: str) -> Iterator[tuple[Severity, Text]]:
    found = _WEAKER.search(other)
    if (
        found
        and not _WEAKER.search(mine)
        and not (
            re.search(_RELEASED, mine, re.I)
            and re.search(_RELEASED, other, re.I)
            and not re.search(r"不(?:因此)?免除", found[0])
        )
    ):
        if re.search(
            r"\b(?:neither|nor|nothing)\b|不得|不会|不(?:构成|视为)", other[: found.start()], re.I
        ):
            return
        if found[0] == "自行决定" and re.search("可", mine):
            return
        if re.search(r"warrant", found[0], re.I) and re.search(
            r"\b(?:no|not|nor)\b[^.;]*warrant", mine, re.I
        ):
            return
        plain = _NOT_LESS.sub(" ", without_harmless(mine))
        if re.match(_DENIAL, found[0], re.I) and re.search(_DENIAL, plain, re.I):
            return
        yield "medium", Text(f"出现“{found[0]}”", f"it now says “{found[0]}”")


_LOOSE = r"书面|同意|许可|批准|认可|writing|written|consent|approv|signed|补充协议|\bagree(?!ment)"


def says(pattern: str, text: str) -> bool:
    """Not where the sentence forbids it."""
    found = re.search(pattern, text, re.I)
    if found is None:
        return False
    sentence = sentence_at(text, found.start())
    return not re.search(r"不得|禁止|亦不|不(?:会|能)|\bnot\b|\bnever\b|\bno\b", sentence, re.I)


def _match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.I)
    return found[0] if found else ""


_EXCEPTED = r"故意|重大过失|人身|wil(?:l)?ful|gross negligence|intent|injury|fraud"
"""What liability is never limited for."""


def flagged(ours: str, theirs: str) -> Iterator[Difference]:
    """Words that burden one side, and which the template lacks."""
    for name, pattern, en in FLAGS:
        if name == "unlimited" and re.search(_EXCEPTED, theirs, re.I):
            continue
        if says(pattern, theirs) and not re.search(pattern, ours, re.I):
            word = _match(pattern, theirs)
            yield "medium", Text(f"多了“{word}”", f"adds “{word}” ({en})")


def safeguards(ours: str, theirs: str, language: str) -> Iterator[Difference]:
    """``in writing``, ``with prior consent`` that are gone."""
    for zh, pattern, en in _SAFEGUARDS[:2] if language == "zh" else _SAFEGUARDS[1:3]:
        if (
            re.search(pattern, ours, re.I)
            and not re.search(pattern, theirs, re.I)
            and not re.search(_LOOSE, theirs, re.I)
            and not re.search(r"\boral(?:ly)?\b|口头", ours, re.I)  # of forms that are all alike
        ):
            yield "medium", Text(f"少了“{zh}”", f"no longer {en}")


def duty(ours: str, theirs: str) -> Iterator[Difference]:
    """Must became may."""
    plain = [_HARMLESS.sub(" ", _CONSENT.sub("须同意", t)) for t in (ours, theirs)]
    must = [len(re.findall(_MUST, t, re.I)) for t in plain]
    may = [len(re.findall(_MAY, t, re.I)) for t in plain]
    if must[0] and not must[1] and may[1] > may[0]:
        yield "medium", Text("义务变成了可选", "a duty became an option")


def denial(ours: str, theirs: str, language: str) -> Iterator[Difference]:
    """What was forbidden is allowed, or the other way round."""
    word = turned(ours, theirs, language)
    if word:
        yield (
            "medium",
            Text(f"关于“{word}”的禁止或否定变了", f"what is denied of “{word}” has changed"),
        )

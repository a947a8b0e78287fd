"""What a changed wording changes: numbers, who must and who may, who bears what, what is waived."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from dazi.apps.contracts.alignment import Alignment, Pair
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, Severity, at
from dazi.apps.contracts.likeness import essence
from dazi.apps.contracts.lines import blank
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.topics import NAMES, topics_of
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text

WEIGHTY = frozenset(
    {"liability", "disputes", "law", "confidentiality", "payment", "termination", "ip", "data",
     "penalty", "warranty", "acceptance", "title_risk", "deposit", "renewal", "insurance"}
)  # fmt: skip
"""Topics a contract must not leave out."""
ALIKE = 0.93
COMPARED = 0.3
"""From here on numbers of a pair speak of the same thing; below, only under the same heading."""
ALMOST = 0.72
"""What is so alike was edited, not worded anew: a word of denial more or less tells."""
NEAR = 0.45
"""From here on a pair is compared word by word."""

_FLAGS: tuple[tuple[str, str, str], ...] = (
    ("unilateral", r"单方(?:面)?(?:决定|变更|调整|解除|修改|确定)|自行(?:调整|变更)|随时(?:变更|调整|解除|终止)|最终解释权|sole (?:and absolute )?discretion|unilaterally|at any time (?:and )?without (?:cause|notice)", "unilateral"),
    ("unconditional", r"无条件|不可撤销|无论任何(?:原因|情况)|irrevocabl|unconditional|regardless of (?:fault|cause)|不论(?:有无|是否)过(?:错|失)", "unconditional"),
    ("waiver", r"放弃.{0,14}(?:权利|抗辩|索赔|追索)|不得(?:提出)?(?:异议|抗辩)|waives? (?:any|all|its)|no right to (?:object|claim)", "a waiver"),
    ("deemed", r"视为(?:验收合格|同意|认可|接受|放弃)|即视为|deemed (?:accepted|to have (?:accepted|waived|agreed))", "deemed consent"),
    ("unlimited", r"无限(?:责任|连带)|无限额|全部(?:直接(?:和|及|与)间接)?损失|间接损失(?!和可得利益)|连带责任|unlimited|without limit(?:ation)?(?! the)|consequential|jointly and severally", "unlimited"),
    ("exclusive", r"独家|排他|仅能向|不得(?:与|向)(?:任何)?第三方|exclusiv(?:e|ely) (?:right|suppl|purchas)", "exclusivity"),
    ("no_warranty", r"现状交付|不(?:作|做|提供|承担).{0,10}(?:保证|担保|质保)|不承担任何|概不负责|as[- ]is\b|no warrant|disclaims? all", "no warranty"),
    ("abroad", r"境外|海外|香港|新加坡|out(?:side)? (?:of )?(?:mainland )?china|overseas|offshore", "abroad"),
)  # fmt: skip
_SAFEGUARDS: tuple[tuple[str, str, str], ...] = (
    ("书面", r"书面", "in writing"),
    ("事先同意", r"(?:事先|事前|经).{0,12}(?:书面)?同意|prior (?:written )?consent|with the .{0,20}consent", "prior consent"),
    ("in writing", r"\bwritten\b|in writing", "in writing"),
    ("通知", r"提前.{0,12}通知|prior (?:written )?notice", "prior notice"),
    ("例外", r"但.{0,30}除外|except (?:where|for|that)|provided that", "an exception"),
)  # fmt: skip
_NOT = r"不得|不承担|不予|不负|不支付|无须|无需|不退|禁止|不再|\bnot\b|\bno (?:obligation|right)|\bnever\b|\bnor\b"
_MUST = r"应当|必须|(?<![相对响供适])应(?![收付税急用])|(?<![无必])须|负责|有义务|\bshall(?! not)|\bmust(?! not)|is required|agrees to|\bwill(?! not)"
_MAY = r"可以|有权|可(?![能靠用得观以])|得以|\bmay(?! not)|is entitled|has the right|at its option|endeavou?rs? to|尽(?:力|量)|努力"
_CONSENT = re.compile(
    r"(?:未|非|没有)(?:经|得到|取得)?[^，。；]{0,14}(?:同意|许可)[^。；]{0,14}不得|除非[^，。；]{0,14}同意[^。；]{0,14}不得|(?:shall|may|must) not[^.;]{0,60}(?:without|unless)[^.;]{0,50}(?:consent|agree\w*|approv\w*)|only (?:with|upon)[^.;]{0,30}consent|(?:without|unless)[^.;]{0,40}(?:consent|agree\w*)[^.;]{0,60}(?:shall|may|must) not",
    re.I,
)
_HARMLESS = re.compile(
    r"without (?:charge|delay|prejudice|undue delay|further)|free of charge|\bnot later than|no later than|not less than|不少于|不低于|不超过|不迟于|不符|不合|不成|不足|不影响|不可抗力|not exceed|not affect|(?:can|could) ?not be (?:foreseen|avoided)|not fall below|不能预见|不能避免|不能克服",
    re.I,
)
_BEARS = re.compile(
    r"(?:由)?(?P<who>[ⒼⓉ])(?:方)?(?:自行|全部|单独)?(?:承担|负担|负责|支付)|(?:borne|paid) by (?P<by>[ⒼⓉ])|(?P<bears>[ⒼⓉ]) (?:shall |will |must )?(?:bears?|pays? for)|at (?P<at>[ⒼⓉ]) (?:sole )?(?:cost|expense)"
)
_COST = re.compile(
    r"运费|费用|成本|税|风险|损失|维修|保险|freight|costs?|expenses?|taxes|risk|insurance|repair"
)


def deviations(alignment: Alignment) -> Iterator[Finding]:
    for pair in alignment.pairs:
        finding = _changed(alignment, pair)
        if finding is not None:
            yield finding
    for clause in alignment.missing:
        yield _missing(alignment.template, clause)
    for clause in alignment.added:
        found = [name for name, pattern, _ in _FLAGS if re.search(pattern, clause.words, re.I)]
        if found and not re.search(
            r"不视为|不得视为|not (?:be )?deemed|no waiver|不(?:构成|意味着)", clause.words, re.I
        ):
            yield at(
                clause,
                "added_clause",
                "deviation",
                "medium",
                Text(
                    "范本没有这一条,它加重一方责任或放弃权利",
                    "the template lacks this clause, which burdens one side or waives rights",
                ),
                Text("确认是否接受;不接受就删去", "accept it on purpose, or strike it"),
            )


def _changed(a: Alignment, pair: Pair) -> Finding | None:
    ours, theirs = pair.ours.words, pair.theirs.words
    language = a.contract.language
    mine = essence(a.ours.marked(ours), language)
    other = essence(a.theirs.marked(theirs), language)
    if mine == other:
        return None
    marked = a.ours.marked(ours), a.theirs.marked(theirs)
    found: list[tuple[Severity, Text]] = []
    if pair.score >= NEAR:
        found += _differences(a, pair)
    elif pair.score >= COMPARED or _same_topic(a, pair):
        found += _numbers(ours, theirs)
    found += [*_sides(*marked), *_softer(*marked)]
    if not found:
        if pair.score > ALIKE:
            return None
        return at(
            pair.theirs, "wording", "deviation", "low",
            Text("措辞与范本不同,没有发现改变权利义务", "worded differently from the template; no change of rights or duties was found"),
            Text("看一下差异", "look at the difference"), theirs, ours,
        )  # fmt: skip
    severity: Severity = "high" if any(s == "high" for s, _ in found) else "medium"
    zh = ";".join(t.zh for _, t in found)
    en = "; ".join(t.en for _, t in found)
    return at(
        pair.theirs, "changed_terms", "deviation", severity,
        Text(f"与范本不同:{zh}", f"differs from the template: {en}"),
        Text(f"按范本改回:{ours[:120]}", f"restore the template's wording: {ours[:160]}"), theirs, ours,
    )  # fmt: skip


def _same_topic(a: Alignment, pair: Pair) -> bool:
    mine, other = topics_of(a.template, pair.ours)[:1], topics_of(a.contract, pair.theirs)[:1]
    return pair.score >= 0.16 and bool(mine) and mine == other


_WEAKER = re.compile(
    r"(?:合理|最大)努力|尽力|力求|无须|无需|不必|不负(?!责任的)|不保证|不负责|不得要求|不(?:因此)?免除|无关|自行(?:决定|处理|承担|调整|负责|解决)|"
    r"由[ⒼⓉ](?:单方)?决定|自费|仅由|仅负责|立即解除|任何违约|最终依据|事后(?:告知|通知)|一切税费|全部(?:直接|间接)|不设|亦不以|"
    r"(?:reasonable|best|commercial) efforts|endeavou?r|expects?, but|not promise|need not|not (?:be )?(?:obliged|required|responsible|liable|released|require consent)|"
    r"(?:[ⒼⓉ]|party) alone\b|at once|without (?:a |any )?(?:reminder|notice|consent|cure|cause)|own products|of its choice|may not withhold|whatever kind|any \w+ partner|without any limit",
    re.I,
)
"""A duty made soft, a right made one side's own affair."""
_MUTUAL = re.compile(
    r"任何一方|任一方|双方|一方|各方|对方|each party|either party|neither party|both parties|the parties|a party|the other|other party|party (?:affected|in breach)",
    re.I,
)


def _sides(mine: str, other: str) -> Iterator[tuple[Severity, Text]]:
    """What held for both is one side's now."""
    was_mutual = _MUTUAL.search(mine) and not re.search("[ⒼⓉ]", mine)
    one_only = not _MUTUAL.search(other) or re.search(r"仅|只有|only|alone|solely", other)
    if was_mutual and one_only and re.search("[ⒼⓉ]", other):
        yield (
            "medium",
            Text("原来对双方的约定,现在只对一方", "what held for both sides holds for one"),
        )


_RELEASED = r"免除|免责|releas|not liable|not responsible|不承担|not the .{0,24}fault|not the responsib|are not (?:the )?[ⒼⓉ]|excus|exempt"


def _softer(mine: str, other: str) -> Iterator[tuple[Severity, Text]]:
    found = _WEAKER.search(other)
    if (
        found
        and not _WEAKER.search(mine)
        and not (re.search(_RELEASED, mine, re.I) and re.search(_RELEASED, other, re.I))
    ):
        if found[0] == "自行决定" and re.search("可", mine):
            return
        yield "medium", Text(f"出现“{found[0]}”", f"it now says “{found[0]}”")


def _differences(a: Alignment, pair: Pair) -> Iterator[tuple[Severity, Text]]:
    ours, theirs = pair.ours.words, pair.theirs.words
    yield from _numbers(ours, theirs)
    mine, other = a.ours.marked(ours), a.theirs.marked(theirs)
    for _, pattern, en in _FLAGS:
        if _says(pattern, theirs) and not re.search(pattern, ours, re.I):
            yield (
                "medium",
                Text(
                    f"多了“{_match(pattern, theirs)}”", f"adds “{_match(pattern, theirs)}” ({en})"
                ),
            )
    for zh, pattern, en in _SAFEGUARDS[:2] if a.contract.language == "zh" else _SAFEGUARDS[1:3]:
        if (
            re.search(pattern, ours, re.I)
            and not re.search(pattern, theirs, re.I)
            and pair.score > 0.5
            and not re.search(_LOOSE, theirs, re.I)
        ):
            yield "medium", Text(f"少了“{zh}”", f"no longer {en}")
    yield from _modality(ours, theirs, pair.score, topics_of(a.template, pair.ours))
    yield from _bearers(mine, other)


_LOOSE = r"书面|同意|许可|批准|认可|writing|written|consent|approv|agree"


def _numbers(ours: str, theirs: str) -> Iterator[tuple[Severity, Text]]:
    """Numbers that the template fixes and the contract has otherwise."""
    if not blank(ours):
        before = sorted((p.number, p.unit) for p in periods(ours))
        after = sorted((p.number, p.unit) for p in periods(theirs))
        if before and after:
            gone, new = _days(ours) - _days(theirs), _days(theirs) - _days(ours)
            if gone and new:
                yield (
                    "medium",
                    Text(
                        f"期限 {_list(gone)} 变成 {_list(new)}(天)",
                        f"periods of {_list(gone)} became {_list(new)} (days)",
                    ),
                )
        rates, others = {p.value for p in percents(ours)}, {p.value for p in percents(theirs)}
        if rates and others and rates != others and (rates - others) and (others - rates):
            yield (
                "medium",
                Text(
                    f"比例 {_list(rates - others)}% 变成 {_list(others - rates)}%",
                    f"{_list(rates - others)} % became {_list(others - rates)} %",
                ),
            )
        elif others and not rates and _LIMITS.search(theirs) and _LIMITS.search(ours):
            yield (
                "medium",
                Text(f"上限变成 {_list(others)}%", f"the limit became {_list(others)} %"),
            )
        sums, more = {m.amount for m in moneys(ours)}, {m.amount for m in moneys(theirs)}
        if sums and more and (sums - more) and (more - sums):
            yield (
                "medium",
                Text(
                    f"金额 {_list(sums - more)} 变成 {_list(more - sums)}",
                    f"sums of {_list(sums - more)} became {_list(more - sums)}",
                ),
            )


_LIMITS = re.compile(r"为(?:上)?限|上限|exceed|limited|\bcap", re.I)


def _days(text: str) -> set[Decimal]:
    """Periods in days, working days told apart."""
    return {
        Decimal(str(round(p.days, 1))) if p.unit != "workday" else p.number + Decimal("0.5")
        for p in periods(text)
    }


def _list(numbers: set[Decimal]) -> str:
    return "、".join(
        f"{n:f}".rstrip("0").rstrip(".") if "." in f"{n:f}" else f"{n:f}" for n in sorted(numbers)
    )


def _says(pattern: str, text: str) -> bool:
    """Not where the sentence forbids it."""
    found = re.search(pattern, text, re.I)
    if found is None:
        return False
    sentence = sentence_at(text, found.start())
    return not re.search(r"不得|禁止|亦不|不(?:会|能)|\bnot\b|\bnever\b|\bno\b", sentence, re.I)


def _match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.I)
    return found[0] if found else ""


def _modality(
    ours: str, theirs: str, score: float, topics: tuple[str, ...]
) -> Iterator[tuple[Severity, Text]]:
    """Must became may, or a prohibition came or went, in a sentence that otherwise is the same."""
    if score < 0.5 or "disputes" in topics[:1]:
        return
    was, now = _counted(ours), _counted(theirs)
    if was["must"] and not now["must"] and now["may"] > was["may"]:
        yield "medium", Text("义务变成了可选", "a duty became an option")
    if score > ALMOST and (was["not"] == 0) != (now["not"] == 0):
        if now["not"] and not re.search(_FREE, ours):
            yield "medium", Text("多了否定或禁止", "a negation or prohibition was added")
        elif was["not"] and not re.search(_FREE, theirs):
            yield "medium", Text("去掉了否定或禁止", "a negation or prohibition is gone")


_FREE = r"免除|免责|除外|以外|unless|except|excus|releas|neither|unable|fails?\b|failure"
"""Other ways to say no."""


def _counted(text: str) -> dict[str, int]:
    """How often a text forbids, demands and allows; a prohibition without consent is a demand for
    consent."""
    plain = _HARMLESS.sub(" ", _CONSENT.sub("须同意", text))
    return {
        name: len(re.findall(pattern, plain, re.I))
        for name, pattern in (("not", _NOT), ("must", _MUST), ("may", _MAY))
    }


def _bearers(mine: str, other: str) -> Iterator[tuple[Severity, Text]]:
    """Who bears a cost or a risk."""
    if not (_COST.search(mine) and _COST.search(other)):
        return
    was = [m["who"] or m["by"] or m["bears"] or m["at"] for m in _BEARS.finditer(mine)]
    now = [m["who"] or m["by"] or m["bears"] or m["at"] for m in _BEARS.finditer(other)]
    if len(was) == len(now) and was != now and set(was) != set(now):
        yield "high", Text("费用或风险换了承担的一方", "the cost or risk moved to the other side")


def _missing(template: Contract, clause: Clause) -> Finding:
    topics = topics_of(template, clause)
    topic = topics[0] if topics else ""
    zh, en = NAMES.get(topic, (template.heading(clause), template.heading(clause)))
    title = template.heading(clause) or zh
    severity: Severity = "high" if topic in WEIGHTY else "medium"
    if blank(clause.text):  # what is to be filled in says something else in every contract
        severity = "low"
    return Finding(
        f"missing_{topic or 'clause'}",
        "missing",
        severity,
        Text(
            f"缺少范本的“{title}”({zh})条款:{clause.text[:120]}",
            f"the template's clause on {en} (“{title}”) is missing: {clause.text[:160]}",
        ),
        Text(f"补上:{clause.text[:200]}", f"add: {clause.text[:200]}"),
        clause=clause.number,
        expected=clause.words[:300],
    )

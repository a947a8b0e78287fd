"""Where a contract contradicts itself: sums, dates, terms, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz.distance import Levenshtein, Prefix

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.lines import blank
from dazi.apps.contracts.payment import payment_terms
from dazi.apps.contracts.sums import sum_contradictions
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import days, periods
from dazi.core.language import Text


def contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    yield from sum_contradictions(contract, fields)
    yield from _dates(contract, fields)
    yield from _payment(contract)
    yield from _same_periods(contract)
    yield from _names(contract, fields)


def _dates(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and str(end.value) < str(start.value):
        yield at(
            end.clause,
            "dates_out_of_order",
            "contradiction",
            "high",
            Text(
                f"结束日 {end.value} 早于开始日 {start.value}",
                f"it ends on {end.value}, before it begins on {start.value}",
            ),
            Text("核对起止日期", "check both dates"),
            end.quote,
        )
        return
    for clause in contract.body:
        text = clause.words
        found = list(days(text))
        if (
            len(found) == 2
            and re.search(r"自|from|commenc", text[: found[0].start + 2], re.I)
            and found[1].day < found[0].day
            and re.search(r"至|止|到|until|to\b", text[found[0].end : found[1].start])
        ):
            yield at(
                clause,
                "dates_out_of_order",
                "contradiction",
                "high",
                Text(
                    f"{found[1].day} 早于 {found[0].day}",
                    f"{found[1].day} is before {found[0].day}",
                ),
                Text("核对起止日期", "check both dates"),
                sentence_at(text, found[0].start),
            )
        if start and end and clause is start.clause and len(found) >= 2:
            length = (found[1].day - found[0].day).days + 1
            for p in periods(sentence_at(text, found[0].start)):
                if (
                    p.unit in ("year", "month")
                    and not re.search(
                        r"前|通知|续|notice|prior|renew",
                        sentence_at(text, found[0].start)[max(0, p.start - 30) : p.end + 30],
                        re.I,
                    )
                    and abs(p.days - length) > max(16, length * 0.06)
                ):
                    yield at(
                        clause,
                        "term_length",
                        "contradiction",
                        "high",
                        Text(
                            f"写的期限是 {p.number} {_UNIT_ZH.get(p.unit, p.unit)},起止日期之间是 {length} 天",
                            f"the term is said to be {p.number} {p.unit}(s), the dates are {length} days apart",
                        ),
                        Text("核对期限和起止日期", "check the term and the dates"),
                        sentence_at(text, found[0].start),
                    )
                    break


_FIRST_PART = r"首付|预付|定金|订金|第一期|advance|down ?payment|deposit|押金"
_UNIT_ZH = {"year": "年", "month": "个月", "day": "天", "workday": "个工作日", "week": "周"}
_OF_WHAT = (
    ("invoice", r"发票|invoice"),
    ("acceptance", r"验收|acceptance"),
    ("delivery", r"签收|到货|交货|delivery|receipt of the goods"),
    ("rent", r"租金|\brent\b"),
    ("service", r"服务费|service fee|fees"),
)


def _payment(contract: Contract) -> Iterator[Finding]:
    """The same payment due within different times."""
    seen: dict[str, tuple[int, Clause, str]] = {}
    for score, number, clause, sentence in sorted(
        payment_terms(contract), key=lambda t: t[2].index
    ):
        if score < 0.4 or re.search(_FIRST_PART, sentence, re.I):
            continue
        what = next((name for name, pattern in _OF_WHAT if re.search(pattern, sentence, re.I)), "")
        if not what:
            continue
        before = seen.get(what)
        if before is None:
            seen[what] = number, clause, sentence
        elif before[0] != number and before[1] is not clause:
            yield at(
                clause,
                "payment_terms_differ",
                "contradiction",
                "high",
                Text(
                    f"这里的付款期限是 {number} 天,{place(before[1])}是 {before[0]} 天",
                    f"payment here is due in {number} days, in {place_en(before[1])} in {before[0]}",
                ),
                Text("只留一个付款期限", "keep one payment term"),
                sentence,
            )


_SAME = (
    ("质保期", r"(?:质保|保修)期(?:限)?(?:为|是)?|warranty period (?:is|of|shall be)", "warranty"),
    (
        "报告时限",
        r"(?:泄露|泄漏|事件|事故)[^。；]{0,40}|(?:leak|incident|breach of confidence)[^.;]{0,60}|(?:shall have|within)(?=[^.;]{0,60}(?:leak|incident))",
        "confidentiality",
    ),
    ("保密期", r"保密(?:期限?|义务)(?:为|是|自)?.{0,22}", "confidentiality"),
    ("试用期", r"试用期(?:为|是)?", "probation"),
)


def _same_periods(contract: Contract) -> Iterator[Finding]:
    """The same period said twice, differently."""
    for name, pattern, topic in _SAME:
        seen: tuple[float, Clause] | None = None
        for clause in contract.clauses:
            text = clause.words
            m = re.search(pattern, text, re.I)
            if not m or not about(contract, clause, topic):
                continue
            near = [
                p
                for p in periods(text)
                if abs(p.start - m.end()) <= 40
                and p.unit in (("hour", "day") if name == "报告时限" else ("year", "month"))
            ]
            if not near:
                continue
            if (
                seen is not None
                and abs(seen[0] - near[0].days) > 0.02 * max(seen[0], near[0].days)
                and seen[1] is not clause
            ):
                yield at(
                    clause,
                    "periods_differ",
                    "contradiction",
                    "medium",
                    Text(
                        f"这里的{name}与{place(seen[1])}不一致",
                        f"the {topic} period here differs from that in {place_en(seen[1])}",
                    ),
                    Text("核对,全文一致", "check, and say the same throughout"),
                    sentence_at(text, m.start()),
                )
            seen = seen or (near[0].days, clause)


_COMPANY = re.compile(
    r"[\u3400-\u9fff（）()]{2,30}?(?:有限责任公司|股份有限公司|有限公司|集团公司)|(?:[A-Z][\w&'’\-]+\s+){1,5}(?:Co\.?,?\s*)?(?:Ltd|Limited|Inc|LLC|GmbH|Corp)\b\.?"
)


def _names(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """A party's name written differently."""
    names = [str(fields[n].value) for n in ("party_a", "party_b") if n in fields]
    counted: dict[str, Clause] = {}
    for clause in contract.clauses:
        for m in _COMPANY.finditer(clause.words):
            found = re.sub(
                r"^(?:.*?(?:由|与|和|向|系|为|是|对|给|即|指|方|在|至|称))(?=[\u3400-\u9fff]{4})",
                "",
                m[0].strip(),
            ).strip()
            counted.setdefault(found, clause)
    bare = {n: re.sub(r"[\s.,，。()（）]", "", n).lower() for n in (*names, *counted)}
    for found, clause in counted.items():
        if any(bare[found] in bare[n] or bare[n] in bare[found] for n in names) or blank(found):
            continue
        for name in names:
            distance = Levenshtein.distance(bare[found], bare[name])
            start = Prefix.similarity(bare[found], bare[name])
            near = distance <= max(2, len(bare[name]) // 5) or start >= max(3, len(bare[name]) // 3)
            if near and len(bare[name]) >= 6:
                yield at(
                    clause,
                    "party_name",
                    "contradiction",
                    "high",
                    Text(
                        f"当事人名称写作“{found}”,前面是“{name}”",
                        f"the party is called “{found}” here and “{name}” before",
                    ),
                    Text("全文用营业执照上的名称", "use the registered name throughout"),
                    sentence_at(clause.words, clause.words.find(found)),
                )
                break

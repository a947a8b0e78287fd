"""The key figures of a document such as an annual report, each with its page and the words it stands in.

Read are tables with a column for this year (and the year before, and a target), and sentences such as
「营业收入 1,234.5 万元,同比增长 8.2%」. Only figures of ``METRICS`` count, only where a number and its unit
are plain, and of each the first is taken; what is not found is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing.process import parse
from dazi.router.normalise.text import fold

METRICS: tuple[tuple[str, str, str], ...] = (
    ("营业收入", "revenue", r"营业总?收入|(?:total |operating )?revenues?|net sales"),
    ("营业成本", "cost of sales", r"营业总?成本|cost of (?:sales|revenues?)"),
    ("毛利率", "gross margin", r"(?:综合)?毛利率|gross (?:profit )?margin"),
    ("归母净利润", "net profit attributable", r"归属于(?:母公司|上市公司)(?:所有者|股东)的净利润|归母净利润|net profit attributable[a-z ]*"),
    ("净利润", "net profit", r"净利润|net (?:profit|income)"),
    ("营业利润", "operating profit", r"营业利润|operating (?:profit|income)"),
    ("利润总额", "profit before tax", r"利润总额|profit before (?:income )?tax"),
    ("研发费用", "R&D expenses", r"研发(?:费用|投入|支出)|r&d (?:expenses?|expenditure|spending)|research and development (?:expenses?|costs?)"),
    ("销售费用", "selling expenses", r"销售费用|selling expenses?"),
    ("管理费用", "administrative expenses", r"管理费用|administrative expenses?"),
    ("经营现金流净额", "operating cash flow", r"经营活动(?:产生的)?现金流量?净额|经营现金流净额|(?:net )?(?:operating cash flow|cash flows? from operating activities)"),
    ("总资产", "total assets", r"总资产|资产总[额计]|total assets"),
    ("净资产", "net assets", r"净资产|net assets"),
    ("每股收益", "earnings per share", r"(?:基本)?每股收益|(?:basic )?earnings per share"),
    ("员工人数", "employees", r"(?:在职)?员工(?:总)?(?:人)?数|员工总数|(?:number of )?employees|headcount"),
)  # fmt: skip
_NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
_UNIT = (
    r"(?:亿元|万元|千元|百万元|元/股|元|%|人|名|(?:billion|million|thousand)(?: yuan)?|yuan|people)"
)
_MONEY = {
    "亿元": 10**8, "百万元": 10**6, "万元": 10**4, "千元": 10**3, "元": 1,
    "billion": 10**9, "million": 10**6, "thousand": 10**3, "yuan": 1,
}  # fmt: skip
_SAYS = r"(?:分别)?(?:为|是|达到?了?|实现|约|合计|共|:|was|were|is|of|reached|came to|amounted to|totall?ed)"
_GROWTH = re.compile(
    r"(?P<up>同比增长|同比上升|同比增加|比上年增长|较上年增长|增长|up|increased? (?:by|of)|growth of|rose(?: by)?|grew(?: by)?)"
    r"|(?P<down>同比下降|同比减少|比上年下降|较上年下降|下降|down|decreased? (?:by|of)|fell(?: by)?|decline of)"
)
_PERCENT = re.compile(r"\s*(?:了|约)?\s*(\d+(?:\.\d+)?)\s*%")
_BEFORE = re.compile(
    rf"(?:上年(?:同期)?|去年(?:同期)?|the year before|last year|prior year)(?:{_SAYS}|\s|,|a )*(?:rmb|cny)?\s*(?P<n>{_NUMBER})\s*(?P<u>{_UNIT})?"
)
_TARGET = re.compile(r"目标|计划|预算指标|target|planned|budgeted")
_NOW = re.compile(r"本(?:年|期|报告期)|当(?:年|期)|current year|this year|actual|实际")
_THEN = re.compile(r"上(?:年|期)|去年|prior year|last year|previous year")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_SENTENCE = re.compile(r"[^。;;!?\n]+(?:[。;;!?]|$)")
_LEAD = re.compile(r"^[\s,(年]+")
QUOTE = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """``value``, ``prior`` and ``target`` in ``unit`` as it is written of the first. ``stated``: the
    change on the year before that the document itself states, 0.082 for 8.2 %."""

    metric: str
    metric_en: str
    value: str | None
    unit: str
    page: int
    quote: str
    prior: str | None = None
    stated: str | None = None
    target: str | None = None
    target_page: int = 0
    target_quote: str = ""


async def figures_in(path: Path) -> list[dict[str, Any]]:
    """Rows for a report's tables, numbers as decimals. Raises as ``parse``, and ``CallerError`` for a
    document in which nothing was found."""
    blocks: list[Block] = []
    async with aclosing(parse(path)) as found:
        async for item in found:
            if isinstance(item, Block):
                blocks.append(item)
    figures = figures_of(blocks)
    if not figures:
        raise CallerError(
            "no_figures",
            f"{path.name} 里没有找到可读的关键指标(扫描件先做 OCR)",
            f"no key figures could be read in {path.name} (recognise scans first)",
        )
    numbers = ("value", "prior", "stated", "target")
    return [
        {k: Decimal(str(v)) if k in numbers and v is not None else v for k, v in asdict(f).items()}
        for f in figures
    ]


def figures_of(blocks: Sequence[Block]) -> list[Figure]:
    """In the order of ``METRICS``; targets joined to the figures they are for."""
    found: dict[str, Figure] = {}
    targets: dict[str, Figure] = {}
    unit = ""
    for block in blocks:
        if block.kind == "table":
            made: Iterable[Figure] = _of_table(block, unit)
        else:
            unit = _stated_unit(block.text) or unit
            made = [] if block.kind == "heading" else _of_text(block)
        for f in made:
            (found if f.value is not None else targets).setdefault(f.metric, f)
            if f.value is not None:
                found[f.metric] = _more(found[f.metric], f)
    out = []
    for zh, _, _ in METRICS:
        if zh in found:
            figure = found[zh]
            if zh in targets and figure.target is None:
                t = targets[zh]
                goal = _converted(t.target, t.unit, figure.unit)
                figure = replace(figure, target=goal, target_page=t.page, target_quote=t.quote)
            out.append(figure)
    return out


def _more(a: Figure, b: Figure) -> Figure:
    """What another place says of the same figure besides."""
    if _converted(str(b.value), b.unit, a.unit) != str(a.value) and a.value is not b.value:
        return a
    return replace(
        a,
        prior=a.prior if a.prior is not None else _converted(b.prior, b.unit, a.unit),
        stated=a.stated if a.stated is not None else b.stated,
    )


def _stated_unit(text: str) -> str:
    match = re.search(rf"(?:单位|unit)[::\s]*(?:人民币)?({_UNIT})", fold(text))
    return match[1] if match else ""


# --- sentences ----------------------------------------------------------------------------------


def _of_text(block: Block) -> Iterator[Figure]:
    for match in _SENTENCE.finditer(block.text):
        sentence = match[0].strip()
        folded = fold(sentence)
        goal = _TARGET.search(folded) is not None
        for zh, en, start, end in _metrics(folded):
            rest = folded[end : end + 90]
            said = re.match(
                rf"\s*(?:{_SAYS}|\s|目标|计划|target|a |the |\(.*?\))*\s*(?:人民币|rmb|cny)?\s*(?P<n>{_NUMBER})\s*(?P<u>{_UNIT})",
                rest,
            )
            if said is None:
                continue
            value, unit = said["n"].replace(",", ""), said["u"].strip()
            quote = sentence[:QUOTE]
            if goal and _before_target(folded, start, end):
                yield Figure(zh, en, None, unit, block.page, quote, target=value)
                continue
            after = rest[said.end() :]
            yield Figure(
                zh, en, value, unit, block.page, quote, _before(after, unit), _growth(after)
            )


def _before_target(folded: str, start: int, end: int) -> bool:
    """Is it the figure itself that is the aim, and not one that is held against it?"""
    near = folded[max(0, start - 14) : end + 8]
    return _TARGET.search(near) is not None


def _metrics(folded: str) -> Iterator[tuple[str, str, int, int]]:
    taken: set[int] = set()
    for zh, en, pattern in METRICS:
        for match in re.finditer(pattern, folded):
            if taken.isdisjoint(range(match.start(), match.end())):
                taken.update(range(match.start(), match.end()))
                yield zh, en, match.start(), match.end()


def _growth(after: str) -> str | None:
    match = _GROWTH.match(_LEAD.sub("", after)) or _GROWTH.search(after[:20])
    if match is None:
        return None
    place = after.find(match[0]) + len(match[0])
    percent = _PERCENT.match(after[place:])
    if percent is None:
        return None
    share = Decimal(percent[1]) / 100
    return str(-share if match["down"] else share)


def _before(after: str, unit: str) -> str | None:
    match = _BEFORE.search(after)
    if match is None:
        return None
    value = match["n"].replace(",", "")
    return _converted(value, (match["u"] or unit).strip(), unit)


def _converted(value: str | None, unit: str, to: str) -> str | None:
    """``value`` in another unit of money; as it is in the same unit; nothing between others."""
    if value is None or unit == to:
        return value
    a, b = (_MONEY.get(u.removesuffix(" yuan")) for u in (unit, to))
    return None if not a or not b else str(Decimal(value) * a / b)


# --- tables -------------------------------------------------------------------------------------


def _of_table(block: Block, unit: str) -> Iterator[Figure]:
    rows = [_cells(line) for line in block.text.splitlines() if not set(line) <= set("|-: ")]
    if len(rows) < 2:
        return
    heads = [fold(c) for c in rows[0]]
    now, then, goal = _columns(heads)
    if now is None:
        return
    unit = _stated_unit(" ".join(heads)) or _unit_in(" ".join(heads)) or unit
    for cells in rows[1:]:
        label = fold(cells[0])
        metric = next(_metrics(label), None)
        if metric is None or now >= len(cells):
            continue
        zh, en, _, _ = metric
        own = _unit_in(label) or ("%" if "%" in cells[now] else "") or unit
        value = _figure(cells[now])
        if value is None or not own:
            continue
        yield Figure(
            zh,
            en,
            value,
            own,
            block.page,
            " | ".join(cells)[:QUOTE],
            _figure(cells[then]) if then is not None and then < len(cells) else None,
            target=_figure(cells[goal]) if goal is not None and goal < len(cells) else None,
            target_page=block.page if goal is not None else 0,
            target_quote=" | ".join(cells)[:QUOTE] if goal is not None else "",
        )


def _cells(line: str) -> list[str]:
    return [c.strip().replace("\\|", "|") for c in line.strip().strip("|").split(" | ")]


def _columns(heads: Sequence[str]) -> tuple[int | None, int | None, int | None]:
    """The columns of this year, the year before, and the target."""
    goal = next((n for n, h in enumerate(heads) if n and _TARGET.search(h)), None)
    others = [n for n in range(1, len(heads)) if n != goal]
    now = next((n for n in others if _NOW.search(heads[n])), None)
    then = next((n for n in others if _THEN.search(heads[n])), None)
    years = {n: int(y[1]) for n in others if (y := _YEAR.search(heads[n])) and "%" not in heads[n]}
    if now is None and years:
        now = max(years, key=lambda n: years[n])
    if then is None and now in years:
        then = next((n for n, y in years.items() if y == years[now] - 1), None)
    return now, then, goal


def _unit_in(text: str) -> str:
    match = re.search(rf"[((]\s*(?:人民币|rmb|cny)?\s*({_UNIT})\s*[))]", text)
    return match[1] if match else ""


def _figure(cell: str) -> str | None:
    match = re.fullmatch(rf"\s*({_NUMBER})\s*%?\s*", fold(cell))
    return match[1].replace(",", "") if match else None

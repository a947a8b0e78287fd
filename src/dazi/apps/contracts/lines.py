"""The lines of a contract: without what typesetting and scanning put between words, clauses that ran
together taken apart, tables that only arrange text read as text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.knowledge.blocks import Block

_PLACEHOLDER = re.compile(
    r"_{2,}|＿{2,}|\[\s*[●•\s_]*\s*\]|【\s*[●•\s_]*\s*】|\{\{.*?\}\}|…{2,}|＊{2,}|×{2,}|\bX{3,}\b"
)
_HANZI = r"\u3400-\u9fff\u3000-\u303f\uff00-\uffef“”‘’"
_BETWEEN = re.compile(rf"(?<=[{_HANZI}])[ \t]+(?=[{_HANZI}])")
_BESIDE = re.compile(
    r"(?<=[\u3400-\u9fff])[ \t]+(?=[0-9A-Za-z¥￥])|(?<=[0-9A-Za-z%])[ \t]+(?=[\u3400-\u9fff])"
)
_SPLIT_NUMBER = re.compile(
    r"(?<=\b\d) (?=\d\s*(?:days?|months?|years?|日|天|个|年|月|%))|(?<=\b\d) (?=\.\d+\s*%)"
)
_WIDE = {ord(c): unicodedata.normalize("NFKC", c) for c in map(chr, range(0xFF10, 0xFF5B)) if c.isalnum()}  # fmt: skip
_WIDE |= {0xFF05: "%", 0xFF0E: ".", 0x3000: " ", 0xA0: " "}


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph, or a whole table, and the block it came from."""

    block: Block
    text: str


def tidy(text: str) -> str:
    """The same words without what typesetting and scanning put between them: spaces between hanzi,
    full-width letters and digits, runs of blanks."""
    text = text.translate(_WIDE).replace("\u200b", "").replace("\ufeff", "")
    text = re.sub(r"[ \t\r\f\v]+", " ", text)
    text = _BETWEEN.sub("", text)
    text = _SPLIT_NUMBER.sub("", text)
    return _BESIDE.sub("", text).strip()


def blank(text: str) -> bool:
    """Whether there is a place to fill in."""
    return bool(_PLACEHOLDER.search(text))


def filled_out(text: str, by: str = "〇") -> str:
    """With one mark for each place to fill in."""
    return _PLACEHOLDER.sub(by, text)


def lines_of(blocks: Iterable[Block]) -> list[Line]:
    """A table of contents is left out."""
    lines = [Line(b, text) for block in blocks for b, text in _paragraphs(block)]
    return _mended(_without_contents(lines))


def _paragraphs(block: Block) -> Iterator[tuple[Block, str]]:
    if block.kind == "table":
        yield from _rows(block)
        return
    for raw in block.text.split("\n"):
        text = tidy(_TITLED.sub(r"\g<number> \g<title>：", raw.strip()))
        if text:
            for part in _split(text):
                yield block, part


_TITLED = re.compile(
    rf"^(?P<number>第\s?(?:\d+|{HANZI_NUMBER}+)\s?条|[壹贰叁肆伍陆柒捌玖拾]{{1,2}}|{HANZI_NUMBER}{{1,3}}、)\s+(?P<title>(?:(?![应须将向]|不得)[\u3400-\u9fff、]){{2,8}})\s+(?=[\u3400-\u9fff].{{12}})"
)
"""An article's name on the line where its text begins."""


# --- tables --------------------------------------------------------------------------------------

_A_NUMBER = re.compile(rf"第\s*(?:\d+|{HANZI_NUMBER}+)\s*条|\d{{1,2}}(?:\.\d{{1,2}})+")
_A_PARTY = re.compile(
    r"(?:甲方|乙方|丙方|买方|卖方|供方|需方|出租方|承租方|委托方|受托方|Party [AB]|Customer|Supplier|Client|Provider|Buyer|Seller|Discloser|Recipient)(?:\s*[（(][^（()）]{1,16}[)）])?\s*[:：]?"
)
_AN_ANNEX = re.compile(rf"(?:附件|附录)\s*(?:\d+|{HANZI_NUMBER}+)|(?:Annex(?:ure)?|Schedule|Exhibit|Attachment) (?:\d+|[A-Z])")  # fmt: skip


def cells(row: str) -> list[str]:
    return [c.strip() for c in row.strip().strip("|").split("|")]


def _rows(block: Block) -> Iterator[tuple[Block, str]]:
    """Rows that are numbered clauses or name the parties are lines, and so is the title of an annex that
    stands in a row."""
    rows = [r for r in block.text.split("\n") if r.strip() and not re.fullmatch(r"[|\s:\-]+", r)]
    told = [[c for c in cells(r) if c] for r in rows]
    plain = replace(block, kind="text")
    if rows and all(len(c) >= 2 and _A_NUMBER.fullmatch(c[0]) for c in told):
        for c in told:
            yield plain, tidy(" ".join(c))
        return
    if rows and len(told[0]) >= 2 and _A_PARTY.fullmatch(told[0][0]) and len(told[0][1]) > 2:
        for c in told:
            yield (
                plain,
                tidy(f"{c[0].rstrip(':：')}：{' '.join(c[1:])}" if len(c) > 1 else " ".join(c)),
            )
        return
    part: list[str] = []
    for row in block.text.split("\n"):
        filled = [c for c in cells(row) if c]
        label = next((n for n, c in enumerate(filled[:-1]) if _A_PARTY.fullmatch(c)), None)
        if label is not None and label <= 1 and len(filled) == label + 2:
            yield plain, tidy(f"{filled[label].rstrip(':：')}：{filled[-1]}")
        if filled and len(filled) <= 2 and _AN_ANNEX.fullmatch(filled[0]):
            yield from _table(block, part)
            part = []
            yield replace(block, kind="heading"), tidy(" ".join(filled))
        else:
            part.append(row)
    yield from _table(block, part)


def _table(block: Block, rows: list[str]) -> Iterator[tuple[Block, str]]:
    if any(r.strip() and not re.fullmatch(r"[|\s:\-]+", r) for r in rows):
        yield block, tidy("\n".join(rows))


# --- lines that ran together ---------------------------------------------------------------------

_INLINE = re.compile(
    rf"(?<=[。；;.])(?<!\d\.)\s*(?=(?:第(?:[0-9]+|{HANZI_NUMBER}+)条)(?:\s|[^的规之所第、款约和及或])|\d{{1,2}}\.\d{{1,2}}(?:\s|[\u3400-\u9fff]))"
    r"|\s(?=(?:[IVX]{1,5}|[A-Z])\.\d{1,2}\s+[A-Z\"“])"
)
LABELS = r"住\s*所(?:地)?[:：]|地\s*址[:：]|法定代表人[:：]|授权代表[:：]|统一社会信用代码|身份证号?|签订(?:日期|时间|地点)[:：]|联系(?:人|电话|方式)[:：]|电话[:：]|开户(?:行|银行)[:：]|合同编号[:：]"
PARTY_LABEL = r"(?:(?:甲方|乙方|丙方|出租方|承租方|委托方|受托方|委托单位|受托单位|买方|卖方|供方|需方)\s*(?:[（(][^（()）]{1,14}[)）])?\s*[:：]|(?:甲方|乙方)\s*[（(](?:[卖买供需]方|章|盖章|委托方|服务方|受托方)[)）]|(?:委托单位|受托单位)[（(][甲乙]方[)）])"
_LABEL = re.compile(rf"(?<=[^\s，。；：:（(“的由与和向给对即为是])\s?(?={PARTY_LABEL})|(?<=[^\s（(])\s?(?=(?:{LABELS}))")  # fmt: skip


def _split(text: str) -> list[str]:
    """Clauses that ran together on one line, and the particulars of the parties."""
    parts = [t for t in (s.strip() for s in _INLINE.split(text)) if t]
    out: list[str] = []
    for part in parts:
        out += [t for t in (s.strip() for s in _LABEL.split(part)) if t]
    return out


def _mended(lines: list[Line]) -> list[Line]:
    """Words that a line's end had parted: ``Deliv-erables``, where the whole word stands elsewhere or
    a half is no word of the text."""
    words = {w for line in lines for w in re.findall(r"[A-Za-z]{3,}", line.text.lower())}
    parted = re.compile(r"\b([A-Za-z]{2,})-([a-z]{2,})\b")

    def mend(m: re.Match[str]) -> str:
        whole = m[1] + m[2]
        return whole if whole.lower() in words or m[2] in _ENDINGS else m[0]

    return [Line(line.block, parted.sub(mend, line.text)) for line in lines]


_ENDINGS = frozenset(
    [
        "tion",
        "tions",
        "tial",
        "ing",
        "ment",
        "ments",
        "ation",
        "ence",
        "ance",
        "able",
        "ible",
        "tive",
        "ness",
        "ously",
        "ually",
        "ties",
        "ient",
        "mation",
        "dential",
    ]
)


# --- the table of contents -----------------------------------------------------------------------

_CONTENTS = re.compile(r"目\s*录|(?:table of )?contents", re.IGNORECASE)
_LEADERS = re.compile(r"[.…·\s]{2,}\d+\s*$|\s+\d+\s*$")


def _without_contents(lines: list[Line]) -> list[Line]:
    """From 目录 to where its first entry comes again, now with a text under it."""
    start = next(
        (n for n, line in enumerate(lines[:60]) if _CONTENTS.fullmatch(line.text.strip())), None
    )
    if start is None:
        return lines
    first = _LEADERS.sub("", lines[start + 1].text).strip() if start + 1 < len(lines) else ""
    for n in range(start + 2, min(len(lines), start + 120)):
        if first and _LEADERS.sub("", lines[n].text).strip() == first:
            return [*lines[:start], *_before_body(lines[start + 1 : n], lines[n:]), *lines[n:]]
    return lines


def _before_body(contents: list[Line], body: list[Line]) -> list[Line]:
    """What stands between the table of contents and the first clause, such as the parties."""
    said = {_LEADERS.sub("", line.text).strip() for line in body}
    return [line for line in contents if _LEADERS.sub("", line.text).strip() not in said]

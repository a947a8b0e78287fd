"""Text as recognisers see it: digits and letters folded, invisible characters gone, a class a
character, and the way back to the original.

Folded are the characters whose compatibility form (Unicode NFKC) is a single one, and decimal
digits of every script. Numbers in circles or brackets stay: in Chinese texts they number lists and
stand right before what they number. So do the full-width forms of , : ; ! ? ( ), which patterns
know, and characters that stand for several, such as the ellipsis.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

DIGIT, LETTER, PROVINCE, UNIT, NUMERAL, SURNAME = b"0", b"a", b"P", b"U", b"N", b"S"
PERSON, PLACE, SECRET, IS, OTHER = b"L", b"A", b"K", b"I", b"?"
"""Classes by what a character may be a part of: a plate, a house number, its numeral, the last
character of a label for a person, an address, a secret, and 是."""

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安"
    "齐易乔伍庞颜倪庄聂章鲁鲍耿关焦殷詹兰游岳左洪包柴翟路柳尤骆梅宁俞华费管祝舒裴单凌涂冉纪童霍阮项盛蓝苗成季甘云"
    "申景麦桂晏燕臧柯边卜卞谷车辛简饶佟冷艾古甄房滕党解敖宫褚卫屈欧池明时常应尚褚危匡萧闵解瞿阎强符宗奚景司"
)
DOUBLE = "欧司诸上夏皇尉公慕令宇东南端独长代"
"""First characters of surnames, and of those of two characters."""

_KEPT = "，：；！？（）。、［］｛｝～＂＇＜＞｜￥"
_TAGS = ("<wide>", "<narrow>", "<font>", "<small>", "<compat>", "<noBreak>")
_ALIKE = {"-": "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "·": "\u2022\u2027\u30fb\uff65\u22c5"}
_INVISIBLE = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))
_CONTROLS = frozenset(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D} | frozenset(
    range(0x7F, 0xA0)
) - {0x85}

_LOOKED_AT = (
    (0x80, 0x3400),
    (0xA000, 0xAC00),
    (0xF900, 0x12000),
    (0x1D400, 0x1D800),
    (0x1E100, 0x1FC00),
)
"""Ranges with characters that fold; what lies between is hanzi, hangul and nothing."""
_GONE = 0xFFFFFFFF
_TAG_CHARACTERS = 0xE0000, 0xE0FFF
_ODD = 0x80
_SHORT = 800
"""Below this length a regular expression looks faster than numpy."""
_BEYOND = re.compile("[\U00010000-\U0010ffff]")

_CLASSES = {
    PROVINCE: "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领",
    UNIT: "号弄栋幢座室单楼组",
    NUMERAL: "一二三四五六七八九十百零〇",
    PERSON: "人名者",
    PLACE: "址",
    SECRET: "码钥令",
    IS: "是为叫",
    SURNAME: SURNAMES + DOUBLE,
    b" ": " \t",
    b"-": "-—―",
    b"_": "_",
    b"/": "/",
    b".": ".·",
    b":": ":：",
    b"=": "=",
    b"@": "@",
    b"+": "+",
    b"(": "()（）",
    b'"': "\"'“”‘’「」",
    b"\n": "\r\n",
}


class Folded:
    """``text`` is folded; a span of it stands for one of the original."""

    __slots__ = ("_classes", "_places", "_raw", "text")

    def __init__(
        self, text: str, places: NDArray[np.intp] | None, raw: bytes = b"", classes: bytes = b""
    ) -> None:
        self.text = text
        self._places = places
        self._raw = raw
        self._classes = classes

    @property
    def raw(self) -> bytes:
        """UTF-16LE, two bytes for each character; what lies beyond the BMP is U+FFFD."""
        if not self._raw:
            raw = self.text.encode("utf-16-le", "surrogatepass")
            if len(raw) != 2 * len(self.text):
                raw = _BEYOND.sub("\ufffd", self.text).encode("utf-16-le", "surrogatepass")
            self._raw = raw
        return self._raw

    @property
    def units(self) -> NDArray[np.uint16]:
        """The code points of ``raw``."""
        return np.frombuffer(self.raw, np.uint16)

    @property
    def classes(self) -> bytes:
        """A class for each character."""
        if not self._classes and self.text:
            self._classes = _tables()[1].take(self.units, mode="clip").tobytes()
        return self._classes

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Code points of the original that a span of the folded text comes from."""
        if self._places is None:
            return start, end
        return int(self._places[start]), int(self._places[end - 1]) + 1


def fold(text: str) -> Folded:
    """Takes 3 ns a character in long texts where nothing is to be folded, 25 ns elsewhere."""
    raw, classes = b"", b""
    if len(text) < _SHORT:
        if _foldable().search(text) is None:
            return Folded(text, None)
    else:
        raw = text.encode("utf-16-le", "surrogatepass")
        if len(raw) == 2 * len(text):
            classes = _tables()[1].take(np.frombuffer(raw, np.uint16), mode="clip").tobytes()
            if classes.isascii():
                return Folded(text, None, raw, classes)
    units = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    mapped = _tables()[0].take(units, mode="clip")
    seen = mapped != _GONE
    places = np.flatnonzero(seen)
    kept = mapped[seen].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return Folded(kept, None if len(places) == len(text) else places)


def foldable() -> str:
    """The characters of the BMP that fold, as the inside of a character class."""
    table = _tables()[1]
    odd = np.flatnonzero(table[:0x10000] & _ODD).tolist()
    ranges: list[list[int]] = []
    for code in odd:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(rf"\U{a:08x}-\U{b:08x}" for a, b in ranges)


@cache
def _foldable() -> re.Pattern[str]:
    """Whatever lies beyond the BMP counts, since looking closer takes longer than folding it."""
    return re.compile(f"[{foldable()}\U00010000-\U0010ffff]")


def members(name: str) -> str:
    """The characters of a class."""
    return _CLASSES[name.encode()]


def visible(text: str) -> str:
    """Without invisible characters."""
    mapping = _tables()[0]
    return "".join(c for c in text if mapping[ord(c)] != _GONE)


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """What each code point folds to, ``_GONE`` for nothing; and its class, with a bit set where it
    folds to anything but itself."""
    size = sys.maxunicode + 1
    mapping = np.arange(size, dtype=np.uint32)
    for first, end in _LOOKED_AT:
        mapping[first:end] = [_folded(code) for code in range(first, end)]
    mapping[[*_INVISIBLE, *_CONTROLS]] = _GONE
    mapping[_TAG_CHARACTERS[0] : _TAG_CHARACTERS[1] + 1] = _GONE
    for to, alike in _ALIKE.items():
        mapping[[ord(c) for c in alike]] = ord(to)
    classes = np.full(size, OTHER[0], np.uint8)
    for name, members in _CLASSES.items():
        for c in members:
            if classes[ord(c)] == OTHER[0]:
                classes[ord(c)] = name[0]
    for code in range(128):
        c = chr(code)
        if c.isalnum():
            classes[code] = (DIGIT if c.isdigit() else LETTER)[0]
    classes = classes[np.where(mapping == _GONE, 0, mapping)]
    classes[mapping != np.arange(size)] |= _ODD
    return mapping, classes


def _folded(code: int) -> int:
    c = chr(code)
    if c in _KEPT:
        return code
    if c.isdecimal():
        return ord("0") + unicodedata.decimal(c)
    if unicodedata.category(c) == "Cf":
        return _GONE
    decomposition = unicodedata.decomposition(c)
    if decomposition and (decomposition[0] != "<" or decomposition.startswith(_TAGS)):
        form = unicodedata.normalize("NFKC", c)
        if len(form) == 1:
            return ord(form)
    return code

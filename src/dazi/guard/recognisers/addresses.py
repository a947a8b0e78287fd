"""Postal addresses in Chinese, from the province or the road down to the room."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser
from dazi.guard.recognisers.places import KNOWN

LONGEST = 120
_STOPS = "在到往至是为的我他她你您它住送寄请了给去把与及这吗呢吧很就还又但让被叫说也已址"
"""Characters that hardly any name of a place holds: an address does not reach across them."""


def _without(stops: str) -> str:
    """Hanzi but these, as the inside of a character class."""
    first, ranges = 0x4E00, []
    for code in [*sorted(map(ord, stops)), 0xA000]:
        if first < code:
            ranges.append(f"{chr(first)}-{chr(code - 1)}")
        first = code + 1
    return "".join(ranges)


_H = _without(_STOPS)
_RUN = rf"[{_H}0-9A-Za-z#·()（）-]"
_NUMBER = r"(?:[0-9]{1,5}|[一二三四五六七八九十百零〇]{1,5})"
_SERIES = rf"(?:附?{_NUMBER}(?:-[0-9A-Za-z]{{1,5}}){{0,3}}|[A-Za-z][0-9]{{0,4}})"
_UNIT = r"(?:号院|号楼|号门|号|弄|栋|幢|座|室|单元|楼|塔|层|组|队|巷|房|户|铺|期)"
_DETAIL = re.compile(rf"{_SERIES}(?:号院|号楼|号|弄|栋|幢|座|室|单元|楼|组)(?![线文令机位店公码])")
_ROOM = re.compile(
    rf"{_SERIES}{_UNIT}|[-#]?[0-9]{{1,3}}[-#][0-9]{{1,4}}(?:-[0-9]{{1,4}})?(?:室|号)?|[-#]?[0-9]{{2,5}}(?:室|号|房)?(?![0-9年月日元个])"
)
_BUILDING = (
    "大厦|大楼|商务楼|办公楼|综合楼|教学楼|宿舍楼|公寓楼|裙楼|塔楼|小区|花园|公寓|广场|中心|家园|新村|新城|商城"
    "|写字楼|酒店|国际|科技园|工业园|产业园|创业园|软件园|园区|苑|园|城|院|府|庭|湾"
)
_NAMES, _SURE = 3, 8
"""Buildings within one another; length of a name that belongs to the address for certain."""
_UNNAMED = re.compile(rf"[{_H}]{{1,5}}?(?={_SERIES}(?:座|楼|层|室|栋|幢|号楼|单元))")
"""A building whose name does not say that it is one."""
_INSIDE = re.compile(rf"[{_H}A-Za-z]{{0,14}}?(?:{_BUILDING})")
_BEFORE_NUMBER = re.compile(
    rf"(?:大道|大街|路|街|道|巷|弄|胡同|里|村|镇|乡|社区|街道|庄|屯|寨|坊|段|桥|组|区|县|市|旗|{_BUILDING})(?:[（(][^（()）]{{1,12}}[)）])?\Z"
)
BEFORE_NUMBER = frozenset(
    "道街路巷弄同里村镇乡区庄屯寨坊段桥组县市旗厦楼园寓场心家城店际苑院府庭湾)）"
)
"""What stands before the first number of an address."""
_STREET = re.compile(r"[省市区县旗州镇乡村路街道巷弄庄屯]|胡同|社区")
_SUFFIX = re.compile(
    r"特别行政区|自治区|自治州|开发区|高新区|新区|地区|街道|社区|大道|大街|胡同|省|市|区|县|旗|州|盟|镇|乡|村|路|街|道|巷|弄"
)
_LEAD_IN = re.compile(
    r".*(?:地址|住所|收货|收件|寄件|发货|位于|来自|坐落|搬家?|注册|办公|邮寄|快递|家庭|通讯|联系|户籍|籍贯|现居|居|公司|单位|客户|门店|仓库"
    r"|总部|工厂|店铺|[:：])"
)


def _address(m: re.Match[str]) -> Hit | None:
    run, origin = m[0], m.start()
    for detail in _DETAIL.finditer(run):
        head = run[: detail.start()].rstrip(" ")
        if not _BEFORE_NUMBER.search(head) or not _STREET.search(head):
            continue
        start = _beginning(head)
        if start >= len(head):
            continue
        return Hit(origin + start, origin + _ending(run, detail.end()), Certainty.SHAPE)
    return None


def _beginning(head: str) -> int:
    """Where the address begins in what stands before its first number."""
    first = _SUFFIX.search(head)
    if first is None:
        return len(head)
    known = KNOWN.search(head)
    if known is not None and known.start() < first.end():
        return known.start()
    lead_in = _LEAD_IN.match(head[: first.start()])
    start = lead_in.end() if lead_in else 0
    start += len(head[start:]) - len(head[start:].lstrip("-#·()（）0123456789"))
    return start if first.start() - start <= 5 else first.start() - 3


def _ending(run: str, at: int) -> int:
    """Further numbers, and buildings that have one or end the run."""
    while True:
        room = _ROOM.match(run, at)
        if room is not None:
            at = room.end()
            continue
        end = at
        for _ in range(_NAMES):
            inside = _INSIDE.match(run, end)
            if inside is None:
                break
            end = inside.end()
            room = _ROOM.match(run, end)
            if room is not None:
                break
        if room is None and (unnamed := _UNNAMED.match(run, at)) is not None:
            room = _ROOM.match(run, unnamed.end())
        if room is None:
            return end if end == len(run) or end - at <= _SURE else at
        at = room.end()


def _told(m: re.Match[str]) -> Hit | None:
    """After a label two parts of an address are enough, without any number."""
    run, start = m["place"], m.start("place")
    suffixes = list(_SUFFIX.finditer(run))
    known = KNOWN.match(run)
    if len(suffixes) + (known is not None) < 2:
        return None
    end = suffixes[-1].end() if suffixes else 0
    for detail in _DETAIL.finditer(run):
        end = max(end, _ending(run, detail.end()))
    inside = _INSIDE.match(run, end)
    if inside is not None:
        end = inside.end()
    return Hit(start, start + end, Certainty.LABEL)


RECOGNISERS = (
    Recogniser(
        "address",
        "place",
        re.compile(rf"(?<!{_RUN})(?:{_RUN}| (?=[{_H}0-9])){{4,{LONGEST}}}"),
        _address,
        reach=(LONGEST, LONGEST),
        after=2,
    ),
    Recogniser(
        "address",
        "home",
        re.compile(
            rf"(?:地址|住址|现址)(?:[（(][^（()）]{{0,8}}[)）])?[ \t]?(?:[:：]|是|为)[ \t]?(?P<place>{_RUN}{{4,80}})"
        ),
        _told,
        reach=(1, 110),
        after=2,
    ),
)

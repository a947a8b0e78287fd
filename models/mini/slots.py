"""What stands in a phrasing's slots: how people say a value, and what the call must hold.

A slot's ``said`` is text in the message; its ``value`` is the argument. Dates, times and periods
are copied as said (the router normalises them); ids are canonical however they were written;
enumerations map words to values.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dazi.core.language import Language

PHRASINGS = Path(__file__).parent / "phrasings"


@dataclass(frozen=True)
class Slot:
    said: str
    value: Any


def lines(path: Path) -> list[str]:
    """The phrasings of a file, comments and blank lines left out; an absent file has none."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [s.strip() for s in text.splitlines() if s.strip() and not s.lstrip().startswith("#")]


@cache
def pool(name: str, language: Language) -> tuple[str, ...]:
    return tuple(lines(PHRASINGS / "pools" / f"{name}.{language}.txt"))


def _id(prefix: str, digits: int, sep: str = "") -> Callable[[random.Random, Language], Slot]:
    def fill(rng: random.Random, language: Language) -> Slot:
        number = "".join(rng.choice("0123456789") for _ in range(digits))
        value = f"{prefix}{sep}{number}"
        said = value
        roll = rng.random()
        if roll < 0.10:
            said = value.lower()
        elif roll < 0.14:
            said = f"{prefix} {number}"
        elif roll < 0.16:
            said = f"{prefix.lower()} {number}"
        elif roll < 0.20 and prefix in _BARE:
            said = f"{rng.choice(_BARE[prefix][language])}{number}"
        return Slot(said, value)

    return fill


_BARE = {
    "ORD": {"zh": ("订单", "订单号", "单号"), "en": ("order ", "order no. ", "order #")},
    "TX": {"zh": ("交易", "交易号"), "en": ("transaction ", "transaction #")},
}
"""How a number is announced whose prefix is left out."""


_PATTERN = re.compile(r"(?:\\d|\[([^\]]+)\])(?:\{(\d+)(?:,\d+)?\})?|(.)")


def of_pattern(rng: random.Random, pattern: str) -> Slot:
    """An id that matches a simple regular expression: letters, ``[A-Z]{2}``, ``\\d{4}``."""
    out = []
    for m in _PATTERN.finditer(pattern.strip("^$")):
        if m[3]:
            out.append(m[3] if m[3] not in "\\?" else "")
            continue
        letters = (
            "0123456789"
            if m[1] is None
            else "".join(
                "".join(chr(c) for c in range(ord(a), ord(b or a) + 1))
                for a, b in re.findall(r"(.)(?:-(.))?", m[1])
            )
        )
        out += [rng.choice(letters) for _ in range(int(m[2] or 1))]
    value = "".join(out)
    return Slot(value.lower() if rng.random() < 0.1 else value, value)


_DURATIONS: dict[str, tuple[str, ...]] = {
    "zh": (
        "一小时",
        "一个小时",
        "1小时",
        "两小时",
        "两个小时",
        "2小时",
        "半小时",
        "半个小时",
        "一个半小时",
        "1.5小时",
        "三小时",
        "3个小时",
        "45分钟",
        "90分钟",
        "30分钟",
        "四十分钟",
    ),
    "en": (
        "an hour",
        "one hour",
        "1 hour",
        "two hours",
        "2 hours",
        "half an hour",
        "30 minutes",
        "45 minutes",
        "90 minutes",
        "an hour and a half",
        "1.5 hours",
        "three hours",
        "2h",
    ),
}


def _duration(rng: random.Random, language: Language) -> Slot:
    said = rng.choice(_DURATIONS[language])
    return Slot(said, said)


def _room(rng: random.Random, _: Language) -> Slot:
    value = rng.choice("ABCDEFGHKM") + f"{rng.randint(1, 9)}{rng.randint(0, 3)}{rng.randint(0, 9)}"
    return Slot(value.lower() if rng.random() < 0.08 else value, value)


WEEK_ZH = "一二三四五六日天"
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _iso(rng: random.Random) -> str:
    return f"{rng.choice((2024, 2025, 2026, 2027))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _date(rng: random.Random, language: Language) -> Slot:
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    if language == "zh":
        week = rng.choice(WEEK_ZH)
        said = rng.choice(
            [
                *["明天", "后天", "今天", "大后天"] * 3,
                *[f"下周{week}", f"周{week}", f"这周{week}", f"星期{week}", f"下星期{week}"] * 2,
                f"礼拜{week}",
                f"下礼拜{week}",
                f"本周{week}",
                *[f"{month}月{day}日", f"{month}月{day}号"] * 2,
                f"{day}号",
                f"{rng.randint(2, 9)}天后",
                f"{month}.{day}",
                f"{month}/{day}",
                f"2025年{month}月{day}日",
                f"2026年{month}月{day}号",
                _iso(rng),
                "下个月" + f"{day}号",
            ]
        )
    else:
        weekday, name = rng.choice(DAYS_EN), MONTHS_EN[month - 1]
        suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
        said = rng.choice(
            [
                *["tomorrow", "today", "the day after tomorrow"] * 3,
                *[f"next {weekday}", f"this {weekday}", weekday, f"on {weekday}"[3:]] * 2,
                f"{weekday.lower()}",
                f"next {weekday[:3]}",
                weekday[:3],
                f"{name} {day}",
                f"{name[:3]} {day}",
                f"{day} {name}",
                f"{name} {day}{suffix}",
                f"the {day}{suffix}",
                f"{month}/{day}",
                f"{name[:3]} {day}, 2026",
                _iso(rng),
                f"in {rng.randint(2, 9)} days",
            ]
        )
    return Slot(said, said)


def _since(rng: random.Random, language: Language) -> Slot:
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    if language == "zh":
        week = rng.choice(WEEK_ZH)
        said = rng.choice(
            [
                f"上周{week}",
                "昨天",
                "前天",
                f"{month}月{day}号",
                f"{month}月{day}日",
                f"上个月{day}号",
                f"{rng.randint(2, 30)}天前",
                _iso(rng),
                f"{month}月1号",
                f"这周{week}",
                "月初",
                *("这个月", "本月", "上个月", "这周", "本周", "上周", "今年", "去年", "最近一周"),
                *(f"最近{rng.randint(2, 30)}天", "今天"),
            ]
        )
    else:
        weekday, name = rng.choice(DAYS_EN), MONTHS_EN[month - 1]
        said = rng.choice(
            [
                f"last {weekday}",
                "yesterday",
                f"{name} {day}",
                f"{name[:3]} {day}",
                f"{day} {name}",
                f"{rng.randint(2, 30)} days ago",
                _iso(rng),
                f"{name} 1",
                weekday,
                *("this month", "last month", "this week", "last week", "this year", "today"),
            ]
        )
    return Slot(said, said)


def _clock(rng: random.Random, language: Language, hour: int, minute: int) -> str:
    half, twelve = minute == 30, (hour - 1) % 12 + 1
    if language == "zh":
        part = "早上" if hour < 9 else "上午" if hour < 12 else "中午" if hour == 12 else "下午"
        part = "晚上" if hour >= 18 else part
        digits = "零一二三四五六七八九十"
        spoken = "十" + digits[twelve - 10].replace("零", "") if twelve >= 10 else digits[twelve]
        spoken = "两" if spoken == "二" else spoken
        tail = "点半" if half else "点" if minute == 0 else f"点{minute}"
        return rng.choice(
            [
                f"{part}{spoken}{tail}",
                f"{part}{twelve}{tail}",
                f"{hour}:{minute:02}",
                f"{hour}:{minute:02}",
                f"{hour:02}:{minute:02}",
                f"{hour}{tail}",
                f"{spoken}{tail}",
            ]
        )
    mark = "am" if hour < 12 else "pm"
    short = f"{twelve}{mark}" if minute == 0 else f"{twelve}:{minute:02}{mark}"
    spaced = short.replace(mark, f" {mark}")
    return rng.choice(
        [
            short,
            short,
            spaced,
            short.upper(),
            f"{hour}:{minute:02}",
            f"{hour:02}:{minute:02}",
            f"half past {twelve}" if half else f"{twelve} o'clock" if minute == 0 else short,
            str(twelve) if minute == 0 else short,
        ]
    )


def times(rng: random.Random, language: Language) -> tuple[Slot, Slot]:
    """A start and a later end."""
    start = rng.randint(8, 18)
    minute = rng.choice((0, 0, 0, 30, 30, 15, 45))
    end = start + rng.randint(1, 3)
    last = minute if rng.random() < 0.6 else rng.choice((0, 30))
    a, b = _clock(rng, language, start, minute), _clock(rng, language, end, last)
    return Slot(a, a), Slot(b, b)


def _month(rng: random.Random, language: Language) -> Slot:
    month, year = rng.randint(1, 12), rng.choice((2024, 2025, 2026))
    if language == "zh":
        said = rng.choice(
            [
                "上个月",
                "上个月",
                "这个月",
                "本月",
                "上月",
                f"{month}月",
                f"{month}月份",
                f"{month}月",
                f"{year}年{month}月",
                f"去年{month}月",
                f"{year}-{month:02}",
                f"今年{month}月",
            ]
        )
    else:
        name = MONTHS_EN[month - 1]
        said = rng.choice(
            [
                "last month",
                "last month",
                "this month",
                name,
                name,
                f"{name} {year}",
                f"last {name}",
                f"{year}-{month:02}",
                f"{name[:3]} {year}",
                name[:3],
            ]
        )
    return Slot(said, said)


def _quarter(rng: random.Random, language: Language) -> Slot:
    n, year = rng.randint(1, 4), rng.choice((2024, 2025, 2026))
    if language == "zh":
        spoken = "一二三四"[n - 1]
        said = rng.choice(
            [
                f"Q{n}",
                f"Q{n}",
                f"{spoken}季度",
                f"第{spoken}季度",
                "上个季度",
                "上季度",
                "本季度",
                "这个季度",
                f"{year}年Q{n}",
                f"{year}年{spoken}季度",
                f"去年{spoken}季度",
                f"今年Q{n}",
                f"{year}-Q{n}",
            ]
        )
    else:
        word = ("first", "second", "third", "fourth")[n - 1]
        said = rng.choice(
            [
                f"Q{n}",
                f"Q{n}",
                f"Q{n} {year}",
                "last quarter",
                "this quarter",
                f"the {word} quarter",
                f"{year}-Q{n}",
                f"{word} quarter",
                f"{year}Q{n}",
                f"q{n}",
            ]
        )
    return Slot(said, said)


_DEPT = {
    "zh": {
        "marketing": ("市场部", "市场", "营销部", "市场营销", "市场那边", "营销"),
        "rd": ("研发部", "研发", "技术部", "研发那边", "R&D"),
        "sales": ("销售部", "销售", "业务部", "销售那边"),
        "hr": ("人力资源部", "人事部", "人力", "HR", "人事", "行政人事"),
        "finance": ("财务部", "财务", "财务那边"),
    },
    "en": {
        "marketing": ("marketing", "Marketing", "the marketing team", "mktg"),
        "rd": ("R&D", "RD", "research and development", "r&d", "engineering R&D"),
        "sales": ("sales", "Sales", "the sales team", "the sales department"),
        "hr": ("HR", "human resources", "hr", "people team"),
        "finance": ("finance", "Finance", "the finance department", "accounting"),
    },
}
_STATUS = {
    "zh": {
        "placed": ("已下单", "刚下单", "下了单"),
        "packed": ("已打包", "打包好的", "打好包的"),
        "shipped": ("已发货", "发货了", "在路上", "发出去的", "运输中"),
        "delivered": ("已签收", "已送达", "送到了", "签收了"),
        "refunded": ("已退款", "退款的", "退了款的"),
    },
    "en": {
        "placed": ("placed", "just placed"),
        "packed": ("packed", "packed up"),
        "shipped": ("shipped", "on the way", "in transit"),
        "delivered": ("delivered", "already delivered"),
        "refunded": ("refunded",),
    },
}


def _words(
    table: dict[str, dict[str, tuple[str, ...]]],
) -> Callable[[random.Random, Language], Slot]:
    def fill(rng: random.Random, language: Language) -> Slot:
        value = rng.choice(list(table[language]))
        return Slot(rng.choice(table[language][value]), value)

    return fill


def spoken(n: int) -> str:
    """A whole number below 100,000 as people say it: 一千二, 三百零五, 两万."""
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    for size, unit in ((10_000, "万"), (1_000, "千"), (100, "百"), (10, "十")):
        if n >= size:
            head, rest = divmod(n, size)
            lead = (
                ""
                if unit == "十" and head == 1
                else "两"
                if head == 2 and unit != "十"
                else spoken(head)
            )
            if not rest:
                return lead + unit
            if size > 10 and rest % (size // 10) == 0:
                return lead + unit + digits[rest // (size // 10)]
            return lead + unit + ("零" if rest < size // 10 else "") + spoken(rest)
    return ""


def _amount(rng: random.Random, language: Language) -> Slot:
    whole = rng.choice(
        (
            rng.randint(1, 99),
            rng.randint(100, 999),
            rng.randint(1000, 9999),
            rng.randint(1, 99) * 10,
        )
    )
    number, text = (
        (whole, str(whole)) if rng.random() < 0.8 else (whole + rng.randint(1, 99) / 100, "")
    )
    number = round(number, 2)
    text = text or f"{number:g}"
    if language == "zh" and number == whole and rng.random() < 0.15:
        return Slot(spoken(whole) + rng.choice(("元", "块", "块钱")), whole)
    if rng.random() < 0.1 and whole >= 1000:
        text = f"{number:,}"
    said = (
        f"{text}{rng.choice(('元', '块', '块钱', '元', ''))}"
        if language == "zh"
        else rng.choice((f"${text}", f"¥{text}", text, f"{text} yuan", f"{text} RMB"))
    )
    return Slot(said, number)


def _top(rng: random.Random, language: Language) -> Slot:
    n = rng.choice((3, 5, 10, 10, 5, 3, 8, 15, 20, 1, 2, 4, 6, 7))
    spoken = {3: "三", 5: "五", 10: "十", 8: "八", 20: "二十", 6: "六", 4: "四"}
    if language == "zh" and n in spoken and rng.random() < 0.35:
        return Slot(spoken[n], n)
    words = {3: "three", 5: "five", 10: "ten", 20: "twenty"}
    if language == "en" and n in words and rng.random() < 0.25:
        return Slot(words[n], n)
    return Slot(str(n), n)


OFFICES = {
    "zh": ("北京", "上海", "深圳", "杭州", "成都", "广州", "南京", "武汉", "西安", "苏州"),
    "en": (
        "Beijing",
        "Shanghai",
        "Shenzhen",
        "Hangzhou",
        "Chengdu",
        "Berlin",
        "Guangzhou",
        "Nanjing",
    ),
}


def _location(rng: random.Random, language: Language) -> Slot:
    cities = pool("city", language)
    said = rng.choice(cities) if cities and rng.random() < 0.4 else rng.choice(OFFICES[language])
    return Slot(said, said)


def _email(rng: random.Random, _: Language) -> Slot:
    names = (
        "wang.lei",
        "li.na",
        "zhangwei",
        "hr",
        "sales",
        "boss",
        "chen_jing",
        "tom",
        "amy.liu",
        "finance",
        "zhou88",
    )
    hosts = (
        "yunshan.example",
        "example.com",
        "corp.cn",
        "partner.com",
        "qq.com",
        "mail.example.org",
    )
    text = f"{rng.choice(names)}{rng.choice(('', '', str(rng.randint(1, 99))))}@{rng.choice(hosts)}"
    return Slot(text, text)


def _free(name: str) -> Callable[[random.Random, Language], Slot]:
    def fill(rng: random.Random, language: Language) -> Slot:
        texts = pool(name, language)
        text = rng.choice(texts) if texts else name
        return Slot(text, text)

    return fill


def _misread(prefix: str, lengths: tuple[int, ...]) -> Callable[[random.Random, Language], Slot]:
    """An id with too few or too many digits: said, but of no use."""

    def fill(rng: random.Random, _: Language) -> Slot:
        digits = "".join(rng.choice("0123456789") for _ in range(rng.choice(lengths)))
        said = f"{prefix}{digits}"
        return Slot(said.lower() if rng.random() < 0.2 else said, None)

    return fill


FILL: dict[str, Callable[[random.Random, Language], Slot]] = {
    "order_id": _id("ORD", 5),
    "sku": _id("SKU", 4, "-"),
    "transaction_id": _id("TX", 6),
    "room": _room,
    "misread_order_id": _misread("ORD", (2, 3, 4, 6, 7)),
    "misread_sku": _misread("SKU-", (2, 3, 5, 6)),
    "misread_transaction_id": _misread("TX", (3, 4, 5, 7, 8)),
    "date": _date,
    "since": _since,
    "month": _month,
    "quarter": _quarter,
    "dept": _words(_DEPT),
    "status": _words(_STATUS),
    "amount": _amount,
    "duration": _duration,
    "top": _top,
    "location": _location,
    "to": _email,
    **{
        n: _free(n) for n in ("city", "name", "title", "note", "reason", "query", "subject", "body")
    },
}

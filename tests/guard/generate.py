"""Made-up Chinese business texts with personal data in them, and texts that only look so.

Nothing here uses the guard: check characters are computed a second time, from the standards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

PROVINCES = ["11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "81", "82", "83"]  # fmt: skip
SHORT = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


@dataclass(frozen=True, slots=True)
class Case:
    """``expected`` holds start, end and type, by position."""

    text: str
    expected: tuple[tuple[int, int, str], ...]


Make = Callable[[random.Random], str]


def digits(r: random.Random, n: int) -> str:
    return "".join(r.choice("0123456789") for _ in range(n))


def check_character(first17: str) -> str:
    """ISO 7064 MOD 11-2, as the remainder of a sum of powers of two."""
    total = sum(int(c) * 2 ** (17 - i) for i, c in enumerate(first17))
    return "10X98765432"[total % 11]


def resident_id(r: random.Random) -> str:
    born = date(1935, 1, 1) + timedelta(r.randrange(29_000))
    first17 = f"{r.choice(PROVINCES)}{r.randrange(1, 30):02}{r.randrange(1, 40):02}{born:%Y%m%d}{digits(r, 3)}"
    return first17 + check_character(first17)


def with_luhn(first: str) -> str:
    for last in "0123456789":
        total = 0
        for i, c in enumerate(reversed(first + last)):
            total += sum(map(int, str(int(c) * (1 + i % 2))))
        if total % 10 == 0:
            return first + last
    raise AssertionError


def bank_card(r: random.Random) -> str:
    begin, length = r.choice([
        ("622202", 19), ("621700", 19), ("622848", 19), ("621661", 19), ("622588", 16), ("625965", 16),
        ("436742", 19), ("4", 16), ("52", 16), ("55", 16), ("356", 16), ("955880", 19), ("622262", 17),
    ])  # fmt: skip
    if begin == "356":
        begin = "3568"
    return with_luhn(begin + digits(r, length - len(begin) - 1))


def uscc(r: random.Random) -> str:
    body = r.choice(["91", "92", "93", "51", "52", "12", "11", "N1"]) + r.choice(PROVINCES[:31])
    body += digits(r, 4) + "".join(r.choice(USCC) for _ in range(9))
    total = sum(USCC.index(c) * 3**i for i, c in enumerate(body))
    return body + USCC[(31 - total % 31) % 31]


def mobile(r: random.Random) -> str:
    prefix = r.choice(
        [
            "130",
            "131",
            "133",
            "135",
            "136",
            "137",
            "138",
            "139",
            "147",
            "150",
            "152",
            "155",
            "158",
            "166",
            "173",
            "176",
            "177",
            "180",
            "186",
            "188",
            "189",
            "191",
            "198",
            "199",
        ]
    )
    return prefix + digits(r, 8)


def passport(r: random.Random) -> str:
    return r.choice([
        "E" + digits(r, 8), "G" + digits(r, 8), "E" + r.choice("ABCDEFGHJKLMNP") + digits(r, 7),
        r.choice(["SE", "DE", "PE"]) + digits(r, 7), "H" + digits(r, 8),
    ])  # fmt: skip


def plate(r: random.Random) -> str:
    begin = r.choice(SHORT) + r.choice("ABCDEFGH")
    return r.choice([
        begin + digits(r, 5), begin + r.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") + digits(r, 4),
        begin + digits(r, 1) + r.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") + digits(r, 3),
        begin + r.choice("DF") + digits(r, 5), begin + digits(r, 5) + r.choice("DF"),
        begin + digits(r, 4) + r.choice("学警挂"), "粤Z" + digits(r, 4) + r.choice("港澳"),
    ])  # fmt: skip


MAKERS: dict[str, Make] = {
    "resident_id": resident_id,
    "bank_card": bank_card,
    "uscc": uscc,
    "mobile": mobile,
    "passport": passport,
    "plate": plate,
}
LABELS = {
    "resident_id": [
        "身份证号：",
        "身份证号码为",
        "身份证",
        "证件号码:",
        "ID: ",
        "本人身份证号是",
        "",
    ],
    "bank_card": ["卡号：", "银行卡号", "转账到", "收款卡号为", "打到这张卡", "信用卡 ", ""],
    "uscc": ["统一社会信用代码：", "信用代码", "税号:", "纳税人识别号为", "社会信用代码是", ""],
    "mobile": ["手机：", "电话", "手机号是", "联系", "拨打", "Tel: ", "请致电", ""],
    "passport": ["护照号码：", "护照", "护照号为", "持护照", "passport: "],
    "plate": ["车牌", "车牌号：", "车辆", "停着一辆", ""],
}
BEFORE = [
    "", "您好，", "客户反馈：", "麻烦登记一下，", "会议纪要\n", "【重要】", "（", "“", "请尽快处理", "备注\t", "1. ", "姓名王某，",
    "经核实", "附件里写着", "订单ORD12345的", "以下信息请保密：", "> ",
]  # fmt: skip
AFTER = [
    "", "。", "，请查收", "已登记", "）", "”", "\n", "；谢谢", "的资料", "是他的", "，金额1380.00元", "\t备注", "！", " 请核对", "在系统里查不到",
    "，订单ORD12345", "和合同一起寄出",
]  # fmt: skip
LOOKALIKES: list[Make] = [
    lambda r: f"订单号{r.choice(['20', '10', '30'])}{digits(r, r.randrange(10, 20))}已发货",
    lambda r: f"运单号SF{digits(r, 13)}、YT{digits(r, 13)}",
    lambda r: f"时间戳{r.randrange(1_500_000_000, 1_900_000_000)}{digits(r, 3)}",
    lambda r: f"金额{r.randrange(10_000, 99_999_999)}.{digits(r, 2)}元，共{r.randrange(1, 9999)}件",
    lambda r: f"SKU：{r.choice('ABCEGH')}{digits(r, 8)}，批次{digits(r, 10)}",
    lambda r: f"ISBN 978-7-{digits(r, 3)}-{digits(r, 5)}-{digits(r, 1)}",
    lambda r: (
        f"日期2024-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} {r.randrange(24):02}:{digits(r, 2)}:{digits(r, 2)}"
    ),
    lambda r: f"版本v{r.randrange(9)}.{r.randrange(20)}.{r.randrange(20)}.{r.randrange(20)}",
    lambda r: f"流水号{r.choice('09')}{digits(r, 17)}",
    lambda r: f"条形码69{digits(r, 11)}",
    lambda r: f"第{r.randrange(1, 200)}号公告，编号{digits(r, 11)}",
    lambda r: f"合同编号HT{digits(r, 12)}，签于20240315",
    lambda r: (
        f"合计￥{r.randrange(1000, 99_999_999)}，同比增长{r.randrange(1, 99)}.{digits(r, 1)}%"
    ),
    lambda r: f"会议号{digits(r, 3)} {digits(r, 3)} {digits(r, 3)}，{r.randrange(1, 30)}楼A座",
    lambda r: f"身份证号{wrong(resident_id(r), r)}校验不通过",
    lambda r: f"卡号{wrong(bank_card(r), r)}有误",
    lambda r: f"信用代码{wrong(uscc(r), r)}查无此企业",
    lambda r: f"手机号少一位：{mobile(r)[:10]}",
    lambda r: f"更新{r.choice('ABC')}{digits(r, 5)}补丁，全新{r.choice('XYZ')}{digits(r, 4)}款",
]


def wrong(number: str, r: random.Random) -> str:
    """With another check character."""
    known = "0123456789X" if number[:2].isdigit() and len(number) == 18 else "0123456789"
    return number[:-1] + r.choice([c for c in known if c != number[-1]])


def grouped(number: str, r: random.Random) -> str:
    sizes = {11: (3, 4, 4), 18: (6, 8, 4)}.get(len(number), (4, 4, 4, 4, 4))
    if len(number) == 18 and r.random() < 0.5:
        sizes = (4, 4, 4, 4, 2)
    separator = r.choice([" ", "-", " ", "－", "\u3000", "—"])
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return separator.join(filter(None, parts))


def wide(text: str, r: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def split(text: str, r: random.Random) -> str:
    """Invisible characters among the others."""
    out = text[0]
    for c in text[1:]:
        out += "".join(r.choice(INVISIBLE) for _ in range(r.choice([0, 0, 1, 2]))) + c
    return out


def spread(text: str, r: random.Random) -> str:
    return " ".join(text)


def disguised(type_: str, text: str, r: random.Random) -> str:
    ways: list[Callable[[str, random.Random], str]] = [lambda t, _: t, lambda t, _: t, wide, split]
    if type_ in ("resident_id", "bank_card", "mobile", "uscc"):
        ways += [grouped, lambda t, r: split(grouped(t, r), r), lambda t, r: wide(grouped(t, r), r)]
    if type_ in ("resident_id", "mobile"):
        ways.append(spread)
    if type_ in ("resident_id", "uscc", "passport", "plate"):
        ways.append(lambda t, _: t.lower())
    if type_ == "plate":
        ways.append(lambda t, r: t[:2] + r.choice("·- •") + t[2:])
    return r.choice(ways)(text, r)


def cases(seed: int, n: int) -> Iterator[Case]:
    r = random.Random(seed)
    for _ in range(n):
        text, expected = r.choice(BEFORE), []
        for i in range(r.choice([1, 1, 2, 3])):
            if i:
                text += r.choice(["，", "\n", "；", "。另外", "、"])
            if r.random() < 0.35:
                text += r.choice(LOOKALIKES)(r)
                continue
            type_ = r.choice(list(MAKERS))
            text += r.choice(LABELS[type_])
            start = len(text)
            text += disguised(type_, MAKERS[type_](r), r)
            expected.append((start, len(text), type_))
            text += r.choice(AFTER)
        yield Case(text, tuple(expected))

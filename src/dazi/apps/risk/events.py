"""A transaction as the risk engine takes it, checked field by field.

Amounts are whole cents, times have a zone, and what is missing is ``None``, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Literal, NoReturn, TypeVar

from dazi.core.errors import CallerError
from dazi.core.language import Text

Direction = Literal["out", "in"]
Outcome = Literal["fraud", "genuine"]
_T = TypeVar("_T", bound=str)
CHINA = timezone(timedelta(hours=8), "UTC+8")
LONGEST = 200
"""Characters of an id or a name."""
MOST_CENTS = 10**15
OUTCOMES: Mapping[str, Outcome] = {
    "fraud": "fraud", "1": "fraud", "true": "fraud", "欺诈": "fraud",
    "genuine": "genuine", "0": "genuine", "false": "genuine", "正常": "genuine",
}  # fmt: skip
_DIRECTIONS: Mapping[str, Direction] = {"out": "out", "in": "in", "转出": "out", "转入": "in"}


@dataclass(frozen=True, slots=True)
class Transaction:
    """``at`` has a zone: its wall clock tells day from night, its instant the order. ``direction``
    is as the account's owner sees it. Coordinates are degrees; ``outcome`` is what people found."""

    id: str
    account: str
    at: datetime
    amount_cents: int
    currency: str = "CNY"
    direction: Direction = "out"
    channel: str | None = None
    country: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    device: str | None = None
    ip: str | None = None
    counterparty: str | None = None
    category: str | None = None
    outcome: Outcome | None = None

    @property
    def seconds(self) -> int:
        """Since the epoch; what happens within one second is in the order of the ids."""
        return int(self.at.timestamp())


FIELDS = (*(f.name for f in fields(Transaction)), "amount")
"""What a row may say; ``amount`` in whole units stands in for ``amount_cents``."""


def transaction_of(
    row: Mapping[str, object], place: Text | None = None, zone: tzinfo = CHINA, decimals: int = 2
) -> Transaction:
    """A checked transaction; fields that are not of ``FIELDS`` are not looked at.

    A time without a zone is one of ``zone``; others are brought there. ``place`` says in errors
    where the row stands. Raises ``CallerError`` with the column and what is expected there.
    """
    r = _Row(row, place)
    latitude = r.degrees("latitude", 90)
    longitude = r.degrees("longitude", 180)
    if (latitude is None) != (longitude is None):
        r.wrong("longitude" if longitude is None else "latitude", "经纬度要么都有,要么都没有",
                "both coordinates or none")  # fmt: skip
    return Transaction(
        id=r.needed("id"),
        account=r.needed("account"),
        at=r.time("at", zone),
        amount_cents=r.cents(decimals),
        currency=r.currency(),
        direction=r.one_of("direction", _DIRECTIONS) or "out",
        channel=r.text("channel"),
        country=r.text("country"),
        city=r.text("city"),
        latitude=latitude,
        longitude=longitude,
        device=r.text("device"),
        ip=r.text("ip"),
        counterparty=r.text("counterparty"),
        category=r.text("category"),
        outcome=r.one_of("outcome", OUTCOMES),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    row: Mapping[str, object]
    place: Text | None

    def wrong(self, column: str, zh: str, en: str) -> NoReturn:
        said = self.row.get(column)
        shown = "" if said is None else f" {str(said)[:40]!r}"
        where = self.place or Text("", "")
        raise CallerError(
            "risk_input",
            f"{where.zh and where.zh + ','}{column} 列{shown}:{zh}",
            f"{where.en and where.en + ', '}column {column}{shown}: {en}",
        )

    def text(self, column: str) -> str | None:
        value = self.row.get(column)
        if value is None or value == "":
            return None
        if not isinstance(value, str | int) or isinstance(value, bool):
            self.wrong(column, "应是文字", "text is expected")
        said = str(value).strip()
        if len(said) > LONGEST or not said.isprintable():
            self.wrong(column, f"应是最多 {LONGEST} 个可见字符",
                       f"at most {LONGEST} printable characters are expected")  # fmt: skip
        return said or None

    def needed(self, column: str) -> str:
        value = self.text(column)
        if value is None:
            self.wrong(column, "不能为空", "must not be empty")
        return value

    def time(self, column: str, zone: tzinfo) -> datetime:
        said = self.row.get(column)
        try:
            at = said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
            at = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
            at.timestamp()
        except (ValueError, OverflowError):
            self.wrong(column, "应是 ISO 8601 时间,如 2025-04-03T14:05:00",
                       "an ISO 8601 time is expected, as 2025-04-03T14:05:00")  # fmt: skip
        return at

    def cents(self, decimals: int) -> int:
        whole = self.row.get("amount_cents")
        if whole is not None and whole != "":
            column, scale, said = "amount_cents", 0, whole
        else:
            column, scale, said = "amount", decimals, self.row.get("amount")
        zh = f"应是正数,最多 {scale} 位小数,方向写在 direction 列" if scale else "应是正整数(分)"
        en = (
            f"a positive number with at most {scale} decimals is expected; direction says in or out"
            if scale
            else "a positive whole number of cents is expected"
        )
        if isinstance(said, bool) or not isinstance(said, str | int | float | Decimal):
            self.wrong(column, zh, en)
        try:
            value = Decimal(str(said).strip()).scaleb(scale)
            cents = int(value)
        except (InvalidOperation, ValueError, OverflowError):
            self.wrong(column, zh, en)
        if cents != value or not 0 < cents <= MOST_CENTS:
            self.wrong(column, zh, en)
        return cents

    def currency(self) -> str:
        said = self.text("currency") or "CNY"
        if not (len(said) == 3 and said.isascii() and said.isalpha()):
            self.wrong("currency", "应是三个字母的货币代码,如 CNY",
                       "a currency code of three letters is expected, as CNY")  # fmt: skip
        return said.upper()

    def degrees(self, column: str, most: float) -> float | None:
        said = self.row.get(column)
        if said is None or said == "":
            return None
        try:
            value = float(str(said))
        except ValueError:
            value = most + 1
        if not -most <= value <= most:
            self.wrong(column, f"应是 -{most:g} 到 {most:g} 之间的度数",
                       f"degrees between -{most:g} and {most:g} are expected")  # fmt: skip
        return value

    def one_of(self, column: str, known: Mapping[str, _T]) -> _T | None:
        said = self.text(column)
        if said is None:
            return None
        value = known.get(said.lower())
        if value is None:
            names = ", ".join(known)
            self.wrong(column, f"应是其中之一:{names}", f"one of these is expected: {names}")
        return value

"""What the features are: names, the reason each belongs to, and which way it can push the score.

Every feature is a finite number of at least 0. Where an account has too little past for a
comparison, the value is what it would be if everything were usual (a ratio of 1, nothing new).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dazi.core.language import Text

Floats: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = Sequence[float]
Push: TypeAlias = Literal[1, 0, -1]
CONTEXT = "context"
"""The code of features that describe and are never stated as a reason."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the features take for granted; part of the model, and of its digest.

    ``limits_cents``: amounts from which somebody has to look; ``near``: from which share of a limit
    on an amount is just under it. ``small_cents``: below is what testing a card costs. ``night``:
    hours of the wall clock, the second one outside. ``refunds``: categories of money coming back.
    """

    limits_cents: tuple[int, ...] = (1_000_000, 2_000_000, 5_000_000)
    near: float = 0.9
    small_cents: int = 2_000
    round_cents: int = 10_000
    night: tuple[int, int] = (0, 5)
    refunds: tuple[str, ...] = ("refund", "退款")


@dataclass(frozen=True, slots=True)
class Feature:
    """``push``: 1 where more of it can only raise the score, -1 where only less of it can."""

    name: str
    code: str
    push: Push
    text: Text


def _f(name: str, code: str, push: Push, zh: str, en: str) -> Feature:
    return Feature(name, code, push, Text(zh, en))


FEATURES: tuple[Feature, ...] = (
    _f("amount", "amount", 1, "金额(元)", "amount, whole units"),
    _f("amount_to_usual", "amount", 1, "金额与平时中位数之比", "amount to the usual median"),
    _f("amount_to_largest", "amount", 1, "金额与 30 天最大一笔之比", "amount to the largest of 30 days"),
    _f("amount_rank", "amount", 1, "金额在平时金额中的位次", "rank among the usual amounts"),
    _f("count_10m", "burst", 1, "10 分钟内笔数", "transactions within 10 min"),
    _f("count_1h", "burst", 1, "1 小时内笔数", "transactions within 1 h"),
    _f("count_24h", "burst", 1, "24 小时内笔数", "transactions within 24 h"),
    _f("count_24h_to_usual", "burst", 1, "24 小时笔数与平时一天之比", "24 h count to a usual day's"),
    _f("out_24h_to_usual", "spending", 1, "24 小时转出与平时一天之比", "24 h outflow to a usual day's"),
    _f("out_7d_to_usual", "spending", 1, "7 天转出与平时 7 天之比", "7 d outflow to a usual week's"),
    _f("new_device", "new_device", 1, "新设备", "device is new"),
    _f("devices_24h", "new_device", 1, "24 小时内设备数", "devices within 24 h"),
    _f("new_network", "new_device", 1, "新网络地址", "network address is new"),
    _f("new_device_24h", "new_device", 1, "24 小时内用这台新设备的笔数", "24 h count from this new device"),
    _f("new_network_24h", "new_device", 1, "24 小时内用这个新网络地址的笔数",
       "24 h count from this new network address"),
    _f("new_counterparty", "new_counterparty", 1, "新对手方", "counterparty is new"),
    _f("new_counterparties_24h", "new_counterparty", 1, "24 小时内新对手方数",
       "new counterparties within 24 h"),
    _f("counterparties_7d", "new_counterparty", 1, "7 天内对手方数", "counterparties within 7 d"),
    _f("new_out_24h", "new_counterparty", 1, "24 小时内转给新对手方的金额与平时一笔之比",
       "24 h outflow to new counterparties, to a usual amount"),
    _f("new_country", "new_place", 1, "新国家", "country is new"),
    _f("new_city", "new_place", 1, "新城市", "city is new"),
    _f("countries_7d", "new_place", 1, "7 天内国家数", "countries within 7 d"),
    _f("speed_kmh", "speed", 1, "与上一地点之间的速度(公里/小时)", "speed from the last place, km/h"),
    _f("cities_24h", "speed", 1, "24 小时内城市数", "cities within 24 h"),
    _f("night_unusual", "night", 1, "夜间,而平时夜间少的程度", "night, and how rarely it is night"),
    _f("round_amount", "round_amounts", 1, "整数金额", "round amount"),
    _f("round_7d", "round_amounts", 1, "7 天内整数金额笔数", "round amounts within 7 d"),
    _f("under_limit", "under_limit", 1, "略低于限额", "just under a limit"),
    _f("under_limit_7d", "under_limit", 1, "7 天内略低于限额的笔数", "just under a limit, within 7 d"),
    _f("passed_24h", "pass_through", 1, "24 小时内转入又转出(元)", "passed on within 24 h, whole units"),
    _f("passed_share", "pass_through", 1, "转入与转出相抵的程度", "how nearly in and out cancel"),
    _f("senders_7d", "pass_through", 1, "7 天内付款人数", "senders within 7 d"),
    _f("passed_new_24h", "pass_through", 1, "24 小时内由新付款人转入又转给新收款人(元)",
       "passed on from new senders to new payees within 24 h, whole units"),
    _f("small_1h", "small_burst", 1, "1 小时内小额笔数", "small amounts within 1 h"),
    _f("small_24h", "small_burst", 1, "24 小时内小额笔数", "small amounts within 24 h"),
    _f("small_new_24h", "small_burst", 1, "24 小时内给新收款人的小额笔数",
       "small amounts to new payees within 24 h"),
    _f("merchants_1h", "small_burst", 1, "1 小时内收款人数", "payees within 1 h"),
    _f("refunds_30d", "refunds", 1, "30 天内退款笔数", "refunds within 30 d"),
    _f("refund_share_30d", "refunds", 1, "30 天退款与消费之比", "refunds to purchases of 30 d"),
    _f("rises", "escalation", 1, "对同一对手方连续增加的次数", "rises in a row to one counterparty"),
    _f("growth", "escalation", 1, "对同一对手方与 30 天内第一笔之比", "growth since the first of 30 d"),
    _f("pair_count_30d", "escalation", 1, "30 天内给同一新对手方的笔数",
       "30 d transfers to it, met within 30 d"),
    _f("pair_out_30d", "escalation", 1, "30 天内给同一新对手方的金额与平时一笔之比",
       "30 d outflow to it, met within 30 d, to a usual amount"),
    _f("share_30d", "escalation", 1, "30 天转出中给同一对手方的份额", "share of 30 d outflow to it"),
    _f("idle_days", "dormant", 1, "沉寂的天数", "days without transactions"),
    _f("past_count", "short_history", -1, "以前的笔数", "past transactions"),
    _f("known_days", "short_history", -1, "认识这个账户的天数", "days since the first transaction"),
    _f("new_channel", "new_way", 1, "新渠道", "channel is new"),
    _f("new_category", "new_way", 1, "新类别", "category is new"),
    _f("new_currency", "new_way", 1, "新币种", "currency is new"),
    _f("incoming", CONTEXT, 0, "转入", "incoming"),
)  # fmt: skip
NAMES = tuple(f.name for f in FEATURES)
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(NAMES)}
CODES = tuple(dict.fromkeys(f.code for f in FEATURES))
GROUPS: Mapping[str, tuple[int, ...]] = {
    code: tuple(i for i, f in enumerate(FEATURES) if f.code == code) for code in CODES
}
"""Of each reason code, where its features stand."""
GROUP_OF = tuple(CODES.index(f.code) for f in FEATURES)

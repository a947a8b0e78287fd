"""What a reason says to people: phrases whose numbers are a feature's and no others.

A field is a feature's name, or ``usual_cents``, with the way it is written: ``{amount:money}``. The
spans that stand in the phrases (1 小时, 30 days) are those of the features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from string import Formatter

from dazi.apps.risk.features import CODES, CONTEXT
from dazi.apps.risk.looking import MOST, MOST_KMH, MOST_SHARE
from dazi.core.errors import OperatorError
from dazi.core.language import Text

ALONE = inf
"""For a phrase that is said only where there is no other."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number or name in a text: what it is of, how it is written, and at which character."""

    of: str
    shown: str
    at: int


@dataclass(frozen=True, slots=True)
class Said:
    """A text, with a fact for every number in it but the spans of the phrases."""

    text: str
    facts: tuple[Fact, ...] = ()

    def moved(self, by: int) -> list[Fact]:
        return [replace(f, at=f.at + by) for f in self.facts]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Said where ``feature`` is away from the usual on the side of risk, and tells something: from
    ``least`` on."""

    feature: str
    text: Text
    least: float


def _p(feature: str, zh: str, en: str, least: float = 0.0) -> Phrase:
    return Phrase(feature, Text(zh, en), least)


TITLES: Mapping[str, Text] = {
    "amount": Text("金额异常", "Unusual amount"),
    "burst": Text("短时间多笔", "Many transactions at once"),
    "spending": Text("支出突增", "Outflow above the usual"),
    "new_device": Text("新设备", "New device"),
    "new_counterparty": Text("新对手方", "New counterparty"),
    "new_place": Text("新地点", "New place"),
    "speed": Text("地点变化过快", "Places too far apart"),
    "night": Text("异常时段", "Unusual hour"),
    "round_amounts": Text("整数金额", "Round amounts"),
    "under_limit": Text("略低于限额", "Just under a limit"),
    "pass_through": Text("快进快出", "Money passed on"),
    "small_burst": Text("小额", "Small amounts"),
    "refunds": Text("退款频繁", "Frequent refunds"),
    "escalation": Text("逐笔加码", "Rising transfers to one party"),
    "dormant": Text("间隔较长", "A longer pause than usual"),
    "short_history": Text("历史很短", "Short history"),
    "new_way": Text("新的方式", "New way of paying"),
}
PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    "amount": (
        _p("amount", "金额 {amount:money}", "the amount is {amount:money}", ALONE),
        _p("amount_to_usual", "金额 {amount:money},是平时 {usual_cents:cents} 的 {amount_to_usual:times} 倍",
           "the amount of {amount:money} is {amount_to_usual:times} times the usual {usual_cents:cents}", 1.1),
        _p("amount_rank", "高于以往 {amount_rank:percent} 的金额",
           "above {amount_rank:percent} of the past amounts", 0.9),
        _p("amount_to_largest", "是 30 天内最大一笔的 {amount_to_largest:times} 倍",
           "it is {amount_to_largest:times} times the largest of 30 days", 1.1),
    ),
    "burst": (
        _p("count_10m", "10 分钟内第 {count_10m:count} 笔",
           "number {count_10m:count} within 10 minutes", 2),
        _p("count_1h", "1 小时内第 {count_1h:count} 笔",
           "number {count_1h:count} within 1 hour", 2),
        _p("count_24h", "24 小时内第 {count_24h:count} 笔",
           "number {count_24h:count} within 24 hours", 2),
        _p("count_24h_to_usual", "笔数是平时一天的 {count_24h_to_usual:times} 倍",
           "{count_24h_to_usual:times} times as many as on a usual day", 1.1),
    ),
    "spending": (
        _p("out_24h_to_usual", "24 小时转出是平时的 {out_24h_to_usual:times} 倍",
           "outflow within 24 hours is {out_24h_to_usual:times} times the usual", 1.1),
        _p("out_7d_to_usual", "7 天转出是平时的 {out_7d_to_usual:times} 倍",
           "outflow within 7 days is {out_7d_to_usual:times} times the usual", 1.1),
    ),
    "new_device": (
        _p("new_device", "这个账户没有用过的设备", "a device that the account has not used"),
        _p("new_network", "没有用过的网络地址", "a network address that it has not used"),
        _p("new_device_24h", "24 小时内用这台新设备第 {new_device_24h:count} 笔",
           "number {new_device_24h:count} within 24 hours from this new device", 2),
        _p("new_network_24h", "24 小时内用这个新网络地址第 {new_network_24h:count} 笔",
           "number {new_network_24h:count} within 24 hours from this new network address", 2),
        _p("devices_24h", "24 小时内用了 {devices_24h:count} 台设备",
           "devices within 24 hours: {devices_24h:count}", 2),
    ),
    "new_counterparty": (
        _p("new_counterparty", "第一次与这个对手方往来",
           "the first transaction with this counterparty"),
        _p("new_out_24h", "24 小时转给新对手方的,是平时一笔的 {new_out_24h:times} 倍",
           "{new_out_24h:times} times a usual amount to new counterparties within 24 hours", 1.1),
        _p("new_counterparties_24h", "24 小时内有 {new_counterparties_24h:count} 个新对手方",
           "new counterparties within 24 hours: {new_counterparties_24h:count}", 2),
        _p("counterparties_7d", "7 天内有 {counterparties_7d:count} 个对手方",
           "counterparties within 7 days: {counterparties_7d:count}", 2),
    ),
    "new_place": (
        _p("new_country", "没有去过的国家或地区", "a country where the account has not been"),
        _p("new_city", "没有去过的城市", "a city where the account has not been"),
        _p("countries_7d", "7 天内在 {countries_7d:count} 个国家或地区",
           "countries within 7 days: {countries_7d:count}", 2),
    ),
    "speed": (
        _p("speed_kmh", "离上一笔的地点,要以每小时 {speed_kmh:kmh} 公里才能到达",
           "from the place before it, {speed_kmh:kmh} km/h would be needed"),
        _p("cities_24h", "24 小时内在 {cities_24h:count} 个城市",
           "cities within 24 hours: {cities_24h:count}", 2),
    ),
    "night": (
        _p("night_unusual", "在夜间,而 30 天内 {night_unusual:percent} 的交易不在夜间",
           "at night, while {night_unusual:percent} of the transactions of 30 days were not"),
    ),
    "round_amounts": (
        _p("round_7d", "7 天内有 {round_7d:count} 笔整数金额",
           "round amounts within 7 days: {round_7d:count}", 2),
        _p("round_amount", "金额是整数", "a round amount"),
    ),
    "under_limit": (
        _p("under_limit_7d", "7 天内有 {under_limit_7d:count} 笔略低于限额",
           "amounts just under a limit within 7 days: {under_limit_7d:count}", 2),
        _p("under_limit", "这一笔略低于限额", "this one is just under a limit"),
    ),
    "pass_through": (
        _p("passed_new_24h", "24 小时内从新付款人转入又转给新收款人 {passed_new_24h:money}",
           "{passed_new_24h:money} came from new senders and left to new payees within 24 hours"),
        _p("passed_24h", "24 小时内转入后又转出 {passed_24h:money}",
           "{passed_24h:money} came in and left again within 24 hours"),
        _p("passed_share", "转入与转出相抵 {passed_share:percent}",
           "in and out cancel to {passed_share:percent}", 0.5),
        _p("senders_7d", "7 天内有 {senders_7d:count} 个付款人",
           "senders within 7 days: {senders_7d:count}", 2),
    ),
    "small_burst": (
        _p("small_1h", "1 小时内有 {small_1h:count} 笔小额",
           "small amounts within 1 hour: {small_1h:count}", 2),
        _p("small_24h", "24 小时内有 {small_24h:count} 笔小额",
           "small amounts within 24 hours: {small_24h:count}"),
        _p("small_new_24h", "24 小时内给新收款人 {small_new_24h:count} 笔小额",
           "small amounts to new payees within 24 hours: {small_new_24h:count}", 2),
        _p("merchants_1h", "1 小时内有 {merchants_1h:count} 个收款人",
           "payees within 1 hour: {merchants_1h:count}", 2),
    ),
    "refunds": (
        _p("refunds_30d", "30 天内第 {refunds_30d:count} 笔退款",
           "refund number {refunds_30d:count} within 30 days"),
        _p("refund_share_30d", "30 天退款是消费的 {refund_share_30d:percent}",
           "refunds of 30 days are {refund_share_30d:percent} of purchases", 0.2),
    ),
    "escalation": (
        _p("rises", "给同一对手方连续 {rises:count} 次比前一笔多",
           "to one counterparty more than before, times in a row: {rises:count}"),
        _p("growth", "是 30 天内给它第一笔的 {growth:times} 倍",
           "{growth:times} times the first of 30 days to it", 1.1),
        _p("pair_count_30d", "30 天内才认识,这是给它的第 {pair_count_30d:count} 笔",
           "met within 30 days, and number {pair_count_30d:count} to it", 2),
        _p("pair_out_30d", "30 天内才认识,给它的共是平时一笔的 {pair_out_30d:times} 倍",
           "met within 30 days, and given {pair_out_30d:times} times a usual amount", 1.1),
        _p("share_30d", "30 天转出的 {share_30d:percent} 给了它",
           "it has had {share_30d:percent} of 30 days' outflow"),
    ),
    "dormant": (
        _p("idle_days", "之前 {idle_days:days} 天没有交易",
           "days without a transaction before it: {idle_days:days}"),
    ),
    "short_history": (
        _p("past_count", "之前只有 {past_count:count} 笔交易",
           "transactions before it: only {past_count:count}"),
        _p("known_days", "账户只有 {known_days:days} 天的记录",
           "days on record: only {known_days:days}"),
    ),
    "new_way": (
        _p("new_channel", "没有用过的渠道", "a channel that the account has not used"),
        _p("new_category", "没有过的交易类别", "a category that it has not had"),
        _p("new_currency", "没有用过的币种", "a currency that it has not used"),
    ),
}  # fmt: skip
if set(TITLES) != set(CODES) - {CONTEXT} or set(PHRASES) != set(TITLES):
    raise OperatorError("risk_wording", "有的原因没有文字", "a reason code has no words")


def filled(template: str, values: Mapping[str, float | str | Said | None]) -> Said:
    """The text with its facts; what was said before can stand in a field, with its own."""
    text, facts = "", []
    for literal, name, way, _ in Formatter().parse(template):
        text += literal
        if name is None:
            continue
        value = values[name]
        if isinstance(value, Said):
            facts += value.moved(len(text))
            text += value.text
        elif value is not None:
            shown = written(value, way or "")
            facts.append(Fact(name, shown, len(text)))
            text += shown
    return Said(text, tuple(facts))


def joined(separator: str, parts: Iterable[Said]) -> Said:
    text, facts = "", []
    for part in parts:
        text += separator if text else ""
        facts += part.moved(len(text))
        text += part.text
    return Said(text, tuple(facts))


def fields_of(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


def written(value: float | str, way: str) -> str:
    """A number in one of the ways; a text as it is. Where a feature ends, more is possible: ``+``."""
    if isinstance(value, str):
        return value
    number = float(value)
    match way:
        case "money":
            return f"{number:,.2f}"
        case "cents":
            return f"{number / 100:,.2f}"
        case "times":
            if number >= MOST:
                return f"{MOST:,.0f}+"
            return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
        case "kmh":
            return f"{MOST_KMH:,.0f}+" if number >= MOST_KMH else f"{number:,.0f}"
        case "percent":
            return f"{100 * MOST_SHARE:.0f}%+" if number >= MOST_SHARE else f"{100 * number:.0f}%"
        case "days":
            return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
        case "count":
            return f"{number:,.0f}"
        case "score":
            return "<0.0001" if 0 < number < 0.00005 else f"{number:.4f}"
    raise ValueError(f"no way of writing: {way}")

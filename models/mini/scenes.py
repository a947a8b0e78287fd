"""What the company's systems might answer: random raw results for each tool's call.

They go through the product's own ``derive`` and ``model_view``, so the model sees in training just
what it will see in service.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import slots

from dazi.core.language import Language

REGIONS = {
    "zh": (
        "华东",
        "华南",
        "华北",
        "西南",
        "华中",
        "东北",
        "西北",
        "上海",
        "广东",
        "浙江",
        "江苏",
        "四川",
    ),
    "en": (
        "East China",
        "South China",
        "North China",
        "Shanghai",
        "Guangdong",
        "Zhejiang",
        "Sichuan",
        "Hubei",
    ),
}
CARRIERS = ("顺丰", "中通", "圆通", "京东物流", "韵达", "SF Express", "ZTO", "DHL", "UPS")
WAREHOUSES = (
    "上海一号仓",
    "北京仓",
    "深圳仓",
    "杭州二号仓",
    "成都仓",
    "Shanghai 1",
    "Beijing",
    "Shenzhen",
)
REVIEWS = {
    "zh": (
        "拍照清晰",
        "续航持久",
        "音质不错",
        "性价比高",
        "做工扎实",
        "屏幕细腻",
        "发热略大",
        "物流很快",
        "安静省电",
    ),
    "en": (
        "great camera",
        "long battery life",
        "good value",
        "solid build",
        "bright screen",
        "runs a bit hot",
        "quiet",
    ),
}
SOURCES = (
    "travel.md",
    "returns.md",
    "leave.md",
    "it.md",
    "invoices.md",
    "expenses.md",
    "warranty.md",
    "security.md",
)


def _money(rng: random.Random, low: int, high: int) -> float:
    value = rng.randint(low, high)
    return float(value) if rng.random() < 0.75 else value + rng.randint(1, 99) / 100


def _day(rng: random.Random, today: date, low: int, high: int) -> str:
    return (today + timedelta(days=rng.randint(low, high))).isoformat()


def _item(rng: random.Random, language: Language) -> str:
    names = slots.pool("name", language)
    return rng.choice(names) if names else "item"


def _order(rng: random.Random, language: Language, order_id: str, today: date) -> dict[str, Any]:
    status = rng.choice(
        ("placed", "packed", "packed", "shipped", "shipped", "delivered", "refunded")
    )
    out: dict[str, Any] = {
        "order_id": order_id,
        "status": status,
        "item": _item(rng, language),
        "amount": _money(rng, 9, 9999),
        "ordered_on": _day(rng, today, -12, -1),
    }
    if status in ("placed", "packed"):
        out["expected_ship_date"] = _day(rng, today, 0, 5)
    if status in ("shipped", "delivered"):
        out["shipped_on"] = _day(rng, today, -5, -1)
        out["carrier"] = rng.choice(CARRIERS)
        out["tracking_no"] = rng.choice(("SF", "ZT", "YT", "JD")) + str(
            rng.randint(10**9, 10**10 - 1)
        )
    if status == "delivered":
        out["delivered_on"] = _day(rng, today, -2, 0)
    return out


def raw_result(
    name: str, args: Mapping[str, Any], rng: random.Random, language: Language, today: date
) -> Any:
    """A plausible answer of the system behind tool ``name``; ``None`` when nothing matches.

    A company's data is in its own language, whatever language the question is in: half of the answers to English
    questions hold Chinese values.
    """
    if language == "en" and rng.random() < 0.5:
        language = "zh"
    if name == "get_order_status":
        return _order(rng, language, args["order_id"], today)
    if name == "list_orders":
        n = rng.choice((0, 1, 1, 2, 3, 5, 12))
        return [_order(rng, language, f"ORD{rng.randint(10000, 99999)}", today) for _ in range(n)]
    if name == "update_order_note":
        return {"order_id": args["order_id"], "note": args["note"]}
    if name == "request_refund":
        amount = args.get("amount") or _money(rng, 9, 5000)
        return {
            "refund_id": f"RF{rng.randint(0, 99999):05}",
            "order_id": args["order_id"],
            "amount": amount,
        }
    if name == "create_ticket":
        return {
            "ticket_id": f"T{rng.randint(0, 99999):05}",
            "title": args["title"],
            "priority": args.get("priority", "normal"),
        }
    if name == "get_inventory":
        quantity = rng.choice(
            (0, 0, rng.randint(1, 20), rng.randint(21, 900), rng.randint(1, 5000))
        )
        return {
            "sku": args["sku"],
            "item": _item(rng, language),
            "quantity": quantity,
            "warehouse": rng.choice(WAREHOUSES),
        }
    if name == "search_product":
        n = rng.choice((0, 1, 1, 1, 2, 4))
        names = [args["name"]] + [_item(rng, language) for _ in range(n)]
        return [
            {
                "sku": f"SKU-{rng.randint(1000, 9999)}",
                "name": names[i],
                "price": _money(rng, 9, 9999),
                "rating": rng.randint(30, 50) / 10,
                "review": rng.choice(REVIEWS[language]),
            }
            for i in range(n)
        ]
    if name == "query_sales_data":
        by = args.get("group_by", "region")
        names = (
            [_item(rng, language) for _ in range(4)] if by == "product" else list(REGIONS[language])
        )
        rng.shuffle(names)
        amounts = sorted(
            (_money(rng, 2000, 900000) for _ in range(rng.randint(1, 4))), reverse=True
        )
        total = sum(amounts) * rng.uniform(1, 2)
        return {
            "month": f"{today.year}-{rng.randint(1, 12):02}",
            "rows": [{"name": n, "amount": a} for n, a in zip(names, amounts, strict=False)],
            "total": total,
            "previous_total": total * rng.uniform(0.7, 1.4),
        }
    if name == "fetch_department_budget":
        budget = float(rng.randint(10, 200) * 10000)
        spent = round(budget * rng.uniform(0.4, 1.3), rng.choice((0, 0, 2)))
        return {
            "dept": args["dept"],
            "quarter": f"{today.year}-Q{rng.randint(1, 4)}",
            "budget": budget,
            "spent": spent,
            "previous_spent": round(spent * rng.uniform(0.6, 1.5)),
        }
    if name == "query_meeting_room":
        features = ("projector", "whiteboard", "video")
        return [
            {
                "room": slots.FILL["room"](rng, language).value,
                "capacity": rng.choice((4, 6, 8, 10, 12, 20, 30)),
                "features": ", ".join(rng.sample(features, rng.randint(1, 3))),
                "booked": rng.choice(
                    (None, "10:00-11:00", "09:30-10:30, 14:00-15:00", "13:00-18:00")
                ),
            }
            for _ in range(rng.choice((0, 1, 1, 2, 3, 5)))
        ]
    if name == "book_room":
        return {
            "booking_id": f"BK{rng.randint(0, 99999):05}",
            "room": args["room"],
            "date": _day(rng, today, 0, 20),
            "start": f"{rng.randint(8, 12):02}:{rng.choice(('00', '30'))}",
            "end": f"{rng.randint(13, 18):02}:{rng.choice(('00', '30'))}",
        }
    if name == "get_leave_balance":
        kinds = [args["kind"]] if args.get("kind") else ["annual", "parental", "sick"]
        return [
            {"kind": k, "days": rng.choice((rng.randint(0, 15), rng.randint(0, 14) + 0.5))}
            for k in kinds
        ]
    if name == "get_weather":
        condition = rng.choice(("sunny", "cloudy", "overcast", "light_rain", "heavy_rain", "snow"))
        low = rng.randint(-10, 28)
        rain = condition in ("light_rain", "heavy_rain")
        advice = (
            "umbrella"
            if rain
            else "coat"
            if low < 8
            else "sunscreen"
            if condition == "sunny"
            else "fine"
        )
        return {
            "city": args["city"],
            "date": _day(rng, today, 0, 9),
            "condition": condition,
            "low": low,
            "high": low + rng.randint(2, 11),
            "advice": advice,
            "demo": "demo data",
        }
    if name == "search_knowledge":
        if rng.random() < 0.15:
            return None
        quote = rng.choice(slots.pool("body", language) or ("…",))
        return {
            "quote": f"{args['query']}:{quote}" if language == "zh" else quote,
            "source": rng.choice(SOURCES),
        }
    if name == "send_email":
        return {"to": args["to"], "subject": args["subject"]}
    if name == "assess_transaction":
        level = rng.choice(("low", "medium", "high"))
        reasons = rng.sample(
            ("night", "large", "new_account", "new_place", "burst"), rng.randint(1, 3)
        )
        return {
            "transaction_id": args["transaction_id"],
            "level": level,
            "score": rng.randint(1, 99),
            "reasons": ["none"] if level == "low" else reasons,
        }
    if name == "generate_comparison_chart":
        return {
            "title": rng.choice(("对比", "预算对比", "Comparison", "Sales")),
            "kind": args.get("kind", "bar"),
        }
    raise KeyError(name)

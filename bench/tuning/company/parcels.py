"""Parcels of the demo carrier: a system that the demo company does not have."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

PLACES = ("杭州转运中心", "上海分拨中心", "苏州网点", "南京转运中心", "合肥网点")
COURIERS = ("周师傅", "孙师傅", "何师傅", "吕师傅")
STAGES = ("collected", "transit", "delivering", "locker", "signed")


async def track_parcel(
    tracking_no: str, ctx: Any, phone_tail: str | None = None, detail: str = "latest"
) -> dict[str, Any]:
    """Where a parcel was scanned. Made up from the number: the same number, the same route."""
    dice = sha256(tracking_no.encode()).digest()
    scans = 1 + dice[0] % 5
    route = [
        f"03-{10 + i:02} {dice[i + 1] % 24:02}:{dice[i + 2] % 60:02} {PLACES[dice[i + 3] % 5]}"
        for i in range(scans)
    ]
    found: dict[str, Any] = {
        "tracking_no": tracking_no,
        "stage": STAGES[scans - 1],
        "place": route[-1][12:],
        "scanned": route[-1][:11],
        "courier": COURIERS[dice[9] % 4],
        "scans": scans,
    }
    return found | ({"route": route} if detail == "full" else {})

"""What the exam company's tools would do; an evaluation never runs them."""

from __future__ import annotations

from typing import Any


def pet_grooming_slot(animal: str, day: str, ctx: Any, at: str = "10:00") -> dict[str, Any]:
    return {"animal": animal, "day": day, "at": at}


def track_laundry(ticket_no: str, ctx: Any) -> dict[str, Any]:
    return {"ticket_no": ticket_no, "state": "ironing", "ready_on": ctx.today.isoformat()}


def find_showtimes(film: str, ctx: Any, day: str | None = None) -> dict[str, Any]:
    return {"film": film, "day": day or ctx.today.isoformat(), "times": "14:10, 19:30"}


def charger_availability(site: str, ctx: Any, plug: str | None = None) -> dict[str, Any]:
    return {"site": site, "plug": plug, "free": 3}


def report_lost_item(item: str, place: str, ctx: Any, lost_on: str | None = None) -> dict[str, Any]:
    return {"item": item, "place": place, "lost_on": lost_on or ctx.today.isoformat()}


def power_usage(meter: str, month: str, ctx: Any) -> dict[str, Any]:
    return {"meter": meter, "month": month, "kwh": 231}


def pledge_donation(campaign: str, gift: float, ctx: Any) -> dict[str, Any]:
    return {"campaign": campaign, "gift": gift}


def tide_times(harbour: str, ctx: Any, day: str | None = None) -> dict[str, Any]:
    return {"harbour": harbour, "day": day or ctx.today.isoformat(), "high": "06:42"}


def royalty_statement(author_id: str, period: str, ctx: Any) -> dict[str, Any]:
    return {"author_id": author_id, "period": period, "royalty": 5320.0}


def send_flowers(
    flower: str, deliver_on: str, ctx: Any, stems: int = 12, extras: list[str] | None = None
) -> dict[str, Any]:
    return {"flower": flower, "deliver_on": deliver_on, "stems": stems}

"""Where the branches are. A company would ask its own system."""

from __future__ import annotations

BRANCHES = (
    ("上海", "shanghai", "虹桥支行", "申虹路 663 号", "09:00-17:00"),
    ("上海", "shanghai", "张江支行", "博云路 2 号", "09:00-17:00"),
    ("深圳", "shenzhen", "南山支行", "科苑路 15 号", "09:30-17:30"),
)


def find_branch(city: str) -> list[dict[str, str]]:
    """Those in ``city``, in Chinese or English."""
    asked = city.strip().lower()
    return [
        {"name": name, "address": address, "hours": hours}
        for zh, en, name, address, hours in BRANCHES
        if zh in asked or en in asked
    ]

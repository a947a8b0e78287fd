"""With effects off, a tool answers about the thing that was asked for."""

from __future__ import annotations

from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.records import example_of


def test_the_declared_example_speaks_of_the_call_s_own_arguments() -> None:
    tools = load_company(demo_folder()).tools
    order = example_of(tools["get_order_status"], {"order_id": "ORD55555"})
    assert order["order_id"] == "ORD55555" and order["status"] == "packed"
    booked = example_of(tools["book_room"], {"room": "C101", "date": "2025-07-17"})
    assert (booked["room"], booked["date"], booked["start"]) == ("C101", "2025-07-17", "14:00")
    rows = tools["search_product"]
    assert example_of(rows, {"name": "keyboard"}) == rows.example  # rows are not the request

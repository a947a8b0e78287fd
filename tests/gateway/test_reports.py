"""Reports over HTTP: the caller's own rights, and the file that was asked for."""

from __future__ import annotations

import pytest

from dazi.access.keys import Draft, Scope
from tests.gateway.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_only_what_the_caller_may_run_is_listed(shared: Site) -> None:
    for user, names in (
        ("customer", []),
        ("risk", ["meeting-rooms"]),
        ("finance", ["annual-report", "department-costs", "meeting-rooms"]),
    ):
        answered = await shared.request("GET", "/v1/dazi/reports", user)
        assert answered.status == 200
        assert [r["name"] for r in answered.json["data"]] == names


async def test_a_report_is_run_as_the_caller(shared: Site) -> None:
    body = {"parameters": {"month": "2025-02", "span": 6}, "language": "en"}
    answered = await shared.request("POST", "/v1/dazi/reports/monthly-sales", "manager", json=body)
    assert answered.status == 200
    assert answered.headers["Content-Type"] == "application/json"
    run = answered.json
    assert (run["subject"], run["user"], run["language"]) == ("February 2025", "manager", "en")
    turn = run["calls"][0]["reference"]
    calls = [r for r in await shared.audit("call") if r["turn"] == turn]
    assert {r["user"] for r in calls} == {"manager"} and len(calls) == len(run["calls"])


async def test_as_a_file(shared: Site) -> None:
    shared.says("市场部花费 92.00万元。")
    answered = await shared.request(
        "POST", "/v1/dazi/reports/department-costs", "finance", json={"format": "pdf"}
    )
    assert answered.status == 200
    assert answered.headers["X-Content-Generator"] == "AI"
    assert answered.headers["Content-Type"] == "application/pdf"
    assert answered.headers["Content-Disposition"].startswith("attachment")
    assert answered.body.startswith(b"%PDF")


async def test_refusals(shared: Site) -> None:
    for user, name, body, status in (
        ("customer", "monthly-sales", {}, 403),
        ("finance", "monthly-sales", {}, 403),
        ("manager", "no-such", {}, 404),
        ("manager", "monthly-sales", {"format": "exe"}, 400),
        ("manager", "monthly-sales", {"language": "fr"}, 400),
        ("manager", "monthly-sales", {"parameters": {"month": "什么"}}, 400),
        ("manager", "monthly-sales", {"colour": "red"}, 400),
        ("finance", "annual-report", {"parameters": {"file": "/etc/passwd"}}, 400),
        (None, "monthly-sales", {}, 401),
    ):
        answered = await shared.request("POST", f"/v1/dazi/reports/{name}", user, json=body)
        assert answered.status == status, (user, name, body, answered.body)


async def test_a_key_for_other_tools_runs_no_report(shared: Site) -> None:
    access = shared.runtime.access
    by = access.people.principal("manager", "web")
    scope = Scope(frozenset({"manager"}), tools=frozenset({"get_weather"}))
    made = await access.keys.create(by, Draft("default", "manager", "narrow", scope, 1.0))
    headers = {"Authorization": f"Bearer {made.text}"}
    listed = await shared.request("GET", "/v1/dazi/reports", None, headers=headers)
    assert listed.status == 200
    assert [r["name"] for r in listed.json["data"] if r["tools"]] == []
    answered = await shared.request(
        "POST", "/v1/dazi/reports/monthly-sales", None, json={}, headers=headers
    )
    assert answered.status == 403

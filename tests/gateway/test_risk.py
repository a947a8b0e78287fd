"""``/v1/dazi/risk``: the queue, a transaction, a decision, the model and its reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dazi.apps.risk.service import RiskService
from tests.gateway.conftest import Site

BASE = "/v1/dazi/risk"
TX = f"{BASE}/transactions/TX204913"


@pytest.fixture(scope="module")
def seeded(assessed: Path) -> Path:
    return assessed


def service(site: Site) -> RiskService:
    assert site.runtime.risk is not None
    return site.runtime.risk.service


async def get(site: Site, path: str, user: str = "risk", **more: Any) -> Any:
    answered = await site.request("GET", path, user, **more)
    assert answered.status == 200, answered.body
    return answered.json


async def test_from_the_queue_to_a_decision(site: Site) -> None:
    assert (await get(site, f"{BASE}/queue"))["data"] == []
    by = site.runtime.directory.principal("risk", "api")
    batch = await service(site).batch(by, "2025-03-31")
    listed = (await get(site, f"{BASE}/queue?day=2025-03-31"))["data"]
    assert [w["transaction"] for w in listed] == [w.transaction for w in batch.waiting]
    assert "TX204913" in {w["transaction"] for w in listed}

    case = await get(site, f"{TX}?past=5")
    assert case["transaction"]["amount_cents"] == 2_860_000
    assert case["action"] == "hold" and case["score"] >= case["threshold"]
    assert case["reasons"] and all(r["score_without"] < case["score"] for r in case["reasons"])
    assert "28,600.00" in case["account"]
    assert len(case["past"]) == 5 and case["past"][0]["at"] < case["transaction"]["at"]

    body = {"outcome": "fraud", "note": "电话核实过"}
    kept = await site.request("POST", f"{TX}/decision", "risk", json=body)
    assert (kept.status, kept.json["outcome"], kept.json["user"]) == (200, "fraud", "risk")
    assert [d["note"] for d in (await get(site, TX))["decisions"]] == ["电话核实过"]
    left = (await get(site, f"{BASE}/queue"))["data"]
    assert "TX204913" not in {w["transaction"] for w in left}


async def test_what_is_wrong_is_said(site: Site) -> None:
    wrong = await site.request("POST", f"{TX}/decision", "risk", json={"outcome": "maybe"})
    assert wrong.status == 400
    assert (await site.request("GET", f"{BASE}/queue?limit=0", "risk")).status == 400
    assert (await site.request("GET", f"{BASE}/transactions/TX1", "risk")).status == 404
    assert (await site.request("GET", f"{BASE}/reports/none", "risk")).status == 404
    assert (await site.request("GET", f"{BASE}/reports/card?format=doc", "risk")).status == 400
    refused = await site.request("GET", TX, "manager")
    assert (refused.status, refused.error["code"]) == (403, "forbidden")
    assert (await site.request("GET", TX, "admin")).status == 403
    records = [r for r in await site.audit("admin") if r.get("act") == "risk.assess"]
    assert len(records) == 2


async def test_the_model_and_its_reports(site: Site) -> None:
    model = await get(site, f"{BASE}/model", "admin")
    assert model["version"] in model["versions"]
    assert 0 < model["review"] <= model["hold"] <= 1
    assert [b["budget"] for b in model["budgets"]] == sorted(b["budget"] for b in model["budgets"])
    for which, word in (("card", "模型卡"), ("thresholds", "阈值报告"), ("drift", "漂移报告")):
        answered = await site.request("GET", f"{BASE}/reports/{which}", "risk")
        assert answered.status == 200 and word in answered.body.decode()
    answered = await site.request("GET", f"{BASE}/reports/card?format=pdf", "risk")
    assert answered.body.startswith(b"%PDF")
    assert answered.headers["content-type"] == "application/pdf"

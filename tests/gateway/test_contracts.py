"""Contracts over HTTP: sent in, reviewed as jobs, judged, counted."""

from __future__ import annotations

from typing import Any

import pytest

from dazi.access.keys import Draft, Scope
from tests.apps.contracts.texts import SERVICE, changed
from tests.gateway.conftest import Answered, Site

BASE = "/v1/dazi/contracts"
FAULTY = changed(SERVICE, "发票后30日内", "发票后90日内").encode()


async def send(
    site: Site, path: str = BASE, user: str = "staff", data: bytes = FAULTY, **query: str
) -> Answered:
    params = {"name": "合同.md"} | query
    return await site.request("POST", path, user, data=data, params=params)


async def work(site: Site) -> None:
    assert site.runtime.jobs is not None and site.runtime.jobs.workers is not None
    await site.runtime.jobs.workers.drain()


async def get(site: Site, path: str, user: str = "staff") -> Any:
    answered = await site.request("GET", path, user)
    assert answered.status == 200, answered.body
    return answered.json


async def test_a_contract_is_reviewed_and_judged(site: Site) -> None:
    sent = await send(site, template="服务合同")
    assert sent.status == 202 and sent.json["state"] == "queued" and sent.json["title"] == "合同.md"
    one = f"{BASE}/{sent.json['id']}"
    assert (await get(site, one))["review"] is None
    await work(site)
    found = await get(site, one)
    assert found["job"]["state"] == "done" and found["review"]["fields"]["payment_days"] == 90
    item = next(f["id"] for f in found["review"]["findings"] if f["rule"] == "payment-term-long")
    names = [f["name"] for f in found["job"]["files"]]
    pdf = await site.request("GET", f"/v1/dazi/jobs/{sent.json['id']}/files/summary.pdf", "staff")
    assert "summary.pdf" in names and pdf.body.startswith(b"%PDF")
    assert [j["id"] for j in (await get(site, BASE))["data"]] == [sent.json["id"]]
    assert (await send(site, template="服务合同")).json["id"] == sent.json["id"]

    body = {"verdict": "reject", "note": "这家例外"}
    judged = await site.request("PUT", f"{one}/verdicts/{item}", "staff", json=body)
    assert judged.json["rule"] == "payment-term-long"
    assert [v["note"] for v in (await get(site, one))["verdicts"]] == ["这家例外"]
    statistics = await get(site, "/v1/dazi/contract-statistics", "admin")
    (rule,) = [r for r in statistics["data"] if r["rule"] == "payment-term-long"]
    assert rule["rejected"] >= 1 and rule["shown"] >= 1 and 0 <= rule["low"] <= rule["high"] <= 1
    assert (await site.request("DELETE", f"{one}/verdicts/{item}", "staff")).status == 200
    assert (await get(site, one))["verdicts"] == []
    for method, path in (("GET", one), ("DELETE", f"{one}/verdicts/{item}")):
        assert (await site.request(method, path, "manager")).status == 404
    assert (await site.request("GET", "/v1/dazi/contract-statistics", "staff")).status == 403


async def test_an_own_template(site: Site) -> None:
    made = await send(site, "/v1/dazi/contract-templates", data=SERVICE.encode(), name="我的.md")
    assert made.status == 202
    await work(site)
    listed = (await get(site, "/v1/dazi/contract-templates"))["data"]
    assert {"id": made.json["id"], "name": "我的.md", "own": True} in listed
    assert {"id": "服务合同", "name": "服务合同", "own": False} in listed
    others = (await get(site, "/v1/dazi/contract-templates", "manager"))["data"]
    assert not any(t["own"] for t in others)
    sent = await send(site, template=made.json["id"])
    await work(site)
    found = (await get(site, f"{BASE}/{sent.json['id']}"))["review"]["findings"]
    assert {"changed_terms", "payment-term-long"} <= {f["rule"] for f in found}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"name": ""}, 400, "missing_field"),
        ({"name": "a.exe"}, 400, "contract_format"),
        ({"name": "x" * 201}, 400, None),
        ({"template": "nonesuch"}, 404, None),
    ],
)
async def test_what_is_refused(
    site: Site, query: dict[str, str], status: int, code: str | None
) -> None:
    answered = await send(site, **query)
    assert answered.status == status and code in (None, answered.error["code"]), answered.body


async def test_who_may_not_sends_nothing(site: Site) -> None:
    for path in (BASE, "/v1/dazi/contract-templates"):
        assert (await send(site, path, "customer")).status == 403


async def test_a_bad_verdict(site: Site) -> None:
    sent = await send(site, data=SERVICE.encode(), name="b.md")
    one = f"{BASE}/{sent.json['id']}/verdicts"
    early = await site.request("PUT", f"{one}/field:seat", "staff", json={"verdict": "accept"})
    assert early.status == 400 and early.error["code"] == "not_done"
    await work(site)
    for item, body, status in (
        ("field:seat", {"verdict": "maybe"}, 400),
        ("field:seat", {"verdict": "correct"}, 400),
        ("field:nonesuch", {"verdict": "accept"}, 404),
        ("nonesuch", {"verdict": "accept"}, 404),
        ("field:seat", {"verdict": "correct", "value": "北京仲裁委员会"}, 200),
    ):
        answered = await site.request("PUT", f"{one}/{item}", "staff", json=body)
        assert answered.status == status, (item, body, answered.body)


async def test_a_narrow_key_begins_no_review(site: Site) -> None:
    people = site.runtime.access.people
    by = people.principal("staff", "web")
    scope = Scope(frozenset({"staff"}), tools=frozenset({"get_weather"}))
    key = await site.runtime.access.keys.create(by, Draft(by.tenant, "staff", "n", scope, 1.0))
    headers = {"Authorization": f"Bearer {key.text}"}
    answered = await site.request(
        "POST", BASE, None, headers=headers, data=FAULTY, params={"name": "c.md"}
    )
    assert answered.status == 403

"""``/v1/dazi/alerts`` from outside: what is seen, done, refused and put on record."""

from __future__ import annotations

from dataclasses import replace

from dazi.ops.alerts.machine import Alert, fingerprint
from dazi.ops.alerts.notify import Delivery
from dazi.ops.alerts.service import AlertService
from tests.gateway.conftest import Site
from tests.ops.alerts.world import Kept

PATH = "/v1/dazi/alerts"
LABELS = (("place", "data"),)
ALERT = Alert(fingerprint("disk-low", LABELS), "disk-low", "warning", LABELS, "firing",
              1_000.0, 1_060.0, 0.05, fired=1_060.0)  # fmt: skip


def firing(site: Site) -> AlertService:
    service = site.state.alerts
    assert service is not None
    service.book.alerts[ALERT.fingerprint] = ALERT
    return service


async def test_what_fires_is_seen_acknowledged_and_silenced(site: Site) -> None:
    firing(site)
    found = (await site.request("GET", PATH, "admin")).json
    (alert,) = found["data"]
    assert (alert["rule"], alert["value"], alert["labels"]) == ("disk-low", 0.05, {"place": "data"})
    assert alert["text"].startswith("数据盘") and found["stored"] is True
    english = await site.request("GET", PATH, "admin", headers={"Accept-Language": "en"})
    assert english.json["data"][0]["text"] == "less than a tenth of the data disk is free"

    done = await site.request("POST", f"{PATH}/{alert['id']}/acknowledgement", "admin")
    assert done.status == 200
    body = {"rule": "disk-.*", "seconds": 3_600, "why": "换盘", "labels": {"place": "data"}}
    made = (await site.request("POST", f"{PATH}/silences", "admin", json=body)).json
    (alert,) = (await site.request("GET", PATH, "admin")).json["data"]
    assert alert["acknowledged_by"] == "admin" and alert["silenced_until"] == made["until"]
    lifted = await site.request("DELETE", f"{PATH}/silences/{made['id']}", "admin")
    assert lifted.status == 200
    assert (await site.request("GET", PATH, "admin")).json["silences"] == []
    acts = [r["act"] for r in await site.audit("admin")]
    assert acts == ["alert.ack", "alert.silence", "alert.lift"]


async def test_wrong_silences_and_unknown_things(site: Site) -> None:
    for body, status in (
        ({"rule": "(", "seconds": 60, "why": "x"}, 400),
        ({"rule": "x", "seconds": 60, "why": " "}, 400),
        ({"rule": "x", "seconds": 99_999_999, "why": "x"}, 400),
        ({"rule": "x", "seconds": -1, "why": "x"}, 400),
    ):
        answered = await site.request("POST", f"{PATH}/silences", "admin", json=body)
        assert answered.status == status, body
    for method, path in (
        ("POST", "none/acknowledgement"), ("DELETE", "silences/none"), ("POST", "routes/none/test"),
    ):  # fmt: skip
        assert (await site.request(method, f"{PATH}/{path}", "admin")).status == 404
    assert await site.audit("admin") == []


async def test_who_may_not(site: Site) -> None:
    firing(site)
    for user in ("customer", "staff", "manager"):
        for method, path in (
            ("GET", ""), ("GET", "/rules"), ("GET", "/past"),
            ("POST", f"/{ALERT.fingerprint}/acknowledgement"),
        ):  # fmt: skip
            assert (await site.request(method, PATH + path, user)).status == 403, (user, path)


async def test_a_test_goes_by_the_route(site: Site) -> None:
    service = firing(site)
    kept = Kept()
    service.delivery = Delivery({"ops": kept})
    answered = await site.request("POST", f"{PATH}/routes/ops/test", "admin")
    assert answered.json["sent"] == 1 and [m.what for m in kept.got] == ["test"]
    kept.fails = 1
    answered = await site.request("POST", f"{PATH}/routes/ops/test", "admin")
    assert answered.json["trouble"] == "坏了" and answered.json["failing"]


async def test_rules_and_what_is_over(site: Site) -> None:
    service = firing(site)
    over = replace(ALERT, state="resolved", ended=2_000.0, worst=0.01)
    await service.store.keep([(over, "admin")])
    (past,) = (await site.request("GET", f"{PATH}/past", "admin")).json["data"]
    assert (past["worst"], past["acknowledged_by"]) == (0.01, "admin")
    rules = (await site.request("GET", f"{PATH}/rules", "admin")).json["data"]
    assert [r["name"] for r in rules] == [r.name for r in service.alerting.rules]

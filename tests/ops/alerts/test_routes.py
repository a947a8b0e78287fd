"""Where messages go: real requests to receivers on loopback, tries, and what stands in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from dazi.ops.alerts.declare import Heartbeat
from dazi.ops.alerts.heartbeat import Beats
from dazi.ops.alerts.machine import Alert, fingerprint
from dazi.ops.alerts.message import Message
from dazi.ops.alerts.notify import ATTEMPTS, Delivery, NotSent, Plan
from dazi.ops.alerts.robots import A_MINUTE, LONGEST_BYTES, DingTalk, Paced, WeCom, cut
from dazi.ops.alerts.rules import Selection, Threshold
from dazi.ops.alerts.secret import Secret
from dazi.ops.alerts.webhook import SIGNATURE, TIMESTAMP, Webhook
from tests.ops.alerts.receivers import Receiver, receiving
from tests.ops.alerts.world import Kept, no_sleep, rule

RULE = rule(Threshold(Selection("dazi_up"), "latest", "below", 0.5), "server-down")
LABELS = (("backend", "a"),)
ALERT = Alert(fingerprint("server-down", LABELS), "server-down", "warning", LABELS, "firing",
              1_800_000_000.0, 1_800_000_060.0, 0.0, fired=1_800_000_060.0)  # fmt: skip
MESSAGE = Message("firing", RULE, (ALERT,), 1_800_000_090.0, "https://dazi.example/alerts")


async def test_a_webhook_is_signed_and_has_alertmanagers_shape(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("swordfish\n")
    async with receiving() as receiver:
        url = f"{receiver.url}/hook"
        await Webhook("ops", url, Secret(file=tmp_path / "secret"), lambda: 1_234.5).send(MESSAGE)
        (got,) = receiver.got
    assert got.headers[TIMESTAMP] == "1234"
    made = hmac.new(b"swordfish", b"1234." + got.body, hashlib.sha256).hexdigest()
    assert got.headers[SIGNATURE] == f"sha256={made}"
    body = got.json
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "ops")
    assert set(body) == {
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels",
        "commonLabels", "commonAnnotations", "externalURL", "alerts",
    }  # fmt: skip
    (alert,) = body["alerts"]
    assert alert["labels"] == {
        "alertname": "server-down", "severity": "warning", "service": "dazi", "backend": "a",
    }  # fmt: skip
    assert alert["startsAt"] == "2027-01-15T08:01:00.000Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z" and alert["fingerprint"] == ALERT.fingerprint
    assert alert["annotations"]["value"] == "0" and "看看" in alert["annotations"]["action_zh"]


async def test_wecom_as_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOT", "k-1")
    async with receiving() as receiver:
        robot = WeCom(Secret("ROBOT"), f"{receiver.url}/cgi-bin/webhook/send")
        await robot.send(MESSAGE)
        (got,) = receiver.got
        assert (got.path, got.query) == ("/cgi-bin/webhook/send", {"key": "k-1"})
        assert got.json["msgtype"] == "markdown"
        assert "server-down" in got.json["markdown"]["content"]
        receiver.answer = {"errcode": 93000, "errmsg": "invalid webhook url"}
        with pytest.raises(NotSent, match="93000") as raised:
            await robot.send(MESSAGE)
        assert not raised.value.again
    monkeypatch.delenv("ROBOT")
    with pytest.raises(NotSent, match="ROBOT"):
        await robot.send(MESSAGE)


async def test_wecoms_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOT", "k-1")
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    receiver = Receiver(limited=True, clock=lambda: now[0])
    async with receiving(receiver):
        robot = WeCom(Secret("ROBOT"), receiver.url, Paced(A_MINUTE, lambda: now[0], sleep))
        for _ in range(2 * A_MINUTE + 1):
            await robot.send(MESSAGE)
            now[0] += 0.1
        assert receiver.refused == 0 and len(receiver.got) == 2 * A_MINUTE + 1 and now[0] >= 120
        hasty = WeCom(Secret("ROBOT"), receiver.url, Paced(1_000, lambda: now[0], sleep))
        with pytest.raises(NotSent, match="45009") as raised:
            for _ in range(A_MINUTE + 1):
                await hasty.send(MESSAGE)
        assert raised.value.again and receiver.refused == 1, (
            "the robot does refuse who keeps no limit"
        )


async def test_dingtalk_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t-1")
    monkeypatch.setenv("SECRET", "SEC1")
    async with receiving() as receiver:
        robot = DingTalk(Secret("TOKEN"), Secret("SECRET"), receiver.url, now=lambda: 1_700.5)
        await robot.send(MESSAGE)
        (got,) = receiver.got
    assert got.query["access_token"] == "t-1" and got.query["timestamp"] == "1700500"
    made = hmac.new(b"SEC1", b"1700500\nSEC1", hashlib.sha256).digest()
    assert base64.b64decode(got.query["sign"]) == made
    assert got.json["msgtype"] == "markdown" and got.json["markdown"]["title"]


def test_a_long_text_is_cut_between_characters() -> None:
    assert cut("短") == "短"
    made = cut("长" * 3_000)
    assert len(made.encode()) <= LONGEST_BYTES and made.endswith("…") and "�" not in made


async def test_it_is_tried_again_and_then_another_stands_in() -> None:
    sick, well = Kept(fails=ATTEMPTS - 1), Kept()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    delivery = Delivery({"sick": sick, "well": well}, sleep)
    plan = Plan(("sick",), ("well",))
    assert await delivery.deliver(MESSAGE, plan)
    assert (len(sick.got), len(well.got), waits) == (1, 0, [1.0, 2.0, 4.0])
    assert delivery.states["sick"].trouble is None
    sick.fails = 100
    assert await delivery.deliver(MESSAGE, plan)
    assert len(well.got) == 1 and delivery.states["sick"].failing
    assert dict(delivery.failing()) == {("sick",): 1.0, ("well",): 0.0}
    assert not await Delivery({"sick": sick}, no_sleep).deliver(MESSAGE, Plan(("sick",)))
    assert await Delivery({}).deliver(MESSAGE, Plan()), "with no route the pages tell of it"


async def test_what_will_never_go_is_tried_once() -> None:
    sick = Kept(fails=100, again=False)
    assert not await Delivery({"sick": sick}, no_sleep).send("sick", MESSAGE)
    assert sick.asked == 1


async def test_a_server_that_says_no_and_one_that_is_not_there() -> None:
    async with receiving(Receiver(status=503)) as receiver:
        hook = Webhook("ops", receiver.url)
        with pytest.raises(NotSent, match="503") as raised:
            await hook.send(MESSAGE)
        assert raised.value.again
        receiver.status = 404
        with pytest.raises(NotSent, match="404") as raised:
            await hook.send(MESSAGE)
        assert not raised.value.again
    with pytest.raises(NotSent, match="cannot be reached") as raised:
        await hook.send(MESSAGE)
    assert raised.value.again


async def test_where_it_leads_is_checked() -> None:
    """A name that turns out to be the cloud's metadata is not reached."""
    with pytest.raises(NotSent, match="metadata"):
        await Webhook("ops", "http://169.254.169.254/latest").send(MESSAGE)


async def test_a_heartbeat() -> None:
    delivery = Delivery({})
    async with receiving() as receiver:
        beats = Beats(Heartbeat(f"{receiver.url}/ping/1", 60.0), delivery)
        assert beats.due(1_000.0) and not beats.due(1_045.0) and beats.due(1_060.0)
        await beats.send(1_060.0, 2)
        (got,) = receiver.got
        assert got.path == "/ping/1" and json.loads(got.body)["firing"] == 2
    await beats.send(1_120.0, 0)
    assert dict(delivery.failing()) == {("heartbeat",): 1.0}
    assert not Beats(None, delivery).due(1e9)

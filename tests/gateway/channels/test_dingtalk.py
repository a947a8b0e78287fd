"""DingTalk: messages by signature, answers by webhook and by the interface, cards, events."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from dazi.gateway.channels import texts
from dazi.gateway.channels.dingtalk import DingTalk, DingTalkConfig
from dazi.gateway.channels.protocol import Callback, Forged, Limits
from tests.fakes.engine import call
from tests.fakes.vendors import TOKEN as TOKEN_TEXT
from tests.fakes.vendors import decrypted, hangs_up, sha1, status
from tests.gateway.channels.conftest import CALLBACK, Both, working
from tests.gateway.channels.test_wecom import refund

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_published_algorithm_on_fixed_values() -> None:
    """Made with ``printf '1577262236757\\nthis is secret' | openssl dgst -sha256 -hmac 'this is
    secret' -binary | base64``."""
    config = DingTalkConfig("d", "k", "this is secret", Limits(6000))
    channel = DingTalk(config, lambda: 1577262236.757)
    body = json.dumps({"msgtype": "text", "text": {"content": "x"}, "senderStaffId": "a"}).encode()
    headers = {"timestamp": "1577262236757", "sign": SIGNED}
    (message,) = channel.read(Callback("POST", {}, headers, body)).messages
    assert (message.sender, message.text) == ("a", "x")
    for bad in (
        headers | {"sign": SIGNED[:-2] + "A="},
        headers | {"timestamp": "1577262236758"},
        headers | {"timestamp": "-1577262236757"},
        {},
    ):
        with pytest.raises(Forged):
            channel.read(Callback("POST", {}, bad, body))
    late = DingTalk(config, lambda: 1577262236.757 + 3601)
    with pytest.raises(Forged):
        late.read(Callback("POST", {}, headers, body))


SIGNED = "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="


async def test_a_message_is_answered_by_its_webhook(both: Both) -> None:
    both.site.says([call("get_order_status", order_id="ORD12345")], "订单 ORD12345 已经付款。")
    said = both.ding.said("lin", "ORD12345 到哪了")
    for _ in range(3):
        assert (await both.ding_says(said)).status == 200
    await both.ding.until(lambda: bool(both.ding.sent))
    await both.quiet()
    (sent,) = both.ding.to("lin")
    assert sent.body["msgtype"] == "text" and "ORD12345" in sent.text
    assert (await both.site.audit("turn"))[-1]["user"] == "customer"


async def test_without_a_webhook_it_goes_by_the_interface(both: Both) -> None:
    both.site.says("您好。")
    await both.ding_says(both.ding.said("lin", "你好", webhook=False))
    await both.ding.until(lambda: bool(both.ding.sent))
    (sent,) = both.ding.to("lin")
    assert sent.body["robotCode"] == both.ding.app_key and sent.body["msgKey"] == "sampleText"


async def test_a_webhook_elsewhere_gets_nothing(both: Both) -> None:
    both.site.says("您好。")
    said = both.ding.said("lin", "你好") | {"sessionWebhook": "http://127.0.0.1:1/robot"}
    await both.ding_says(said)
    await both.quiet()
    assert both.ding.sent == []
    assert await both.rows("SELECT state FROM channel_messages") == [("failed",)]


async def test_a_token_that_ended_and_a_busy_vendor(both: Both) -> None:
    both.site.says("一。", "二。")
    await both.ding_says(both.ding.said("lin", "你好", webhook=False))
    await both.ding.until(lambda: len(both.ding.sent) == 1)
    both.ding.token = "another"
    await both.ding_says(both.ding.said("lin", "再问", webhook=False))
    await both.ding.until(lambda: len(both.ding.sent) == 2)


async def test_a_message_of_uncertain_fate(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    from dazi.gateway.channels import service

    monkeypatch.setattr(service, "UNCERTAIN_S", 0.05)
    both.site.says("答案。")
    both.ding.faults += [hangs_up, status(503)]
    await both.ding_says(both.ding.said("lin", "你好"))
    await both.quiet()
    # The answer may have arrived, and so may the word about it: neither is said again.
    assert both.ding.sent == []
    both.site.says("答案。")
    both.ding.faults.append(hangs_up)
    await both.ding_says(both.ding.said("lin", "你好"))
    await both.quiet()
    assert both.ding.texts("lin") == [texts.DOUBTFUL("zh")]


async def test_strangers_groups_and_what_is_not_read(both: Both) -> None:
    await both.ding_says(both.ding.said("stranger", "你好"))
    await both.ding_says(both.ding.said("lin", "你好", conversationType="2"))
    await both.ding_says(both.ding.said("chen", "", msgtype="audio"))
    await both.quiet()
    assert "绑定" in both.ding.texts("stranger")[0] and len(both.ding.texts("stranger")) == 1
    assert both.ding.texts("lin") == [texts.PRIVATELY("zh")]
    assert both.ding.texts("chen") == [texts.OTHER("zh")]
    assert both.site.engine.requests == []


async def test_another_company_s_robot_and_forged_ones(both: Both) -> None:
    said = both.ding.said("lin", "你好")
    other = await both.ding_says(said | {"chatbotCorpId": "ding9999"})
    wrong = await both.ding_says(said, both.ding.headers(secret="guess"))
    late = await both.ding_says(said, both.ding.headers(time.time() - 3700))
    assert [g.status for g in (other, wrong, late)] == [403, 403, 403]
    outside = await both.ding_says(said | {"senderStaffId": ""})
    assert outside.status == 200
    await both.quiet()
    assert both.ding.sent == []


async def test_events_are_acknowledged_in_their_envelope(both: Both) -> None:
    query, body = both.ding.event("check_url")
    path = f"{CALLBACK.format('dingtalk')}/events?{query}"
    got = await both.site.request("POST", path, None, data=body)
    answer = got.json
    plain, receiver = decrypted(answer["encrypt"])
    assert (got.status, plain, receiver) == (200, b"success", both.ding.app_key)
    signed = sha1(TOKEN_TEXT, answer["timeStamp"], answer["nonce"], answer["encrypt"])
    assert signed == answer["msg_signature"]
    bad = await both.site.request("POST", path.replace("nonce=", "nonce=0"), None, data=body)
    cards = f"{CALLBACK.format('dingtalk')}/cards"
    assert (bad.status, (await both.site.request("POST", cards, None, data=b"{}")).status) == (
        403,
        404,
    )


async def test_an_action_card_decides(both: Both) -> None:
    ticket = await refund(both)
    await both.channels.notify()
    await both.ding.until(lambda: bool(both.ding.to("chen")))
    card = both.ding.to("chen")[0].card
    assert "ORD12345" in card["text"] and "漏发" in card["text"]
    press = unquote(card["actionURL1"]).partition("content=")[2]
    assert press == f"批准 {ticket}"
    await both.ding_says(both.ding.said("zhao", press))  # she asked for it herself
    both.site.says("退款已经提交。")
    await both.ding_says(both.ding.said("chen", press))
    await both.quiet()
    assert both.ding.texts("zhao") == ["这个操作要由另一个人批准,不能自己批准"]
    assert [c["by"] for c in await both.site.audit("call")] == ["manager"]


CARDS = """
  card_template: tpl-1
  card_route: route-1
  card_secret_env: TEST_CARD_SECRET
"""


async def test_an_interactive_card_is_changed_where_it_stands(tmp_path: Path, seeded: Path) -> None:
    async with working(tmp_path, seeded, more=CARDS) as both:
        await refund(both)
        await both.channels.notify()
        await both.ding.until(lambda: bool(both.ding.to("chen")))
        card = both.ding.to("chen")[0].body
        assert card["cardTemplateId"] == "tpl-1" and "ORD12345" in str(card["cardData"])

        def click(user: str) -> bytes:
            private = {"cardPrivateData": {"actionIds": ["approve"], "params": {}}}
            body = {"type": "actionCallback", "outTrackId": card["outTrackId"], "userId": user}
            body |= {"corpId": both.ding.corp, "content": json.dumps(private)}
            return json.dumps(body).encode()

        path = f"{CALLBACK.format('dingtalk')}/cards"
        forged = await both.site.request(
            "POST", path, None, data=click("chen"), headers=both.ding.card_headers("guess")
        )
        assert forged.status == 403 and await both.site.audit("call") == []
        both.site.says("退款已经提交。")
        got = await both.site.request(
            "POST", path, None, data=click("chen"), headers=both.ding.card_headers()
        )
        assert got.status == 200
        await both.ding.until(lambda: bool(both.ding.changed))
        await both.quiet()
        assert both.ding.changed[0]["outTrackId"] == card["outTrackId"]
        assert both.ding.changed[0]["cardData"]["cardParamMap"] == {"state": "已同意"}
        assert [c["by"] for c in await both.site.audit("call")] == ["manager"]

"""WeCom from its callback to its message, on a real server with a vendor on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dazi.gateway.channels import texts
from dazi.gateway.channels.routes import LARGEST
from tests.fakes.engine import Call, call
from tests.fakes.vendors import TOKEN as TOKEN_TEXT
from tests.fakes.vendors import answers, decrypted, encrypted, hangs_up, sha1, status
from tests.gateway.channels.conftest import CALLBACK, REFUND, Both, working
from tests.gateway.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHO = "LinXianSheng"


async def test_the_address_is_verified(both: Both) -> None:
    sealed = encrypted(b"echo-123", both.wecom.corp)
    query = urlencode(both.wecom.query(sealed) | {"echostr": sealed})
    got = await both.site.request("GET", f"{CALLBACK.format('wecom')}?{query}", None)
    assert (got.status, got.body) == (200, b"echo-123")
    wrong = urlencode(both.wecom.query(sealed) | {"echostr": sealed, "nonce": "other"})
    refused = await both.site.request("GET", f"{CALLBACK.format('wecom')}?{wrong}", None)
    assert (refused.status, refused.error["code"]) == (403, "signature")


async def test_a_message_is_answered_as_its_person(both: Both) -> None:
    both.site.says([call("get_order_status", order_id="ORD12345")], "订单 ORD12345 已经付款。")
    got = await both.wecom_says(both.wecom.said(WHO, "ORD12345 到哪了"))
    assert (got.status, got.body) == (200, b"")
    await both.wecom.until(lambda: bool(both.wecom.sent))
    await both.quiet()
    (said,) = both.wecom.texts(WHO)
    assert "ORD12345" in said and said.endswith("(AI 生成,请核实)")
    turn = (await both.site.audit("turn"))[-1]
    assert turn["user"] == "customer"
    ((thread, title),) = await both.rows("SELECT id, title FROM threads")
    assert thread.startswith("wecom_") and "ORD12345" not in title  # sealed


async def test_an_answer_from_the_thread_is_told_to_be_generated_too(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made at a try that came no further than the thread is sent at the next one."""
    from dazi.core.errors import OperatorError
    from dazi.gateway.channels import service
    from dazi.gateway.channels.inbox import Held
    from dazi.gateway.channels.protocol import Part

    inbox, ready = both.channels.inbox, both.channels.inbox.ready
    failed: list[Held] = []

    async def failing(held: Held, parts: Sequence[Part], *, sending: bool) -> Held:
        if not failed:
            failed.append(held)
            raise OperatorError("database", "坏了", "broken")
        return await ready(held, parts, sending=sending)

    monkeypatch.setattr(inbox, "ready", failing)
    monkeypatch.setattr(service, "LONGEST_S", 0.05)
    both.site.says("您好。")
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.quiet()
    assert len(failed) == 1 and len(both.site.engine.requests) == 1
    assert both.wecom.texts(WHO) == [f"您好。\n{texts.GENERATED('zh')}"]


async def test_a_short_outage_is_no_answer(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator mends is tried again; only what lasts is told."""
    from dazi.core.errors import OperatorError
    from dazi.gateway.channels import service

    monkeypatch.setattr(service, "LONGEST_S", 0.05)
    down = OperatorError("model_unreachable", "模型连不上", "the model is out of reach")
    both.site.says(down, "您好。", down, down, down)
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.quiet()
    assert both.wecom.texts(WHO) == [f"您好。\n{texts.GENERATED('zh')}"]
    await both.wecom_says(both.wecom.said(WHO, "再问"))
    await both.quiet()
    assert both.wecom.texts(WHO)[1:] == ["模型连不上"]


async def test_nobody_is_written_to_but_one_person(both: Both) -> None:
    """The interface takes several names with bars between them, and @all is the whole company."""
    from dazi.gateway.channels.protocol import Address, Part, Undelivered

    channel = both.channels.line("wecom").channel
    for name in ("@all", f"{WHO}|ChenLei"):
        with pytest.raises(Undelivered):
            await channel.send(Address(name), Part("x"))
    assert both.wecom.sent == []


async def test_a_redelivery_is_no_message(both: Both) -> None:
    both.site.says("您好。")
    plain = both.wecom.said(WHO, "你好")
    for _ in range(3):
        assert (await both.wecom_says(plain)).status == 200
    await both.quiet()
    meters = both.site.runtime.observer.meters
    before = meters.channel_messages.total(channel="wecom", result="again")
    assert (await both.wecom_says(plain)).status == 200
    await both.quiet()
    assert meters.channel_messages.total(channel="wecom", result="again") == before + 1
    assert meters.channel_parts.total(channel="wecom", result="sent") >= 1
    assert await both.channels.inbox.open() == {}
    assert len(both.wecom.sent) == 1 and len(both.site.engine.requests) == 1
    ((kept,),) = await both.rows("SELECT content FROM channel_messages")
    assert kept == ""  # what was said is in the thread


async def test_somebody_unknown_hears_how_to_bind_and_nothing_else(both: Both) -> None:
    got = await both.wecom_says(both.wecom.said("Stranger", "ORD12345 到哪了"))
    assert got.status == 200 and got.headers["Content-Type"].startswith("application/xml")
    from defusedxml.ElementTree import fromstring

    xml = fromstring(got.body)
    given = [xml.findtext(n) for n in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")]
    sealed, signature, stamp, nonce = given
    assert signature == sha1(TOKEN_TEXT, stamp, nonce, sealed)
    plain, receiver = decrypted(sealed)
    assert receiver == both.wecom.corp
    inside = fromstring(plain)
    assert inside.findtext("ToUserName") == "Stranger"
    assert "绑定" in (inside.findtext("Content") or "")
    await both.quiet()
    assert both.site.engine.requests == [] and both.wecom.sent == []
    assert await both.rows("SELECT * FROM channel_messages") == []


async def test_binding_oneself_by_a_code_once(both: Both) -> None:
    customer = both.site.runtime.access.people.principal("customer2", "web")
    code = await both.channels.bindings.code(customer)
    await both.wecom_says(both.wecom.said("He", "绑定 WRONGCODE"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 1)
    assert "不对" in both.wecom.texts("He")[0]
    await both.wecom_says(both.wecom.said("He", f"绑定 {code.lower()}"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 2)
    assert "customer2" in both.wecom.texts("He")[1]
    both.site.says("您好,何女士。")
    await both.wecom_says(both.wecom.said("He", "你好"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 3)
    assert (await both.site.audit("turn"))[-1]["user"] == "customer2"
    await both.wecom_says(both.wecom.said("Other", f"绑定 {code}"))  # used up
    await both.wecom.until(lambda: len(both.wecom.sent) == 4)
    assert "不对" in both.wecom.texts("Other")[0]
    for _ in range(5):
        await both.wecom_says(both.wecom.said("Other", "绑定 AAAAAAAA"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 9)
    assert "太多" in both.wecom.texts("Other")[-1]


async def test_employees_are_known_by_their_number(both: Both) -> None:
    both.site.says("您好,王强。")
    await both.wecom_says(both.wecom.said("E1003", "你好"))
    await both.wecom.until(lambda: bool(both.wecom.sent))
    assert (await both.site.audit("turn"))[-1]["user"] == "staff"


async def test_a_new_conversation_and_what_cannot_be_read(both: Both) -> None:
    both.site.says("一。", "二。")
    await both.wecom_says(both.wecom.said(WHO, "第一句", time.time() - 2))
    await both.wecom_says(both.wecom.said(WHO, "/new", time.time() - 1))
    await both.wecom_says(both.wecom.said(WHO, "第二句", time.time()))
    await both.wecom_says(both.wecom.xml(WHO, "voice", time.time() + 1, "<MsgId>5</MsgId>"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 4)
    assert both.wecom.texts(WHO)[1] == texts.NEW_THREAD("zh")
    assert both.wecom.texts(WHO)[3] == texts.OTHER("zh")
    assert len(await both.rows("SELECT id FROM threads")) == 2
    said = [m.content for m in both.site.engine.requests[1].messages if m.role == "user"]
    assert said == ["第二句"]


async def test_a_picture_that_the_model_cannot_see(both: Both) -> None:
    both.site.runtime.service.pictures.reader = None
    await both.wecom_says(both.wecom.showed(WHO, "a-picture"))
    await both.wecom.until(lambda: bool(both.wecom.sent))
    assert both.wecom.texts(WHO) == [texts.NO_EYES("zh")]


async def test_pictures_of_both_vendors_become_images(both: Both) -> None:
    from dazi.gateway.channels.protocol import Undelivered

    for name in ("wecom", "dingtalk"):
        image = await both.channels.line(name).channel.picture("a-picture")
        assert image.media_type == "image/png" and image.data
    with pytest.raises(Undelivered):
        await both.channels.line("wecom").channel.picture("none")


async def test_forged_late_and_broken_callbacks(both: Both) -> None:
    plain = both.wecom.said(WHO, "你好")
    query, body = both.wecom.callback(plain)
    for refused in (
        await both.post("wecom", query.replace("nonce=", "nonce=0"), body),
        await both.post(
            "wecom", query, body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AA")
        ),
        await both.post("wecom", *both.wecom.callback(plain, time.time() - 600)),
        await both.post("wecom", *both.wecom.callback(plain, time.time() + 600)),
        await both.post("wecom", "", body),
        await both.post("wecom", query, b""),
        await both.post("wecom", query, body + body),
        await both.wecom_says(plain.replace(b"1000002", b"1000003")),
        await both.wecom_says(plain.replace(WHO.encode(), b"")),
    ):
        assert refused.status == 403, refused.body
    other = encrypted(plain, "another-corp")
    wrong = await both.post("wecom", urlencode(both.wecom.query(other)), both.wecom.envelope(other))
    assert wrong.status == 403
    await both.quiet()
    assert both.wecom.sent == [] and both.site.engine.requests == []
    counted = both.site.runtime.observer.meters.channel_messages
    assert counted.total(channel="wecom", result="forged") >= 10


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><xml><Content>&c;</Content></xml>'
)
AWAY = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><xml><Content>&f;</Content></xml>'


@pytest.mark.parametrize("plain", [BOMB, AWAY, b"<xml>", b"", b"\xff\xfe", b"{}"])
async def test_xml_that_is_none_or_worse(both: Both, plain: bytes) -> None:
    assert (await both.wecom_says(plain)).status == 403
    assert await both.rows("SELECT * FROM channel_messages") == []


async def test_a_huge_body_is_not_read(both: Both) -> None:
    got = await both.post("wecom", "", b"x" * (LARGEST + 1))
    assert got.status == 413
    unknown = await both.post("feishu", "", b"x" * (LARGEST + 1))
    assert unknown.status == 404


async def test_without_channels_there_is_nothing_to_call(shared: Site) -> None:
    # the demo company has no channels.yaml
    for method, path in (
        ("GET", CALLBACK.format("wecom")),
        ("POST", CALLBACK.format("wecom")),
        ("POST", f"{CALLBACK.format('dingtalk')}/events"),
    ):
        got = await shared.request(method, path, None)
        assert got.status == 404


async def test_a_token_that_ends_in_the_middle_is_renewed(both: Both) -> None:
    both.site.says("一。", "二。")
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 1)
    both.wecom.token = "another process took a new one"
    await both.wecom_says(both.wecom.said(WHO, "再问"))
    await both.wecom.until(lambda: len(both.wecom.sent) == 2)
    assert both.wecom.tokens == 2


@pytest.mark.parametrize("code", [60020, 48002])
async def test_what_an_operator_can_mend_waits_for_that(
    both: Both, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that is not trusted, a right that is missing."""
    from dazi.gateway.channels import wecom

    monkeypatch.setattr(wecom, "MENDED_S", 0.05)
    both.site.says("答。")
    both.wecom.faults += [answers(errcode=code)] * 2
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.wecom.until(lambda: bool(both.wecom.sent))
    await both.quiet()
    assert len(both.wecom.sent) == 1 and len(both.site.engine.requests) == 1


async def test_what_is_wrong_with_the_message_itself_is_not_tried_again(both: Both) -> None:
    both.site.says("答。")
    both.wecom.faults += [answers(errcode=82001)] * 2
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.quiet()
    assert len(both.wecom.faults) == 1
    assert await both.rows("SELECT state FROM channel_messages") == [("failed",)]


@pytest.mark.parametrize("code", [45009, 45033, -1])
async def test_too_often_is_slowed_down_and_not_lost(
    both: Both, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dazi.gateway.channels import wecom

    monkeypatch.setattr(wecom, "BUSY", {code: 0.05})
    both.site.says("答。")
    both.wecom.faults += [answers(errcode=code), answers(errcode=code), status(429)]
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.wecom.until(lambda: bool(both.wecom.sent))
    await both.quiet()
    assert len(both.wecom.sent) == 1 and both.wecom.faults.maxlen is None and not both.wecom.faults
    assert len(both.site.engine.requests) == 1  # the answer was made once


async def test_a_message_of_uncertain_fate_is_told_and_not_repeated(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dazi.gateway.channels import service

    monkeypatch.setattr(service, "UNCERTAIN_S", 0.05)
    both.site.says("这是答案。")
    both.wecom.faults.append(hangs_up)
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.wecom.until(lambda: bool(both.wecom.sent))
    await both.quiet()
    assert both.wecom.texts(WHO) == [texts.DOUBTFUL("zh")]


async def test_a_database_that_fails_between_parts_has_none_sent_twice(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dazi.core.errors import OperatorError
    from dazi.gateway.channels.inbox import Held

    inbox, mark = both.channels.inbox, both.channels.inbox.mark
    failed: list[int] = []

    async def failing(held: Held, sent: int, *, sending: bool) -> None:
        if not failed:
            failed.append(sent)
            raise OperatorError("database", "坏了", "broken")
        await mark(held, sent, sending=sending)

    monkeypatch.setattr(inbox, "mark", failing)
    both.site.says("这是一句不长不短的话,说的是订单的情况。" * 60)
    await both.wecom_says(both.wecom.said(WHO, "详细说说"))
    await both.wecom.until(lambda: "AI 生成" in "".join(both.wecom.texts(WHO)[-1:]))
    await both.quiet()
    said = both.wecom.texts(WHO)
    assert failed == [1] and said[1] == texts.DOUBTFUL("zh")
    assert "".join(said).count("订单的情况") == 60


async def test_somebody_whom_the_vendor_does_not_reach_is_no_loop(both: Both) -> None:
    both.site.says("答。")
    both.wecom.unknown.add(WHO)
    await both.wecom_says(both.wecom.said(WHO, "你好"))
    await both.quiet()
    ((state,),) = await both.rows("SELECT state FROM channel_messages")
    assert state == "failed" and both.wecom.sent == []


async def test_a_long_answer_comes_in_pieces_that_the_vendor_takes_whole(both: Both) -> None:
    sentence = "这是一句不长不短的话,说的是订单的情况。"
    both.site.says(sentence * 120)
    await both.wecom_says(both.wecom.said(WHO, "详细说说"))
    await both.wecom.until(
        lambda: both.wecom.texts(WHO)[-1:] != [] and "AI 生成" in both.wecom.texts(WHO)[-1]
    )
    said = both.wecom.texts(WHO)
    assert len(said) > 3 and all(t.endswith("。") for t in said[:-1])
    assert "".join(said).count("订单的情况") == 120


# --- approvals -----------------------------------------------------------------------------------


async def refund(both: Both) -> str:
    """A request of finance's on the web page, which a manager decides; its ticket."""
    from dazi.agent.asking import Ask
    from dazi.core.turn import ConfirmationNeeded

    both.site.says([Call("request_refund", json.dumps(REFUND))])
    finance = both.site.runtime.access.people.principal("finance", "web")
    ask = Ask(finance, "web_thread", "给 ORD12345 退 100 元,漏发")
    found = [
        e async for e in both.site.runtime.service.ask(ask) if isinstance(e, ConfirmationNeeded)
    ]
    return found[0].ticket


async def test_whoever_approves_gets_a_card_and_decides_by_it(both: Both) -> None:
    ticket = await refund(both)
    await both.channels.notify()
    await both.channels.notify()
    await both.wecom.until(lambda: bool(both.wecom.to("ChenLei")))
    await both.ding.until(lambda: bool(both.ding.to("chen")))
    (card,) = [s.card for s in both.wecom.to("ChenLei") if s.card]
    assert card["card_type"] == "button_interaction" and card["task_id"].startswith(ticket)
    shown = {f["keyname"]: f["value"] for f in card["horizontal_content_list"]}
    assert "ORD12345" in shown.values() and "漏发" in shown.values()
    assert any("100" in value for value in shown.values()) and "赵雪" in card["main_title"]["title"]
    assert [b["key"] for b in card["button_list"]] == ["reject", "approve"]
    # Not hers to decide, whoever she is.
    await both.wecom_says(both.wecom.clicked("E1003", card["task_id"], "approve"))
    await both.wecom.until(lambda: bool(both.wecom.texts("E1003")))
    assert both.wecom.texts("E1003") == ["没有这个待确认的操作"]
    assert both.wecom.changed[-1]["button"]["replace_name"] == texts.OVER("zh")
    assert await both.site.audit("call") == []
    both.site.says("退款已经提交。")
    await both.wecom_says(both.wecom.clicked("ChenLei", card["task_id"], "approve"))
    await both.wecom.until(lambda: bool(both.wecom.texts("ChenLei")))
    await both.quiet()
    settled = [c for c in both.wecom.changed if c["userids"] == ["ChenLei"]]
    assert settled[0]["button"] == {"replace_name": "已同意"} and settled[0]["response_code"]
    calls = await both.site.audit("call")
    assert [c["by"] for c in calls] == ["manager"] and calls[0]["arguments"][
        "order_id"
    ] == "ORD12345"
    # Once more, and by the other channel: what was decided stands, and the card says so.
    await both.wecom_says(both.wecom.clicked("ChenLei", card["task_id"], "reject", time.time() + 5))
    await both.ding_says(both.ding.said("chen", f"批准 {ticket}"))
    await both.quiet()
    stands = texts.DECIDED_EARLIER("zh").format(state="已执行")
    assert both.wecom.texts("ChenLei")[-1] == both.ding.texts("chen")[-1] == stands
    assert both.wecom.changed[-1]["button"] == {"replace_name": "已同意"}
    assert len(await both.site.audit("call")) == 1


async def test_one_s_own_confirmation_is_a_card_too(both: Both) -> None:
    mail = {"to": "li@yunshan.example", "subject": "周报", "body": "第一行\n第二行" + "很长" * 40}
    both.site.says([Call("send_email", json.dumps(mail))])
    await both.wecom_says(
        both.wecom.said("E1003", f"发邮件给 {mail['to']},主题周报,内容{mail['body']}")
    )
    await both.wecom.until(lambda: any(s.card for s in both.wecom.to("E1003")))
    await both.quiet()
    said = both.wecom.texts("E1003")
    assert any(mail["body"] in t for t in said), (
        said
    )  # what a card has no room for stands before it
    card = next(s.card for s in both.wecom.to("E1003") if s.card)
    both.site.says("已取消。")
    await both.wecom_says(both.wecom.clicked("E1003", card["task_id"], "reject"))
    await both.quiet()
    assert await both.site.audit("call") == []
    assert both.wecom.changed[-1]["button"]["replace_name"] == texts.DONE_NO("zh")
    assert both.wecom.texts("E1003")[-1] == "好的,没有执行。"  # the host's words, and no model's


async def test_what_a_model_says_of_a_confirmed_call_is_told_to_be_generated(both: Both) -> None:
    mail = {"to": "li@yunshan.example", "subject": "周报", "body": "写完了"}
    both.site.says([Call("send_email", json.dumps(mail))])
    await both.wecom_says(
        both.wecom.said("E1003", "发邮件给 li@yunshan.example,主题周报,内容写完了")
    )
    await both.wecom.until(lambda: any(s.card for s in both.wecom.to("E1003")))
    await both.quiet()
    card = next(s.card for s in both.wecom.to("E1003") if s.card)
    both.site.says("邮件已经发了。")
    await both.wecom_says(both.wecom.clicked("E1003", card["task_id"], "approve"))
    await both.quiet()
    assert both.wecom.texts("E1003")[-1].endswith(texts.GENERATED("zh"))


async def test_only_those_who_may_use_it(tmp_path: Path, seeded: Path) -> None:
    async with working(tmp_path, seeded, roles="staff") as both:
        await both.wecom_says(both.wecom.said(WHO, "ORD12345 到哪了"))
        await both.wecom.until(lambda: bool(both.wecom.sent))
        assert both.wecom.texts(WHO) == [texts.NOT_FOR_YOU("zh")]
        assert both.site.engine.requests == []

"""The ledger in a browser: who may look, what is found, a turn step by step, and what was tampered with."""

from __future__ import annotations

import csv
import io
import json
import secrets
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.agent.asking import Ask
from dazi.audit.checkpoints import Checkpoints
from dazi.audit.signing import SigningKeys
from dazi.core.turn import TurnFinished
from dazi.main.auditing import audit_folder
from tests.console.administrators import accounts, enter, go
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import call

QUESTION = "把 ORD12345 的钱退了,再看看它到哪了"
ANSWER = "退款要有依据才能办;ORD12345 还没有发货。"


@pytest.fixture
def auditor(site: Site) -> Iterator[str]:
    with accounts(site, zhou="auditadmin"):
        yield "zhou"


def turned(site: Site, said: str = QUESTION) -> str:
    """A turn of finance: one call that is carried out, one without a ground."""
    site.says(
        said,
        call("get_order_status", order_id="ORD12345"),
        call("request_refund", order_id="ORD99999", reason="漏发"),
        ANSWER,
    )
    principal = site.runtime.access.people.principal("finance", "web")

    async def ask() -> None:
        async for event in site.runtime.service.ask(
            Ask(principal, f"audit-{secrets.token_hex(4)}", said, "zh")
        ):
            if isinstance(event, TurnFinished):
                pass
        await site.runtime.ledger.flush()

    site.run(ask())
    rows = site.run(site.runtime.audit.rows(limit=1_000_000))
    return next(r.turn for r in reversed(rows) if r.kind == "turn" and said in r.body)


def get(site: Site, browser: Browser, path: str) -> HTTPResponse:
    cookie = browser.driver.get_cookie("dazi_session")
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=20)
    headers = {"Cookie": f"dazi_session={cookie['value']}"} if cookie else {}
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def checkpoint(site: Site) -> None:
    folder = audit_folder(site.runtime.settings.data_folder(site.runtime.company.folder))
    site.run(Checkpoints(site.runtime.database, SigningKeys(folder)).make())


def test_only_those_whose_duty_it_is_see_the_ledger(
    browser: Browser, site: Site, auditor: str
) -> None:
    turn = turned(site)
    with accounts(site, wang="sysadmin", chen="secadmin"):
        for user in ("wang", "chen", "manager"):
            enter(browser, site, user, "/audit")
            assert "审计管理员" in browser.one(".dz-refused").text
            assert not browser.all(".dz-record") and not browser.all("a[href='/audit']")
            for path in ("/audit", f"/audit/turn/{turn}", "/audit/export?format=csv"):
                assert get(site, browser, path).status == 403
    refused = [r for r in site.run(site.runtime.audit.rows(limit=9999)) if r.user == "chen"]
    assert json.loads(refused[-1].body)["refused"] == "duty"
    browser.driver.delete_cookie("dazi_session")
    assert get(site, browser, "/audit/export").status == 401
    for user in (auditor, "admin"):  # the demo's own, as there are no administrators in a demo
        enter(browser, site, user, "/audit")
        browser.one(".dz-record")
        assert browser.all("a[href='/audit']")


def test_records_are_found_opened_and_taken_away(
    browser: Browser, site: Site, auditor: str
) -> None:
    turn = turned(site)
    enter(browser, site, auditor, "/audit")
    first = [int(e.text) for e in browser.all(".dz-record-seq")]
    assert first == sorted(first, reverse=True)
    browser.one("input[name=q]").send_keys("漏发")
    browser.js("document.querySelector('select[name=tool]').value = 'request_refund'")
    browser.one("input[name=q]").send_keys(Keys.ENTER)
    until(lambda: "tool=request_refund" in browser.driver.current_url)
    browser._wait(lambda: browser.js("return window.did_handshake"))
    assert "漏发" not in browser.text(), "nothing personal before a record is opened"
    assert browser.one("select[name=tool]").get_property("value") == "request_refund"
    browser.press(".dz-record summary", "没有执行")
    inside = browser.one(".dz-record-inside", "漏发")
    assert (
        "ORD99999" in inside.text and len(inside.text.split("前一条的哈希\n")[1].split()[0]) == 64
    )
    go(browser, f"/audit?turn={turn}&outcome=ungrounded&kind=decision")
    assert len(browser.all(".dz-record")) == 1
    go(browser, "/audit?q=nobody+said+this")
    assert "没有符合" in browser.one(".dz-none").text
    go(browser, "/audit?since=yesterday")
    browser.one("[role=alert]", "时间")
    taken = (
        get(site, browser, f"/audit/export?format=jsonl&turn={turn}").read().decode().splitlines()
    )
    assert json.loads(taken[-1])["end"] and json.loads(taken[0])["content"]["said"] == QUESTION
    sealed = get(site, browser, f"/audit/export?format=csv&turn={turn}&sealed=1").read()
    rows = list(csv.reader(io.StringIO(sealed.decode("utf-8-sig"))))
    assert len(rows) == len(taken) and QUESTION not in sealed.decode()
    noted = [r for r in site.run(site.runtime.audit.rows(limit=9999)) if r.user == auditor]
    assert [json.loads(r.body)["format"] for r in noted[-2:]] == ["jsonl", "csv"]


def test_pages_go_on_where_the_last_one_ended(browser: Browser, site: Site, auditor: str) -> None:
    async def fill() -> None:
        for n in range(60):
            await site.runtime.ledger.append("job", "pages", "", {"said": f"page {n}"})

    site.run(fill())
    enter(browser, site, auditor, "/audit?user=pages")
    first = [int(e.text) for e in browser.all(".dz-record-seq")]
    browser.press(".dz-older")
    until(lambda: "before=" in browser.driver.current_url)
    browser.one(".dz-newest")
    second = [int(e.text) for e in browser.all(".dz-record-seq")]
    assert len(first) == 50 and len(second) >= 10 and max(second) < min(first)
    assert "user=pages" in browser.driver.current_url and not browser.all(".dz-older")


def test_a_turn_is_gone_through_step_by_step(browser: Browser, site: Site, auditor: str) -> None:
    turn = turned(site)
    checkpoint(site)
    enter(browser, site, auditor, f"/audit/turn/{turn}")
    titles = [e.text for e in browser.all(".dz-step-title")]
    assert titles == [
        "收到消息", "准许执行 · get_order_status", "结果 · get_order_status",
        "没有执行 · request_refund", "回答",
    ]  # fmt: skip
    until(lambda: browser.one(".dz-step-where").text == "第 5 步,共 5 步")
    said = browser.text()
    assert QUESTION in said and ANSWER in said
    done, refused = (e.text for e in browser.all(".dz-gates"))
    assert "出处\n停在这里" in refused and "ORD99999" in refused and "策略\n没有走到" in refused
    assert "名称\n通过" in refused and "策略\n通过\nroles:get_order_status" in done
    assert "值都是本人说的" in done and "同意\n不需要" in done and "结果\n通过\nok" in done
    body = browser.driver.switch_to.active_element
    body.send_keys(Keys.HOME)
    assert browser.one(".dz-step-where").text == "第 1 步,共 5 步"
    assert len(browser.all(".dz-step-later")) == 4
    for key in (Keys.ARROW_RIGHT, "j", "k", "j"):
        body.send_keys(key)
    assert browser.one(".dz-step[aria-current=step] .dz-step-title").text == titles[2]
    browser.press(".dz-tick[data-step='4']")
    assert browser.one(".dz-step-where").text == "第 5 步,共 5 步"
    browser.press(".dz-verify-turn")
    assert "签名有效" in browser.one(".dz-verdict-good").text
    assert [e.text for e in browser.all(".dz-links tbody td:last-child")] == ["对得上"] * 5
    browser.press(".dz-tick[data-step='3']")
    assert "roles:get_order_status:finance,现在在 tools/crm.yaml:" in done
    browser.js("window.scrollTo({top: 560, behavior: 'instant'})")
    time.sleep(0.3)  # the bar glides
    browser.picture("audit_turn")
    go(browser, "/audit/turn/turn_nobody")
    assert "没有这一轮" in browser.text() and get(site, browser, "/audit/turn/x").status == 404


def test_a_tampered_record_is_named(browser: Browser, site: Site, auditor: str) -> None:
    turn = turned(site)
    checkpoint(site)
    rows = [r for r in site.run(site.runtime.audit.rows(limit=9999)) if r.turn == turn]
    seq = rows[1].seq

    async def write(body: str) -> str:
        async with site.runtime.database.write() as connection:
            asked = "SELECT body FROM audit_records WHERE seq = ?"
            old = (await connection.exec_driver_sql(asked, (seq,))).scalar_one()
            changed = "UPDATE audit_records SET body = ? WHERE seq = ?"
            await connection.exec_driver_sql(changed, (body, seq))
            return str(old)

    enter(browser, site, auditor, "/audit")
    browser.press(".dz-verify-all")
    assert "哈希链完整" in browser.one(".dz-verdict-good").text
    browser.picture("audit")
    kept = site.run(write('{"outcome":"ok"}'))
    try:
        browser.press(".dz-verify-all")
        assert f"第 {seq} 条记录与哈希链不符" in browser.one(".dz-verdict-bad").text
        browser.press(".dz-verify-result a")
        assert int(browser.one(".dz-record-seq", str(seq)).text) == seq
        go(browser, f"/audit/turn/{turn}")
        browser.press(".dz-verify-turn")
        assert f"第 {seq} 条" in browser.one(".dz-verdict-bad").text
        assert [e.text for e in browser.all(".dz-link-bad td:last-child")] == ["内容被改过"]
    finally:
        site.run(write(kept))


def test_a_verification_can_be_stopped_and_a_phone_is_enough(
    browser: Browser, site: Site, auditor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.be_a_phone()
    enter(browser, site, auditor, "/audit")
    assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]
    monkeypatch.setattr("dazi.access.auditing.BATCH", 1)
    browser.js(
        "const b = document.querySelector('.dz-verify-all'); b.click();"
        "const wait = setInterval(() => { const s = document.querySelector('.dz-verify-stop');"
        "if (s && s.offsetParent) { clearInterval(wait); s.click(); } }, 1)"
    )
    assert "停在第" in browser.one(".dz-verdict-quiet").text
    browser.set_cookie("dazi_language", "en")
    browser.set_cookie("dazi_dark", "1")
    go(browser, f"/audit/turn/{turned(site)}")
    assert "Step back" in str(browser.js("return document.body.innerHTML"))
    assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]
    unnamed = """return [...document.querySelectorAll("button, a, input, select")].filter(
        e => e.offsetParent && !(e.textContent || e.ariaLabel || e.closest('label'))).map(
        e => e.outerHTML)"""
    assert browser.js(unnamed) == []

"""The pages about tools in a real browser: who sees which, trying one, and why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dazi.console import tool_form
from dazi.console.system import Drafting
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.tools import Parameter
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

ERP = Path(__file__).resolve().parents[2] / "examples" / "yunshan" / "services" / "erp.openapi.json"


def names(browser: Browser) -> set[str]:
    code = "return [...document.querySelectorAll('.dz-tools-name .dz-mono')].map(e => e.innerText)"
    return set(browser.js(code))


def pick(browser: Browser, css: str, text: str) -> None:
    browser.press(css)
    browser.press(".q-menu .q-item", text)


def filled(browser: Browser, name: str, text: str) -> None:
    field = f".dz-tool-field-{name} input, .dz-tool-field-{name} textarea"
    browser.one(field).send_keys(text)


def test_each_role_sees_the_tools_that_it_may_use(browser: Browser, site: Site) -> None:
    browser.visit("/tools", "customer")
    service, who = site.runtime.service, site.runtime.directory.principal("customer", "web")
    own = {t.name for t in service.tools_for(who)}
    assert names(browser) == own and "request_refund" not in own
    assert not browser.all(".dz-tools-roles") and not browser.all(".dz-tools-import")
    assert browser.status("/tools/request_refund") == 404
    assert browser.status("/tools/import") == 403
    browser.one(".dz-tools-filter input").send_keys("get_order_status")
    until(lambda: all("get_order_status" in n for n in names(browser)))
    browser.wide(1000)
    browser.visit("/tools", "admin")
    assert names(browser) == set(site.runtime.company.tools)
    refund = browser.one(".dz-tools-row[href='/tools/request_refund']").text
    assert "财务" in refund and "敏感" in refund
    browser.be_a_phone()
    browser.driver.refresh()
    browser.one(".dz-tools-row")
    assert browser.js(WIDEST) <= PHONE[0]


def test_a_call_goes_through_the_same_door_and_is_on_record(browser: Browser, site: Site) -> None:
    browser.visit("/tools/get_order_status", "customer")
    browser.press(".dz-tool-run")
    browser.one(".dz-card", "参数不对")
    filled(browser, "order_id", "ORD12345")
    before = len(site.audit("outcome", "get_order_status"))
    browser.press(".dz-tool-run")
    browser.one(".dz-card-badge", "完成")
    steps = browser.one(".dz-tool-steps").text
    assert (
        "开始执行" in steps and "策略: roles:get_order_status:customer (在 tools/crm.yaml:" in steps
    )
    assert len(site.audit("outcome", "get_order_status")) == before + 1


def test_what_is_sensitive_asks_and_the_reason_is_told(browser: Browser, site: Site) -> None:
    browser.visit("/tools/send_email", "staff")
    for name, text in (("to", "wang@example.com"), ("subject", "通知"), ("body", "明天开会")):
        filled(browser, name, text)
    browser.press(".dz-verdict-ask")
    verdict = browser.one(".dz-verdict", "要由本人确认").text
    assert "由 roles:send_email:staff 决定 (tools/mail.yaml:" in verdict
    browser.press(".dz-tool-run")
    browser.press(".dz-review")
    browser.press(".dz-approve")
    browser.one(".dz-card-badge", "完成")


def test_administrators_ask_for_others(browser: Browser, site: Site) -> None:
    browser.wide(1500)
    browser.visit("/tools/request_refund", "admin")
    assert browser.one(".dz-tool-unable") and not browser.all(".dz-tool-run")
    filled(browser, "order_id", "ORD12345")
    filled(browser, "reason", "质量问题")
    pick(browser, ".dz-verdict-who", "王强 (staff)")
    browser.press(".dz-verdict-ask")
    browser.one(".dz-verdict-no", "不允许")
    pick(browser, ".dz-verdict-who", "角色:财务")
    browser.press(".dz-verdict-ask")
    said = browser.one(".dz-verdict-yes").text
    assert "由 roles:request_refund:finance 决定 (tools/erp.yaml:" in said
    browser.picture("tools")


def test_a_document_becomes_a_draft_and_no_file(browser: Browser, site: Site) -> None:
    browser.visit("/tools/import", "admin")
    document = json.dumps(json.loads(ERP.read_text("utf-8")))
    service = browser.one(".dz-import-service input")
    service.send_keys("storage\n")
    browser.js(
        "const e = arguments[0]; e.value = arguments[1]; e.dispatchEvent(new Event('input'))",
        browser.one(".dz-import-document textarea"),
        document,
    )
    browser.press(".dz-draft-go")
    browser.one(".dz-drafted", "个工具")
    assert "effect: read" in browser.one(".dz-draft", "system:").text
    assert not (site.runtime.company.folder / "tools" / "storage.yaml").exists()


@pytest.mark.parametrize(
    ("type", "given", "read"),
    [
        ("string", " ORD12345 ", "ORD12345"),
        ("string", "", None),
        ("integer", "3", 3),
        ("number", "0.5", 0.5),
        ("boolean", "false", False),
        ("array", ["a"], ["a"]),
        ("array", "a\n\n b ", ["a", "b"]),
    ],
)
def test_fields_are_read_by_their_type(type: str, given: object, read: object) -> None:
    assert tool_form.read(Parameter("p", type, Text("", "")), given) == read  # type: ignore[arg-type]


@pytest.mark.parametrize("type", ["integer", "number"])
def test_what_is_no_number_is_told(type: str) -> None:
    with pytest.raises(tool_form.Wrong):
        tool_form.read(Parameter("p", type, Text("", "")), "many")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "drafting",
    [
        Drafting("nowhere", path="openapi.json"),
        Drafting("nowhere", "mcp"),
        Drafting("../up", document="{}"),
        Drafting("storage", document="no document"),
        Drafting("storage", document='{"openapi": "3.0.0", "paths": {}}'),
    ],
)
def test_nothing_is_fetched_from_elsewhere_and_what_is_wrong_is_told(
    site: Site, drafting: Drafting
) -> None:
    with pytest.raises(CallerError):
        site.run(site.system.draft(drafting))

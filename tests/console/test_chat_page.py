"""Asking and being answered."""

from __future__ import annotations

from tests.console.browser import Browser
from tests.console.conftest import PAGE_LIMIT, SERVICE_LIMIT, Gate, Site, until
from tests.fakes.engine import Pause, Until, call

FLAGSHIP = "我三天前下的订单 ORD12345 还没发货,怎么回事?"


def test_an_answer_streams_and_its_call_has_a_card(
    browser: Browser, site: Site, gate: Gate
) -> None:
    site.says(
        FLAGSHIP,
        ["我来查一下。", call("get_order_status", order_id="ord 12345")],
        ["您的订单**已打包**。", Until(gate.event), "预计明天发出。"],
    )
    browser.sign_in("customer")
    browser.ask(FLAGSHIP)
    browser.one(".dz-bubble", FLAGSHIP)
    browser.one(".dz-answer", "您的订单已打包。")
    card = browser.one(".dz-card", "查订单的状态")
    assert "get_order_status" in card.text and "客户关系系统" in card.text
    assert "订单号\nORD12345" in card.text
    assert "完成" in card.text and " ms" in card.text
    assert "预计明天" not in browser.text() and browser.all(".dz-stop")
    gate.open()
    browser.one(".dz-answer", "预计明天发出。")
    browser.one(".dz-foot", "AI 生成,请核实")
    browser.answered()
    assert "2025-04-04" not in card.text
    card.find_element("css selector", "summary").click()
    assert "预计发货日期\n2025-04-04" in card.text
    assert browser.typed() == ""
    context = browser.one(".dz-context", "上下文")
    context.find_element("css selector", "summary").click()
    assert "本轮结果" in context.text and "合计" in context.text
    browser.one(".dz-thread", FLAGSHIP[:10])
    browser.driver.refresh()
    browser.ready()
    assert "完成" in browser.one(".dz-card", "查订单的状态").text
    browser.one(".dz-answer", "预计明天发出。")


def test_an_order_of_somebody_else_is_not_found(browser: Browser, site: Site) -> None:
    site.says(FLAGSHIP, call("get_order_status", order_id="ORD12345"), "没有查到这个订单。")
    browser.sign_in("customer2")
    browser.ask(FLAGSHIP)
    assert "没有查到" in browser.one(".dz-card-badge.dz-tone-neutral").text


def test_a_call_beyond_the_role_is_shown_as_refused(browser: Browser, site: Site) -> None:
    site.says(
        "给 ORD12345 退款", call("request_refund", order_id="ORD12345", reason="不想要了"), "抱歉。"
    )
    browser.sign_in("customer")
    browser.ask("给 ORD12345 退款")
    badge = browser.one(".dz-card-badge", "没有")
    assert "没有权限" in badge.text or "没有这个工具" in badge.text
    assert not browser.all(".dz-dialog")


def test_results_are_drawn_as_a_table_and_a_chart(browser: Browser, site: Site) -> None:
    question = "对比市场部和研发部一季度预算,画个图"
    site.says(
        question,
        [
            call("fetch_department_budget", dept="marketing", quarter="Q1"),
            call("fetch_department_budget", dept="rd", quarter="Q1"),
        ],
        call("generate_comparison_chart", kind="bar"),
        "两个部门的对比见下。",
    )
    browser.sign_in("finance")
    browser.ask(question)
    browser.one(".dz-foot", "AI 生成")
    table = browser.one(".dz-table")
    assert "市场部" in table.text and "研发部" in table.text and "1,200,000" in table.text
    assert browser.one(".dz-chart canvas").size["width"] > 300
    browser.driver.refresh()
    browser.one(".dz-chart canvas")
    browser.one(".dz-table", "1,200,000")


def test_stopping_keeps_what_was_said(browser: Browser, site: Site) -> None:
    site.says("慢慢说", ["第一句。", Pause(60), "第二句。"])
    browser.sign_in("customer")
    browser.ask("慢慢说")
    browser.one(".dz-answer", "第一句。")
    cancelled = site.engine.cancelled
    browser.press(".dz-stop")
    browser.one(".dz-stopped", "已停止")
    until(lambda: site.engine.cancelled == cancelled + 1)
    browser.answered()
    site.says("再问", "好的。")
    browser.ask("再问")
    browser.one(".dz-answer", "好的。")


def test_an_empty_message_is_told(browser: Browser) -> None:
    browser.sign_in("customer")
    browser.ask("   ")
    browser.one(".dz-composer-hint", "消息是空的")
    assert not browser.all(".dz-bubble")


def test_a_message_that_is_too_long_is_told_and_kept(browser: Browser) -> None:
    browser.sign_in("customer")
    browser.paste("很" * (PAGE_LIMIT + 1))
    browser.one(".dz-composer-hint", f"上限是 {PAGE_LIMIT}")
    browser.box.send_keys("\n")
    assert len(browser.typed()) == PAGE_LIMIT + 1 and not browser.all(".dz-bubble")
    # Short enough for the page, too long for the service: its own words are shown.
    browser.paste("很" * (SERVICE_LIMIT + 1))
    browser.box.send_keys("\n")
    browser.one(".dz-composer-hint", f"上限是 {SERVICE_LIMIT}")
    assert len(browser.typed()) == SERVICE_LIMIT + 1
    browser.driver.refresh()
    browser.ready()
    assert len(browser.typed()) == SERVICE_LIMIT + 1


def test_an_error_is_told_in_the_language_and_the_text_comes_back(
    browser: Browser, site: Site
) -> None:
    site.says("出错吧", RuntimeError("secret detail"))
    browser.sign_in("customer")
    browser.ask("出错吧")
    browser.one(".dz-error", "出了点问题")
    assert browser.typed() == "出错吧" and "secret detail" not in browser.text()
    browser.press(".dz-language")
    browser.one(".dz-brand", "Yunshan Trading")
    browser.ready()
    assert browser.typed() == "出错吧"
    browser.box.send_keys("\n")
    browser.one(".dz-error", "Something went wrong")


def test_a_busy_thread_is_told_and_nothing_is_lost(
    browser: Browser, site: Site, gate: Gate
) -> None:
    site.says("先来", "好的。")
    site.says("等等我", ["一。", Until(gate.event), "二。"])
    browser.sign_in("customer")
    browser.ask("先来")
    until(lambda: "/t/" in browser.driver.current_url)
    browser.answered()
    address = browser.driver.current_url
    browser.ask("等等我")
    browser.one(".dz-answer", "一。")
    browser.ask("插一句")
    browser.one(".dz-composer-hint", "还没答完")
    assert browser.typed() == "插一句"
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(address)
    browser.ready()
    browser.ask("另一个标签页")
    browser.one(".dz-composer-hint", "还没答完")
    assert browser.typed() == "另一个标签页"
    gate.open()


def test_suggestions_come_from_the_tools_of_the_role(browser: Browser, site: Site) -> None:
    browser.sign_in("manager")
    chips = [e.text.split("\n")[0] for e in browser.all(".dz-suggestion")]
    examples = {e for t in site.runtime.company.tools.values() for e in t.examples}
    assert len(chips) == 6 and all(c.removesuffix("…") in examples for c in chips)
    site.says("上个月销售额怎么样", "好的。")
    browser.press(".dz-suggestion", "上个月销售额怎么样")
    browser.one(".dz-bubble", "上个月销售额怎么样")
    browser.one(".dz-answer", "好的。")
    assert not browser.all(".dz-welcome")


def test_a_suggestion_that_lacks_a_detail_only_fills_the_box(browser: Browser) -> None:
    browser.sign_in("customer")
    browser.press(".dz-suggestion", "我的订单怎么还没发货…")
    until(lambda: browser.typed() == "我的订单怎么还没发货 ")
    assert not browser.all(".dz-bubble")


def test_the_bundled_model_says_what_it_is(browser: Browser) -> None:
    browser.sign_in("customer")
    browser.press(".dz-bundled summary", "内置小模型")
    line = browser.one(".dz-bundled").text
    assert "dazi model use URL" in line and "dazi model add PATH" in line and "Qwen3" in line


def test_the_language_can_be_switched(browser: Browser) -> None:
    browser.sign_in("customer")
    assert browser.js("return document.documentElement.lang") == "zh-CN"
    browser.press(".dz-language")
    browser.one(".dz-welcome", "Hello, Mr Lin")
    assert browser.js("return document.documentElement.lang") == "en-US"
    browser.one(".dz-suggestion", "List my orders")
    browser.press(".dz-language")
    browser.one(".dz-welcome", "您好,林先生")


def test_dark_mode_can_be_switched_and_stays(browser: Browser) -> None:
    browser.sign_in("customer")
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = browser.js(colour)
    browser.press(".dz-dark-switch")
    until(lambda: browser.js(colour) != light)
    dark = browser.js(colour)
    browser.driver.refresh()
    browser.ready()
    assert browser.js(colour) == dark
    browser.press(".dz-dark-switch")
    until(lambda: browser.js(colour) == light)


def test_the_list_of_threads_can_be_put_away(browser: Browser) -> None:
    browser.sign_in("customer")
    drawer = "return document.querySelector('.q-drawer').getBoundingClientRect().right"
    until(lambda: browser.js(drawer) > 200)
    browser.press(".dz-menu-button")
    until(lambda: browser.js(drawer) <= 0)
    browser.press(".dz-menu-button")
    until(lambda: browser.js(drawer) > 200)

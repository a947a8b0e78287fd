"""The service desk in a real browser: the queue, a ticket, and a customer's own tickets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dazi.apps.desk.desk import Desk
from dazi.apps.desk.service import NewTicket
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.memory.threads import Kept
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

NASTY = "<img src=x onerror=alert(1)>"


def desk_of(site: Site) -> Desk:
    assert site.runtime.desk is not None
    return site.runtime.desk


def person(site: Site, user: str) -> Principal:
    return site.runtime.directory.principal(user, "web")


@pytest.fixture(autouse=True)
def clean(site: Site) -> Iterator[None]:
    def wipe() -> None:
        for user in ("customer", "customer2"):
            site.run(desk_of(site).service.store.forget(user))
            site.run(site.runtime.service.threads.forget(user))

    wipe()
    yield
    wipe()


def file(
    site: Site, user: str, title: str, *, ago_s: float = 0.0, priority: str = "", by: str = ""
) -> str:
    desk = desk_of(site)
    new = NewTicket(
        title, thread=f"d-{user}", priority=priority, user=user if by else "", orders=("ORD12345",)
    )
    view = site.run(desk.service.open(person(site, by or user), new, desk.clock() - ago_s))
    return view.card.id


def said(site: Site, user: str, *messages: Message) -> None:
    kept = [Kept(m) for m in messages]
    site.run(site.runtime.service.threads.append(f"d-{user}", person(site, user), kept))


def test_an_agent_takes_a_suggestion_sends_it_and_resolves(browser: Browser, site: Site) -> None:
    said(
        site,
        "customer",
        Message("user", f"订单 ORD12345 收到就是坏的 {NASTY}"),
        Message("assistant", "很抱歉。"),
    )
    id = file(site, "customer", "收到就是坏的")
    browser.sign_in("agent")
    browser.open("/desk")
    browser.press(".dz-ticket", "收到就是坏的")
    browser.one(".dz-ticket-summary", "ORD12345")
    assert not browser.all(".dz-said img"), "others' words are no markup"
    browser.press(".dz-suggest")
    browser.one(".dz-sentence", "get_order_status(ORD12345)")
    assert (
        site.run(
            desk_of(site).service.view(person(site, "agent"), id, desk_of(site).clock())
        ).ticket.answered
        is False
    )
    browser.press(".dz-use-suggestion")
    browser.press(".dz-do-reply")
    browser.one(".dz-event", "ORD12345")
    browser.press(".dz-do-resolve")
    browser.one(".dz-chips", "已解决")
    kept = site.run(site.runtime.service.threads.load("d-customer", person(site, "customer")))
    assert "ORD12345" in kept[-1].message.content


def test_a_customer_sees_and_rates_their_own(browser: Browser, site: Site) -> None:
    id = file(site, "customer", "屏幕碎了")
    other = file(site, "customer2", "别人的")
    desk = desk_of(site)
    site.run(desk.service.act(person(site, "agent"), id, "note", desk.clock(), "内部的话"))
    site.run(desk.service.act(person(site, "agent"), id, "resolve", desk.clock(), "已补发"))
    browser.sign_in("customer")
    browser.open("/desk")
    browser.one(".dz-h1", "我的工单")
    assert [e.text.split("\n")[0] for e in browser.all(".dz-ticket")] == ["屏幕碎了"]
    browser.open(f"/desk/t/{other}")
    browser.one(".dz-h1", "没有这张工单")
    browser.open(f"/desk/t/{id}")
    browser.one(".dz-event", "已补发")
    assert "内部的话" not in browser.text()
    browser.press(".dz-star-5")
    browser.gone(".dz-rating")
    view = site.run(desk.service.view(person(site, "customer"), id, desk.clock()))
    assert [r.stars for r in view.ticket.ratings] == [5]


def test_the_queue_is_in_order_with_figures_for_a_supervisor(browser: Browser, site: Site) -> None:
    desk = desk_of(site)
    late = file(site, "customer", "发票税号写错了,急用", ago_s=14 * 86_400, priority="high")
    file(site, "customer2", "耳机左边没有声音")
    file(site, "customer2", "五十套键盘的报价", priority="normal")
    done = file(site, "customer", "退款三天没到账", ago_s=9 * 86_400)
    site.run(
        desk.service.act(
            person(site, "agent"), done, "reply", desk.clock() - 9 * 86_400 + 900, "在查"
        )
    )
    site.run(
        desk.service.act(
            person(site, "agent"), done, "resolve", desk.clock() - 8 * 86_400, "已到账"
        )
    )
    browser.sign_in("supervisor")
    browser.open("/desk")
    assert until(lambda: browser.all(".dz-ticket"))[0].text.startswith("发票税号写错了")
    assert "超时" in browser.all(".dz-ticket")[0].text
    until(lambda: browser.all(".dz-chart canvas"))
    values = [e.text for e in browser.all(".dz-figure-value")]
    assert values[:3] == ["4", "1", "3"]
    browser.driver.set_window_size(1000, 1180)
    browser.picture("desk")
    browser.press(".dz-filter", "已结束")
    browser.one(".dz-ticket", "退款三天没到账")
    assert late not in browser.text()
    browser.be_a_phone()
    browser.open("/desk")
    browser.one(".dz-ticket")
    assert browser.js(WIDEST) <= PHONE[0]


def test_customers_have_no_figures(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    browser.open("/desk")
    browser.one(".dz-none")
    assert not browser.all(".dz-figures") and not browser.all(".dz-filters")

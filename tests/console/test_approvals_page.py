"""What a second person decides: the requester's page waits and goes on, the approver's page lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

import pytest

from dazi.agent.asking import Ask
from tests.console.browser import Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import call

DONE = "邮件已经发出。"
NUMBERS = count(1)


def script(site: Site) -> str:
    """A mail to outside with text from the knowledge base: the demo's policy wants a supervisor."""
    number = next(NUMBERS)
    question = f"查退货政策,发邮件给 buyer{number}@other.example,标题退货{number}"
    mail = call(
        "send_email",
        to=f"buyer{number}@other.example",
        subject=f"退货{number}",
        body="收到货七天内可以退货,以公司文档为准",
    )
    site.says(question, call("search_knowledge", query="退货政策"), mail, "", "", DONE)
    return question


def asked(site: Site, thread: str) -> str:
    """The request made elsewhere; its ticket."""
    question = script(site)
    principal = site.runtime.directory.principal("staff", "web")

    async def run() -> None:
        async for _ in site.runtime.service.ask(Ask(principal, thread, question)):
            pass

    site.run(run())
    (ticket,) = site.run(site.runtime.service.submitted(principal, thread))
    return ticket.id


def decide(site: Site, ticket: str, approve: bool, reason: str = "") -> None:
    principal = site.runtime.directory.principal("supervisor", "api")

    async def run() -> None:
        events = site.runtime.service.decide(principal, ticket, approve, reason=reason)
        async for _ in events:
            pass

    site.run(run())


def sent(site: Site) -> list[str]:
    return [json.loads(r.body)["outcome"] for r in site.audit("outcome", "send_email")]


@pytest.fixture(autouse=True)
def nothing_left(site: Site) -> Iterator[None]:
    yield
    supervisor = site.runtime.directory.principal("supervisor", "api")
    for ticket in site.run(site.runtime.service.approvals(supervisor)):
        decide(site, ticket.id, False)


def test_the_requester_s_page_waits_and_goes_on(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    browser.ask(script(site))
    browser.one(".dz-card-badge", "等客服主管审批")
    assert not browser.all(".dz-dialog") and not browser.all(".dz-review")
    before = len(sent(site))
    staff = site.runtime.directory.principal("staff", "web")
    (ticket,) = site.run(site.runtime.service.submitted(staff))
    browser.answered()
    decide(site, ticket.id, True)
    browser.one(".dz-answer", DONE)
    assert sent(site)[before:] == ["ok"]


def test_the_approver_sees_what_and_from_where_and_approves(browser: Browser, site: Site) -> None:
    before = len(sent(site))
    asked(site, "approvals_page_1")
    browser.sign_in("supervisor")
    link = browser.one(".dz-approvals-link", "待我审批")
    assert link.text.split("\n")[-1] == "1"
    browser.driver.get(f"{site.url}/approvals")
    card = browser.one(".dz-approval", "王强 提出").text
    assert "@other.example" in card and "七天内可以退货" in card
    assert "不是本人说的" in card and "文档 search_knowledge" in card
    assert len(sent(site)) == before
    browser.press(".dz-approve")
    browser.one(".dz-approval-outcome", "已批准:完成")
    assert sent(site)[before:] == ["ok"]
    browser.driver.get(f"{site.url}/approvals")
    browser.one(".dz-none", "没有等待审批的操作")


def test_the_reason_of_a_rejection_reaches_the_requester(browser: Browser, site: Site) -> None:
    before = len(sent(site))
    asked(site, "approvals_page_2")
    browser.sign_in("supervisor")
    browser.driver.get(f"{site.url}/approvals")
    browser.one(".dz-approval-foot input").send_keys("先问法务")
    browser.press(".dz-reject")
    browser.one(".dz-approval-outcome", "没有批准")
    browser.begin(site.url)
    browser.sign_in("staff")
    browser.driver.get(f"{site.url}/t/approvals_page_2")
    until(lambda: "先问法务" in browser.driver.page_source)
    assert len(sent(site)) == before


def test_a_request_that_comes_in_appears(browser: Browser, site: Site) -> None:
    browser.sign_in("supervisor")
    browser.driver.get(f"{site.url}/approvals")
    browser.one(".dz-none", "没有等待审批的操作")
    asked(site, "approvals_page_3")
    browser.one(".dz-approval", "王强 提出")


def test_others_see_nothing_of_it(browser: Browser, site: Site) -> None:
    asked(site, "approvals_page_4")
    browser.sign_in("manager")
    assert not browser.all(".dz-approvals-link")
    browser.driver.get(f"{site.url}/approvals")
    browser.one(".dz-none", "没有等待审批的操作")
    assert not browser.all(".dz-approval")
    browser.begin(site.url)
    browser.driver.get(f"{site.url}/approvals")
    until(lambda: "/login" in browser.driver.current_url)

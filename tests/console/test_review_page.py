"""Thumbs below answers, the review queue, gaps in the documents, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from selenium.webdriver.common.keys import Keys
from sqlalchemy import delete

from dazi.agent.asking import Ask
from dazi.console.review_page import kind_of, marked
from dazi.core.principal import Principal
from dazi.core.turn import TurnStarted
from dazi.ops.feedback.model import Given, Wanted
from dazi.ops.feedback.sample import Sample, SampleKind
from dazi.ops.feedback.service import Reviewed
from dazi.ops.feedback.tables import feedback
from dazi.ops.gaps.noticing import Seen
from dazi.ops.gaps.tables import closed_gaps, gap_questions
from tests.console import test_approvals_page as approvals
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST
from tests.fakes.engine import call

NUMBERS = count(1)
ANSWER = "您的订单已打包,预计明天发出。"


@pytest.fixture(autouse=True)
def nothing_left(site: Site) -> Iterator[None]:
    site.run(wipe(site))  # other pages' tests reject calls, which is feedback too
    yield
    site.run(wipe(site))


async def wipe(site: Site) -> None:
    async with site.runtime.database.write() as connection:
        for table in (feedback, gap_questions, closed_gaps):
            await connection.execute(delete(table))


def person(site: Site, user: str = "customer") -> Principal:
    return site.runtime.access.people.principal(user, "web")


def question(site: Site, more: str = "") -> str:
    said = f"反馈{next(NUMBERS)}:ORD12345 到哪了?{more}"
    site.says(said, call("get_order_status", order_id="ORD12345"), ANSWER)
    return said


def given(site: Site, told: Given, more: str = "") -> str:
    """Feedback on an answer; its entry."""
    said, turns = question(site, more), []

    async def run() -> str:
        async for event in site.runtime.service.ask(
            Ask(person(site), f"review_{next(NUMBERS)}", said)
        ):
            if isinstance(event, TurnStarted):
                turns.append(event.turn)
        assert site.runtime.learning is not None
        return (await site.runtime.learning.feedback.give(person(site), turns[0], told)).id

    return site.run(run())


def entries(site: Site) -> list[Reviewed]:
    assert site.runtime.learning is not None
    wanted = Wanted(states=("new", "accepted", "refused", "private"))
    return site.run(site.runtime.learning.feedback.find(person(site, "admin"), wanted))


def test_thumbs_of_a_fresh_answer_and_of_a_kept_one(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    said = question(site)
    browser.wide(700)
    browser.ask(said)
    browser.answered()
    down = browser.one(".dz-thumb-down")
    assert down.get_attribute("aria-pressed") == "false" and down.get_attribute("aria-label")
    down.send_keys(Keys.ENTER)
    browser.one(".dz-thumb-said", "谢谢")
    assert browser.one(".dz-thumb-down").get_attribute("aria-pressed") == "true"
    (found,) = entries(site)
    assert (found.entry.thumb, found.entry.content.said) == ("down", said)
    browser.press(".dz-chip-choice[data-reason=incomplete]")
    browser.one(".dz-thumb-correction textarea").send_keys("明天 18:00 前发出。")
    browser.press(".dz-thumb-consent")
    browser.picture("thumbs")
    browser.be_a_phone()
    until(lambda: browser.js(WIDEST) <= PHONE[0])
    browser.wide()
    browser.press(".dz-thumb-send")
    browser.one(".dz-thumb-sent")
    (found,) = entries(site)
    e = found.entry
    assert (e.reason, e.content.correction, e.consent) == (
        "incomplete",
        "明天 18:00 前发出。",
        True,
    )
    until(lambda: "/t/" in browser.driver.current_url)
    browser.driver.refresh()
    browser.ready()
    browser.press(".dz-thumb-down")
    browser.one(".dz-thumb-said", "评过")
    assert browser.one(".dz-thumb-down").get_attribute("aria-pressed") == "true"
    assert entries(site)[0].entry.content.correction, "what was said before is not lost"
    browser.press(".dz-thumb-up")
    browser.one(".dz-thumb-said", "谢谢")
    until(lambda: entries(site)[0].entry.thumb == "up")
    browser.press(".dz-thumb-up")
    browser.one(".dz-thumb-said", "收回")
    assert entries(site) == []


def test_the_queue_shows_no_names_and_an_entry_is_accepted(browser: Browser, site: Site) -> None:
    told = Given("down", "wrong", "日期不对", "明天 18:00 前发出。", consent=True)
    id = given(site, told, "我的手机 13812345678")
    browser.visit("/review", "admin")
    row = browser.one(f"[data-entry='{id}']").text
    assert "[手机1]" in row and "13812345678" not in row and "customer" not in row
    browser.press(f"[data-entry='{id}']")
    browser.one(".dz-sample-assistant")
    page = browser.text()
    assert "日期不对" in page and "get_order_status" in page and "13812345678" not in page
    assert browser.one("ins") and browser.one("del")
    browser.wide(1200)
    browser.picture("review")
    last = browser.all(".dz-sample-assistant textarea")[-1]
    last.send_keys("请放心。")
    browser.press(".dz-accept")
    browser.one(".dz-review-decided", "已采纳")
    (found,) = entries(site)
    assert found.entry.state == "accepted" and found.sample is not None
    assert found.sample.messages[-1].content == "明天 18:00 前发出。请放心。"
    browser.be_a_phone()
    until(lambda: browser.js(WIDEST) <= PHONE[0])


def test_without_consent_it_is_refused_or_kept_out(browser: Browser, site: Site) -> None:
    id = given(site, Given("up"))
    browser.visit(f"/review/e/{id}", "admin")
    browser.one(".dz-review-head", "没有同意用于训练")
    assert browser.one(".dz-accept").get_attribute("disabled")
    browser.press(".dz-refuse")
    browser.one(".q-notification", "请写明为什么不采纳")
    browser.press(".dz-private")
    browser.one(".dz-review-decided", "不用于训练")
    browser.open("/review?state=private")
    browser.connected()
    browser.one(f"[data-entry='{id}']")
    browser.open("/review")
    browser.connected()
    browser.one(".dz-none")


def test_gaps_are_shown_and_closed(browser: Browser, site: Site) -> None:
    learning = site.runtime.learning
    assert learning is not None and site.runtime.documents is not None
    for n, text in enumerate(("停车位怎么申请?", "怎么申请公司停车位?", "积分会过期吗")):
        seen = Seen("not_found", "th", f"gap{n}", text, "zh")
        site.run(learning.gaps.note(person(site, "staff"), seen))
    browser.visit("/review/gaps", "admin")
    first = browser.one(".dz-gap", "停车位").text
    assert "2 次" in first and "建议写一份" in first and "可以问" in first and "王强" not in first
    assert browser.one(".dz-gap-bars").get_attribute("aria-label")
    browser.wide(1000)
    browser.picture("gaps")
    browser.be_a_phone()
    until(lambda: browser.js(WIDEST) <= PHONE[0])
    browser.wide(1000)
    document = site.run(site.runtime.documents.library.readable(person(site, "admin")))[0].id
    box = browser.all(".dz-gap")[0].find_element("css selector", "input")
    box.send_keys(document)
    browser.js("arguments[0].click()", browser.all(".dz-gap-close")[0])
    browser.one(".dz-gap-closed", document)
    browser.press(".dz-gap-reopen")
    browser.gone(".dz-gap-closed")


def test_the_right_arguments_of_a_rejected_call(browser: Browser, site: Site) -> None:
    approvals.asked(site, "review_approvals")
    browser.visit("/approvals", "supervisor")
    browser.press(".dz-right summary")
    box = browser.one(".dz-right-subject input")
    box.send_keys("(更正)")
    browser.press(".dz-right-consent")
    browser.press(".dz-reject")
    browser.one(".dz-approval-outcome", "没有批准")
    until(lambda: entries(site))
    (found,) = entries(site)
    right, was = found.entry.content.right, found.entry.content.calls[0].arguments
    assert right is not None and right["subject"] == f"{was['subject']}(更正)"
    assert right["to"] == was["to"] and found.entry.consent and found.entry.kind == "call"


def test_they_are_only_for_reviewers(browser: Browser, site: Site) -> None:
    id = given(site, Given("up"))
    for user in ("customer", "supervisor"):
        browser.sign_in(user)
        for path in ("/review", f"/review/e/{id}", "/review/gaps"):
            assert browser.status(path) == 403, (user, path)
        assert "/review" not in [a.get_attribute("href") for a in browser.all(".dz-place")]
    browser.sign_in("admin")
    assert browser.status("/review/e/none") == 404


def test_a_sample_stays_what_it_was_unless_a_call_comes_or_goes() -> None:
    def sample(kind: SampleKind) -> Sample:
        return Sample("s", "c", kind, "zh", [], [], "", "", {})

    said = [{"role": "assistant", "content": "好", "tool_calls": []}]
    called = [*said, {"role": "assistant", "content": "", "tool_calls": [{"name": "t"}]}]
    kinds: tuple[SampleKind, ...] = ("qa", "chat", "text", "call")
    assert [kind_of(said, sample(k)) for k in kinds] == ["qa", "chat", "text", "chat"]
    assert {kind_of(called, sample(k)) for k in kinds} == {"call"}
    assert kind_of(said, None) == "chat"


def test_what_went_and_what_came_is_marked() -> None:
    assert marked("明天发出", "明天 <b> 发出") == "明天<ins> &lt;b&gt; </ins>发出"
    assert marked("a", "b") == "<del>a</del><ins>b</ins>" and marked("a", "a") == "a"

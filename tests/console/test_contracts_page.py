"""A contract on its pages, in a real browser: sent in, read beside its findings, judged, saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dazi.apps.contracts.job import Files
from dazi.apps.contracts.service import ContractService
from dazi.core.principal import Principal
from dazi.main.contracts import open_contracts
from dazi.main.settings import demo_folder
from dazi.store.jobs.model import Job
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

TEMPLATE = (demo_folder() / "contracts" / "服务合同.md").read_text("utf-8")
CONTRACT = (
    TEMPLATE.replace("委托方（甲方）：＿＿＿＿＿＿", "委托方（甲方）：云杉商贸有限公司")
    .replace("受托方（乙方）：＿＿＿＿＿＿", "受托方（乙方）：杭州启明信息技术有限公司")
    .replace("自＿＿年＿＿月＿＿日起至＿＿年＿＿月＿＿日止", "自2025年4月1日起至2026年3月31日止")
    .replace("人民币＿＿＿＿元整（￥＿＿＿＿）", "人民币肆拾捌万元整（￥408,000.00）")
    .replace("收到发票后30日内", "收到发票后90日内")
    .replace("争议提交上海仲裁委员会在上海仲裁", "争议提交香港国际仲裁中心仲裁")
    .replace("7.3 任何一方的赔偿责任以服务费总额为限，故意或者重大过失造成的损失除外。\n\n", "")
)
SAVED = """
    return fetch(arguments[0]).then(async r => [r.status, r.headers.get('content-disposition'),
        (await r.arrayBuffer()).byteLength])
"""


def service(site: Site) -> ContractService:
    found = open_contracts(site.runtime)
    assert found is not None
    return found


def person(site: Site, user: str = "manager") -> Principal:
    return site.runtime.directory.principal(user, "web")


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    def wipe() -> None:
        for user in ("manager", "staff"):
            site.run(service(site).jobs.store.forget(user))
            site.run(service(site).verdicts.forget(user))

    wipe()
    yield
    wipe()


def done(site: Site, user: str = "manager", text: str = CONTRACT) -> Job:
    files = Files("运维合同.md", text.encode())
    begun = site.run(service(site).begin(person(site, user), files, "zh", "服务合同"))

    def over() -> Job | None:
        job = site.run(service(site).jobs.store.get(begun.id, person(site, user)))
        return job if job.state == "done" else None

    job: Job = until(over, 60)
    return job


def test_a_contract_is_sent_in_and_reviewed(browser: Browser, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "运维合同.md"
    path.write_text(CONTRACT, "utf-8")
    browser.sign_in("manager")
    browser.press(".dz-places > summary")
    browser.press(".dz-place", "合同审查")
    browser.one(".dz-none", "还没有审过合同")
    browser.press(".dz-template")
    browser.press(".q-item", "服务合同")
    browser.all(".dz-contract-upload input[type=file]")[0].send_keys(str(path))
    browser.one(".dz-contract-text", "杭州启明信息技术有限公司", 90)
    browser.one(".dz-finding.dz-high", "争议在境外解决")
    browser.one(".dz-finding.dz-high", "大写金额是 480,000")
    browser.one(".dz-contract-names", "运维合同.md ⇄ 服务合同.md")
    browser.open("/contracts")
    browser.one(".dz-review-done", "高 ")
    browser.press(".dz-review .dz-delete")
    browser.press(".dz-delete-now")
    browser.one(".dz-none", "还没有审过合同")


def test_findings_lead_to_their_words_and_are_judged(browser: Browser, site: Site) -> None:
    job = done(site)
    browser.sign_in("manager")
    browser.open(f"/contracts/{job.id}")
    browser.one(".dz-contract-text", "服务内容")
    browser.picture("contracts")
    place = browser.one(".dz-finding", "争议在境外解决").find_element(
        "css selector", "a.dz-finding-place"
    )
    browser.js("arguments[0].click()", place)
    marked = "return document.querySelector('a[id]:target + .mark').innerText"
    until(lambda: "香港国际仲裁中心" in str(browser.js(marked)))

    opened = site.run(service(site).open(person(site), job.id))
    assert opened.done is not None
    before = browser.one(".dz-finding.dz-medium", "付款期限 90 天")
    browser.js("arguments[0].querySelector('.dz-accept').click()", before)
    browser.one(".dz-finding.dz-medium .dz-said-accept", "您认可了")
    other = browser.one(".dz-finding.dz-high", "大写金额")
    browser.js("arguments[0].querySelector('.dz-reject').click()", other)
    browser.one(".dz-verdict-dialog textarea").send_keys("附件另有约定")
    browser.press(".dz-save-verdict")
    browser.one(".dz-finding.dz-high .dz-said-reject", "附件另有约定")
    field = browser.one(".dz-field", "争议解决地")
    browser.js("arguments[0].querySelector('.dz-correct').click()", field)
    box = browser.all(".dz-verdict-dialog textarea")[0]
    box.clear()
    box.send_keys("香港国际仲裁中心(HKIAC)")
    browser.press(".dz-save-verdict")
    browser.one(".dz-said-correct", "HKIAC")
    kept = site.run(service(site).open(person(site), job.id)).verdicts
    assert sorted(v.said.verdict for v in kept.values()) == ["accept", "correct", "reject"]
    browser.open(f"/contracts/{job.id}")
    card = browser.one(".dz-finding.dz-medium .dz-verdict", "您认可了")
    browser.js("arguments[0].querySelector('button').click()", card)
    until(lambda: len(site.run(service(site).open(person(site), job.id)).verdicts) == 2)


def test_files_are_their_owners(browser: Browser, site: Site) -> None:
    job = done(site)
    foreign = done(site, "staff")
    browser.open("/login")
    assert browser.js(SAVED, f"/contracts/{job.id}/files/summary.pdf")[0] == 401
    browser.sign_in("manager")
    browser.open(f"/contracts/{job.id}")
    browser.one(".dz-contract-file")
    for link in browser.all(".dz-contract-file"):
        status, named, size = browser.js(SAVED, link.get_property("href"))
        assert status == 200 and "attachment" in named and size > 500
    assert browser.js(SAVED, f"/contracts/{foreign.id}/files/summary.pdf")[0] == 404
    assert browser.js(SAVED, "/contracts/statistics.json")[0] == 403
    browser.open(f"/contracts/{foreign.id}")
    browser.one(".dz-empty", "没有这份审查")


def test_only_what_matters_is_shown(browser: Browser, site: Site) -> None:
    job = done(site)
    browser.sign_in("manager")
    browser.open(f"/contracts/{job.id}")
    browser.one(".dz-finding.dz-medium")
    browser.press(".dz-levels button", "只看高")
    browser.gone(".dz-finding.dz-medium")
    browser.press(".dz-levels button", "全部")
    browser.one(".dz-finding.dz-medium")


def test_who_may_not_and_a_phone(browser: Browser, site: Site) -> None:
    job = done(site)
    browser.sign_in("customer")
    browser.press(".dz-places > summary")
    browser.one(".dz-place", "记住的事")
    assert not any("合同审查" in e.text for e in browser.all(".dz-place"))
    browser.open("/contracts")
    browser.one(".dz-none")
    assert not browser.all(".dz-upload")
    browser.be_a_phone()
    browser.sign_in("manager")
    for path in ("/contracts", f"/contracts/{job.id}"):
        browser.open(path)
        browser.one(".dz-review, .dz-finding")
        assert browser.js(WIDEST) <= PHONE[0], path

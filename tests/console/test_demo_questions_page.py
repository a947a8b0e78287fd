"""The questions of the demo in the page, with the model that is shipped: nothing is scripted here."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from dazi.inference.catalog import BUNDLED
from tests.console.browser import Browser
from tests.console.conftest import until

pytestmark = pytest.mark.skipif(
    not (BUNDLED / "openvino_model.xml").is_file(),
    reason="the bundled model is not there: the demo's questions are not tried in the page",
)


@dataclass(frozen=True)
class Served:
    url: str
    data: Path

    def refunds(self) -> int:
        """Refunds that were carried out, by the ledger."""
        with closing(sqlite3.connect(self.data / "dazi.sqlite")) as connection:
            query = "SELECT body FROM audit_records WHERE kind = 'outcome'"
            bodies = [json.loads(body) for (body,) in connection.execute(query)]
        return sum(b["tool"] == "request_refund" and b["outcome"] == "ok" for b in bodies)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`dazi serve` as people start it, in a process of its own."""
    data = tmp_path_factory.mktemp("real")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = "from dazi.main.cli import run; run()"
    command = [sys.executable, "-c", code, "serve", "--port", str(port), "--today", "2025-04-03"]
    environment = {**os.environ, "DAZI_DATA": str(data), "DAZI_LANG": "zh"}
    with open(data / "log.txt", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: _answers(port) or server.poll() is not None, 120)
        assert server.poll() is None, (data / "log.txt").read_text("utf-8")[-2000:]
        yield Served(f"http://127.0.0.1:{port}", data)
    finally:
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    """The port takes connections long before there are answers: the model and the documents come first."""
    with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", port, 1)) as asked:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    return False


@pytest.fixture
def page(chrome: Browser, real: Served) -> Browser:
    chrome.begin(real.url)
    return chrome


def test_the_flagship(page: Browser) -> None:
    page.sign_in("customer")
    page.ask("我三天前下的订单 ORD12345 还没发货,怎么回事?")
    card = page.one(".dz-card", "查订单的状态")
    assert "ORD12345" in card.text
    answer = page.one(".dz-answer", "打包").text
    page.answered()
    assert "明天" in answer or "2025-04-04" in answer


def test_somebody_else_s_order_is_not_found(page: Browser) -> None:
    page.sign_in("customer2")
    page.ask("我的订单 ORD12345 到哪了?")
    assert "没有查到" in page.one(".dz-card-badge.dz-tone-neutral").text
    page.answered()
    assert "299" not in page.text()


def test_a_room_with_a_projector_and_its_booking(page: Browser) -> None:
    page.sign_in("staff")
    page.ask("帮我找一间明天上海带投影的会议室")
    assert "投影" in page.one(".dz-card", "会议室").text
    page.answered()
    page.ask("订B204,明天下午两点到三点")
    card = page.one(".dz-card", "B204")
    page.answered()
    assert "14:00" in card.text and "15:00" in card.text


def test_two_products_are_compared(page: Browser) -> None:
    page.sign_in("customer")
    page.ask("iPhone 15 和三星 Galaxy S24 哪个好?")
    page.one(".dz-card", "iPhone 15")
    page.one(".dz-card", "Galaxy S24")
    page.answered()
    table = page.one(".dz-table").text
    assert "iPhone 15" in table and "Galaxy S24" in table


def test_two_budgets_with_what_is_abnormal_and_a_chart(page: Browser) -> None:
    page.sign_in("finance")
    page.ask("对比一下市场部和研发部Q1的预算,标出异常,画个柱状图")
    page.answered()
    table = page.one(".dz-table").text
    assert "市场部" in table and "研发部" in table and "1,200,000" in table
    assert page.one(".dz-chart canvas").size["width"] > 300


def test_the_top_regions_of_last_month(page: Browser) -> None:
    page.sign_in("manager")
    page.ask("上个月销售额前十的地区")
    page.answered()
    header, *rows = page.one(".dz-table").text.split("\n")[2:]
    assert "占比" in header and len(rows) == 10 and rows[0].startswith("广东")


def test_a_refund_waits_for_its_button(page: Browser, real: Served) -> None:
    page.sign_in("finance")
    page.ask("给订单ORD12345退款,原因是漏发")
    page.one(".dz-dialog", "漏发")
    page.press(".dz-dialog button", "确认")
    page.one(".dz-answer", "RF")
    assert until(lambda: real.refunds() == 1)


def test_a_customer_cannot_refund(page: Browser, real: Served) -> None:
    page.sign_in("customer")
    page.ask("给订单ORD12346退款,原因是漏发")
    page.answered()
    assert not page.all(".dz-dialog")
    assert real.refunds() == 1  # finance's, above

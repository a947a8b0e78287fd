"""The page about compliance: run, looked at, stopped, and saved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from dazi.console.compliance_run import Compliance
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.compliance.matrix import load_matrix
from dazi.ops.compliance.report import Chapter, Judged, Report
from dazi.ops.compliance.results import Seen, Status
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

AT = 1_743_650_000.0


def made(frameworks: tuple[str, ...]) -> Report:
    chapters = []
    for f in load_matrix(frameworks):
        items = [
            Judged(
                item,
                item.status or (Status.FAIL if n == 0 else Status.PASS),
                () if item.status else (Seen(Text("看到的", "seen"), ok=n > 0),),
                (Text("这样改", "mend it so"),) if n == 0 and not item.status else (),
                (3,) if n == 0 and not item.status else (),
            )
            for n, item in enumerate(f.items)
        ]
        chapters.append(Chapter(f, tuple(items)))
    return Report(
        "1", Text("云杉商贸", "Yunshan"), AT, 90.0, (Text("这里", "here"),), tuple(chapters)
    )


@pytest.fixture
def survey(site: Site) -> Iterator[threading.Event]:
    """Checks of which the second waits for the event: the real ones take a minute."""
    go_on = threading.Event()
    compliance = site.system.compliance
    before = compliance._survey

    async def slowly(
        frameworks: tuple[str, ...], told: Callable[[int, int], None], stopped: Callable[[], bool]
    ) -> Report | None:
        told(1, 3)
        while not go_on.is_set():
            if stopped():
                return None
            await asyncio.sleep(0.02)
        return made(frameworks)

    compliance._survey = slowly
    yield go_on
    go_on.set()
    until(lambda: not compliance.running)
    compliance._survey, compliance.report = before, None


def test_run_stopped_run_again_and_saved(
    browser: Browser, site: Site, survey: threading.Event
) -> None:
    browser.wide(1000)
    browser.visit("/compliance", "admin")
    browser.one(".dz-comply-told", "还没有检查过")
    assert browser.status("/compliance/report.json") == 404
    browser.press(".dz-comply-run")
    browser.one(".dz-comply-told", "1 / 3")
    browser.press(".dz-comply-stop")
    browser.one(".dz-comply-told", "已停止")
    browser.press(".dz-framework-gdpr")
    browser.press(".dz-comply-run")
    browser.one(".dz-comply-told", "1 / 3")
    survey.set()
    browser.one(".dz-comply-told", "的结果")
    shown = browser.js(
        "return [...document.querySelectorAll('.dz-chapter')].map(e => e.dataset.framework)"
    )
    assert shown == ["mlps", "pipl", "iso27001", "ai-labels"]
    browser.press(".dz-chapter[data-framework=mlps] summary")
    assert "这样改" in browser.one(".dz-item", "不通过").text
    report = browser.js("return fetch('/compliance/report.json').then(r => r.json())")
    assert report["schema"] == 1 and len(report["frameworks"]) == 4
    saved = browser.js(
        "return fetch('/compliance/report.html').then(r => r.headers.get('content-disposition'))"
    )
    assert "compliance-20250403.html" in saved
    browser.be_a_phone()
    assert browser.js(WIDEST) <= PHONE[0]


async def test_one_run_at_a_time() -> None:
    ended = asyncio.Event()

    async def waiting(*_: object) -> Report | None:
        await ended.wait()
        raise OSError("the disk is away")

    compliance = Compliance(waiting)
    compliance.begin(())
    with pytest.raises(CallerError):
        compliance.begin(())
    ended.set()
    await asyncio.gather(*_tasks(compliance), return_exceptions=True)
    await asyncio.sleep(0)
    assert str(compliance.failed) == "the disk is away" and not compliance.stopped


def _tasks(compliance: Compliance) -> list[asyncio.Task[Report | None]]:
    return [compliance._task] if compliance._task is not None else []


def test_the_real_checks_run_beside_the_service(browser: Browser, site: Site) -> None:
    browser.wide(1000)
    browser.visit("/compliance", "admin")
    for other in ("mlps", "gdpr", "pipl", "iso27001"):
        browser.press(f".dz-framework-{other}")
    browser.press(".dz-comply-run")
    browser.one(".dz-comply-told", "的结果")
    browser.press(".dz-chapter[data-framework=ai-labels] summary")
    browser.one(".dz-status-pass", "通过")
    browser.picture("compliance")
    site.system.compliance.report = None


def test_the_real_checks_can_be_stopped(site: Site) -> None:
    told: list[tuple[int, int]] = []
    survey = site.system._survey
    assert site.run(survey(("ai-labels",), lambda *n: told.append(n), lambda: True)) is None
    assert not told

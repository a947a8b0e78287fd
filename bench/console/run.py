"""How long a page takes until it can be used, alone and while 200 are open.

    .venv/bin/python bench/console/run.py [--write] [--pages 200] [--rounds 7]

``dazi serve`` runs the demo with the bundled model. A page counts as usable when its box takes text and
its socket is joined. Cold: nothing is in the browser's cache; warm: everything is. The act is a box that
is ticked on ``/settings``, until the list has changed. The browser and the crowd share the machine's
cores with the server: what a server alone would need is less.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench.console.crowd import AT_ONCE, Crowd
from bench.machine import describe, family
from bench.processes import ROOT, Process, free_port
from tests.console.browser import Browser, chromium

RESULTS = ROOT / "bench" / "results" / "console.md"
GOAL_S = 1.5
_DAZI = "from dazi.main.cli import run; run()"
WATCH = """
    const look = setInterval(() => {
        if (window.did_handshake && window.socket && window.socket.connected
            && document.querySelector('.dz-composer textarea')) {
            window.usable = performance.now();
            clearInterval(look);
        }
    }, 2);
"""
ACT = """
    const done = arguments[0], list = document.querySelector('.dz-settings-rows').parentElement;
    const began = performance.now();
    new MutationObserver((_, seen) => { seen.disconnect(); done(performance.now() - began); })
        .observe(list, {childList: true, subtree: true});
    document.querySelector('.dz-settings-changed').click();
"""
ACTS = 12
USERS = ("customer", "customer2", "agent", "supervisor", "staff", "manager", "finance", "risk")


@dataclass
class Measured:
    """Milliseconds, and MiB."""

    first: float = 0.0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    acts: list[float] = field(default_factory=list)
    crowded: list[float] = field(default_factory=list)
    crowded_warm: list[float] = field(default_factory=list)
    before: float = 0.0
    during: float = 0.0
    open: int = 0
    opening_s: float = 0.0
    opened: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    lost: int = 0


def usable(browser: Browser, *, cold: bool) -> float:
    if cold:
        browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open("/")
    browser._wait(lambda: browser.js("return window.usable"))
    return float(browser.js("return window.usable"))


def acts(browser: Browser) -> list[float]:
    browser.open("/settings")
    browser.connected()
    out = []
    for _ in range(ACTS):
        out.append(float(browser.driver.execute_async_script(ACT)))
        time.sleep(0.1)
    return out


def memory(server: Process) -> float:
    """Of the server with all that it started."""
    kib = 0
    for pid in family([server.pid]):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        kib += sum(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS"))
    return kib / 1024


async def crowded(server: Process, browser: Browser, url: str, pages: int, out: Measured) -> None:
    crowd = Crowd(url, USERS)
    began = time.perf_counter()
    try:
        await crowd.come(pages)
        out.opening_s = time.perf_counter() - began
        out.opened, out.failed, out.open = crowd.pages, crowd.failed, crowd.open
        out.during = memory(server)
        out.crowded = await asyncio.to_thread(acts, browser)
        for _ in range(3):
            out.crowded_warm.append(await asyncio.to_thread(usable, browser, cold=False))
        out.open, out.lost = min(out.open, crowd.open), len(crowd.lost)
    finally:
        await crowd.leave()


def measure(pages: int, rounds: int, folder: Path) -> Measured:
    found = chromium(shutil.which)
    if found is None:
        sys.exit("no Chromium here: install chromium and chromium-driver")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", _DAZI, "serve", "--port", str(port), "--no-check"]
    data = {"DAZI_DATA": str(folder / "data"), "DAZI_LANG": "zh", "DAZI_MODEL": ""}
    server, out = Process(command, folder / "server.log", data), Measured()
    browser = Browser.start(*found, folder / "profile")
    try:
        server.ready(f"{url}/healthz")
        browser.begin(url)
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        browser.sign_in("admin")
        out.first = float(browser.js("return window.usable"))
        out.cold = [usable(browser, cold=True) for _ in range(rounds)]
        out.warm = [usable(browser, cold=False) for _ in range(rounds)]
        out.acts = acts(browser)
        out.before = memory(server)
        asyncio.run(crowded(server, browser, url, pages, out))
    finally:
        browser.driver.quit()
        server.stop()
    return out


def p50(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f}" if values else "-"


def most(values: Sequence[float]) -> str:
    return f"{max(values):,.0f}" if values else "-"


def lines(m: Measured, given: str) -> list[str]:
    machine = ", ".join(f"{k}: {v}" for k, v in describe().items())
    each = (m.during - m.before) / m.open if m.open else 0.0
    opened = [s * 1000 for s in m.opened]
    return [
        "# The console's pages",
        "",
        f"{date.today().isoformat()}; `{given}`; {machine}",
        "",
        "Server, browser and the crowd of pages share these cores.",
        "",
        "| what | p50, ms | most, ms |",
        "| --- | --- | --- |",
        f"| the chat's page until it can be used, the very first after the start | {m.first:,.0f} | |",
        f"| nothing in the browser's cache | {p50(m.cold)} | {most(m.cold)} |",
        f"| everything in the cache | {p50(m.warm)} | {most(m.warm)} |",
        f"| the same while {m.open} pages are open | {p50(m.crowded_warm)} | {most(m.crowded_warm)} |",
        f"| an act on a page (a list of 75 is drawn anew) | {p50(m.acts)} | {most(m.acts)} |",
        f"| an act while {m.open} pages are open | {p50(m.crowded)} | {most(m.crowded)} |",
        f"| a page of the crowd, opened with {AT_ONCE - 1} others | {p50(opened)} | {most(opened)} |",
        "",
        f"- {m.open} pages were open at once, {len(m.failed)} could not be opened, "
        f"{m.lost} lost their socket (a browser would join again); they came in {m.opening_s:.1f} s.",
        f"- Memory of the server: {m.before:,.0f} MiB before, {m.during:,.0f} MiB with them: "
        f"{each:.2f} MiB a page.",
        f"- The goal is {GOAL_S:g} s for a page on 2 cores: "
        f"{'met' if statistics.median(m.cold) <= GOAL_S * 1000 else 'missed'}, with nothing in the cache.",
    ]


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--pages", type=int, default=200)
    asked.add_argument("--rounds", type=int, default=7)
    asked.add_argument("--write", action="store_true", help="into bench/results/console.md")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.pages, given.rounds, Path(folder))
    shown = " ".join(["bench/console/run.py", *sys.argv[1:]])
    text = "\n".join(lines(found, shown)) + "\n"
    print(text)
    for why in sorted(set(found.failed))[:3]:
        print(f"  {why}", file=sys.stderr)
    if given.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

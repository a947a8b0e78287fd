"""A real Chromium at a real server over the real demo company, with a scripted model."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from fastapi import FastAPI

from dazi.audit.ledger import Record
from dazi.console.mount import mount_console
from dazi.console.state import ConsoleState
from dazi.core.engine import GenerateRequest, ModelProfile
from dazi.main.alerting import Alerts, open_alerts
from dazi.main.contracts import open_contracts
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings
from dazi.main.system import RunningSystem
from dazi.observe.history import History
from tests import documents, risk_model
from tests.console.browser import Browser, chromium
from tests.fakes.engine import Pause, Piece, Reply, ScriptedEngine

T = TypeVar("T")
TODAY = date(2025, 4, 3)
SERVICE_LIMIT, PAGE_LIMIT = 2000, 3000
"""The page's limit is the larger one, so that the service's own refusal is seen as well."""


@dataclass
class Site:
    """A running server. ``says`` writes down what the model replies to a question."""

    url: str
    loop: asyncio.AbstractEventLoop
    runtime: Runtime
    engine: ScriptedEngine
    history: History
    system: RunningSystem
    states: list[ConsoleState]
    alerts: Alerts
    scripts: dict[str, tuple[Reply, ...]] = field(default_factory=dict)

    def says(self, question: str, *replies: Reply) -> None:
        self.scripts[question] = replies

    def reply(self, request: GenerateRequest) -> Reply:
        """The next reply to the last question, counted by what was said since."""
        asked = [i for i, m in enumerate(request.messages) if m.role == "user"][-1]
        question = request.messages[asked].content
        since = sum(m.role == "assistant" for m in request.messages[asked + 1 :])
        return self.scripts[question][since]

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(60)

    def audit(self, kind: str, tool: str) -> list[Record]:
        self.run(self.runtime.ledger.flush())
        rows = self.run(self.runtime.audit.rows(limit=100_000))
        return [r for r in rows if r.kind == kind and f'"tool":"{tool}"' in r.body]


class Gate:
    """Holds a reply back until ``open``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.event = asyncio.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self.event.set)


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    started: list[Site] = []
    ready = threading.Event()
    stop: list[Callable[[], None]] = []

    async def serve(data: Path) -> None:
        engine = ScriptedEngine(
            lambda request: made.reply(request), ModelProfile("scripted-1", 8192, bundled=True)
        )
        settings = Settings(data=data, today=TODAY, max_message_chars=SERVICE_LIMIT)
        runtime = await open_runtime(settings, engine=engine)
        app = FastAPI()
        history = History(None)
        system = RunningSystem(runtime)
        alerts = open_alerts(runtime)
        assert runtime.documents is not None
        state = ConsoleState(
            runtime.service,
            runtime.access,
            runtime.company,
            engine,
            runtime.ledger,
            PAGE_LIMIT,
            knowledge=runtime.documents.people,
            risk=runtime.risk.service if runtime.risk is not None else None,
            jobs=runtime.jobs,
            desk=runtime.desk,
            contracts=open_contracts(runtime),
            reports=runtime.reports,
            registry=runtime.observer.registry,
            history=history,
            system=system,
            experiments=runtime.experiments.service if runtime.experiments else None,
            alerts=alerts.service,
            reading=runtime.reading(),
            feedback=runtime.learning.feedback if runtime.learning is not None else None,
            gaps=runtime.learning.gaps if runtime.learning is not None else None,
        )
        mount_console(app, state)
        assert runtime.jobs is not None and runtime.jobs.workers is not None
        working = asyncio.create_task(runtime.jobs.workers.run())
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        made = Site(url, loop, runtime, engine, history, system, [state], alerts)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        stop.append(lambda: setattr(server, "should_exit", True))
        started.append(made)
        ready.set()
        await server.serve(sockets=[listening])
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await runtime.close()

    data = tmp_path_factory.mktemp("site")
    documents.give(documents.made(tmp_path_factory), data)
    risk_model.give(risk_model.made(tmp_path_factory), data)
    thread = threading.Thread(target=lambda: asyncio.run(serve(data)), daemon=True)
    thread.start()
    assert ready.wait(60), "the server did not start"
    yield started[0]
    for end in stop:
        end()
    thread.join(20)


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    made = Gate(site.loop)
    yield made
    made.open()


@pytest.fixture(scope="package")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    paths = chromium(shutil.which)
    if paths is None:
        line = "no Chromium here: install chromium and chromium-driver to run the page tests"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    browser = Browser.start(*paths, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chrome: Browser, site: Site) -> Iterator[Browser]:
    """One person's browser, nobody signed in yet; pages in Chinese."""
    chrome.begin(site.url)
    yield chrome
    chrome.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def until(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    ends = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)
    return value


def slowly(*pieces: Piece) -> list[Piece]:
    return [p for piece in pieces for p in (piece, Pause(0.2))]

"""A real server over the real demo company, with a scripted model."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
import pytest_asyncio
import uvicorn
from openai import AsyncOpenAI

from dazi.core.engine import Engine, GenerateRequest
from dazi.gateway.app import create_app
from dazi.gateway.state import GatewayState, Limits
from dazi.main.alerting import open_alerts
from dazi.main.company import load_company
from dazi.main.contracts import open_contracts
from dazi.main.demo import Demo
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings
from tests import documents, risk_model
from tests.fakes.engine import Reply, ScriptedEngine

T = TypeVar("T")
TODAY = date(2025, 4, 3)
DEMO = Path(__file__).parents[2] / "examples" / "yunshan"


@dataclass
class Site:
    """A running server. Change ``parts`` to play a part that cannot serve."""

    runtime: Runtime
    engine: ScriptedEngine
    limits: Limits
    url: str = ""
    state: GatewayState = field(init=False)
    parts: dict[str, bool] = field(default_factory=lambda: {"model": True, "database": True})
    seen: int = 0

    async def fresh(self) -> Site:
        """Forget what earlier tests did here."""
        self.says()
        self.engine.requests.clear()
        await self.runtime.ledger.flush()
        self.seen = len(await self.runtime.audit.rows(limit=10_000))
        return self

    def says(self, *replies: Reply) -> None:
        self.engine.say(*replies)

    def openai(self, user: str = "customer", **options: Any) -> AsyncOpenAI:
        key = f"dazi-demo-{user}"
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, **options)

    async def request(
        self, method: str, path: str, user: str | None = "customer", **options: Any
    ) -> Answered:
        headers = {"Authorization": f"Bearer dazi-demo-{user}"} if user else {}
        headers |= options.pop("headers", {})
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, headers=headers, **options) as response,
        ):
            return Answered(response.status, response.headers, await response.read())

    async def chat(self, text: str, user: str = "customer", **options: Any) -> Answered:
        body = {"model": "dazi", "messages": [{"role": "user", "content": text}]}
        headers = options.pop("headers", {})
        return await self.request(
            "POST", "/v1/chat/completions", user, json=body | options, headers=headers
        )

    async def audit(self, kind: str = "") -> list[dict[str, Any]]:
        """The ledger's bodies with their kind and user, oldest first."""
        await self.runtime.ledger.flush()
        rows = (await self.runtime.audit.rows(limit=10_000))[self.seen :]
        return [
            {"kind": r.kind, "user": r.user, "turn": r.turn, **json.loads(r.body)}
            for r in rows
            if not kind or r.kind == kind
        ]


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"message", "type", "code", "param"}
        return error

    @property
    def chunks(self) -> list[Any]:
        """The events of a stream, the closing ``[DONE]`` among them as text."""
        texts = [part.removeprefix("data: ") for part in self.body.decode().split("\n\n") if part]
        return [t if t == "[DONE]" else json.loads(t) for t in texts]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data, made once, with its documents."""
    folder = tmp_path_factory.mktemp("seeded")
    demo = Demo(load_company(DEMO), folder, TODAY)
    demo.seed()
    documents.give(documents.made(tmp_path_factory), folder)
    return folder


@pytest.fixture(scope="session")
def seeded(made_once: Path) -> Path:
    """What a site begins with; a module may give it more."""
    return made_once


@pytest.fixture(scope="session")
def assessed(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a risk model."""
    folder = tmp_path_factory.mktemp("assessed") / "data"
    shutil.copytree(made_once, folder)
    risk_model.give(risk_model.made(tmp_path_factory), folder)
    return folder


LIMITS = Limits(max_body_bytes=50_000, max_concurrent=4, body_seconds=2.0)


@pytest.fixture
def limits() -> Limits:
    return LIMITS


@asynccontextmanager
async def open_site(
    data: Path, seeded: Path, limits: Limits, model: Engine | None = None, company: Path = DEMO
) -> AsyncIterator[Site]:
    """``model`` takes the place of the scripted one."""
    shutil.copytree(seeded, data)
    scripted = ScriptedEngine()
    engine = model or scripted
    settings = Settings(company=company, data=data, today=TODAY, max_message_chars=5000)
    runtime = await open_runtime(settings, engine=engine)
    made = Site(runtime, scripted, limits)

    async def ready() -> dict[str, bool]:
        return dict(made.parts)

    state = GatewayState(
        runtime.service,
        engine,
        runtime.company,
        runtime.directory,
        runtime.ledger,
        limits,
        ready,
        runtime.access,
        runtime.embedder,
        runtime.documents.people if runtime.documents is not None else None,
        runtime.jobs,
        runtime.desk,
        runtime.risk.service if runtime.risk is not None else None,
        open_contracts(runtime),
        reports=runtime.reports,
        alerts=open_alerts(runtime).service,
        observer=runtime.observer,
        experiments=runtime.experiments.service if runtime.experiments is not None else None,
        widget=runtime.widget,
        channels=runtime.channels,
        feedback=runtime.learning.feedback if runtime.learning is not None else None,
        gaps=runtime.learning.gaps if runtime.learning is not None else None,
    )
    made.state = state
    config = uvicorn.Config(create_app(state), port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    made.url = f"http://127.0.0.1:{port}"
    yield made
    server.should_exit = True
    await serving
    await runtime.close()


@pytest.fixture
async def site(tmp_path: Path, seeded: Path, limits: Limits) -> AsyncIterator[Site]:
    async with open_site(tmp_path / "data", seeded, limits) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> AsyncIterator[Site]:
    """One site for a module whose tests change nothing."""
    async with open_site(tmp_path_factory.mktemp("site") / "data", seeded, LIMITS) as made:
        yield made


@dataclass(frozen=True)
class Threaded:
    """A site in a thread of its own, for tests that block."""

    site: Site
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@contextmanager
def threaded(
    data: Path, seeded: Path, script: Callable[[GenerateRequest], Reply]
) -> Iterator[Threaded]:
    """``script`` makes the model's reply to each request."""
    ready = threading.Event()
    made: list[Threaded] = []
    stop = asyncio.Event()

    async def serve() -> None:
        async with open_site(data, seeded, LIMITS) as site:
            site.engine.script, site.engine._replies = script, None
            made.append(Threaded(site, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(60), "the server did not start"
    yield made[0]
    made[0].loop.call_soon_threadsafe(stop.set)
    thread.join(30)

"""The demo company's systems, running for real: a SQLite file, an HTTP server, a mail sink."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from dazi.apps.risk.service import RiskService
from dazi.connectors.context import ConnectorContext
from dazi.connectors.mail_server import SmtpServer
from dazi.main.documents import Documents
from dazi.main.door import Door
from dazi.main.managing_documents import desk
from dazi.main.risk_desk import risk_desk
from dazi.main.risk_door import RiskDoor
from dazi.main.settings import Settings
from tests import documents, risk_model
from tests.connectors.systems import FOLDER, TODAY, Company, Talk, load
from tests.fakes.desk import FakeDesk


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "yunshan.sqlite"
    load(FOLDER / "seed.py").seed(path, TODAY)
    return path


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Path:
    path = tmp_path / "yunshan.sqlite"
    shutil.copy(seeded, path)
    return path


@pytest.fixture
def services(database: Path) -> Iterator[str]:
    """The base URL of the demo's services over ``database``."""
    app = load(FOLDER / "services" / "app.py").create_app(database, TODAY)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
async def mail_folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
async def sink(mail_folder: Path) -> AsyncIterator[Any]:
    async with load(FOLDER / "services" / "mail_sink.py").MailSink(mail_folder) as running:
        yield running


@pytest.fixture(scope="session")
def documents_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return documents.made(tmp_path_factory)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def company_documents(documents_folder: Path, door: Door) -> AsyncIterator[Documents]:
    """Behind ``door``."""
    settings = Settings(company=FOLDER, data=documents_folder, today=TODAY)
    async with desk(settings) as opened:
        opened.documents.extractive = True
        door.behind = opened.documents
        yield opened.documents


@pytest.fixture(scope="session")
def risk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return risk_model.made(tmp_path_factory)


@pytest.fixture
def risk_door() -> RiskDoor:
    return RiskDoor()


@pytest.fixture
async def company_risk(
    database: Path, risk_door: RiskDoor, risk_folder: Path
) -> AsyncIterator[RiskService]:
    """Behind ``risk_door``, with a model that all tests share."""
    data = database.parent
    risk_model.give(risk_folder, data)
    async with risk_desk(Settings(company=FOLDER, data=data, today=TODAY), "risk") as d:
        risk_door.behind = d.service
        yield d.service


@pytest.fixture
async def company(
    database: Path, sink: Any, door: Door, risk_door: RiskDoor, request: pytest.FixtureRequest
) -> AsyncIterator[Company]:
    """Its HTTP services run for tests that ask for ``services``, and its documents are open for those
    that ask for ``company_documents``."""
    base = "http://127.0.0.1:9"
    if "services" in request.fixturenames:
        base = request.getfixturevalue("services")
    names = ("crm", "catalogue", "bi", "oa", "hr")
    context = ConnectorContext(
        folder=FOLDER,
        data_dir=database.parent,
        databases=dict.fromkeys(names, "sqlite:///yunshan.sqlite"),
        services={"erp": f"{base}/erp", "weather": f"{base}/weather"},
        smtp=SmtpServer("127.0.0.1", sink.port, "dazi@yunshan.example"),
        knowledge=door,
        risk=risk_door,
        desk=FakeDesk(),
    )
    made = Company(context, database)
    yield made
    for connector in made.connectors.values():
        await connector.close()


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[Talk], Awaitable[int]]]:
    """Starts a TCP server that talks as the test says; gives its port."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(talk: Talk) -> int:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                await talk(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(served, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for writer in writers:
        writer.close()
    for server in servers:
        server.close()

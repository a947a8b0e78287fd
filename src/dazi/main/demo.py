"""What a demo company brings along: seed data, its own services, a mail server. Loopback only.

A company folder with ``demo = true`` may hold ``seed.py`` (``seed(database, today)``),
``documents.py`` (``make(folder)``), ``services/app.py`` (``create_app(database, today)``, an ASGI
application) and ``services/mail_sink.py`` (``MailSink``); or a pack that it extends has them. The services
run in a thread of their own with its own event loop, so that they are real servers to Dazi and cannot
block it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.packs.layers import layers_of

if TYPE_CHECKING:
    import uvicorn

STARTS_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """Where the demo's services listen: ports on loopback."""

    services_port: int
    mail_port: int


class Demo:
    """Starts and ends a demo company's services; a folder may lack any of the files."""

    def __init__(self, company: Company, data_dir: Path, today: date) -> None:
        self._layers = layers_of(company.folder)
        self._data = data_dir
        self._today = today
        database = next(
            iter(company.settings.get("databases", {}).values()), "sqlite:///demo.sqlite"
        )
        self.database = data_dir / str(database).rpartition("///")[2]
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._error: BaseException | None = None
        self._ports: Running | None = None

    def seed(self) -> bool:
        """Fill the database when it holds nothing for today; tells whether it did."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._layers.find("seed.py")
        return path.is_file() and bool(load_module(path).seed(self.database, self._today))

    def make_documents(self) -> list[str]:
        """Make in the data folder's ``knowledge`` what is new or has changed; names those files."""
        path = self._layers.find("documents.py")
        return list(load_module(path).make(self._data / "knowledge")) if path.is_file() else []

    def start(self) -> Running | None:
        if not self._layers.find("services/app.py").is_file():
            return None
        self._thread = threading.Thread(target=self._run, name="demo-services", daemon=True)
        self._thread.start()
        if not self._ready.wait(STARTS_WITHIN_S) or self._error or self._ports is None:
            raise ConfigError(
                self._layers.find("services"),
                None,
                f"演示服务没有启动:{self._error or '超时'}",
                f"the demo services did not start: {self._error or 'timed out'}",
            )
        return self._ports

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as e:
            self._error = e
            self._ready.set()

    async def _serve(self) -> None:
        import uvicorn  # a company without services of its own never needs it

        sink = load_module(self._layers.find("services/mail_sink.py")).MailSink(self._data / "mail")
        await sink.start()
        app = load_module(self._layers.find("services/app.py")).create_app(
            self.database, self._today
        )
        listening = socket.create_server(("127.0.0.1", 0))
        # asyncio leaves Nagle on for a socket that was made without its protocol's number.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._ports = Running(listening.getsockname()[1], sink.port)
        serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not serving.done():  # noqa: ASYNC110 (uvicorn has no event)
            await asyncio.sleep(0.005)
        self._ready.set()
        await serving
        await sink.close()


def load_module(path: Path) -> ModuleType:
    """A file of a company's folder as a module. Raises ``ConfigError`` when it is not there."""
    spec = importlib.util.spec_from_file_location(f"dazi_demo_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(path, None, "演示公司缺少这个文件", "the demo company lacks this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def with_port(url: str, port: int) -> str:
    """``url`` with ``port`` where it says port 0."""
    parts = urlsplit(url)
    if parts.port != 0:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{port}"))


def addresses(settings: Mapping[str, Any], running: Running | None) -> dict[str, str]:
    """Base URLs of the company's services, the demo's ports filled in."""
    urls = {str(k): str(v) for k, v in settings.get("services", {}).items()}
    return {k: with_port(v, running.services_port) if running else v for k, v in urls.items()}

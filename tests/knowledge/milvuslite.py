"""milvus-lite's server on a free port of this machine, which can be stopped and started again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any


class Lite:
    """What is in ``folder`` outlives ``stop``; ``start`` takes the same port again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: tuple[Any, Any] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        from milvus_lite.adapter.grpc.server import start_server_in_thread

        server, database, self.port = start_server_in_thread(
            str(self._folder), "127.0.0.1", self.port
        )
        self._running = server, database

    def stop(self) -> None:
        if self._running is not None:
            server, database = self._running
            self._running = None
            server.stop(grace=None).wait()
            database.close()

    def __enter__(self) -> Lite:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

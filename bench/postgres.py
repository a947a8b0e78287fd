"""A throwaway PostgreSQL server on a free loopback port, from the programs that are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

START_S = 60.0
QUICK = ("full_page_writes=off", "autovacuum=off", "wal_level=minimal", "max_wal_senders=0")
"""Settings under which making many databases costs a third; not for measuring."""


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    beside = shutil.which("initdb")
    return found[0].parent if found else Path(beside).parent if beside else None


class Server:
    """One that may be stopped and started again on the same data."""

    def __init__(self, binaries: Path, *settings: str) -> None:
        self._binaries = binaries
        self._settings = [part for setting in settings for part in ("-c", setting)]
        self._owner = owner = _owner()
        self._base = Path(tempfile.mkdtemp(prefix="dazi-pg-"))
        self._data = self._base / "data"
        self._data.mkdir(mode=0o700)
        if owner is not None:
            for path in (self._base, self._data):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [
                binaries / "initdb", "-D", self._data, "-U", "dazi", "-A", "trust", "-E", "UTF8",
                "--locale=C", "-N",
            ],
            check=True, capture_output=True, user=self._user, cwd=self._base, env=_env(self._base),
        )  # fmt: skip

    @property
    def _user(self) -> str | None:
        return self._owner.pw_name if self._owner else None

    @property
    def url(self) -> str:
        """Without a database's name."""
        return f"postgresql://dazi@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                self._binaries / "postgres", "-D", self._data, "-p", str(self.port),
                "-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off",
                "-c", "max_connections=60", *self._settings,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._user,
            cwd=self._base, env=_env(self._base),
        )  # fmt: skip
        _wait(self._process, self.url)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """``SIGTERM`` waits for who is connected, ``SIGINT`` ends their connections."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._base, ignore_errors=True)


@contextmanager
def server(binaries: Path, *settings: str) -> Iterator[str]:
    """Its URL (without a database's name), while it runs. Nothing of it stays behind."""
    made = Server(binaries, *settings)
    try:
        made.start()
        yield made.url
    finally:
        made.remove()


def driver(url: str) -> str:
    """A company's database URL as SQLAlchemy wants it without asyncio."""
    return url.replace("sqlite+aiosqlite", "sqlite").replace(
        "postgresql://", "postgresql+psycopg://"
    )


def create(url: str, *names: str, template: str = "template1") -> None:
    """New databases on the server at ``url``, with what ``template`` holds: nobody is connected
    to that."""
    engine = create_engine(f"{driver(url)}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Log or no log: where nothing is synced, copying files is the cheaper one.
        how = " STRATEGY FILE_COPY" if engine.dialect.server_version_info >= (15,) else ""  # type: ignore[attr-defined]
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}{how}"))
    engine.dispose()


def _owner() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to be root: then it runs as a user who owns nothing."""
    if os.getuid() != 0:
        return None
    names = {p.pw_name for p in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def _env(base: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(base), "LC_ALL": "C"}


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    """Until it answers: it takes connections, and refuses them, while it is still recovering."""
    engine = create_engine(f"{driver(url)}/postgres", poolclass=NullPool)
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with {process.returncode}")
        try:
            engine.connect().close()
            return
        except OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")

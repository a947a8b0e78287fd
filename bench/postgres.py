"""A throwaway PostgreSQL server on a free loopback port, from the programs that are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

START_S = 60.0


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    beside = shutil.which("initdb")
    return found[0].parent if found else Path(beside).parent if beside else None


@contextmanager
def server(binaries: Path) -> Iterator[str]:
    """Its URL (without a database's name), while it runs. Nothing of it stays behind."""
    owner = _owner()
    base = Path(tempfile.mkdtemp(prefix="dazi-pg-"))
    data = base / "data"
    data.mkdir(mode=0o700)
    if owner is not None:
        for path in (base, data):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = owner.pw_name if owner else None
    subprocess.run(
        [
            binaries / "initdb", "-D", data, "-U", "dazi", "-A", "trust", "-E", "UTF8",
            "--locale=C", "-N",
        ],
        check=True, capture_output=True, user=user, cwd=base, env=_env(base),
    )  # fmt: skip
    process = subprocess.Popen(
        [
            binaries / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=base, env=_env(base),
    )  # fmt: skip
    try:
        _wait(process, port)
        yield f"postgresql://dazi@127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(base, ignore_errors=True)


def driver(url: str) -> str:
    """A company's database URL as SQLAlchemy wants it without asyncio."""
    return url.replace("sqlite+aiosqlite", "sqlite").replace(
        "postgresql://", "postgresql+psycopg://"
    )


def create(url: str, *names: str) -> None:
    """New databases on the server at ``url``."""
    engine = create_engine(f"{driver(url)}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()


def _owner() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to be root: then it runs as a user who owns nothing."""
    if os.getuid() != 0:
        return None
    names = {p.pw_name for p in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def _env(base: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(base), "LC_ALL": "C"}


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")

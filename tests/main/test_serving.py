"""``dazi serve`` as a process: HTTPS by settings, and stopping without dropping anybody."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

import bench
from bench.processes import free_port
from bench.upstream import MODEL
from dazi.inference.catalog import Catalog

CODE = "from dazi.main.cli import run; run()"
Start = Callable[..., tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def started(**env: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, "serve", "--port", str(port), "--no-check"],
            env={**os.environ, "DAZI_DATA": str(tmp_path / "data"), **env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        return process, port

    yield started
    for process in running:
        process.kill()
        process.wait()


def status(url: str, context: ssl.SSLContext | None = None) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        return e.code


def until_ready(url: str, context: ssl.SSLContext | None = None) -> None:
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        try:
            if status(url, context) == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("it did not start")


def test_https_by_settings(start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("localhost")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    for i, part in enumerate(made.cert_chain_pems):
        part.write_to_path(tmp_path / "cert.pem", append=i > 0)
    _, port = start(
        DAZI_TLS_CERT=str(tmp_path / "cert.pem"), DAZI_TLS_KEY=str(tmp_path / "key.pem")
    )
    context = ssl.create_default_context()
    authority.configure_trust(context)
    until_ready(f"https://localhost:{port}/readyz", context)
    with pytest.raises(OSError):
        status(f"http://localhost:{port}/readyz")


def test_readiness_goes_first_and_answers_go_on(start: Start) -> None:
    process, port = start(DAZI_DRAIN_SECONDS="2")
    ready, alive = f"http://127.0.0.1:{port}/readyz", f"http://127.0.0.1:{port}/healthz"
    until_ready(ready)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert (status(ready), status(alive)) == (503, 200)
    assert process.wait(30) == 0
    with pytest.raises(OSError):
        status(alive)


def test_the_model_server_may_come_up_later(start: Start, tmp_path: Path) -> None:
    later = free_port()
    Catalog(tmp_path / "data").use(f"http://127.0.0.1:{later}/v1", MODEL)
    _, port = start()
    ready, alive = f"http://127.0.0.1:{port}/readyz", f"http://127.0.0.1:{port}/healthz"
    until_ready(alive)
    assert status(ready) == 503
    upstream = subprocess.Popen(
        [sys.executable, str(Path(bench.__file__).parent / "upstream.py"), str(later)],
        stdout=subprocess.DEVNULL,
    )
    try:
        until_ready(ready)
    finally:
        upstream.kill()
        upstream.wait()

"""Nothing leaves the house: no dependency may look up or reach an outside address."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dazi.inference.catalog import BUNDLED

QUESTION = "我三天前下的订单 ORD12345 还没发货,怎么回事?"

# An audit hook sees every look-up and connection of the interpreter, whoever makes it.
WATCH = """
import sys

def watch(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        sys.stderr.write(f"DIALLED {event} {args!r}\\n")
        raise OSError(f"outside connection: {args!r}")

sys.addaudithook(watch)
"""

ASK = f"""
import sys
sys.argv = ["dazi", "ask", {QUESTION!r}, "--json"]
from dazi.main.cli import run
run()
"""

needs_model = pytest.mark.skipif(
    not (BUNDLED / "openvino_model.xml").is_file(),
    reason="the bundled model is not there: the whole path is not watched",
)


def _ask(
    tmp_path: Path, code: str, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    # Telemetry of dependencies likes to keep quiet where it sees a CI system: hide that.
    env = {k: v for k, v in os.environ.items() if k not in ("CI", "TF_BUILD", "JENKINS_URL")}
    env |= {"DAZI_DATA": str(tmp_path / "data"), "HOME": str(tmp_path)}
    return subprocess.run(
        [*before, sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@needs_model
def test_no_look_up_and_no_connection_outside_loopback(tmp_path: Path) -> None:
    done = _ask(tmp_path, WATCH + ASK)
    assert "DIALLED" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
    assert "ORD12345" in json.dumps(json.loads(done.stdout)["calls"])
    # A client id or the like in the home directory would be the trace of a telemetry package.
    assert [p.name for p in tmp_path.iterdir() if p.name not in ("data", ".cache")] == []


def test_the_watch_notices_an_outside_connection(tmp_path: Path) -> None:
    code = WATCH + "\nimport socket\nsocket.create_connection(('192.0.2.1', 80), 1)"
    done = _ask(tmp_path, code)
    assert "DIALLED" in done.stderr and done.returncode != 0


@needs_model
def test_the_flagship_in_a_network_of_loopback_only(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("no unshare or ip command: the loopback-only network is not tried")
    alone = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not make a network namespace: it is not tried")
    done = _ask(tmp_path, ASK, alone)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["calls"][0]["name"] == "get_order_status"
    assert answer["calls"][0]["outcome"] == "ok"

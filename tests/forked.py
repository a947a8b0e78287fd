"""``dazi`` without the second that its imports take: a process that has made them forks for each call.

What runs is the command itself, in a process of its own: with its caller's arguments, environment,
folder, streams, and an exit status. That it starts from nothing as well is for
``tests/main/test_commands.py``, ``README.md`` and every server that a test starts.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("dazi.main", "dazi.main.commands", "dazi.ops.compliance.checks")
"""Importing these, one imports nearly all."""
STREAMS = 3

CALLER = """\
import json, os, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect(sys.argv[1])
said = json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(door, [len(said).to_bytes(4, "big")], [0, 1, 2])
door.sendall(said)
told = door.recv(1)
sys.exit(told[0] if told else 1)
"""
"""Says what it was called with, hands over its streams, and ends as the command did."""


@contextmanager
def forking() -> Iterator[str]:
    """A line of shell that is ``dazi``."""
    with tempfile.TemporaryDirectory(prefix="dazi-forked-") as folder:  # a socket's path is short
        yield from _forking(Path(folder))


def _forking(folder: Path) -> Iterator[str]:
    door, caller = folder / "door", folder / "caller.py"
    caller.write_text(CALLER, "utf-8")
    code = f"from tests.forked import stand_by; stand_by({str(door)!r})"
    paths = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    standing = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
    )
    try:
        assert standing.stdout is not None and standing.stdout.readline() == b"ready\n"
        yield f'exec {shlex.quote(sys.executable)} -SE {shlex.quote(str(caller))} {door} "$@"'
    finally:
        standing.terminate()
        standing.wait(10)


def stand_by(door: str) -> NoReturn:
    """Import what commands import, then fork for whoever calls."""
    for room in ROOMS:
        for found in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(found.name)
    gc.freeze()  # what was imported need not be looked through by each who leaves
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(door)
    listening.listen()
    print("ready", flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who waits for a command
    while True:
        called, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os._exit(_serve(called))
        called.close()


def _serve(called: socket.socket) -> int:
    length, streams, _, _ = socket.recv_fds(called, 4, STREAMS)
    said = called.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    pid = os.fork()
    if pid == 0:
        called.close()
        arguments, environment, folder = json.loads(said)
        _become(arguments, environment, folder, streams)
    for stream in streams:
        os.close(stream)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        called.sendall(bytes([code if code >= 0 else 128 - code]))
    return 0


def _become(
    arguments: list[str], environment: dict[str, str], folder: str, streams: list[int]
) -> NoReturn:
    """The command. Leaves by an exception, so that all that is to happen at the end happens."""
    from dazi.main.cli import run

    for own, given in enumerate(streams):
        os.dup2(given, own)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["dazi", *arguments]
    run()
    sys.exit(0)

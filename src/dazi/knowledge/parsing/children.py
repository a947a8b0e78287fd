"""Workers as their listener sees them, and the nursery that they come from."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import weakref
from pathlib import Path

from dazi.knowledge.parsing.nursery import framed, frames

_BUFFERED = 64 << 10
_LARGEST = 64 << 10
ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).parents[3]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "LC_ALL": "C.UTF-8",
}
"""With nothing of this process's own: it may hold secrets."""


class Child:
    """As ``asyncio.subprocess.Process``, of a process that is the nursery's child and not ours."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, nursery: Nursery) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._nursery = nursery
        self._ended = asyncio.Event()

    def kill(self) -> None:
        if self.returncode is None:
            self._nursery.kill(self.pid)

    async def wait(self) -> int | None:
        await self._ended.wait()
        return self.returncode

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()


class Nursery:
    """Of one event loop. Ends with it, or with its last reference."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._socket = ours
        with theirs, open(os.devnull, "wb") as nothing:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", "dazi.knowledge.parsing.nursery"],
                ENVIRONMENT,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, nothing.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, nothing.fileno(), 2),
                ],
            )
        self._buffer = bytearray()
        self._children: dict[int, Child] = {}
        self._alone = asyncio.Lock()
        self._answer: asyncio.Future[Child] | None = None
        self.over = False
        self._finish = weakref.finalize(self, _leave, ours, self.pid)
        self._loop.add_reader(ours.fileno(), _heard, weakref.ref(self))

    async def begin(self, file: int, order: str) -> Child:
        """A worker that reads ``file``, which stays ours to close. Raises ``OSError``."""
        reading, writing = os.pipe()
        try:
            async with self._alone:
                self._answer = self._loop.create_future()
                message = framed(b"b", order)
                socket.send_fds(self._socket, [message], [file, writing])
                child = await self._answer
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        protocol = asyncio.StreamReaderProtocol(child.stdout)
        await self._loop.connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb", 0))
        return child

    def kill(self, pid: int) -> None:
        if not self.over:
            self._socket.send(framed(b"k", str(pid)))

    def close(self) -> None:
        if not self.over:
            self.over = True
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket.fileno())
            self._finish()
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(ConnectionResetError("no parser process"))
            for child in self._children.values():
                child.end(-1)

    def hear(self) -> None:
        try:
            data = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._buffer += data
        for letter, text in frames(self._buffer):
            if letter == b"p":
                stdout = asyncio.StreamReader(limit=_BUFFERED)
                child = self._children[int(text)] = Child(int(text), stdout, self)
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(child)
                else:
                    child.kill()  # whoever wanted it has left
            else:
                number, code = map(int, text.split())
                self._children.pop(number).end(code)


def nursery() -> Nursery:
    """The running loop's, started if there is none."""
    loop = asyncio.get_running_loop()
    found = _nurseries.get(loop)
    if found is None or found.over:
        found = _nurseries[loop] = Nursery()
    return found


_nurseries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Nursery] = (
    weakref.WeakKeyDictionary()
)


def _heard(of: weakref.ref[Nursery]) -> None:
    found = of()
    if found is not None:
        found.hear()


def _leave(ours: socket.socket, pid: int) -> None:
    """It ends at once when nobody speaks to it any more."""
    ours.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)

"""A process that has the parsers loaded and makes a copy of itself for each file: a hundredth of a
second instead of some tenths. It never looks at a file itself.

It speaks over the socket that is its standard input, and ends when that is closed. Each message begins
with a letter and the length of its text: ``b`` (begin; the text is an ``Order``, and with it come the
file and a pipe to speak on) is answered by ``p`` (the copy's process id); ``k`` (a process id) kills;
``e`` says which copy has ended, and with what status.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys

from dazi.knowledge.parsing import worker

HEAD = 5
"""Bytes of a letter and a length."""
_LARGEST = 64 << 10


def framed(letter: bytes, text: str) -> bytes:
    body = text.encode()
    return letter + len(body).to_bytes(HEAD - 1, "big") + body


def frames(buffer: bytearray) -> list[tuple[bytes, str]]:
    """The whole messages at the beginning of ``buffer``, taken out of it."""
    out = []
    while len(buffer) >= HEAD:
        end = HEAD + int.from_bytes(buffer[1:HEAD], "big")
        if len(buffer) < end:
            break
        out.append((bytes(buffer[:1]), buffer[HEAD:end].decode()))
        del buffer[:end]
    return out


class _Nursery:
    def __init__(self, parent: socket.socket) -> None:
        self._parent = parent
        self._buffer = bytearray()
        self._files: list[int] = []
        self._children: set[int] = set()

    def serve(self) -> None:
        wakes, wake = socket.socketpair()
        wakes.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        selector = selectors.DefaultSelector()
        selector.register(self._parent, selectors.EVENT_READ)
        selector.register(wakes, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wakes:
                    wakes.recv(_LARGEST)
                elif not self._hear():
                    return
            self._reap()

    def end(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)

    def _hear(self) -> bool:
        data, files, _, _ = socket.recv_fds(self._parent, _LARGEST, 2)
        self._files += files
        self._buffer += data
        for letter, text in frames(self._buffer):
            if letter == b"b":
                self._begin(text)
            elif letter == b"k" and int(text) in self._children:
                os.kill(int(text), signal.SIGKILL)
        return bool(data)

    def _begin(self, order: str) -> None:
        file, pipe = self._files.pop(0), self._files.pop(0)
        child = os.fork()
        if child == 0:
            _become(file, pipe, order)
        os.close(file)
        os.close(pipe)
        self._children.add(child)
        self._parent.sendall(framed(b"p", str(child)))

    def _reap(self) -> None:
        while self._children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            self._children.discard(child)
            code = os.waitstatus_to_exitcode(status)
            self._parent.sendall(framed(b"e", f"{child} {code}"))


def _become(file: int, pipe: int, order: str) -> None:
    """A worker like one that was started by itself."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(file, 0)
        os.dup2(pipe, 1)
        os.closerange(3, max(file, pipe, 64) + 1)
        code = worker.main(order)
    finally:
        os._exit(code)


def main() -> int:
    parent = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    worker.load(None)
    gc.collect()
    gc.freeze()  # copies share what is never touched
    nursery = _Nursery(parent)
    try:
        nursery.serve()
    except (BrokenPipeError, ConnectionResetError):
        pass  # whoever started us is gone
    finally:
        nursery.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())

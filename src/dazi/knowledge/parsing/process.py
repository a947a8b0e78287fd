"""Starts the worker, listens to it, and kills it at its limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from dazi.core.errors import DaziError
from dazi.knowledge.blocks import Block, Box, Progress
from dazi.knowledge.parsing.children import ENVIRONMENT, Child, nursery
from dazi.knowledge.parsing.failures import no_worker, not_read
from dazi.knowledge.parsing.image import HEAD_BYTES, is_image
from dazi.knowledge.parsing.kinds import Kind, kind_of
from dazi.knowledge.parsing.limits import (
    IMAGE_LIMITS,
    MESSAGE_BYTES,
    PICTURE_BYTES,
    PICTURE_LIMITS,
    ParseLimits,
)
from dazi.knowledge.parsing.messages import (
    LENGTH_BYTES,
    Done,
    Drawing,
    Failed,
    Found,
    Highlight,
    Message,
    Order,
    Piece,
    Ready,
    read_message,
)
from dazi.knowledge.parsing.refusals import Reason, Refused

_BUFFERED = 64 << 10
ORDER_BYTES = 60_000
"""What an order may say: it must go through a socket in one piece."""
_START_SECONDS = 60.0
"""For a machine that is busy: until the libraries are loaded nothing of the file is read."""
_LEAVE_SECONDS = 5.0
DEFAULT_LIMITS = ParseLimits()
_IMAGE = "图片 / image"
_NOTHING_YET = Found([], None)


async def parse(
    path: Path,
    kind: Kind | None = None,
    limits: ParseLimits = DEFAULT_LIMITS,
    *,
    pages: tuple[int, int] | None = None,
    ocr: bool = False,
) -> AsyncGenerator[Block | Progress]:
    """The blocks of a file in reading order, and after each page or sheet how far it has come.

    ``kind``: the format, where the name does not tell; content that is something else is refused.
    ``pages``: first and last to read, counted from 1, to go on where an earlier run stopped.
    Only the file at ``path`` is opened, never a link. Blocks that came before an error are right.
    Whoever stops early closes the generator (``contextlib.aclosing``), which ends the process.

    Raises ``CallerError`` with one of ``failures.CODES``; ``OperatorError`` where ``ocr`` is asked
    for and not installed, or the process does not start.
    """
    try:
        order = Order(kind or kind_of(path), limits, pages, ocr)
    except Refused as refused:
        raise not_read(path.name, refused.reason, limits) from None
    async with _worker(path, order) as listening:
        while (found := await listening.next()) is not None:
            for block in found.blocks:
                yield block
            if found.progress is not None:
                yield found.progress
        if listening.failed is not None:
            raise _error(path.name, listening.failed, order)


async def picture(
    path: Path, page: int, box: Box | None = None, limits: ParseLimits = PICTURE_LIMITS
) -> bytes:
    """A page of a PDF as PNG, counted from 1, with a frame around ``box``. Drawn where files are
    read, within the same limits and fewer seconds.

    Raises ``CallerError`` with one of ``failures.CODES``; ``OperatorError`` as ``parse``.
    """
    order = Order("pdf", limits, drawing=Drawing(page, box))
    async with _worker(path, order) as listening:
        while await listening.next() is not None:
            pass
        if listening.failed is not None:
            raise _error(path.name, listening.failed, order)
        return bytes(listening.picture)


async def highlighted(
    path: Path, highlights: Sequence[Highlight], limits: ParseLimits = DEFAULT_LIMITS
) -> bytes:
    """A copy of a PDF with highlights and their notes: the first of them that fit an order. Made where
    files are read, within the same limits.

    Raises ``CallerError`` with one of ``failures.CODES``; ``OperatorError`` as ``parse``.
    """
    fitting: list[Highlight] = []
    left = ORDER_BYTES
    for highlight in highlights:
        left -= len(msgspec.json.encode(highlight)) + 1
        if left < 0:
            break
        fitting.append(highlight)
    order = Order("pdf", limits, highlights=fitting)
    async with _worker(path, order) as listening:
        listening.most_bytes = limits.file_bytes
        while await listening.next() is not None:
            pass
        if listening.failed is not None:
            raise _error(path.name, listening.failed, order)
        return bytes(listening.picture)


async def text_of_image(data: bytes, limits: ParseLimits = IMAGE_LIMITS, name: str = "") -> str:
    """The text on a picture (PNG, JPEG, WebP, BMP), a line for each row of it; empty where there is none. Decoded
    and recognised in a process of its own, within ``limits``. ``name``: what errors call it.

    Raises ``CallerError`` with one of ``failures.CODES``; ``OperatorError`` where OCR is not installed, or the
    process does not start.
    """
    name = name or _IMAGE
    reason: Reason | None = None
    if len(data) > limits.file_bytes:
        reason = "file_size"
    elif not is_image(data[:HEAD_BYTES]):
        reason = "not_image" if data else "empty"
    if reason is not None:
        raise not_read(name, reason, limits)
    order = Order(None, limits, ocr=True, image=True)
    descriptor = await asyncio.to_thread(_unnamed, data)
    said: list[str] = []
    async with _at_work(descriptor, order) as listening:
        while (found := await listening.next()) is not None:
            said += [block.text for block in found.blocks]
        if listening.failed is not None:
            raise _error(name, listening.failed, order)
    return "\n".join(said)


def _unnamed(data: bytes) -> int:
    """A descriptor to read ``data`` from the beginning; in memory, where the system has such files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("image", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@asynccontextmanager
async def _worker(path: Path, order: Order) -> AsyncIterator[_Listening]:
    """At work on a file, and ended afterwards."""
    try:
        descriptor = await asyncio.to_thread(_opened, path, order.limits)
    except Refused as refused:
        raise not_read(path.name, refused.reason, order.limits) from None
    async with _at_work(descriptor, order) as listening:
        yield listening


@asynccontextmanager
async def _at_work(descriptor: int, order: Order) -> AsyncIterator[_Listening]:
    """On what ``descriptor`` reads, which is closed."""
    try:
        process = await _started(descriptor, order)
    finally:
        os.close(descriptor)
    listening = _Listening(process, order)
    try:
        yield listening
    finally:
        await _end(process, listening.over)


class _Listening:
    """To one worker. It is trusted with nothing: what it says is counted here too."""

    def __init__(self, process: Process | Child, order: Order) -> None:
        assert process.stdout is not None
        self._process = process
        self._stdout = process.stdout
        self._limits = order.limits
        self._first = order.pages[0] if order.pages else 1
        self._pages = 0
        self._blocks = 0
        self._characters = 0
        self._seconds = 0.0
        self._ready = False
        self.picture = bytearray()
        self.most_bytes = PICTURE_BYTES
        self.over = False
        """It has said its last and ends by itself."""
        self.failed: Reason | None = None

    async def next(self) -> Found | None:
        """None at the end; ``failed`` then says why, if it came early."""
        if not self._ready:
            await self._begin()
        try:
            message = await self._message()
        except TimeoutError:
            self.failed = "slow"
            return None
        except msgspec.MsgspecError:
            self.failed = "crashed"
            return None
        except asyncio.IncompleteReadError:
            self.over, self.failed = True, await self._why_it_ended()
            return None
        match message:
            case Found():
                return message if self._counted(message) else None
            case Piece(data) if len(self.picture) + len(data) <= self.most_bytes:
                self.picture += data
                return _NOTHING_YET
            case Failed(reason):
                self.over, self.failed = True, reason
            case Ready() | Piece():
                self.failed = "crashed"
            case Done():
                self.over = True
        return None

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                message = await self._read()
        except (TimeoutError, asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            raise no_worker() from error
        if not isinstance(message, Ready):
            raise no_worker()
        self._ready = True

    async def _message(self) -> Message:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._limits.seconds_for(self._pages) - self._seconds):
                return await self._read()
        finally:
            self._seconds += loop.time() - began

    async def _read(self) -> Message:
        length = int.from_bytes(await self._stdout.readexactly(LENGTH_BYTES), "big")
        if length > MESSAGE_BYTES:
            raise msgspec.DecodeError(f"a message of {length} bytes")
        return read_message(await self._stdout.readexactly(length))

    def _counted(self, found: Found) -> bool:
        self._blocks += len(found.blocks)
        self._characters += sum(len(b.text) for b in found.blocks)
        self._pages += found.progress is not None
        if self._characters > self._limits.characters:
            self.failed = "characters"
        elif self._blocks > self._limits.blocks:
            self.failed = "blocks"
        elif self._pages > self._limits.pages:
            self.failed = "pages"
        return self.failed is None

    async def _why_it_ended(self) -> Reason:
        """It said nothing: it was killed at its limit of processor time, or it broke."""
        await _end(self._process, by_itself=True)
        return "slow" if self._process.returncode == -signal.SIGXCPU else "crashed"


def _error(name: str, reason: Reason, order: Order) -> DaziError:
    return not_read(name, reason, order.limits, ocr=order.ocr)


def _opened(path: Path, limits: ParseLimits) -> int:
    """A descriptor to read an ordinary file. Raises ``Refused``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise Refused("not_a_file") from error
    status = os.fstat(descriptor)
    reason: Reason | None = None
    if not stat.S_ISREG(status.st_mode):
        reason = "not_a_file"
    elif status.st_size == 0:
        reason = "empty"
    elif status.st_size > limits.file_bytes:
        reason = "file_size"
    if reason is not None:
        os.close(descriptor)
        raise Refused(reason)
    return descriptor


async def _started(descriptor: int, order: Order) -> Process | Child:
    """A copy of one that has the parsers loaded; a process of its own where that is not enough."""
    text = msgspec.json.encode(order).decode()
    if not order.ocr:
        try:
            return await nursery().begin(descriptor, text)
        except OSError as error:
            raise no_worker() from error
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "dazi.knowledge.parsing.worker",
        text,
        stdin=descriptor,
        stdout=PIPE,
        stderr=DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        limit=_BUFFERED,
    )


async def _end(process: Process | Child, by_itself: bool) -> None:
    """Ends it, if it does not do so by itself, and takes leave of it."""
    if by_itself:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await process.wait()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.stdout is not None
    while await process.stdout.read(_BUFFERED):
        pass  # a pipe that is not read to its end keeps wait() waiting
    await process.wait()

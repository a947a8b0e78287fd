"""The worker: what it may do, when it ends, and that its listener stays free."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
import typst

from dazi.core.errors import CallerError, OperatorError
from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing import children, process
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.messages import Found, Ready, framed
from dazi.knowledge.parsing.process import parse
from tests.knowledge import samples
from tests.knowledge.reading import items

PAGES = 1600


@pytest.fixture(scope="module")
def long_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.pdf"
    path.write_bytes(samples.long_pdf(PAGES))
    return path


def resident(pid: int) -> float:
    """The most so far, in MiB."""
    return int(kernel_says(pid, "status").split("VmHWM:")[1].split()[0]) / 1024


def memory_now() -> float:
    """Of this process, in MiB."""
    return int(kernel_says(os.getpid(), "status").split("VmRSS:")[1].split()[0]) / 1024


def kernel_says(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def pages_of(found: list[Block | Progress]) -> list[int]:
    return [i.page for i in found if isinstance(i, Progress)]


async def test_1600_pages(long_pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamed: the first page is here while most are to come, and neither side grows."""
    most = 0.0
    started = process._started
    pids: list[int] = []

    async def seen(descriptor: int, order: process.Order) -> asyncio.subprocess.Process:
        made = await started(descriptor, order)
        pids.append(made.pid)
        return made

    monkeypatch.setattr(process, "_started", seen)
    own: list[float] = []
    headings, clauses, running = [], 0, 0
    async with aclosing(parse(long_pdf)) as found:
        async for item in found:
            if isinstance(item, Block):
                headings += [item.text] if item.kind == "heading" else []
                clauses += f"clause {item.page} is {item.page * 7} yuan" in item.text
                running += item.text.startswith((samples.HEADER, f"Page {item.page} of"))
            elif item.page % 200 == 0 and item.page < PAGES:
                most = max(most, resident(pids[0]))
                own.append(memory_now())
    assert headings == [f"Chapter {n}" for n in range(1, PAGES + 1)]
    assert clauses == PAGES and running == 0
    assert 0 < most < 256
    assert max(own) - own[0] < 16, "the listener holds a page, not the document"


async def test_it_goes_on_from_any_page(long_pdf: Path) -> None:
    whole = await items(long_pdf, pages=(700, 720))
    assert pages_of(whole) == list(range(700, 721))
    again = await items(long_pdf, pages=(700, 707)) + await items(long_pdf, pages=(708, 720))
    assert again == whole
    assert await items(long_pdf, pages=(PAGES + 1, PAGES + 9)) == []


async def test_a_slow_taker_makes_the_worker_wait_and_has_all_time(long_pdf: Path) -> None:
    limits = ParseLimits(seconds=6)
    taken: list[Block | Progress] = []
    async with aclosing(parse(long_pdf, limits=limits, pages=(1, 20))) as found:
        async for item in found:
            taken.append(item)
            if len(taken) == 1:
                await asyncio.sleep(7)
    assert pages_of(taken)[-1] == 20


async def test_who_leaves_ends_the_worker(long_pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.subprocess.Process] = []
    started = process._started

    async def seen(descriptor: int, order: process.Order) -> asyncio.subprocess.Process:
        made.append(await started(descriptor, order))
        return made[-1]

    monkeypatch.setattr(process, "_started", seen)
    async with aclosing(parse(long_pdf)) as found:
        async for _ in found:
            break
    assert made[0].returncode == -9

    async def all_of_it() -> None:
        async with aclosing(parse(long_pdf)) as found:
            async for _ in found:
                taken.set()

    taken = asyncio.Event()
    task = asyncio.create_task(all_of_it())
    await taken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made[1].returncode == -9


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (ParseLimits(characters=1000), "document_too_large"),
        (ParseLimits(blocks=50), "document_too_large"),
        (ParseLimits(pages=100), "document_too_large"),
        (ParseLimits(file_bytes=1000), "document_too_large"),
        (ParseLimits(seconds=0.3), "document_too_slow"),
        (ParseLimits(seconds_in_all=0.5), "document_too_slow"),
    ],
)
async def test_limits(long_pdf: Path, limits: ParseLimits, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        await items(long_pdf, limits)
    assert caught.value.code == code


async def test_only_ordinary_files(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for name in ("link.txt", "folder.txt", "pipe.txt", "gone.txt", "a\x00.txt"):
        with pytest.raises(CallerError) as caught:
            await items(tmp_path / name)
        assert caught.value.code == "document_unreadable", name


TRY = """
import os, socket, subprocess, sys
from dazi.knowledge.parsing import worker
from dazi.knowledge.parsing.limits import ParseLimits
if sys.argv[1] == "confined":
    worker._confine(ParseLimits(), 2, ocr=False)
for what in (
    lambda: open("/etc/hostname"),
    lambda: open(os.path.join(sys.argv[-1], "x"), "w"),
    lambda: socket.socket(),
    lambda: os.pipe(),
    lambda: subprocess.run(["true"], capture_output=True),
    lambda: bytearray(300 << 20),
):
    try:
        what()
        print("done")
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
"""


def test_a_confined_process_opens_nothing(tmp_path: Path) -> None:
    def tried(how: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", TRY, how, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return done.stdout.split()

    assert tried("confined") == ["OSError"] * 5 + ["MemoryError"]
    assert list(tmp_path.iterdir()) == []
    assert tried("free") == ["done"] * 6, "without confining, each of them works here"


async def test_the_worker_has_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor has the process whose copy it is."""
    monkeypatch.setenv("DAZI_API_KEY", "secret")
    (tmp_path / "a.txt").write_text("x")
    await items(tmp_path / "a.txt")
    has = kernel_says(children.nursery().pid, "environ")
    assert "PYTHONPATH" in has and "secret" not in has and "HOME" not in has


async def test_reading_goes_on_when_the_parsers_process_is_gone(long_pdf: Path) -> None:
    async with aclosing(parse(long_pdf)) as found:
        await anext(found)
        nursery = children.nursery()
        os.kill(nursery.pid, signal.SIGKILL)
        assert [item async for item in found]
    assert nursery.over
    again = [item async for item in parse(long_pdf, pages=(1, 1))]
    assert again and children.nursery() is not nursery


async def _instead(
    monkeypatch: pytest.MonkeyPatch, path: Path, code: str
) -> list[Block | Progress]:
    """A worker that was taken over by the file, and says what it likes."""

    async def started(descriptor: int, order: process.Order) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=descriptor, stdout=-1, stderr=-3
        )

    monkeypatch.setattr(process, "_started", started)
    await asyncio.to_thread(path.write_text, "x")
    return await items(path, ParseLimits(seconds=5, characters=100_000, blocks=1000))


READY = framed(Ready())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (READY + b"\xff\xff\xff\xff" + b"x" * 100, "document_unreadable"),
        (READY + b"\x00\x00\x00\x03abc", "document_unreadable"),
        (READY + READY, "document_unreadable"),
        (READY, "document_unreadable"),
        (READY + framed(Found([Block("text", "x" * 60_000)])) * 2, "document_too_large"),
        (READY + framed(Found([Block("text", "")] * 501)) * 2, "document_too_large"),
    ],
)
async def test_a_worker_that_was_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes, code: str
) -> None:
    kept = tmp_path / "said"
    kept.write_bytes(said)
    speak = f"import sys; sys.stdout.buffer.write(open({str(kept)!r}, 'rb').read())"
    with pytest.raises(CallerError) as caught:
        await _instead(monkeypatch, tmp_path / "a.txt", speak)
    assert caught.value.code == code


async def test_a_worker_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = (
        f"import sys, time; sys.stdout.buffer.write({READY!r}); sys.stdout.flush(); time.sleep(99)"
    )
    with pytest.raises(CallerError) as caught:
        await _instead(monkeypatch, tmp_path / "a.txt", wait)
    assert caught.value.code == "document_too_slow"


async def test_a_worker_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OperatorError) as caught:
        await _instead(monkeypatch, tmp_path / "a.txt", "import nothing_of_that_name")
    assert caught.value.code == "no_parser"


async def test_ocr_that_is_not_installed_is_said_to_be_so(tmp_path: Path) -> None:
    if importlib.util.find_spec("rapidocr") is not None:
        pytest.skip("rapidocr is installed")
    (tmp_path / "a.pdf").write_bytes(samples.pdf())
    with pytest.raises(OperatorError) as caught:
        async with aclosing(parse(tmp_path / "a.pdf", ocr=True)) as found:
            async for _ in found:
                pass
    assert caught.value.code == "no_ocr" and "dazi[ocr]" in caught.value.text.zh


async def test_scans_are_read_where_ocr_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="no rapidocr here: reading scans was not tried")
    (tmp_path / "scan.png").write_bytes(typst.compile(SCANNED, format="png", ppi=200))
    page = b'#set page(margin: 0pt)\n#image("scan.png", width: 100%)'
    (tmp_path / "main.typ").write_bytes(page)
    (tmp_path / "a.pdf").write_bytes(typst.compile(str(tmp_path / "main.typ"), format="pdf"))
    async with aclosing(parse(tmp_path / "a.pdf", ocr=True)) as found:
        kept = [item async for item in found]
    assert "ten days" in " ".join(i.text for i in kept if isinstance(i, Block))
    assert kept[-1] == Progress(1, 1)


SCANNED = b"#set text(size: 14pt)\nEvery employee has ten days of annual leave."

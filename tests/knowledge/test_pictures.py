"""Pages as pictures: drawn in the worker, framed where a passage stands, and within its limits."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typst

from dazi.core.errors import CallerError
from dazi.knowledge.parsing import process
from dazi.knowledge.parsing.drawing import LONGEST_SIDE
from dazi.knowledge.parsing.failures import CODES
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.process import picture
from tests.knowledge import samples
from tests.knowledge.bombs import Watch
from tests.knowledge.bombs_pdf import pdf_bombs

TIGHT = ParseLimits(seconds=2.0, seconds_in_all=2.0)
KILL_SECONDS = 20.0


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.pdf"
    path.write_bytes(typst.compile(samples.RULES_TYPST.encode()))
    return path


class Png:
    """Read by hand: nothing that is shipped reads pictures."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
        parts = list(self._chunks(data[8:]))
        head = dict(parts)[b"IHDR"]
        self.width, self.height = (int.from_bytes(head[i : i + 4], "big") for i in (0, 4))
        assert head[8:] == bytes((8, 2, 0, 0, 0))
        self._rows = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
        assert len(self._rows) == self.height * (1 + 3 * self.width)

    @staticmethod
    def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
        while data:
            size = int.from_bytes(data[:4], "big")
            name, body, check = data[4:8], data[8 : 8 + size], data[8 + size : 12 + size]
            assert zlib.crc32(name + body).to_bytes(4, "big") == check
            yield name, body
            data = data[12 + size :]

    def at(self, x: int, y: int) -> bytes:
        start = y * (1 + 3 * self.width) + 1 + 3 * x
        return self._rows[start : start + 3]

    def colours(self) -> set[bytes]:
        return {self.at(x, y) for y in range(0, self.height, 3) for x in range(0, self.width, 3)}


async def test_a_page_is_drawn(rules: Path) -> None:
    drawn = Png(await picture(rules, 1))
    assert abs(drawn.width - 2 * 595) <= 2 and abs(drawn.height - 2 * 842) <= 2
    assert {b"\xff\xff\xff", b"\0\0\0"} <= drawn.colours()
    second = Png(await picture(rules, 2))
    assert len(second.colours()) < len(drawn.colours())


async def test_a_passage_is_framed(rules: Path) -> None:
    plain = Png(await picture(rules, 3))
    framed = Png(await picture(rules, 3, (100.0, 200.0, 300.0, 260.0)))
    mark = bytes((15, 118, 110))
    assert mark not in plain.colours()
    assert framed.at(2 * 200, 2 * 200 - 5) == framed.at(2 * 300 + 4, 2 * 230) == mark
    assert framed.at(2 * 200, 2 * 230) == plain.at(2 * 200, 2 * 230)
    outside = Png(await picture(rules, 3, (5_000.0, 5_000.0, 6_000.0, 6_000.0)))
    assert outside.colours() == plain.colours()


async def test_a_huge_page_is_a_picture_of_ordinary_size(tmp_path: Path) -> None:
    path = tmp_path / "poster.pdf"
    path.write_bytes(typst.compile(b"#set page(width: 5000pt, height: 9000pt)\n= Poster"))
    drawn = Png(await picture(path, 1))
    assert max(drawn.width, drawn.height) <= LONGEST_SIDE + 1


async def test_what_is_no_page_is_refused(rules: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(b"PK\x03\x04 not a PDF")
    link = tmp_path / "link.pdf"
    link.symlink_to(rules)
    for path, page in ((rules, 4), (rules, 0), (other, 1), (link, 1), (tmp_path / "none.pdf", 1)):
        with pytest.raises(CallerError) as raised:
            await picture(path, page)
        assert raised.value.code in CODES


async def test_bombs_end_within_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hurts whoever draws it is drawn elsewhere, and not for long."""
    watch = Watch()
    started = process._started

    async def seen(descriptor: int, order: process.Order) -> object:
        made = await started(descriptor, order)
        watch.add(made.pid)
        return made

    monkeypatch.setattr(process, "_started", seen)
    loop = asyncio.get_running_loop()
    outcomes: dict[str, str] = {}
    for n, (name, _, make) in enumerate(pdf_bombs()):
        if n % 4:
            continue
        path = tmp_path / f"{n}.pdf"
        path.write_bytes(await asyncio.to_thread(make))
        began = loop.time()
        try:
            await picture(path, 1, limits=TIGHT)
            outcomes[name] = "drawn"
        except CallerError as e:
            outcomes[name] = e.code
        assert loop.time() - began < TIGHT.seconds_in_all + KILL_SECONDS, name
        path.unlink()
    watch.close()
    print(outcomes)
    assert len(outcomes) > 10 and set(outcomes.values()) <= {*CODES, "drawn"}
    assert max(watch.most.values()) < 256


async def test_a_worker_that_floods_is_cut_off(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PICTURE_BYTES", 5_000)
    with pytest.raises(CallerError) as raised:
        await picture(rules, 1)
    assert raised.value.code in CODES

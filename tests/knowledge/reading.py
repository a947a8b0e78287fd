"""Reads files through the worker, for tests."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.process import DEFAULT_LIMITS, parse


async def items(
    path: Path, limits: ParseLimits = DEFAULT_LIMITS, pages: tuple[int, int] | None = None
) -> list[Block | Progress]:
    async with aclosing(parse(path, limits=limits, pages=pages)) as found:
        return [item async for item in found]


async def blocks(path: Path, pages: tuple[int, int] | None = None) -> list[Block]:
    return [i for i in await items(path, pages=pages) if isinstance(i, Block)]


async def blocks_of(folder: Path, name: str, data: bytes | str) -> list[Block]:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return await blocks(path)


def texts(found: list[Block], kind: str = "") -> list[str]:
    return [b.text for b in found if not kind or b.kind == kind]

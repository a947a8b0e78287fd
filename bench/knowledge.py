"""A large library on this machine: building it, and searching it while somebody writes.

    .venv/bin/python bench/knowledge.py [chunks ...] [--vectors]

Each size is built anew in a temporary folder: documents of twenty passages of made-up Chinese, a tenth
of them for a role that the person asking has, a hundredth for one other, the rest for everybody or
nobody. Prints times, memory (the most that was resident) and disk as a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dazi.knowledge.chunks import Chunk
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.index import Entry, Wanted
from dazi.knowledge.vectors import VectorSpace

PASSAGES = 20
"""Of a document."""
AT_ONCE = 1_000
SEARCHES = 400
WRITES_EACH_S = 0.5
WRITTEN = 50
DIMENSIONS = 384
ASKS = frozenset({"all", "role:staff", "user:li"})
READERS: Sequence[tuple[float, frozenset[str]]] = (
    (0.10, frozenset({"role:staff"})),
    (0.01, frozenset({"user:li"})),
    (0.45, frozenset({"all"})),
    (0.44, frozenset({"role:manager"})),
)
_WORDS = (
    "退货 保修 报销 差旅 合同 发票 库存 配送 会员 积分 采购 供应商 考勤 培训 安全 仓库 价格 折扣 验收",
    "提交 审批 登记 核对 通知 退回 延期 支付 检查 更换 归档 公示 复核 停用",
    "申请单 清单 报告 凭证 协议 设备 样品 余额 名册 方案 预算 记录 包装 标签 说明书",
    "北京 上海 广州 深圳 成都 杭州 武汉 西安 南京 苏州",
)
_SUBJECTS, _VERBS, _THINGS, _PLACES = (line.split() for line in _WORDS)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, milliseconds and mebibytes."""

    chunks: int
    vectors: bool
    build_s: float
    build_cpu_s: float
    disk_mib: float
    resident_mib: float
    words_p50: float
    words_p99: float
    writing_p50: float
    writing_p99: float
    near_p50: float
    near_p99: float


def sentence(rng: random.Random) -> str:
    return (
        f"{rng.choice(_PLACES)}{rng.choice(_SUBJECTS)}第{rng.randint(1, 999)}号:{rng.choice(_SUBJECTS)}"
        f"的{rng.choice(_THINGS)}由{rng.choice(_PLACES)}分公司在{rng.randint(1, 30)}日内{rng.choice(_VERBS)},"
        f"超过{rng.randint(1, 99)}00元的另行{rng.choice(_VERBS)}。"
    )


def entries(chunks: int, vectors: bool, first: int = 0) -> Iterator[list[Entry]]:
    rng = random.Random(first + 7)
    numbers = np.random.default_rng(first + 7)
    batch: list[Entry] = []
    readers = READERS[0][1]
    for n in range(first, first + chunks):
        if n % PASSAGES == 0:
            readers = rng.choices([r for _, r in READERS], [w for w, _ in READERS])[0]
        text = "".join(sentence(rng) for _ in range(4))
        vector = numbers.standard_normal(DIMENSIONS, np.float32) if vectors else None
        chunk = Chunk(n % PASSAGES, text, ("手册", rng.choice(_SUBJECTS)), page=n % 9)
        batch.append(
            Entry("a", f"d{n // PASSAGES}", chunk, f"文档{n // PASSAGES}", readers, 1, vector)  # type: ignore[arg-type]
        )
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def asked(n: int, vectors: bool) -> Wanted:
    rng = random.Random(n)
    text = f"{rng.choice(_PLACES)}{rng.choice(_SUBJECTS)}的{rng.choice(_THINGS)}几天内{rng.choice(_VERBS)}?"
    vector = np.random.default_rng(n).standard_normal(DIMENSIONS, np.float32) if vectors else None
    return Wanted(text, "a", ASKS, vector=vector)  # type: ignore[arg-type]


async def measured(chunks: int, vectors: bool) -> Measured:
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as name:
        folder = Path(name)
        index = EmbeddedIndex(folder, VectorSpace("random", DIMENSIONS) if vectors else None)
        began, cpu = time.perf_counter(), time.process_time()
        for batch in entries(chunks, vectors):
            await index.add(batch)
        await index.commit()
        await index.release()
        built, built_cpu = time.perf_counter() - began, time.process_time() - cpu
        disk = size(folder) / 2**20
        gc.collect()
        words = await times(index, vectors, near=False)
        near = await times(index, vectors, near=True) if vectors else [0.0]
        stop = asyncio.Event()
        writing = asyncio.create_task(write(index, chunks, vectors, stop))
        beside = await times(index, vectors, near=False)
        stop.set()
        await writing
        await index.close()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Measured(
            chunks, vectors, built, built_cpu, disk, most,
            at(words, 50), at(words, 99), at(beside, 50), at(beside, 99), at(near, 50), at(near, 99),
        )  # fmt: skip


def size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


async def times(index: EmbeddedIndex, vectors: bool, *, near: bool) -> list[float]:
    """Milliseconds of each search."""
    out = []
    find = index.nearest if near else index.search
    for n in range(SEARCHES):
        wanted = asked(n, vectors)
        began = time.perf_counter()
        await find(wanted, 30)
        out.append((time.perf_counter() - began) * 1000)
    return out


async def write(index: EmbeddedIndex, first: int, vectors: bool, stop: asyncio.Event) -> None:
    """Documents that come while others search."""
    while not stop.is_set():
        for batch in entries(WRITTEN, vectors, first):
            await index.add(batch)
        await index.commit()
        first += WRITTEN
        await asyncio.sleep(WRITES_EACH_S)


def at(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


HEAD = (
    "| chunks | vectors | built s | processor s | disk MiB | resident MiB | search p50 ms | p99 "
    "| beside a writer p50 | p99 | nearest p50 | p99 |"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(HEAD)
    print("|" + "---|" * 12)
    rows = []
    for chunks in options.chunks:
        m = asyncio.run(measured(chunks, options.vectors))
        rows.append(asdict(m))
        numbers = list(asdict(m).values())[2:]
        shown = " | ".join(f"{v:,.1f}" for v in numbers)
        print(f"| {chunks:,} | {'yes' if m.vectors else 'no'} | {shown} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

"""Everything of a person as a file, made in the background."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.memory.export import everything
from dazi.memory.facts import FactStore
from dazi.memory.threads import ThreadStore
from dazi.store.jobs.work import Kind, Run

NAME = "export"
TITLE = Text("导出自己的全部会话", "Export of all one's conversations")
WRITTEN = Text("已写 {n} 行", "{n} lines written")


@dataclass(frozen=True, slots=True)
class Exported:
    file: str
    lines: int


def export_kind(threads: ThreadStore, facts: FactStore) -> Kind:
    """Takes no arguments; the file is JSON lines, as the export of one's own data is."""

    async def check(_: Principal, __: Any) -> Any:
        return {}

    async def work(run: Run) -> Exported:
        lines = []
        async for line in everything(threads, facts, run.principal):
            lines.append(line)
            n = len(lines)
            told = Text(WRITTEN.zh.format(n=n), WRITTEN.en.format(n=n))
            # How many there will be is not known before the end.
            run.report(told, 1 - 100 / (100 + n))
        day = time.strftime("%Y%m%d", time.localtime(run.job.created))
        name = f"dazi-{day}.jsonl"
        await run.put_file(name, "application/x-ndjson", b"".join(lines))
        return Exported(name, len(lines))

    return Kind(NAME, TITLE, check, work)

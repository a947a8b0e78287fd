"""A person's own template as a job: it is read once, so that what cannot be is told at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.apps.contracts.job import ORIGINAL
from dazi.apps.contracts.making import suffix_of
from dazi.apps.contracts.review import read_file
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.jobs.work import Kind, Run

NAME = "contract_template"
TITLE = Text("合同范本", "Contract template")


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    title: str
    clauses: int
    language: str


def template_kind(rights: Callable[[Principal], None]) -> Kind:
    """``rights`` raises ``AccessError`` for who may not."""

    async def check(principal: Principal, arguments: Any) -> Any:
        rights(principal)
        name = arguments.get("name") if isinstance(arguments, dict) else None
        if not isinstance(name, str) or not name:
            raise CallerError("argument", "缺少文件名", "the file's name is missing")
        return {"name": name}

    async def work(run: Run) -> Template:
        name = str(run.arguments["name"])
        ending = suffix_of(name)
        data = await run.file(ORIGINAL + ending)
        with tempfile.TemporaryDirectory(prefix="dazi-") as folder:
            path = Path(folder) / f"template{ending}"
            path.write_bytes(data)
            contract = await read_file(path)
        return Template(name, contract.title, len(contract.clauses), contract.language)

    return Kind(NAME, TITLE, check, work, seconds=300.0)

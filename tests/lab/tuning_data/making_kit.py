"""A kitchen without a company: files in, a dataset out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool
from dazi.guard.engine import Guard
from dazi.guard.words import WordList
from dazi.lab.tuning.data.making import Kitchen, Made, make
from dazi.lab.tuning.data.recipe import Placed, read_recipe
from dazi.lab.tuning.data.samples import Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing, Step

TODAY = date(2026, 11, 30)


def tool(name: str, *parameters: Parameter) -> Tool:
    about = Text("工具", "tool")
    return Tool(name, Text("", ""), about, parameters, frozenset({"staff"}), "read", "x", {})


def needed(name: str, **more: Any) -> Parameter:
    return Parameter(name, "string", Text(name, name), True, **more)


ORDER = tool("get_order_status", needed("order_id", pattern="ORD[0-9]{5}", grounded=True))
ROOM = tool(
    "book_room",
    needed("room", pattern="[A-Z][0-9]{3}", grounded=True),
    needed("date", format="date"),
)
TOOLS = {t.name: t for t in (ORDER, ROOM)}


def kitchen(folder: Path, **more: Any) -> Kitchen:
    made = Kitchen(
        folder / "data",
        folder,
        Guard(words=WordList({"蠢货": "high", "竞品甲": "medium"})),
        TOOLS,
        ("staff", "customer"),
        TODAY,
        lambda user: None,
        0.0,
    )
    return replace(made, **more)


def recipe(folder: Path, text: str) -> Placed:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    return read_recipe(path)


def lines(folder: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def made(placed: Placed, with_: Kitchen) -> Made:
    return asyncio.run(make(placed, with_))


def samples(made: Made) -> list[dict[str, Any]]:
    out = []
    for split in ("train", "validation", "test"):
        text = (made.folder / f"{split}.jsonl").read_text("utf-8")
        out += [json.loads(line) | {"split": split} for line in text.splitlines()]
    return out


def refused(made: Made) -> dict[str, str]:
    text = (made.folder / "refused.jsonl").read_text("utf-8")
    return {(r := json.loads(line))["ref"]: r["reason"] for line in text.splitlines()}


def draft(*texts: str, ref: str = "f:1", kind: str = "qa", **more: Any) -> Draft:
    """``texts``: of person and assistant in turn."""
    said = [Said("assistant" if n % 2 else "user", t) for n, t in enumerate(texts)]
    conversation = more.pop("conversation", ref)
    user = more.pop("user", "")
    source = more.pop("source", "file")
    origin = Origin(source, ref, user=user)
    sample = Sample("", conversation, kind, "", said, origin)  # type: ignore[arg-type]
    return identified(Draft(sample, **more))


def stepped(step: Step, drafts: list[Draft]) -> tuple[list[Draft], dict[str, int]]:
    """What a step gives on, and its refusals by reason."""
    refusing = Refusing("test", lambda line: None)
    return list(step(lambda: iter(drafts), refusing)), dict(refusing.counts)

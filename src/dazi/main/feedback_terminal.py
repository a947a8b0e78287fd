"""``dazi feedback`` and ``dazi knowledge gaps``, in the terminal."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import typer

from dazi.access.recording import recorded
from dazi.audit.records import Record
from dazi.core.errors import CallerError, OperatorError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.guarding import guard_of
from dazi.main.learning import offered
from dazi.main.settings import Settings
from dazi.memory.threads import ThreadStore
from dazi.ops.feedback.model import KINDS, REASONS, STATES, THUMBS, Wanted
from dazi.ops.feedback.rights import may_see_names
from dazi.ops.feedback.service import Act, FeedbackService, Parts, Reviewed
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.learning.dataset import as_lines
from dazi.ops.learning.learning import Place, leaving_out
from dazi.ops.learning.learning import export as make_dataset

NONE = Text("没有。", "There are none.")
UNUSABLE = Text("没有同意用于训练", "no consent to training")
TO_WRITE = Text(
    "没有人写明正确的回答:采纳时用 --sample 补上",
    "nobody said what would have been right: give it with --sample",
)
DECIDED = Text("{id}:{state}", "{id}: {state}")
MADE = Text(
    "{name} 第 {version} 版:{n} 条样本(训练 {train}、验证 {validation}、测试 {test}),在 {folder}",
    "{name} version {version}: {n} samples ({train} to train, {validation} to validate, {test} to test), "
    "in {folder}",
)
WRITTEN = Text("{n} 条样本写进 {file}", "{n} samples written to {file}")


@dataclass(frozen=True, slots=True)
class Bench:
    service: FeedbackService
    place: Place
    by: Principal


@dataclass(frozen=True, slots=True)
class Exporting:
    dataset: str
    file: Path | None
    fresh: bool
    json_out: bool


@asynccontextmanager
async def bench(settings: Settings, user: str) -> AsyncIterator[Bench]:
    """Without ``user`` it is the company's ``admin`` where there is one."""
    folder = settings.company_folder()
    company = load_company(folder)
    reader = next((u.user for u in company.users if "admin" in u.roles), "")
    async with desk(settings, user or reader) as d:

        async def records(turn: str) -> list[Record]:
            raise AssertionError("nobody gives feedback here")

        parts = Parts(
            ThreadStore(d.database, d.private), records, d.record, company, guard_of(folder),
            d.private, date.today, settings.feedback_ground,
        )  # fmt: skip
        service = FeedbackService(FeedbackStore(d.database, d.private), parts)
        data = settings.data_folder(folder)
        service.leave_out = leaving_out(data)
        yield Bench(service, Place(data, offered(company), settings.learn_least), d.by)


async def list_feedback(
    settings: Settings, by: str, state: str, limit: int, language: Language, *, json_out: bool
) -> None:
    if state not in (*STATES, "all"):
        known = ", ".join((*STATES, "all"))
        raise CallerError("state", f"--state 应为 {known} 之一", f"--state is one of {known}")
    wanted = Wanted(next((s for s in STATES if s == state), ""), limit=limit)
    async with bench(settings, by) as b:
        found = await b.service.find(b.by, wanted)
        if json_out:
            _print_json([_plain(r, b.by) for r in found])
            return
    for r in found:
        typer.echo(_line(r, language))
    if not found:
        typer.echo(NONE(language))


async def show_feedback(
    settings: Settings, by: str, entry: str, language: Language, *, json_out: bool
) -> None:
    async with bench(settings, by) as b:
        found = await b.service.get(b.by, entry)
        plain = _plain(found, b.by)
    if json_out:
        _print_json(plain)
        return
    typer.echo(_line(found, language))
    for line in _told(found, language):
        typer.echo(line)


async def decide(
    settings: Settings,
    by: str,
    entry: str,
    act: Act,
    language: Language,
    why: str = "",
    sample: Path | None = None,
) -> None:
    given = await asyncio.to_thread(_read, sample) if sample is not None else None
    async with bench(settings, by) as b:
        done = await b.service.decide(b.by, entry, act, why, given)
    state = STATES[done.entry.state](language)
    typer.echo(DECIDED(language).format(id=entry, state=state))


async def export(settings: Settings, by: str, asked: Exporting, language: Language) -> None:
    async with bench(settings, by) as b:
        if asked.file is not None:
            entries = await b.service.accepted(b.by, fresh=asked.fresh)
            samples = [e.sample for e in entries if e.sample is not None]
            said = {"of": asked.file.name, "samples": len(samples)}
            async with recorded(b.service.parts.record, b.by, "feedback.export", **said):
                await asyncio.to_thread(_write, asked.file, as_lines(samples))
            if asked.json_out:
                _print_json({"file": str(asked.file), "samples": len(samples)})
                return
            typer.echo(WRITTEN(language).format(n=len(samples), file=asked.file))
            return
        made = await make_dataset(b.service, b.by, b.place, asked.dataset, fresh=asked.fresh)
    if asked.json_out:
        _print_json({**asdict(made), "folder": str(made.folder)})
        return
    typer.echo(
        MADE(language).format(
            name=made.name, version=made.version, n=made.total, folder=made.folder, **made.samples
        )
    )


def _line(r: Reviewed, language: Language) -> str:
    e = r.entry
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(e.at))
    told = [
        e.id,
        when,
        STATES[e.state](language),
        KINDS[e.kind](language),
        THUMBS[e.thumb](language),
    ]
    if e.reason in REASONS:
        told.append(REASONS[e.reason](language))
    if not r.usable:
        told.append(f"[{UNUSABLE(language)}]")
    return "  ".join([*told, " ".join(e.content.said.split())[:60]])


def _told(r: Reviewed, language: Language) -> Iterator[str]:
    c = r.entry.content
    yield f"> {c.said}"
    for call in c.calls:
        yield f"  -> {call.name}({_json(call.arguments)}): {call.outcome}"
    for text in (c.answer, c.draft, c.sent, c.comment, c.correction):
        if text:
            yield f"  {text}"
    if c.right is not None:
        yield f"  => {_json(c.right)}"
    if r.sample is None:
        yield TO_WRITE(language)
    else:
        yield json.dumps(msgspec.to_builtins(r.sample), ensure_ascii=False, indent=1)


def _plain(r: Reviewed, by: Principal) -> dict[str, Any]:
    e = r.entry
    told = msgspec.to_builtins(e)
    hidden = ("user", "giver", "tenant", "item")
    plain = {k: v for k, v in told.items() if k not in hidden or may_see_names(by)}
    sample = None if r.sample is None else msgspec.to_builtins(r.sample)
    return plain | {"sample": sample, "usable": r.usable}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise CallerError(
            "file", f"读不了 {path}:{e.strerror}", f"cannot read {path}: {e.strerror}"
        ) from None
    except ValueError:
        raise CallerError("file", f"{path} 不是 JSON", f"{path} is no JSON") from None
    if not isinstance(found, dict):
        raise CallerError("file", f"{path} 不是 JSON 对象", f"{path} is no JSON object")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as e:
        raise OperatorError(
            "file", f"写不了 {path}:{e.strerror}", f"cannot write {path}: {e.strerror}"
        ) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _print_json(found: object) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))

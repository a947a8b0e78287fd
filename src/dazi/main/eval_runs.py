"""``dazi eval run``: a suite's items asked of a model, kept as a run that can go on."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from dazi import __version__
from dazi.access.limits.rules import prices_of
from dazi.core.engine import Engine, Purpose
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.spending import Counted
from dazi.lab.evals.executing import Execution, at_once, execute
from dazi.lab.evals.figures import groups_of, metrics_of, scored
from dazi.lab.evals.one_model import OneModel
from dazi.lab.evals.registry import suite as suite_of
from dazi.lab.evals.runs import ItemRecord, RunFolder, RunHead, RunStore, run_id
from dazi.lab.evals.suite import Item, Loaded, Source, drawn, once
from dazi.lab.evals.switches import Switches, refuse_idle
from dazi.main.admission import make_counters
from dazi.main.database import database_of
from dazi.main.engines import load_engine
from dazi.main.eval_bench import OpenBench
from dazi.main.pool import load_pool, pool_file
from dazi.main.settings import Settings
from dazi.packs.layers import SETTINGS, layers_of

DECLARED = (
    "roles.yaml",
    "answers.yaml",
    "*.py",
    "tools/**/*.yaml",
    "tools/**/*.txt",
    "policies/*.cedar",
    "words/*.txt",
    "data/*.*",
    "services/*.*",
    "knowledge/**/*.*",
)
"""What of a company's folder decides how its assistant acts and what it finds."""
LINES = 2.0
"""Seconds between two lines of progress."""
CACHED = Text(
    "已经跑过同样的题、同样的模型、同样的开关:{id}(要重跑用 --again)",
    "the same items, model and switches were run before: {id} (--again runs them once more)",
)
RESUMED = Text("接着跑 {id}:已完成 {done}/{of}", "going on with {id}: {done} of {of} are done")
STOPPED = Text(
    "已停下,完成 {done}/{of};再执行同一条命令就接着跑",
    "stopped with {done} of {of} done; the same command goes on",
)
PROGRESS = Text(
    "{done}/{of}  对 {right:.1%}  还要约 {left:.0f} 秒",
    "{done}/{of}  right {right:.1%}  about {left:.0f} s left",
)


@dataclass(frozen=True, slots=True)
class WantedRun:
    """``again``: even if there is a finished run of the same."""

    suite: str
    limit: int = 0
    seed: int = 0
    data: Path | None = None
    switches: Switches = field(default_factory=Switches)
    concurrency: int = 4
    again: bool = False


@dataclass(slots=True)
class _Progress:
    """Lines to standard error, not more often than every ``LINES`` seconds."""

    language: Language
    began: float
    before: int
    right: int = 0
    asked: int = 0
    last: float = 0.0

    def __call__(self, done: int, of: int, record: ItemRecord) -> None:
        self.asked += 1
        self.right += record.right
        now = time.monotonic()
        if now - self.last < LINES and done < of:
            return
        self.last = now
        each = (now - self.began) / self.asked
        told = PROGRESS(self.language).format(
            done=done, of=of, right=self.right / self.asked, left=each * (of - done)
        )
        typer.echo(told, err=True)


async def run_suite(settings: Settings, wanted: WantedRun, language: Language) -> RunFolder:
    """The finished run. Cancelled, it keeps what was done, says so, and raises on."""
    company = settings.company_folder()
    data = settings.data_folder(company)
    suite = suite_of(wanted.suite)
    refuse_idle(wanted.suite, wanted.switches)
    source = Source(company, wanted.data or settings.evaldata, settings.bfcl_python)
    loaded = once(await asyncio.to_thread(suite.load, source))
    for note in loaded.notes:
        typer.echo(note(language), err=True)
    items = drawn(loaded.items, wanted.limit, wanted.seed)
    store = RunStore(data)
    async with _bench(settings, data, wanted) as bench:
        head = await asyncio.to_thread(_head, settings, wanted, loaded, bench, len(items))
        together = at_once(suite, wanted.concurrency, len(items))
        folder = _folder(store, replace(head, concurrency=together), wanted, language)
        if folder.head.ended:
            return folder
        price = prices_of(bench.company.settings, company).get(bench.loaded.profile.name)
        execution = Execution(suite, bench, wanted.concurrency, price)
        # Another process may be writing this run: until that is known, nothing of it is touched.
        with folder.appending() as into:
            head = folder.head
            if head.ended:
                return folder
            # Of a run made with several widths the least: it says no more than was shown.
            head = replace(head, concurrency=min(head.concurrency, together))
            done = {i: r for i, r in folder.by_id().items() if not r.error}
            if done:
                typer.echo(
                    RESUMED(language).format(id=head.id, done=len(done), of=len(items)), err=True
                )
            try:
                progress = _Progress(language, time.monotonic(), len(done))
                await execute(execution, items, into, done, progress)
            except BaseException:
                kept = len(folder.by_id())
                folder.write(replace(head, done=kept))
                typer.echo(STOPPED(language).format(done=kept, of=len(items)), err=True)
                raise
            _finish(folder, head, items)
    return folder


def _finish(folder: RunFolder, head: RunHead, items: Sequence[Item]) -> None:
    wanted = {i.id for i in items}
    found = [s for s in scored(folder.records()) if s.id in wanted]
    folder.write(
        replace(
            head,
            ended=_now("%Y-%m-%dT%H:%M:%SZ"),
            done=len(found),
            metrics=metrics_of(found, head.seed),
            groups=groups_of(found, head.seed),
        )
    )


def _folder(store: RunStore, head: RunHead, wanted: WantedRun, language: Language) -> RunFolder:
    """The run of the same that there is, to be shown or gone on with, or a new one. A finished one
    counts only where the model's version is known: a server's may be another by now. Where items of it
    broke off, it goes on with those."""
    same = store.same(head)
    if same is not None:
        old = same.head
        if not old.ended:
            return same
        if old.model_version and not wanted.again:
            if (errors := old.metrics.get("errors")) is not None and errors.value:
                same.write(replace(old, ended=""))
                return same
            typer.echo(CACHED(language).format(id=old.id), err=True)
            return same
    return store.new(head)


def _head(
    settings: Settings, wanted: WantedRun, loaded: Loaded, bench: OpenBench, of: int
) -> RunHead:
    profile = bench.loaded.profile
    return RunHead(
        run_id(_now("%Y%m%d-%H%M%S"), wanted.suite, profile.name),
        wanted.suite,
        profile.name,
        __version__,
        profile.version,
        _now("%Y-%m-%dT%H:%M:%SZ"),
        loaded.data,
        declared(settings.company_folder()),
        wanted.switches.told(),
        wanted.seed,
        wanted.limit,
        wanted.concurrency,
        machine(),
        of=of,
        notes=tuple(n.en for n in loaded.notes),
    )


@asynccontextmanager
async def _bench(settings: Settings, data: Path, wanted: WantedRun) -> AsyncIterator[OpenBench]:
    async with AsyncExitStack() as stack:
        engine = await open_model(settings, data, wanted.switches.precision, stack)
        bench = OpenBench(settings, engine, wanted.switches, wanted.concurrency)
        stack.push_async_callback(bench.close)
        yield bench


async def open_model(
    settings: Settings, data: Path, precision: str, stack: AsyncExitStack
) -> Engine:
    """As ``load_engine``; a name that is none of the installation's models may be one of its pool's.
    What an evaluation spends at a cloud counts towards the pool's limits: ``stack`` ends the counting."""
    try:
        engine = await asyncio.to_thread(load_engine, settings, data, precision=precision)
    except CallerError as e:
        whole = settings.model_copy(update={"model": ""})
        path = pool_file(whole) if e.code == "unknown_model" else None
        if path is None:
            raise
        engine = await _of_pool(settings.model, whole, data, path)
    pool = engine.engine if isinstance(engine, OneModel) else engine
    if isinstance(pool, PoolEngine):
        database = database_of(settings, data)
        await database.create()
        stack.push_async_callback(database.close)
        pool.bind(_not_recorded, Counted(await make_counters(settings, database)))
    return engine


async def _of_pool(name: str, settings: Settings, data: Path, path: Path) -> OneModel:
    pool = await asyncio.to_thread(load_pool, settings, data, path)
    for backend in pool.backends:
        if name == backend.engine.profile.name or name in backend.spec.adapters:
            return OneModel(pool, replace(backend.engine.profile, name=name))
    known = ", ".join(pool.names())
    await pool.close()
    raise CallerError(
        "unknown_model",
        f"没有模型 {name};{path.name} 里有:{known}",
        f"no model {name}; {path.name} has: {known}",
    )


def _not_recorded(purpose: Purpose, body: Mapping[str, Any]) -> asyncio.Future[None]:
    """Which server answered an evaluation is not the ledger's."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def declared(company: Path) -> str:
    """A digest of the declarations of the company and of the packs that it extends."""
    whole = hashlib.sha256()
    layers = layers_of(company)
    for layer in layers.layers:  # what each file says of itself is not handed on as a file
        whole.update((layer.folder / SETTINGS).read_bytes())
    for path in (p for pattern in DECLARED for p in layers.glob(pattern) if p.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        whole.update(layers.told(path).encode() + b"\0" + content)
    return whole.hexdigest()[:16]


def machine() -> dict[str, object]:
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _now(form: str) -> str:
    return time.strftime(form, time.gmtime())

"""``dazi review FOLDER``: many contracts as jobs. Whatever ends the command, the same command goes on with
what is left, and nothing is reviewed twice."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import typer

from dazi.apps.contracts.job import ENDINGS, NAME, Files, Order, Outcome
from dazi.apps.contracts.making import KEPT, Terms, suffix_of
from dazi.apps.contracts.outputs.told import as_told
from dazi.apps.contracts.reviewed import from_plain
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.reviewing import contracts, save, terms_of
from dazi.main.settings import Settings
from dazi.store.jobs.model import OVER, Job
from dazi.store.jobs.service import JobService
from dazi.store.jobs.work import Workers

AHEAD = 8
"""So many jobs wait beside those being worked on: a batch of any size fits a person's queue."""
LEASE_S = 10.0
"""After kill -9 what was being worked on is taken up so much later."""
LOOK_S = 0.2
TOLD_S = 2.0
INDEX = "reviews.csv"
PROGRESS = Text(
    "{done} / {all} 份{failed},约剩 {left}", "{done} of {all}{failed}, about {left} left"
)
FAILED = Text(",{n} 份失败", ", {n} failed")
ALREADY = Text("其中 {n} 份以前审过", "{n} of them had been reviewed before")
ENDED = Text(
    "{done} 份审完,{failed} 份失败;结果在 {out}",
    "{done} reviewed, {failed} failed; results in {out}",
)
COLUMNS = Text(
    "文件,状态,类型,标题,甲方,乙方,总额,高,中,低",
    "file,state,kind,title,party A,party B,total,high,medium,low",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files and folders to review, and where results go."""

    files: tuple[Path, ...]
    template: Path | None
    policy: Path | None
    out: Path
    ocr: bool = False
    json_out: bool = False


@dataclass(slots=True)
class _Under:
    """What is under way. ``waiting``: names by the number of their job: the same contract under two
    names is one job."""

    all: int
    waiting: dict[str, list[str]] = field(default_factory=dict)
    ended: dict[str, Job] = field(default_factory=dict)
    already: int = 0

    @property
    def failed(self) -> int:
        return sum(j.state != "done" for j in self.ended.values())


async def review_batch(settings: Settings, user: str, batch: Batch, language: Language) -> None:
    """Exits with 1 where some could not be reviewed. Raises ``CallerError`` for what is not there."""
    names = found_files(batch)
    if batch.template is not None and not batch.template.is_file():
        path = batch.template
        raise CallerError("no_file", f"没有文件 {path}", f"there is no file {path}")
    terms = terms_of(settings, batch.policy, language)
    batch.out.mkdir(parents=True, exist_ok=True)
    async with contracts(settings, user) as (service, by):
        service.conditions.rights.check(by)
        jobs = service.jobs
        workers = Workers(
            jobs.store, {NAME: jobs.kinds[NAME]}, _owner, places=max(settings.jobs_at_once, 1),
            lease_s=LEASE_S,
        )  # fmt: skip
        working = asyncio.create_task(workers.run())
        try:
            under = await _all(
                _Desk(jobs, by, batch, terms, language, workers), names, settings.jobs_at_once
            )
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    _index(batch, names, under, language)
    told = ENDED(language).format(
        done=len(under.ended) - under.failed, failed=under.failed, out=batch.out
    )
    typer.echo(told, err=batch.json_out)
    if batch.json_out:
        typer.echo(json.dumps({n: _row(n, j) for n, j in under.ended.items()}, ensure_ascii=False))
    if under.failed:
        raise typer.Exit(1)


def found_files(batch: Batch) -> Mapping[str, Path]:
    """Files by what they are called in the results. Raises ``CallerError`` for a place that is none,
    and where there is nothing to review."""
    out: dict[str, Path] = {}
    passed_over = {p.resolve() for p in (batch.template, batch.policy) if p is not None}
    for place in batch.files:
        if not place.exists():
            raise CallerError("no_file", f"没有 {place}", f"there is no {place}")
        for path in _within(place, batch.out):
            if place.is_dir() and path.resolve() in passed_over:
                continue
            name = str(path.relative_to(place)) if place.is_dir() else path.name
            while name in out and out[name] != path:
                name = f"{path.parent.name}/{name}"
            out[name] = path
    if not out:
        raise CallerError("no_contracts", "没有可审的文件", "there are no files to review")
    return out


def _within(place: Path, results: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for path in sorted(place.rglob("*")):
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(place).parts)
        inside = results.resolve() in path.resolve().parents
        if path.suffix.lower() in ENDINGS and path.is_file() and not hidden and not inside:
            yield path


def _owner(job: Job) -> Principal:
    return Principal(job.user, frozenset(), tenant=job.tenant, channel=job.channel)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where files become jobs and jobs results."""

    jobs: JobService
    by: Principal
    batch: Batch
    terms: Terms
    language: Language
    workers: Workers

    async def put(self, name: str, path: Path) -> Job:
        """Its job, or the one there is of the same contract."""
        batch = self.batch
        data = await asyncio.to_thread(path.read_bytes)
        template = batch.template
        other = await asyncio.to_thread(template.read_bytes) if template is not None else b""
        files = Files(path.name, data, template.name if template is not None else "", other)
        policy = batch.policy.read_text("utf-8") if batch.policy is not None else ""
        order = Order(path.name, files.template, policy, self.language, batch.ocr)
        job = await self.jobs.begin(
            self.by,
            NAME,
            msgspec.to_builtins(order),
            name[:200],
            language=self.language,
            key=files.key(self.terms, policy),
            batch=self.name(),
            files=files.put(),
        )
        self.workers.wake()
        return job

    def name(self) -> str:
        """Of all its jobs: the same for the same command."""
        places = "\n".join(sorted(str(p.resolve()) for p in self.batch.files))
        return f"review-{hashlib.sha256(places.encode()).hexdigest()[:12]}"

    async def keep(self, name: str, job: Job) -> None:
        """Write what came of it. What is there already stays only where it is the same: a contract that
        was changed since is another one under its old name."""
        base = self.batch.out / name.replace("/", "__")
        for file in job.files:
            ending = suffix_of(file.name)
            if file.name == KEPT:
                path = base.with_name(f"{base.name}.json")
            elif file.name.startswith(("original", "template")):
                continue
            else:
                path = base.with_name(f"{base.name}.{file.name}")
            _, data = await self.jobs.store.file(job.id, file.name, self.by)
            if ending == ".json":
                told = as_told(from_plain(msgspec.json.decode(data)), self.language)
                data = json.dumps(told, ensure_ascii=False, indent=1).encode()
            await asyncio.to_thread(_keep, path, data)


def _keep(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        save(path, data)


async def _all(desk: _Desk, names: Mapping[str, Path], places: int) -> _Under:
    """Every file a job that is over."""
    under = _Under(len(names))
    began, told = time.monotonic(), 0.0
    left = iter(names.items())
    more = True
    while more or under.waiting:
        while more and len(under.waiting) < places + AHEAD:
            following = next(left, None)
            if following is None:
                more = False
                break
            name, path = following
            job = await desk.put(name, path)
            if job.state == "done":
                under.already += 1
            under.waiting.setdefault(job.id, []).append(name)
        for id in list(under.waiting):
            job = await desk.jobs.store.get(id, desk.by)
            if job.state in OVER:
                for name in under.waiting.pop(id):
                    if job.state == "done":
                        await desk.keep(name, job)
                    under.ended[name] = job
        if under.waiting:
            await asyncio.sleep(LOOK_S)
        if time.monotonic() - told > TOLD_S or not (more or under.waiting):
            told = time.monotonic()
            _tell(under, told - began, desk.language)
    return under


def _tell(under: _Under, seconds: float, language: Language) -> None:
    fresh = len(under.ended) - under.already
    left = "—"
    if fresh > 0:
        seconds_left = round((under.all - len(under.ended)) * seconds / fresh)
        left = f"{seconds_left // 60}:{seconds_left % 60:02}"
    failed = FAILED(language).format(n=under.failed) if under.failed else ""
    line = PROGRESS(language).format(done=len(under.ended), all=under.all, failed=failed, left=left)
    if under.already:
        line += f" ({ALREADY(language).format(n=under.already)})"
    typer.echo(line, err=True)
    sys.stderr.flush()


def _row(name: str, job: Job) -> dict[str, object]:
    if job.state != "done":
        why = job.error.text("en") if job.error is not None else job.state
        return {"file": name, "state": job.state, "error": why}
    found = msgspec.convert(job.result, Outcome)
    return {"file": name, "state": "done", **msgspec.to_builtins(found)}


def _index(batch: Batch, names: Mapping[str, Path], under: _Under, language: Language) -> None:
    """One line a file, for a spreadsheet (UTF-8 with a mark, so that it opens rightly)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS(language).split(","))
    for name in names:
        job = under.ended[name]
        if job.state != "done":
            why = job.error.text(language) if job.error is not None else job.state
            writer.writerow([_plain(name), why])
            continue
        found = msgspec.convert(job.result, Outcome)
        said = found.fields
        cells = (
            name,
            "",
            found.kind,
            found.title,
            said.get("party_a", ""),
            said.get("party_b", ""),
        )
        writer.writerow(
            [*map(_plain, cells), said.get("total_amount", ""), found.high, found.medium, found.low]
        )
    save(batch.out / INDEX, b"\xef\xbb\xbf" + out.getvalue().encode())


def _plain(text: object) -> str:
    """No cell is a formula."""
    said = str(text)
    return f"'{said}" if said.startswith(("=", "+", "-", "@", "\t")) else said

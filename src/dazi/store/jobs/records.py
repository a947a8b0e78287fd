"""Jobs in the database: their owners' side, and the side of those who work on them."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.database import Database
from dazi.store.jobs.model import (
    OVER,
    Claim,
    Failure,
    Job,
    JobFile,
    JobLimits,
    Lost,
    NewFile,
    NewJob,
    Sealer,
    State,
)
from dazi.store.jobs.rows import (
    LOST_TOO_OFTEN,
    Rows,
    delete_jobs,
    file_place,
    held,
    of,
    over,
    place,
    row_of,
    step_place,
)
from dazi.store.jobs.tables import job_files, job_steps, jobs

_LISTED = [c for c in jobs.c if c.name not in ("arguments", "result")]


class JobStore:
    """Every access of an owner names the principal: another's job looks like none at all."""

    def __init__(self, database: Database, sealer: Sealer, limits: JobLimits | None = None) -> None:
        self._database = database
        self._sealer = sealer
        self._rows = Rows(sealer)
        self._limits = limits or JobLimits()

    # --- whose it is ---------------------------------------------------------------------------

    async def put(self, principal: Principal, new: NewJob, files: Sequence[NewFile] = ()) -> Job:
        """The job, or the one of the same key that there is already: one that failed or was
        cancelled is taken up again where it broke off. Raises ``CallerError`` for a file that is too
        large, and where too many of the person's jobs wait."""
        for file in files:
            self._check_size(file.name, file.data)
        for _ in range(2):
            if new.key and (found := await self._keyed(principal, new)) is not None:
                return found
            try:
                return await self._insert(principal, new, files)
            except IntegrityError:  # another process was first
                if not new.key:
                    raise
        raise AssertionError("unreachable")

    async def _keyed(self, principal: Principal, new: NewJob) -> Job | None:
        c = jobs.c
        query = select(c.id, c.state).where(of(principal), c.kind == new.kind, c.key == new.key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.state in ("failed", "cancelled"):
            return await self.retry(row.id, principal)
        return await self.get(row.id, principal)

    async def _insert(self, principal: Principal, new: NewJob, files: Sequence[NewFile]) -> Job:
        id, user = secrets.token_hex(8), principal.user
        now = time.time()
        row = {
            "id": id,
            "tenant": principal.tenant,
            "user": user,
            "channel": principal.channel,
            "kind": new.kind,
            "title": self._sealer.seal(user, place("title", id), new.title),
            "arguments": self._sealer.seal(user, place("arguments", id), new.arguments),
            "key": new.key or None,
            "batch": new.batch,
            "state": "queued",
            "due": new.due or now,
            "created": now,
            "attempts": 0,
            "step_zh": "",
            "step_en": "",
            "fraction": 0.0,
            "error": "",
            "result": "",
            "worker": "",
            "lease": 0.0,
            "stop": False,
        }
        open_ones = select(func.count()).select_from(jobs)
        open_ones = open_ones.where(of(principal), jobs.c.state.not_in(OVER))
        async with self._database.write() as connection:
            if (await connection.execute(open_ones)).scalar_one() >= self._limits.waiting:
                most = self._limits.waiting
                raise CallerError(
                    "jobs_full",
                    f"还有 {most} 个任务没做完,满了;等一些做完,或取消不要的",
                    f"{most} jobs are not done yet, which is all there may be; wait for some, or "
                    "cancel what is not wanted",
                )
            await connection.execute(insert(jobs).values(row))
            for file in files:
                await connection.execute(insert(job_files).values(self._rows.file(id, user, file)))
        return await self.get(id, principal)

    def _check_size(self, name: str, data: bytes) -> None:
        most = self._limits.file_bytes
        if len(data) > most:
            raise CallerError(
                "file_too_large",
                f"{name[:80]} 有 {len(data):,} 字节,上限是 {most:,}",
                f"{name[:80]} has {len(data):,} bytes, the limit is {most:,}",
            )

    async def get(self, id: str, principal: Principal) -> Job:
        """With its result and the names of its files. Raises ``NotFound``."""
        async with self._database.read() as connection:
            row = await row_of(connection, id, principal)
            job = self._rows.job(row)
            f = job_files.c
            query = select(f.name, f.type, f.size).where(f.job == id).order_by(f.name)
            files = [JobFile(*r) for r in await connection.execute(query)]
        return replace(job, result=self._rows.opened("result", row), files=tuple(files))

    async def list(
        self,
        principal: Principal,
        states: Sequence[State] = (),
        *,
        kind: str = "",
        batch: str = "",
        limit: int = 50,
        after: str = "",
    ) -> list[Job]:
        """The latest first, without arguments and results. ``after``: the job at which the page
        before ended; raises ``NotFound`` where that is none."""
        c = jobs.c
        query = select(*_LISTED).where(of(principal))
        if states:
            query = query.where(c.state.in_(states))
        if kind:
            query = query.where(c.kind == kind)
        if batch:
            query = query.where(c.batch == batch)
        async with self._database.read() as connection:
            if after:
                last = await row_of(connection, after, principal)
                same = and_(c.created == last["created"], c.id < after)
                query = query.where(or_(c.created < last["created"], same))
            query = query.order_by(c.created.desc(), c.id.desc()).limit(limit)
            found = (await connection.execute(query)).mappings().all()
        return [self._rows.job(row) for row in found]

    async def counts(self, principal: Principal, batch: str) -> Mapping[State, int]:
        """How many jobs of a batch are in each state."""
        c = jobs.c
        query = select(c.state, func.count()).where(of(principal), c.batch == batch)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.group_by(c.state))).all()
        return {cast("State", state): count for state, count in rows}

    async def file(self, id: str, name: str, principal: Principal) -> tuple[JobFile, bytes]:
        """Raises ``NotFound``."""
        async with self._database.read() as connection:
            await row_of(connection, id, principal)
            return await self._file(connection, id, name)

    async def _file(self, connection: AsyncConnection, id: str, name: str) -> tuple[JobFile, bytes]:
        f = job_files.c
        query = select(job_files).where(f.job == id, f.name == name)
        row = (await connection.execute(query)).mappings().one_or_none()
        opened = row and self._sealer.open(file_place(id, name), row["content"])
        if row is None or opened is None or opened.state != "open":
            raise NotFound("file", "没有这个文件", "no such file")
        return JobFile(name, row["type"], row["size"]), b64decode(opened.content)

    async def cancel(self, id: str, principal: Principal) -> Job:
        """What waits is over at once; what runs is told, and ends soon. Raises ``NotFound``, and
        ``CallerError`` for what is over."""
        c = jobs.c
        async with self._database.write() as connection:
            row = await row_of(connection, id, principal)
            if row["state"] in OVER:
                raise over()
            values: dict[str, Any] = {"stop": True}
            if row["state"] == "queued":
                values |= {"state": "cancelled", "ended": time.time()}
            await connection.execute(update(jobs).where(c.id == id).values(values))
        return await self.get(id, principal)

    async def retry(self, id: str, principal: Principal) -> Job:
        """Once more, from the last step that was done. Raises ``NotFound``, and ``CallerError`` for
        what is not over or is done."""
        async with self._database.write() as connection:
            row = await row_of(connection, id, principal)
            if row["state"] not in ("failed", "cancelled"):
                raise CallerError(
                    "not_failed",
                    "只有失败或取消了的任务可以重试",
                    "only a job that failed or was cancelled can be tried again",
                )
            await connection.execute(
                update(jobs)
                .where(jobs.c.id == id)
                .values(
                    state="queued", due=time.time(), attempts=0, stop=False, error="", ended=None
                )
            )
        return await self.get(id, principal)

    async def delete(self, id: str, principal: Principal) -> None:
        """With its results. Raises ``NotFound``, and ``CallerError`` for what is not over."""
        async with self._database.write() as connection:
            row = await row_of(connection, id, principal)
            if row["state"] not in OVER:
                raise CallerError(
                    "not_over", "任务还没结束;先取消", "the job is not over; cancel it first"
                )
            await delete_jobs(connection, jobs.c.id == id)

    async def forget(self, user: str) -> int:
        """Delete all jobs of somebody who is erased; how many."""
        async with self._database.write() as connection:
            return await delete_jobs(connection, jobs.c.user == user)

    async def prune(self, before: float) -> int:
        """Delete what was over before then, in seconds since the epoch; how many."""
        async with self._database.write() as connection:
            return await delete_jobs(
                connection, and_(jobs.c.state.in_(OVER), jobs.c.ended < before)
            )

    # --- who works on it -----------------------------------------------------------------------

    async def claim(self, kinds: Mapping[str, int], lease_s: float) -> Claim | None:
        """The next job of one of ``kinds``, each with how often it may be tried; ``None`` where
        nothing is due. Those who have the least running come first, so that nobody's hundreds hold
        up another's one. A job whose worker is silent for longer than its lease counts as queued;
        where that was its last try, it fails."""
        c = jobs.c
        now = time.time()
        others = jobs.alias()
        running = (
            select(func.count())
            .where(others.c.user == c.user, others.c.tenant == c.tenant)
            .where(others.c.state == "running", others.c.lease > now)
            .scalar_subquery()
        )
        waiting = and_(c.state == "queued", c.due <= now)
        left = and_(c.state == "running", c.lease <= now)
        query = (
            select(jobs)
            .where(c.kind.in_(sorted(kinds)), or_(waiting, left))
            .order_by(running, c.due, c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=jobs)
        )
        async with self._database.write() as connection:
            while True:
                row = (await connection.execute(query)).mappings().one_or_none()
                if row is None:
                    return None
                here = update(jobs).where(c.id == row["id"])
                if row["stop"]:
                    await connection.execute(here.values(state="cancelled", ended=now))
                elif row["attempts"] >= kinds[row["kind"]]:
                    sealed = self._rows.error(row["id"], row["user"], LOST_TOO_OFTEN)
                    await connection.execute(here.values(state="failed", ended=now, error=sealed))
                else:
                    break
            token = secrets.token_hex(8)
            values = {
                "state": "running",
                "worker": token,
                "lease": now + lease_s,
                "attempts": row["attempts"] + 1,
                "started": now,
                "error": "",
            }
            await connection.execute(here.values(values))
        job = self._rows.job({**dict(row), **values})
        return Claim(replace(job, arguments=self._rows.opened("arguments", row)), token)

    async def beat(
        self, claim: Claim, lease_s: float, step: Text | None = None, fraction: float = 0.0
    ) -> bool:
        """Keep the job, and say how far it is; whether it is to go on. Raises ``Lost``."""
        values: dict[str, Any] = {"lease": time.time() + lease_s}
        if step is not None:
            values |= {"step_zh": step.zh[:200], "step_en": step.en[:200], "fraction": fraction}
        async with self._database.write() as connection:
            stop = (
                await connection.execute(
                    update(jobs).where(held(claim)).values(values).returning(jobs.c.stop)
                )
            ).scalar_one_or_none()
        if stop is None:
            raise Lost
        return not stop

    async def stopping(self, claim: Claim) -> bool:
        """Whether its owner has cancelled it. Raises ``Lost``."""
        async with self._database.read() as connection:
            found = await connection.execute(select(jobs.c.stop).where(held(claim)))
            stop = found.scalar_one_or_none()
        if stop is None:
            raise Lost
        return bool(stop)

    async def step(self, claim: Claim, name: str) -> tuple[Any] | None:
        """What the step came to when it was done before."""
        s = job_steps.c
        query = select(s.content).where(s.job == claim.job.id, s.name == name)
        async with self._database.read() as connection:
            text = (await connection.execute(query)).scalar_one_or_none()
        if text is None:
            return None
        opened = self._sealer.open(step_place(claim.job.id, name), text)
        return (opened.content,) if opened.state == "open" else None

    async def put_step(self, claim: Claim, name: str, content: Any) -> None:
        """Raises ``Lost``."""
        job = claim.job
        sealed = self._sealer.seal(job.user, step_place(job.id, name), content)
        row = {"job": job.id, "name": name, "content": sealed, "at": time.time()}
        async with self._database.write() as connection:
            await self._hold(connection, claim)
            s = job_steps.c
            await connection.execute(delete(job_steps).where(s.job == job.id, s.name == name))
            await connection.execute(insert(job_steps).values(row))

    async def put_file(self, claim: Claim, name: str, type: str, data: bytes) -> None:
        """In the place of one of that name. Raises ``Lost``, and ``CallerError`` where it is too
        large."""
        self._check_size(name, data)
        job = claim.job
        row = self._rows.file(job.id, job.user, NewFile(name, type, data))
        async with self._database.write() as connection:
            await self._hold(connection, claim)
            f = job_files.c
            await connection.execute(delete(job_files).where(f.job == job.id, f.name == name))
            await connection.execute(insert(job_files).values(row))

    async def given_file(self, claim: Claim, name: str) -> bytes:
        """Raises ``Lost`` and ``NotFound``."""
        async with self._database.read() as connection:
            still = await connection.execute(select(jobs.c.id).where(held(claim)))
            if still.scalar_one_or_none() is None:
                raise Lost
            return (await self._file(connection, claim.job.id, name))[1]

    async def finish(self, claim: Claim, result: Any) -> None:
        """Raises ``Lost``."""
        job = claim.job
        sealed = self._sealer.seal(job.user, place("result", job.id), result)
        await self._end(claim, state="done", result=sealed, fraction=1.0, ended=time.time())

    async def fail(self, claim: Claim, why: Failure, again: float | None = None) -> None:
        """``again``: when to try once more, in seconds since the epoch. Raises ``Lost``."""
        sealed = self._rows.error(claim.job.id, claim.job.user, why)
        if again is None:
            await self._end(claim, state="failed", error=sealed, ended=time.time())
        else:
            await self._end(claim, state="queued", error=sealed, due=again)

    async def cancelled(self, claim: Claim) -> None:
        """Raises ``Lost``."""
        await self._end(claim, state="cancelled", ended=time.time())

    async def give_back(self, claim: Claim) -> None:
        """Whoever worked on it has to go: somebody else may, and it was no try. Raises ``Lost``."""
        await self._end(claim, state="queued", attempts=claim.job.attempts - 1)

    async def _end(self, claim: Claim, **values: Any) -> None:
        async with self._database.write() as connection:
            done = await connection.execute(
                update(jobs).where(held(claim)).values(worker="", lease=0.0, **values)
            )
            if done.rowcount and values["state"] == "done":  # what it came to is in the result
                await connection.execute(delete(job_steps).where(job_steps.c.job == claim.job.id))
        if not done.rowcount:
            raise Lost

    async def _hold(self, connection: AsyncConnection, claim: Claim) -> None:
        """Nobody takes the job before the transaction ends. Raises ``Lost``."""
        done = await connection.execute(update(jobs).where(held(claim)).values(worker=claim.token))
        if not done.rowcount:
            raise Lost

"""Rows of jobs: what is sealed in them, and which of them somebody's statements are about."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.jobs.model import Claim, Failure, Job, NewFile, Opened, Sealer
from dazi.store.jobs.tables import job_files, job_steps, jobs

Row = Mapping[str, Any] | RowMapping
LOST_TOO_OFTEN = Failure(
    "lost",
    Text(
        "处理它的进程一再中断(可能内存不足);已停止重试",
        "whatever worked on it broke off again and again (out of memory, perhaps); not tried again",
    ),
)


class Rows:
    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def job(self, row: Row) -> Job:
        error = self.opened("error", row)
        return Job(
            row["id"],
            row["tenant"],
            row["user"],
            row["channel"],
            row["kind"],
            self.opened("title", row) or "",
            None,
            row["batch"],
            row["state"],
            row["due"],
            row["created"],
            row["started"],
            row["ended"],
            row["attempts"],
            Text(row["step_zh"], row["step_en"]),
            row["fraction"],
            Failure(error[0], Text(error[1], error[2])) if error else None,
            stopping=row["stop"] and row["state"] == "running",
        )

    def opened(self, column: str, row: Row) -> Any:
        if not row[column]:
            return None
        opened: Opened = self._sealer.open(place(column, row["id"]), row[column])
        return opened.content if opened.state == "open" else None

    def error(self, id: str, user: str, why: Failure) -> str:
        return self._sealer.seal(user, place("error", id), [why.code, why.text.zh, why.text.en])

    def file(self, job: str, user: str, file: NewFile) -> dict[str, Any]:
        content = b64encode(file.data).decode()
        return {
            "job": job,
            "name": file.name,
            "type": file.type,
            "size": len(file.data),
            "content": self._sealer.seal(user, file_place(job, file.name), content),
            "at": time.time(),
        }


def place(column: str, id: str) -> str:
    return f"jobs.{column}:{id}"


def step_place(id: str, name: str) -> str:
    return f"job_steps.content:{id}:{name}"


def file_place(id: str, name: str) -> str:
    return f"job_files.content:{id}:{name}"


def of(principal: Principal) -> ColumnElement[bool]:
    return and_(jobs.c.user == principal.user, jobs.c.tenant == principal.tenant)


def held(claim: Claim) -> ColumnElement[bool]:
    c = jobs.c
    return and_(c.id == claim.job.id, c.worker == claim.token, c.state == "running")


async def row_of(connection: AsyncConnection, id: str, principal: Principal) -> Row:
    found = await connection.execute(select(jobs).where(jobs.c.id == id, of(principal)))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("job", "没有这个任务", "no such job")
    return row


async def delete_jobs(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    ids = select(jobs.c.id).where(which)
    for table in (job_steps, job_files):
        await connection.execute(delete(table).where(table.c.job.in_(ids)))
    return (await connection.execute(delete(jobs).where(which))).rowcount


def over() -> CallerError:
    return CallerError("over", "任务已经结束", "the job is over")

"""``/v1/dazi/jobs`` and ``/v1/dazi/schedules``: the caller's own. Another's looks like none at all."""

from __future__ import annotations

from typing import Any, Literal, get_args

from msgspec import Struct, field

from dazi.core.errors import AccessError, NotFound
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader
from dazi.store.jobs.model import Job, State
from dazi.store.jobs.schedules import Schedule
from dazi.store.jobs.service import JobService

MOST = 200
STATES: tuple[State, ...] = get_args(State)
LONGEST_TITLE, LONGEST_KEY, LONGEST_BATCH = 200, 100, 40


class JobFileView(Struct, frozen=True):
    """``size`` in bytes."""

    name: str
    type: str
    size: int


class JobFailure(Struct, frozen=True):
    code: str
    message: str


class JobView(Struct, frozen=True):
    """Times are seconds since the epoch. ``fraction``: of the work, 0 to 1; ``left``: seconds until it
    is done, at its pace so far; ``result`` is given for one job, not in lists."""

    id: str
    kind: str
    title: str
    state: State
    step: str
    fraction: float
    left: float | None
    created: float
    started: float | None
    ended: float | None
    attempts: int
    batch: str
    stopping: bool
    error: JobFailure | None
    result: Any = None
    files: list[JobFileView] = field(default_factory=list)


class Jobs(Struct, frozen=True):
    """``next``: give it as ``after`` for the page that follows; empty on the last."""

    data: list[JobView]
    next: str
    object: str = "list"


class JobRequest(Struct, forbid_unknown_fields=True):
    """``key``: a second job of the same kind and key is the first one."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    key: str = ""
    batch: str = ""


class JobKindView(Struct, frozen=True):
    """``attempts``: how often it is tried at the most; ``seconds``: how long one try may take."""

    name: str
    title: str
    attempts: int
    seconds: float


class JobKinds(Struct, frozen=True):
    data: list[JobKindView]
    object: str = "list"


class BatchView(Struct, frozen=True):
    """How many jobs of a batch are in each state."""

    batch: str
    jobs: int
    states: dict[str, int]


class ScheduleRequest(Struct, forbid_unknown_fields=True):
    """``cron``: minute, hour, day, month, weekday."""

    kind: str
    cron: str
    arguments: dict[str, Any] = field(default_factory=dict)
    title: str = ""


class ScheduleEdit(Struct, forbid_unknown_fields=True):
    cron: str | None = None
    enabled: bool | None = None


class ScheduleView(Struct, frozen=True):
    """``due``: when its next job begins, in seconds since the epoch; ``last``: its latest job."""

    id: str
    kind: str
    title: str
    cron: str
    due: float
    enabled: bool
    last: str


class Schedules(Struct, frozen=True):
    data: list[ScheduleView]
    object: str = "list"


JOB = Reader(JobRequest)
SCHEDULE = Reader(ScheduleRequest)
SCHEDULE_EDIT = Reader(ScheduleEdit)


async def jobs(x: Exchange) -> None:
    state, limit = x.text("state"), x.number("limit", 50, least=1, most=MOST)
    if state and state not in STATES:
        names = "、".join(STATES), ", ".join(STATES)
        raise BadField("state", f"应为 {names[0]} 之一", f"must be one of {names[1]}")
    found = await _service(x).store.list(
        x.principal,
        (state,) if state else (),
        kind=x.text("kind"),
        batch=x.text("batch"),
        limit=limit + 1,
        after=x.text("after"),
    )
    more = found[limit - 1].id if len(found) > limit else ""
    await x.reply(encode(Jobs([view(x, j) for j in found[:limit]], more)))


async def begin_job(x: Exchange) -> None:
    in_full(x)
    given = JOB.read(x.body)
    _bounded("title", given.title, LONGEST_TITLE)
    _bounded("key", given.key, LONGEST_KEY)
    _bounded("batch", given.batch, LONGEST_BATCH)
    job = await _service(x).begin(
        x.principal,
        given.kind,
        given.arguments,
        given.title,
        language=x.spoken,
        key=given.key,
        batch=given.batch,
    )
    await x.reply(encode(view(x, job)), status=202)


async def job(x: Exchange) -> None:
    await x.reply(encode(view(x, await _service(x).store.get(x.path["job"], x.principal))))


async def cancel_job(x: Exchange) -> None:
    await x.reply(encode(view(x, await _service(x).store.cancel(x.path["job"], x.principal))))


async def retry_job(x: Exchange) -> None:
    in_full(x)
    found = await _service(x).store.retry(x.path["job"], x.principal)
    if (workers := _service(x).workers) is not None:
        workers.wake()
    await x.reply(encode(view(x, found)))


async def delete_job(x: Exchange) -> None:
    await _service(x).store.delete(x.path["job"], x.principal)
    await x.reply(encode(Done()))


async def job_file(x: Exchange) -> None:
    file, data = await _service(x).store.file(x.path["job"], x.path["name"], x.principal)
    await x.file(data, file.type, file.name, GENERATED)


async def job_kinds(x: Exchange) -> None:
    kinds = _service(x).kinds.values()
    found = [JobKindView(k.name, k.title(x.spoken), k.attempts, k.seconds) for k in kinds]
    await x.reply(encode(JobKinds(found)))


async def batch(x: Exchange) -> None:
    name = x.path["batch"]
    counts = await _service(x).store.counts(x.principal, name)
    if not counts:
        raise NotFound("batch", "没有这一批任务", "no such batch of jobs")
    await x.reply(encode(BatchView(name, sum(counts.values()), dict(counts.items()))))


async def schedules(x: Exchange) -> None:
    found = await _service(x).schedules.list(x.principal)
    await x.reply(encode(Schedules([schedule_view(s) for s in found])))


async def add_schedule(x: Exchange) -> None:
    in_full(x)
    given = SCHEDULE.read(x.body)
    _bounded("title", given.title, LONGEST_TITLE)
    made = await _service(x).schedule(
        x.principal, given.kind, given.arguments, given.cron, given.title, language=x.spoken
    )
    await x.reply(encode(schedule_view(made)), status=201)


async def edit_schedule(x: Exchange) -> None:
    in_full(x)
    given = SCHEDULE_EDIT.read(x.body)
    changed = await _service(x).schedules.change(
        x.path["schedule"], x.principal, cron=given.cron, enabled=given.enabled
    )
    await x.reply(encode(schedule_view(changed)))


async def delete_schedule(x: Exchange) -> None:
    await _service(x).schedules.remove(x.path["schedule"], x.principal)
    await x.reply(encode(Done()))


def view(x: Exchange, j: Job) -> JobView:
    left = j.left_s()
    return JobView(
        j.id,
        j.kind,
        j.title,
        j.state,
        j.step(x.spoken),
        round(j.fraction, 4),
        round(left, 1) if left is not None else None,
        j.created,
        j.started,
        j.ended,
        j.attempts,
        j.batch,
        j.stopping,
        JobFailure(j.error.code, j.error.text(x.spoken)) if j.error else None,
        j.result,
        [JobFileView(f.name, f.type, f.size) for f in j.files],
    )


def schedule_view(s: Schedule) -> ScheduleView:
    return ScheduleView(s.id, s.kind, s.title, s.cron, s.due, s.enabled, s.last)


def _service(x: Exchange) -> JobService:
    if x.state.jobs is None:
        raise NotFound("jobs", "这里没有任务", "there are no jobs here")
    return x.state.jobs


def in_full(x: Exchange) -> None:
    """A job is done with all the rights of its owner: a key that is narrower may begin none. Raises
    ``AccessError``."""
    if x.grant is None or x.state.access is None:
        return
    owner = x.state.access.people.roles(x.principal.tenant, x.principal.user)
    if x.grant.tools or x.grant.models or not owner <= x.principal.roles:
        raise AccessError(
            "narrow_key",
            "任务以本人的全部权限执行,而这个密钥的权限更窄;请登录后再做,或换一个不受限的密钥",
            "a job is done with all of its owner's rights, and this key has fewer; sign in, or use a "
            "key that is not narrowed",
        )


def _bounded(field: Literal["title", "key", "batch"], value: str, most: int) -> None:
    if len(value) > most:
        raise BadField(field, f"最多 {most} 个字符", f"must have {most} characters at the most")

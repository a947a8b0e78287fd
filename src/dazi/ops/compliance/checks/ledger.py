"""The audit ledger: whole, complete, protected, kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from dazi.access.accounts import Account
from dazi.access.duties import ACTIONS
from dazi.audit.checkpoints import EVERY_RECORDS, Checkpoints, head_of
from dazi.audit.days import FLOOR_DAYS, checked_days
from dazi.audit.records import Record, records
from dazi.audit.sealing import CLEAR, MARKS, fields_of
from dazi.audit.search import Found, Query, search
from dazi.audit.signing import Trust
from dazi.audit.verify import Walk, verify
from dazi.core.errors import AccessError, ConfigError, DaziError, OperatorError
from dazi.core.language import Text
from dazi.ops.compliance.results import BUG, Notes, Result, some
from dazi.ops.compliance.subject import DAY_S, Subject, recent
from dazi.ops.compliance.trial import ADDRESS, trial

COPIED = 20
UNSIGNED_S = DAY_S
_SUCCESS: Mapping[str, tuple[str, ...]] = {
    "sign_in": ("ok", "out"),
    "outcome": ("outcome",),
    "decision": ("outcome",),
    "call": ("tool",),
    "admin": ("act",),
    "job": ("what",),
    "route": ("place",),
}
"""What of a record's fields says whether it succeeded, or what was done."""
DURABLE = Text("设 DAZI_AUDIT=durable 或 synced", "set DAZI_AUDIT=durable or synced")


def _kept(s: Subject, n: Notes) -> None:
    n.expect(
        s.books.mode != "memory",
        Text(f"账本方式:{s.books.mode}", f"the ledger is {s.books.mode}"),
        Text("账本只在内存里,进程一停就没了", "the ledger is in memory and ends with the process"),
        DURABLE,
    )


async def audit_covers(s: Subject) -> Result:
    """Turns, calls, sign-ins and administrators' acts are all on record."""
    n = Notes()
    _kept(s, n)
    c = records.c
    async with s.books.database.read() as connection:
        since = c.at >= s.since
        counted = await connection.execute(
            select(c.kind, func.count()).where(since).group_by(c.kind).order_by(c.kind)
        )
        kinds = {row.kind: row[1] for row in counted}
        bounds = select(func.min(c.seq), func.max(c.seq), func.count(c.user.distinct()))
        first, last, people = (await connection.execute(bounds.where(since))).one()
    told = ", ".join(f"{kind} {number}" for kind, number in kinds.items()) or "0"
    n.saw(
        f"{s.period_days:g} 天内的记录:{told};涉及 {people} 个用户",
        f"records of {s.period_days:g} days: {told}; by {people} users",
    )
    n.records = [first, last] if first else []
    async with trial(s) as t:
        by = await t.administrator("sysadmin")
        reader = await t.administrator("auditadmin")
        await t.access.administration.create(by, Account("probe", Text("", "")))
        for refused in (
            t.access.administration.disable(reader, "probe"),
            t.sign_in("probe", "wrong"),
        ):
            with suppress(AccessError):
                await refused
        made = await search(t.database, t.sealing, Query(), COPIED)
    wanted = ("user.create", "refused", "ok")
    got = [_told(made, name) for name in wanted]
    n.expect(
        all(got),
        Text("试做一次管理、一次越权、一次错密码:三件都有记录",
             "an administrative act, a refused one and a wrong password were tried: all on record"),
        Text("有的事没有记录", "something was not put on record"),
        BUG,
    )  # fmt: skip
    return n.result()


def _told(made: Sequence[Found], name: str) -> bool:
    if name == "ok":
        return any(f.content.fields.get("ok") is False for f in made)
    return any(name in (f.content.fields.get("act"), *f.content.fields) for f in made)


async def audit_fields(s: Subject) -> Result:
    """Each record says when, who, what, and whether it succeeded."""
    n = Notes()
    found = await recent(s)
    lacking = [f.record.seq for f in found if not _complete(f)]
    n.records = lacking
    n.expect(
        not lacking,
        Text(f"看了最近 {len(found)} 条:时间、用户、种类、结果都有",
             f"the latest {len(found)}: time, user, kind and outcome are all there"),
        Text(f"{len(lacking)} 条缺字段:第 {some(lacking)} 条",
             f"{len(lacking)} lack a field: records {some(lacking)}"),
        Text("看 dazi audit search 里这些记录是谁写的",
             "find with dazi audit search what wrote them"),
    )  # fmt: skip
    return n.result()


def _complete(f: Found) -> bool:
    r, fields = f.record, f.content.fields
    # Who failed to sign in may have given no name.
    named = bool(r.user) or (r.kind == "sign_in" and fields.get("ok") is False)
    erased = f.content.state == "erased"
    told = erased or not {*_SUCCESS.get(r.kind, ())}.isdisjoint(fields) or r.kind not in _SUCCESS
    return r.at > 0 and bool(r.kind) and named and told


async def audit_chain(s: Subject) -> Result:
    """The real ledger verifies, and changes to a copy of some of it are noticed."""
    n = Notes()
    books = s.books
    found = await verify(books.database, books.keys.trust(), head_of(books.keys))
    if found.bad is not None:
        n.records = [found.bad.seq]
        n.wrong(
            f"第 {found.bad.seq} 条核对不上({found.bad.fault})",
            f"record {found.bad.seq} does not verify ({found.bad.fault})",
            Text("运行 dazi audit verify,与另存的检查点、备份对照,查明原因",
                 "run dazi audit verify, and compare with checkpoints and backups kept elsewhere"),
        )  # fmt: skip
    else:
        n.saw(
            f"核对了 {found.records} 条,末尾第 {found.end} 条;依规删除 {found.removed} 条",
            f"{found.records} records verified, up to {found.end}; {found.removed} removed by rule",
        )
    copies = await _copies(s)
    noticed = [name for name, changed in _tampered(copies).items() if _noticed(copies, changed)]
    whole = not _noticed(copies, copies)
    tried = len(_tampered(copies))
    n.expect(
        whole and len(noticed) == tried,
        Text(f"在 {len(copies)} 条副本上改、删、换序、插入:{tried} 种都被发现",
             f"of {len(copies)} copied records, one was changed, removed, swapped and added: all "
             f"{tried} were noticed"),
        Text(f"{tried} 种改动只发现了 {len(noticed)} 种", f"only {len(noticed)} of {tried} noticed"),
        BUG,
    )  # fmt: skip
    return n.result()


async def _copies(s: Subject) -> list[Record]:
    """The latest records of the ledger; where there are too few, of a made-up one."""
    c = records.c
    async with s.books.database.read() as connection:
        rows = await connection.execute(select(records).order_by(c.seq.desc()).limit(COPIED))
        found = [Record(*row) for row in rows][::-1]
    gapless = [r.seq for r in found] == list(range(found[0].seq, found[-1].seq + 1)) if found else 0
    if len(found) >= 3 and gapless and not _noticed(found, found):
        return found
    async with trial(s) as t:
        for i in range(3):
            await t.ledger.append("turn", "probe", f"turn_{i}", {"said": str(i)})
        async with t.database.read() as connection:
            rows = await connection.execute(select(records).order_by(c.seq))
            return [Record(*row) for row in rows]


def _tampered(copies: Sequence[Record]) -> dict[str, list[Record]]:
    first, second, third, *rest = copies
    return {
        "changed": [first, replace(second, body=second.body + " "), third, *rest],
        "user": [first, replace(second, user="somebody-else"), third, *rest],
        "time": [first, replace(second, at=second.at - 1), third, *rest],
        "removed": [first, third, *rest],
        "swapped": [second, first, third, *rest],
        "added": [first, second, second, third, *rest],
    }


def _noticed(copies: Sequence[Record], changed: Sequence[Record]) -> bool:
    walk = Walk(Trust(()), copies[0].seq - 1, copies[0].previous)
    return any(walk.step(r) is not None for r in changed)


async def audit_checkpoints(s: Subject) -> Result:
    """The ledger's end is signed often, also outside the database."""
    n = Notes()
    latest = await Checkpoints(s.books.database, s.books.keys).latest()
    c = records.c
    signed = latest.seq if latest is not None else 0
    async with s.books.database.read() as connection:
        oldest, count = (
            await connection.execute(select(func.min(c.at), func.count()).where(c.seq > signed))
        ).one()
    make = Text(
        "dazi serve 会自动签;现在就签:dazi audit checkpoint",
        "dazi serve makes them; one now: dazi audit checkpoint",
    )
    late = count > EVERY_RECORDS or (oldest is not None and s.now - oldest > UNSIGNED_S)
    if latest is None and count:
        n.wrong(f"{count} 条记录,还没有检查点", f"{count} records and no checkpoint yet", make)
    else:
        n.expect(
            not late,
            Text(f"最后的检查点在第 {signed} 条,之后 {count} 条",
                 f"the last checkpoint is at record {signed}, with {count} behind it"),
            Text(f"最后的检查点在第 {signed} 条,之后 {count} 条太久没有签",
                 f"the last checkpoint is at record {signed}; {count} behind it wait for too long"),
            make,
        )  # fmt: skip
    n.records = [signed] if signed else []
    outside = [k.seq for k in head_of(s.books.keys)]
    if latest is not None and max(outside, default=0) < signed:
        n.wrong(
            "audit/head.json 里没有最后的检查点",
            "audit/head.json does not hold the last checkpoint",
            make,
        )
    return n.result()


async def audit_retention(s: Subject) -> Result:
    """Records are kept for half a year at least."""
    n = Notes()
    _kept(s, n)
    days = s.books.retention_days
    n.expect(
        days >= FLOOR_DAYS,
        Text(f"保留 {days} 天(下限 {FLOOR_DAYS} 天)", f"kept for {days} days (floor {FLOOR_DAYS})"),
        Text(f"只保留 {days} 天", f"kept for {days} days only"),
        Text(f"DAZI_AUDIT_DAYS 至少 {FLOOR_DAYS}", f"DAZI_AUDIT_DAYS: {FLOOR_DAYS} at least"),
    )
    try:
        checked_days(FLOOR_DAYS - 1, "--days")
        refused = False
    except ConfigError:
        refused = True
    n.expect(
        refused,
        Text(f"试删 {FLOOR_DAYS - 1} 天以前的,被拒绝",
             f"removing what is older than {FLOOR_DAYS - 1} days was refused"),
        Text("低于下限的删除没有被拒绝", "a removal below the floor was not refused"),
        BUG,
    )  # fmt: skip
    async with s.books.database.read() as connection:
        oldest, seq = (
            await connection.execute(select(func.min(records.c.at), func.min(records.c.seq)))
        ).one()
    if oldest is not None:
        day = time.strftime("%Y-%m-%d", time.localtime(oldest))
        n.records = [seq]
        n.saw(f"最早的记录:{day}", f"the oldest record is of {day}")
    return n.result()


async def audit_uninterrupted(s: Subject) -> Result:
    """Nobody can switch the audit off, and without it nothing is done."""
    n = Notes()
    _kept(s, n)
    changing = sorted(
        a for a in ACTIONS if a.startswith("audit.") and a.split(".")[1] not in
        ("read", "verify", "export")
    )  # fmt: skip
    n.expect(
        not changing,
        Text("没有任何角色能关掉或改写审计", "no role may switch the audit off or write it anew"),
        Text(f"能动审计的操作:{some(changing)}", f"acts that change the audit: {some(changing)}"),
        BUG,
    )

    async def down(kind: str, who: str, body: Mapping[str, Any]) -> None:
        raise OperatorError("audit", "账本不可用", "the ledger is down")

    async with trial(s, down) as t:
        by = await t.administrator("sysadmin")
        with suppress(DaziError):
            await t.access.administration.create(by, Account("probe", Text("", "")))
        there = t.access.people.account("default", "probe") is not None
    n.expect(
        not there,
        Text("让账本写不进去再建账号:没有建成",
             "with the ledger down, an account was to be made: it was not"),
        Text("账本写不进去,账号还是建成了", "an account was made although nothing was recorded"),
        BUG,
    )  # fmt: skip
    return n.result()


async def audit_sealed(s: Subject) -> Result:
    """What is personal in a record is encrypted with its subject's key."""
    n = Notes()
    found = await recent(s)
    stored = [(f.record.seq, fields_of(f.record.body)) for f in found]
    plain = [q for q, fields in stored if "sealed" not in fields and set(fields) - CLEAR - {*MARKS}]
    sealed = sum("sealed" in fields for _, fields in stored)
    n.records = plain
    n.expect(
        not plain,
        Text(f"最近 {len(found)} 条,{sealed} 条的个人内容已加密(AES-256-GCM),其余没有个人内容",
             f"of the latest {len(found)}, {sealed} are sealed (AES-256-GCM); the others hold "
             "nothing personal"),
        Text(f"{len(plain)} 条的个人内容是明文:第 {some(plain)} 条",
             f"{len(plain)} hold personal content in plain text: records {some(plain)}"),
        Text("加密之前的旧记录到保留期才会删除;新记录若是明文,请报告",
             "records from before encryption go with retention; report new ones"),
    )  # fmt: skip
    broken = [f.record.seq for f in found if f.content.state in ("missing", "damaged")]
    if broken:
        n.wrong(
            f"{len(broken)} 条解不开:第 {some(broken)} 条",
            f"{len(broken)} cannot be opened: records {some(broken)}",
            Text("从备份恢复数据目录里的 audit 文件夹", "restore the folder audit from its backup"),
        )
    return n.result()


async def security_events(s: Subject) -> Result:
    """What went wrong can be found: failed sign-ins, refused acts, denied calls."""
    n = Notes()
    _kept(s, n)
    found = await recent(s)
    failed = [f.record.seq for f in found if f.content.fields.get("ok") is False]
    refused = [f.record.seq for f in found if "refused" in f.content.fields]
    denied = [f.record.seq for f in found if f.record.kind == "decision"]
    n.records = sorted((*failed, *refused, *denied), reverse=True)
    n.saw(
        f"最近 {len(found)} 条里:登录失败 {len(failed)},越权管理 {len(refused)},"
        f"没有执行的调用 {len(denied)}",
        f"of the latest {len(found)}: {len(failed)} failed sign-ins, {len(refused)} refused acts, "
        f"{len(denied)} calls not carried out",
    )
    async with trial(s) as t:
        with suppress(AccessError):
            await t.sign_in("probe", "wrong")
        hits = await search(t.database, t.sealing, Query(ADDRESS, kind="sign_in"), 10)
    n.expect(
        len(hits) == 1,
        Text("试一次错密码,按地址能搜到", "a wrong password was tried, and found by its address"),
        Text("试的错密码搜不到", "a wrong password was tried and could not be found"),
        BUG,
    )
    return n.result()

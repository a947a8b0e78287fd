"""What a person may ask for: to see, to have put right, to be left alone, to be forgotten."""

from __future__ import annotations

import io

from sqlalchemy import func, select

from dazi.access.accounts import Edit
from dazi.access.keys import Draft, Scope
from dazi.audit.erasure import Erasure
from dazi.audit.export import verify_file, write_jsonl
from dazi.audit.holds import Holds
from dazi.audit.holds import Scope as Held
from dazi.audit.retention import Retention
from dazi.audit.search import Query, matching, search
from dazi.audit.verify import verify
from dazi.core.errors import AccessError, CallerError
from dazi.core.language import Text
from dazi.memory.tables import threads
from dazi.ops.compliance.results import BUG, Notes, Result, some
from dazi.ops.compliance.subject import DAY_S, Subject, everybody
from dazi.ops.compliance.trial import trial

GRACE_DAYS = 2
"""The service removes what is too old once a day."""
SECRET = "compliance-secret-7731"


async def erasure(s: Subject) -> Result:
    """A person's words can be destroyed, and the chain still holds."""
    n = Notes()
    async with trial(s) as t:
        await t.ledger.append("turn", "probe", "turn_1", {"said": SECRET})
        await t.ledger.append("turn", "other", "turn_2", {"said": "other"})
        await Erasure(t.database, t.ledger, t.sealing).erase("probe", "compliance", "trial")
        (of_probe,) = await search(t.database, t.sealing, Query(user="probe"), 10)
        (of_other,) = await search(t.database, t.sealing, Query(user="other"), 10)
        holds = (await verify(t.database, t.keys.trust())).bad is None
        gone = SECRET not in str(of_probe) and of_probe.content.state == "erased"
    n.expect(
        gone and holds and of_other.content.state == "open",
        Text("试抹一个人:内容读不出了,哈希链仍完整,别人的不受影响",
             "a person was erased: their words are gone, the chain holds, others' are untouched"),
        Text("抹除没有做到位", "the erasure did not do what it should"),
        BUG,
    )  # fmt: skip
    acts = await search(s.books.database, s.books.sealing, Query(kind="admin"), 1_000)
    done = [f for f in acts if f.content.fields.get("act") == "erase"]
    n.records = [f.record.seq for f in reversed(done)]
    people = sorted({str(f.content.fields.get("of")) for f in done})
    n.saw(f"做过 {len(done)} 次抹除", f"{len(done)} erasures are on record")
    async with s.books.database.read() as connection:
        query = select(threads.c.user, func.max(threads.c.at)).group_by(threads.c.user)
        kept = {row.user: row[1] for row in await connection.execute(query)}
    latest = {str(f.content.fields.get("of")): f.record.at for f in done}
    left = [user for user in people if user in kept and kept[user] <= latest[user]]
    if left:
        n.wrong(
            f"抹除过的人还有会话:{some(left)}",
            f"people who were erased still have threads: {some(left)}",
            Text("再执行一次 dazi audit erase:会话会一起删掉",
                 "run dazi audit erase again: it deletes their threads too"),
        )  # fmt: skip
    return n.result()


async def access_export(s: Subject) -> Result:
    """What is on record of a person can be given to them, whole and theirs alone."""
    n = Notes()
    async with trial(s) as t:
        for user in ("probe", "other"):
            await t.ledger.append("turn", user, "turn", {"said": f"{SECRET}-{user}"})
        found = matching(t.database, t.sealing, Query(user="probe"))
        out = io.BytesIO()
        await write_jsonl(found, out, t.keys, whole=False, sealed=False)
        text = out.getvalue().decode()
        file = t.folder / "export.jsonl"
        file.write_bytes(out.getvalue())
        checked = verify_file(file, t.keys.trust())
    right = f"{SECRET}-probe" in text and f"{SECRET}-other" not in text
    n.expect(
        right and checked.bad is None and checked.records == 1,
        Text("试导一个人的记录(JSON Lines):只有本人的,签名核对无误",
             "one person's records were exported (JSON Lines): theirs alone, and the signature holds"),
        Text("导出的不对", "the export is not right"),
        BUG,
    )  # fmt: skip
    n.saw(
        "导出:dazi audit export --user USER;会话在网页和接口里本人看得到",
        "export: dazi audit export --user USER; people see their threads on the page and by the API",
    )
    return n.result()


async def rectification(s: Subject) -> Result:
    """What is kept about a person can be put right, on record."""
    n = Notes()
    async with trial(s) as t:
        by = await t.administrator("sysadmin")
        await t.person("probe")
        name = Text("新", "new")
        await t.access.administration.edit(by, "probe", Edit(name, "new"))
        after = t.access.people.account("default", "probe")
        told = await search(t.database, t.sealing, Query("user.edit", kind="admin"), 10)
    n.expect(
        after is not None and after.name == name and after.department == "new" and len(told) == 1,
        Text(
            "试改姓名和部门:改了,有记录", "name and department were changed, and that is on record"
        ),
        Text("改了没有生效,或没有记录", "a change had no effect, or is not on record"),
        BUG,
    )
    n.saw(
        "账本不能改,更正另记一条;业务数据在各系统里更正",
        "the ledger cannot be changed: corrections are further records; business data is put right "
        "in its own system",
    )
    return n.result()


async def restriction(s: Subject) -> Result:
    """Processing can be stopped without deleting, and deletion can be stopped too."""
    n = Notes()
    async with trial(s) as t:
        by = await t.administrator("sysadmin")
        await t.person("probe", password=t.password)
        begun = await t.sign_in("probe", t.password)
        await t.access.administration.disable(by, "probe")
        ended = await t.access.sign_in.principal(begun.token, "probe") is None
        try:
            await t.sign_in("probe", t.password)
            refused = False
        except AccessError:
            refused = True
        await t.ledger.append("turn", "probe", "turn_1", {"said": SECRET})
        await Holds(t.database, t.ledger).add(Held(user="probe"), "compliance", "trial")
        try:
            await Erasure(t.database, t.ledger, t.sealing).erase("probe", "compliance", "trial")
            held = False
        except CallerError as e:
            held = e.code == "held"
    n.expect(
        ended and refused and held,
        Text("试停用一个人:会话结束,登录被拒绝;试保全:抹除被拒绝",
             "a person was disabled: the session ended and signing in was refused; a hold was "
             "placed: erasing was refused"),
        Text("停用或保全没有生效", "disabling or holding had no effect"),
        BUG,
    )  # fmt: skip
    active = await Holds(s.books.database, s.books.ledger).active()
    disabled = [a for a in await everybody(s) if a.disabled]
    n.saw(
        f"现在有 {len(disabled)} 个停用的账号,{len(active)} 个生效的保全",
        f"now: {len(disabled)} disabled accounts, {len(active)} active holds",
    )
    return n.result()


async def residual_cleared(s: Subject) -> Result:
    """Of a deleted account nothing is left that lets anybody in."""
    n = Notes()
    async with trial(s) as t:
        stores = t.access.stores
        by = await t.administrator("sysadmin")
        await t.person("probe", password=t.password)
        await stores.second_factor.enrol("default", "probe", "probe")
        session = await stores.sessions.begin(("default", "probe"), "probe", "")
        draft = Draft("default", "probe", "probe", Scope(frozenset({"probe"})), 1)
        key = await stores.keys.create(draft, "probe")
        await t.access.administration.delete(by, "probe")
        left = {
            "session": await stores.sessions.find(session.token) is not None,
            "key": (await stores.keys.get("default", key.key.id)).revoked_at is None,
            "password": await stores.passwords.verify("default", "probe", t.password) != "wrong",
            "account": t.access.people.account("default", "probe") is not None,
        }
    kept = sorted(name for name, there in left.items() if there)
    n.expect(
        not kept,
        Text("试删一个账号:密码、两步验证、会话、密钥都没了",
             "an account was deleted: its password, second factor, session and key are gone"),
        Text(f"删除后还在:{some(kept)}", f"still there after deletion: {some(kept)}"),
        BUG,
    )  # fmt: skip
    return n.result()


async def retention_limit(s: Subject) -> Result:
    """Nothing is kept for longer than was decided."""
    n = Notes()
    books, days = s.books, s.books.retention_days
    plan = await Retention(books.database, books.ledger, books.keys).plan(days + GRACE_DAYS, s.now)
    n.expect(
        not plan.removed,
        Text(f"没有超过 {days} 天的审计记录(保全的 {plan.held} 条除外)",
             f"no audit record is older than {days} days ({plan.held} that are held aside)"),
        Text(f"{plan.removed} 条审计记录超过 {days} 天",
             f"{plan.removed} audit records are older than {days} days"),
        Text(f"dazi serve 每天清理;现在就清:dazi audit prune --days {days}",
             f"dazi serve does so daily; now: dazi audit prune --days {days}"),
    )  # fmt: skip
    days = books.thread_days
    old = threads.c.at < s.now - (days + GRACE_DAYS) * DAY_S
    async with books.database.read() as connection:
        late = await connection.scalar(select(func.count()).select_from(threads).where(old)) or 0
    n.expect(
        not late,
        Text(f"没有超过 {days} 天的会话", f"no thread is older than {days} days"),
        Text(f"{late} 个会话超过 {days} 天", f"{late} threads are older than {days} days"),
        Text("dazi serve 每天清理(DAZI_THREAD_DAYS)", "dazi serve does so daily (DAZI_THREAD_DAYS)"),
    )  # fmt: skip
    return n.result()


async def processing_listed(s: Subject) -> Result:
    """Which systems are spoken with, by which tools, for whom: what a register begins with."""
    n = Notes()
    tools = s.company.tools.values()
    roles = sum(bool(t.roles) for t in tools)
    n.saw(
        f"{len(s.company.connectors)} 个系统,{len(tools)} 个工具,其中 {roles} 个写明了角色;"
        f"审计保留 {s.books.retention_days} 天",
        f"{len(s.company.connectors)} systems, {len(tools)} tools, {roles} of them with their "
        f"roles; audit kept for {s.books.retention_days} days",
    )
    used = {t.connector for t in tools}
    idle = sorted(name for name in s.company.connectors if name not in used)
    if idle:
        n.wrong(
            f"声明了却没有工具用的系统:{some(idle)}",
            f"systems that are declared and no tool uses: {some(idle)}",
            Text("从 tools/*.yaml 删掉", "remove them from tools/*.yaml"),
        )
    unnamed = sorted(t.name for t in tools if not (t.system.zh and t.description.zh))
    if unnamed:
        n.wrong(
            f"没写系统或用途的工具:{some(unnamed)}",
            f"tools that do not say their system or purpose: {some(unnamed)}",
            Text("写上 system 和 description", "write system and description"),
        )
    return n.result()

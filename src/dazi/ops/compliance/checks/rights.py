"""Who may do what: roles, tools, policies, keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from dazi.access.duties import SEPARATED
from dazi.access.keys import Draft, Scope
from dazi.access.people import FILE
from dazi.access.policy import Facts
from dazi.audit.records import records
from dazi.core.errors import AccessError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.ops.compliance.checks.identity import NO_FILE_USERS
from dazi.ops.compliance.results import BUG, Notes, Result, some
from dazi.ops.compliance.subject import (
    DAY_S,
    Subject,
    every_key,
    everybody,
    rules_in_force,
)
from dazi.ops.compliance.trial import trial
from dazi.packs.layers import layers_of

UNUSED_DAYS = 90.0
COMMON = frozenset(
    {"admin", "administrator", "root", "test", "guest", "user", "demo", "default", "system"}
)


async def accounts_assigned(s: Subject) -> Result:
    """Everybody has roles that exist."""
    n = Notes()
    active = [a for a in await everybody(s) if not a.disabled]
    known = SEPARATED | s.company.roles.keys()
    none = [a.user for a in active if not a.roles]
    lost = [f"{a.user}({some(sorted(a.roles - known))})" for a in active if a.roles - known]
    n.saw(
        f"{len(active)} 个启用的账号,{len(s.company.roles)} 个角色",
        f"{len(active)} active accounts, {len(s.company.roles)} roles",
    )
    if none:
        n.wrong(
            f"没有角色的账号:{some(none)}",
            f"accounts without a role: {some(none)}",
            Text("分配角色或停用:dazi user roles、dazi user disable",
                 "give a role or disable them: dazi user roles, dazi user disable"),
        )  # fmt: skip
    if lost:
        n.wrong(
            f"账号的角色在 roles.yaml 里没有:{some(lost)}",
            f"roles of accounts that roles.yaml lacks: {some(lost)}",
            Text(
                "收回这些角色:dazi user roles USER --take", "take them: dazi user roles USER --take"
            ),
        )
    return n.result()


async def default_accounts(s: Subject) -> Result:
    """No account that everybody knows of."""
    n = Notes()
    if s.company.users:
        n.wrong(
            f"dazi.toml 里有默认用户:{some([u.user for u in s.company.users])}",
            f"default users in dazi.toml: {some([u.user for u in s.company.users])}",
            NO_FILE_USERS,
        )
    if s.company.demo:
        n.wrong(
            "demo = true:每个用户有一个猜得到的密钥",
            "demo = true: each user has a key that can be guessed",
            Text("从 dazi.toml 删掉 demo = true", "remove demo = true from dazi.toml"),
        )
    made = [a for a in await everybody(s) if a.source != FILE and not a.disabled]
    common = [a.user for a in made if a.user in COMMON]
    n.expect(
        not common,
        Text(f"看了 {len(made)} 个账号的名字", f"the names of {len(made)} accounts were looked at"),
        Text(
            f"常见的账号名:{some(common)}", f"account names that are guessed first: {some(common)}"
        ),
        Text("换个名字新建账号,停用旧的", "make accounts with other names and disable these"),
    )
    return n.result()


async def stale_accounts(s: Subject) -> Result:
    """No account that nobody uses any more."""
    n = Notes()
    limit = s.now - UNUSED_DAYS * DAY_S
    c = records.c
    async with s.books.database.read() as connection:
        found = await connection.execute(select(c.user, func.max(c.at)).group_by(c.user))
        last = {row.user: row[1] for row in found}
    active = [a for a in await everybody(s) if not a.disabled and a.source != FILE]
    stale = [a.user for a in active if max(a.created, last.get(a.user, 0.0)) < limit]
    n.expect(
        not stale,
        Text(f"{len(active)} 个启用的账号,{UNUSED_DAYS:g} 天内都有动静或是新建的",
             f"{len(active)} active accounts, all used or made within {UNUSED_DAYS:g} days"),
        Text(f"{UNUSED_DAYS:g} 天没有动静的账号:{some(stale)}",
             f"accounts not used for {UNUSED_DAYS:g} days: {some(stale)}"),
        Text("停用或删除:dazi user disable、dazi user delete",
             "disable or delete them: dazi user disable, dazi user delete"),
    )  # fmt: skip
    return n.result()


async def least_privilege(s: Subject) -> Result:
    """Whoever has no role, or one that is not known, may use nothing."""
    n = Notes()
    strangers = (
        Principal("compliance-nobody", frozenset()),
        Principal("compliance-stranger", frozenset({"compliance-unknown-role"})),
    )
    tools = list(s.company.tools.values())
    let_in = sorted({t.name for p in strangers for t in tools if _allowed(s, p, t)})
    n.expect(
        not let_in,
        Text(f"用没有角色和不认识的角色,问了 {len(tools)} 个工具,全部拒绝",
             f"without a role and with an unknown one, all {len(tools)} tools were refused"),
        Text(f"没有角色也能用的工具:{some(let_in)}", f"tools open to anybody: {some(let_in)}"),
        Text("改 policies/*.cedar 里不限主体的 permit",
             "mend the permit in policies/*.cedar that names no principal"),
    )  # fmt: skip
    for role in s.company.roles:
        usable = len(_usable(s, role))
        n.saw(f"{role}:{usable}/{len(tools)} 个工具", f"{role}: {usable} of {len(tools)} tools")
    return n.result()


def _allowed(s: Subject, p: Principal, tool: Tool) -> bool:
    decided = s.policy.decide(p, tool, Facts())
    return decided.allowed or s.policy.possible(p, tool).allowed


def _usable(s: Subject, role: str) -> list[Tool]:
    p = Principal("compliance-probe", s.company.roles[role])
    return [t for t in s.company.tools.values() if s.policy.possible(p, t).allowed]


async def decision_granularity(s: Subject) -> Result:
    """Decisions are made by person and tool, and tell people apart."""
    n = Notes()
    usable = {role: {t.name for t in _usable(s, role)} for role in s.company.roles}
    asked = len(usable) * len(s.company.tools)
    granted = sum(map(len, usable.values()))
    n.saw(
        f"问了 {asked} 对角色和工具,放行 {granted} 对",
        f"asked of {asked} pairs of role and tool; {granted} are allowed",
    )
    acting = [t for t in s.company.tools.values() if t.effect != "read"]
    everyone = [t.name for t in acting if usable and all(t.name in u for u in usable.values())]
    n.expect(
        not everyone,
        Text(f"{len(acting)} 个会改动东西的工具,没有一个对所有角色开放",
             f"of {len(acting)} tools that change something, none is open to every role"),
        Text(f"对所有角色开放、又会改动东西的工具:{some(everyone)}",
             f"tools that change something and are open to every role: {some(everyone)}"),
        Text("在工具的 roles 里只写用得着的角色", "name only the roles that need it in its roles"),
    )  # fmt: skip
    looked = sum(1 for statement in s.policy.statements if statement.mentions)
    n.saw(
        f"{looked} 条策略还看参数、来源、时间或审批",
        f"{looked} policies also look at arguments, sources, time or approval",
    )
    return n.result()


async def policy_authority(s: Subject) -> Result:
    """Policies are valid, and their files can be changed by their owner only."""
    n = Notes()
    n.saw(
        f"{len(s.policy.statements)} 条策略({s.policy.own} 条公司自己写的),类型检查通过,"
        f"版本 {s.policy.version}",
        f"{len(s.policy.statements)} policies ({s.policy.own} of the company's own), type-checked, "
        f"version {s.policy.version}",
    )
    files = list(_declared(s.company.folder))
    open_ones = [f.name for f in files if os.name == "posix" and f.stat().st_mode & stat.S_IWOTH]
    n.expect(
        not open_ones,
        Text(
            f"{len(files)} 个声明和策略文件,旁人改不了", f"{len(files)} files, none open to others"
        ),
        Text(
            f"谁都能改的文件:{some(open_ones)}", f"files that anybody may write: {some(open_ones)}"
        ),
        Text("收紧权限:chmod o-w", "take the right away: chmod o-w"),
    )
    return n.result()


def _declared(company: Path) -> Iterator[Path]:
    """The company's own, and those of the packs that it extends."""
    for folder in (layer.folder for layer in layers_of(company).layers):
        yield folder
        for pattern in ("*.toml", "*.yaml", "policies/*", "tools/*.yaml", "words/*"):
            yield from sorted(folder.glob(pattern))


async def api_keys(s: Subject) -> Result:
    """Keys end, are in use, and give no administrative right."""
    n = Notes()
    longest = rules_in_force(s.access).key_days
    now, unused = s.now, s.now - UNUSED_DAYS * DAY_S
    live = [k for k in await every_key(s) if k.revoked_at is None and k.expires > now]
    n.saw(
        f"{len(live)} 把有效的密钥,库里只有散列,最长 {longest:g} 天",
        f"{len(live)} keys in force, kept as hashes, for {longest:g} days at most",
    )
    revoke = Text("吊销:dazi key revoke", "revoke them: dazi key revoke")
    late = [k.prefix for k in live if k.expires - k.created > longest * DAY_S + 1]
    if late:
        n.wrong(f"有效期太长:{some(late)}", f"in force for too long: {some(late)}", revoke)
    high = [k.prefix for k in live if not k.scope.roles.isdisjoint(SEPARATED)]
    if high:
        n.wrong(f"带管理员角色:{some(high)}", f"with administrative roles: {some(high)}", revoke)
    idle = [k.prefix for k in live if max(k.created, k.last_used or 0.0) < unused]
    if idle:
        days = f"{UNUSED_DAYS:g}"
        n.wrong(f"{days} 天没用:{some(idle)}", f"not used for {days} days: {some(idle)}", revoke)
    if s.company.demo:
        n.wrong(
            "演示密钥 dazi-demo-用户名 可用",
            "the demo's keys dazi-demo-USER work",
            Text("从 dazi.toml 删掉 demo = true", "remove demo = true from dazi.toml"),
        )
    async with trial(s) as t:
        by = await t.administrator("sysadmin")
        draft = Draft("default", by.user, "probe", Scope(frozenset({"sysadmin"})), 1)
        try:
            await t.access.keys.create(by, draft)
            refused = False
        except AccessError:
            refused = True
    n.expect(
        refused,
        Text("试做带管理员角色的密钥,被拒绝", "a key with an administrative role was refused"),
        Text("做出了带管理员角色的密钥", "a key with an administrative role was made"),
        BUG,
    )
    return n.result()

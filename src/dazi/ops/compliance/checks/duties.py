"""The separation of duties, and what needs a person's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from dazi.access.accounts import Account
from dazi.access.cedar import CedarPolicy
from dazi.access.duties import ACTIONS, SEPARATED, check_separation, may, may_confirm
from dazi.core.company import Company
from dazi.core.errors import AccessError, CallerError
from dazi.core.language import Text
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import SINKS, Parameter, Tool
from dazi.ops.compliance.results import BUG, Notes, Result, some
from dazi.ops.compliance.subject import Subject, everybody
from dazi.ops.compliance.trial import trial
from dazi.router.deciding import Decider, Refused, TurnContext, bind
from dazi.router.grounding import Evidence

_AUDIT = frozenset({"audit.read", "audit.verify", "audit.export"})
_ACCOUNTS = frozenset({"accounts.create", "accounts.change", "accounts.delete", "passwords.reset"})
_RIGHTS = frozenset(
    {"roles.change", "policies.change", "keys.create", "keys.revoke", "second_factor.reset"}
)
NEVER = {
    "sysadmin": _AUDIT | _RIGHTS,
    "secadmin": _AUDIT | _ACCOUNTS | {"settings.change", "backup.run"},
    "auditadmin": ACTIONS - _AUDIT,
}
"""What each administrator must not do: whoever runs the system gives no rights, whoever gives
rights runs nothing, and whoever reads the record changes nothing (GB/T 22239-2019, 8.1.5)."""


async def separation_of_duties(s: Subject) -> Result:
    """Every administrative act is tried for each of the three administrators."""
    n = Notes()
    for role in sorted(NEVER):
        allowed = {a for a in ACTIONS if may(Principal("probe", frozenset({role})), a)}
        wrongly = sorted(allowed & NEVER[role])
        n.expect(
            not wrongly,
            Text(f"{role}:{len(ACTIONS)} 种操作,放行 {len(allowed)} 种",
                 f"{role}: {len(allowed)} of {len(ACTIONS)} acts are allowed"),
            Text(f"{role} 不该能做:{some(wrongly)}", f"{role} should not do: {some(wrongly)}"),
            BUG,
        )  # fmt: skip
    undone = sorted(a for a in ACTIONS if not any(_may(role, a) for role in SEPARATED))
    nobody = [a for a in ACTIONS if may(Principal("probe", frozenset({"employee"})), a)]
    two = [a for a in ACTIONS if may(Principal("probe", SEPARATED), a)]
    n.expect(
        not (undone or nobody or two) and _kept_apart(),
        Text("普通用户、身兼两职的人什么都不能做;不能自己批准自己",
             "people without such a role, and with two of them, may do nothing; nobody confirms "
             "what they asked for"),
        Text(f"分权有漏洞:{some([*undone, *nobody, *two])}",
             f"duties are not separate: {some([*undone, *nobody, *two])}"),
        BUG,
    )  # fmt: skip
    async with trial(s) as t:
        by = await t.administrator("auditadmin")
        try:
            await t.access.administration.create(by, Account("probe", Text("", "")))
            refused = False
        except AccessError:
            refused = True
    n.expect(
        refused,
        Text(
            "试让审计管理员建账号,被拒绝", "an audit administrator who made an account was refused"
        ),
        Text("审计管理员建了账号", "an audit administrator could make an account"),
        BUG,
    )
    doubled = [a.user for a in await everybody(s) if len(_separated(s, a)) > 1]
    if doubled:
        n.wrong(
            f"身兼两职:{some(doubled)}",
            f"hold two of the roles: {some(doubled)}",
            Text("收回一个:dazi user roles USER --take", "take one: dazi user roles USER --take"),
        )
    return n.result()


def _may(role: str, action: str) -> bool:
    return may(Principal("probe", frozenset({role})), action)


def _kept_apart() -> bool:
    security = Principal("probe", frozenset({"secadmin"}))
    try:
        check_separation(("sysadmin", "secadmin"))
    except CallerError:
        return not may_confirm(security, security, "somebody")
    return False


def _separated(s: Subject, account: Account) -> frozenset[str]:
    return s.access.people.expand(account.roles) & SEPARATED


async def administrators_appointed(s: Subject) -> Result:
    """There is somebody for each of the three duties."""
    n = Notes()
    vacant = sorted(s.access.authority.vacant("default"))
    held = [a.user for a in await everybody(s) if not a.disabled and _separated(s, a)]
    n.saw(f"管理员账号 {len(held)} 个", f"{len(held)} administrators")
    if vacant:
        n.wrong(
            f"没有人担任:{some(vacant)}",
            f"nobody is: {some(vacant)}",
            Text("任命:dazi user add USER --role ROLE", "appoint: dazi user add USER --role ROLE"),
        )
    return n.result()


async def sensitive_confirmed(s: Subject) -> Result:
    """What is sensitive, and what goes where no person said, waits for a person."""
    n = Notes()
    waits = _asks("sensitive", {}) and _asks("write", {"to": "a@b.example"})
    n.expect(
        waits and not _asks("write", {}),
        Text("试了敏感操作、收件人出自系统的操作:都要人确认",
             "a sensitive call, and one to an address that only a system named, waited for a person"),
        Text("敏感操作不经人确认就放行", "a sensitive call did not wait for a person"),
        BUG,
    )  # fmt: skip
    tools = s.company.tools.values()
    sensitive = [t.name for t in tools if t.effect == "sensitive"]
    second = [t.name for t in tools if t.approver]
    n.saw(
        f"{len(sensitive)} 个工具标为敏感,{len(second)} 个要第二个人批准",
        f"{len(sensitive)} tools are marked sensitive, {len(second)} need a second person",
    )
    paying = [
        t.name
        for t in tools
        if t.effect == "write" and any(p.format in ("money", "account") for p in t.parameters)
    ]
    if paying:
        n.wrong(
            f"动钱却没有标为敏感:{some(paying)}",
            f"move money and are not marked sensitive: {some(paying)}",
            Text("工具里写 effect: sensitive", "write effect: sensitive in the tool"),
        )
    return n.result()


def _asks(effect: str, found: dict[str, str]) -> bool:
    """Whether a call of a made-up tool waits for a person, its argument found in a result."""
    sink = Parameter("to", "string", Text("", ""), format="email")
    tool = Tool(
        "probe", Text("", ""), Text("", ""), (sink,) if found else (), frozenset({"probe"}),
        "sensitive" if effect == "sensitive" else "write", "probe", {}, source="probe:1",
    )  # fmt: skip
    company = _only(tool)
    evidence = Evidence(date(2025, 1, 1))
    evidence.found("tool:other", found)
    person = Principal("probe", frozenset({"probe"}))
    turn = TurnContext("", "", person, "zh", evidence, frozenset({"probe"}))
    arguments = '{"to": "a@b.example"}' if found else "{}"
    decided = Decider(company, CedarPolicy(company)).proposal(
        CallText("c", "probe", arguments), turn
    )
    return decided.person


def _only(tool: Tool) -> Company:
    roles = {"probe": frozenset({"probe"})}
    return Company(Path(), Text("", ""), {tool.name: tool}, {}, roles, {}, {})


async def bound_identity(s: Subject) -> Result:
    """What somebody may see of their own only is filled in from who they are."""
    n = Notes()
    bound = [t for t in s.company.tools.values() if t.bind]
    offered = [t.name for t in bound if any(t.parameter(a) is not None for a in t.bind)]
    n.expect(
        not offered,
        Text(f"{len(bound)} 个工具的身份参数由系统填写,模型看不见",
             f"in {len(bound)} tools identity is filled in, out of the model's sight"),
        Text(f"身份参数模型也能填:{some(offered)}", f"a model can fill in who it is: {some(offered)}"),
        Text("从 parameters 里删掉 bind 的参数", "remove what bind names from parameters"),
    )  # fmt: skip
    n.expect(
        all(_refuses_strangers(t) for t in bound),
        Text("没有身份属性的人试用这些工具,被拒绝",
             "people without that attribute were refused by them"),
        Text("没有身份属性也能用", "people without that attribute were let through"),
        BUG,
    )  # fmt: skip
    sinks = [
        t.name for t in s.company.tools.values() if any(p.format in SINKS for p in t.parameters)
    ]
    n.saw(
        f"{len(sinks)} 个工具带收件人、金额、网址或账号,来源逐个记下",
        f"{len(sinks)} tools take recipients, amounts, URLs or accounts, whose sources are kept",
    )
    return n.result()


def _refuses_strangers(tool: Tool) -> bool:
    for argument, binding in tool.bind.items():
        stranger = Principal("probe", binding.required_for)
        one = replace(tool, bind={argument: binding})
        try:
            bind(one, stranger, "zh")
        except Refused:
            continue
        return False
    return True

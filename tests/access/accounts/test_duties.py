"""Separation of duties: who may administer what, and whose word a role needs."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from dazi.access import administration, duties, roles
from dazi.access.accounts import Account, Edit
from dazi.access.duties import ACTIONS, DUTIES, SEPARATED, check_separation, may, may_confirm
from dazi.access.keys import Draft, Scope
from dazi.core.errors import AccessError, CallerError, DaziError, NotFound, OperatorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from tests.access.accounts.conftest import Office

Act = Callable[[Office, Principal], Awaitable[Any]]


def somebody(*held: str, user: str = "x") -> Principal:
    return Principal(user, frozenset(held))


def test_default_is_deny() -> None:
    for held in ((), ("staff",), ("admin",), ("root", "manager")):
        assert not any(may(somebody(*held), a) for a in ACTIONS)
    for role in SEPARATED:
        assert not may(somebody(role), "nonsense") and not may(somebody(role), "")


def test_every_action_belongs_to_somebody_and_no_duty_is_unknown() -> None:
    assert frozenset().union(*DUTIES.values()) == ACTIONS


def test_the_separation_itself() -> None:
    """GB/T 22239-2019 8.1.5.1-3: running, securing and auditing are three people's."""
    assert not DUTIES["sysadmin"] & {"roles.change", "policies.change", "keys.create", "audit.read"}
    assert not DUTIES["secadmin"] & {
        "accounts.create",
        "passwords.reset",
        "settings.change",
        "audit.read",
    }
    assert all(a.startswith("audit.") for a in DUTIES["auditadmin"])
    changing = {a for a in ACTIONS if a.split(".")[1] not in ("read", "verify", "export")}
    assert not DUTIES["auditadmin"] & changing


def test_whoever_has_two_offices_has_none() -> None:
    for two in itertools.combinations(SEPARATED, 2):
        assert not any(may(somebody(*two), a) for a in ACTIONS)
        with pytest.raises(CallerError, match="together"):
            check_separation(two)
    for one in SEPARATED:
        check_separation({one, "staff", "manager"})


ACTS: dict[str, tuple[str, Act]] = {
    "accounts.read": ("user.list", lambda o, p: o.access.administration.users(p)),
    "accounts.create": (
        "user.create", lambda o, p: o.access.administration.create(p, Account("neu", Text("n", "n"))),
    ),
    "accounts.change": ("user.edit", lambda o, p: o.access.administration.edit(p, "li", Edit(department="d"))),
    "accounts.disable": ("user.disable", lambda o, p: o.access.administration.disable(p, "li")),
    "accounts.delete": ("user.delete", lambda o, p: o.access.administration.delete(p, "li")),
    "passwords.reset": ("user.password", lambda o, p: o.access.administration.reset_password(p, "li")),
    "second_factor.reset": (
        "user.second_factor", lambda o, p: o.access.administration.reset_second_factor(p, "li"),
    ),
    "sessions.end": ("session.end", lambda o, p: o.access.administration.end_sessions(p, "li")),
    "requests.read": ("role.pending", lambda o, p: o.access.roles.pending(p)),
    "keys.read": ("key.list", lambda o, p: o.access.keys.keys(p)),
    "keys.create": (
        "key.create",
        lambda o, p: o.access.keys.create(p, Draft("default", "robot", "k", Scope(frozenset({"staff"})), 1)),
    ),
}  # fmt: skip
PEOPLE = ("sysop", "secop", "auditor", "li", "wang")


@pytest.mark.parametrize("action", ACTS)
async def test_who_may_do_what(office: Office, action: str) -> None:
    """Every act by everybody: done by those whose duty it is, refused to and recorded of all others."""
    name, act = ACTS[action]
    await office.add("robot", "staff", kind="service")
    own = "li" if action == "sessions.end" else ""  # one's own sessions are nobody's duty
    allowed = {u for u in PEOPLE if may(office.as_user(u), action)} | ({own} if own else set())
    for user in [*(u for u in PEOPLE if u not in allowed), *allowed]:
        principal = office.as_user(user)
        office.book.rows.clear()
        if user in allowed:
            await act(office, principal)
            continue
        with pytest.raises(AccessError):
            await act(office, principal)
        refused = [(u, b["act"]) for _, u, b in office.book.rows if b.get("refused") == "duty"]
        assert refused == [(user, name)]


@pytest.mark.parametrize("action", ACTS)
async def test_broken_on_purpose_anybody_could(
    office: Office, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.add("robot", "staff", kind="service")
    monkeypatch.setattr(administration, "may", lambda *_: True)
    await ACTS[action][1](office, office.as_user("wang"))


WRITING = [a for a in ACTS if not a.endswith(".read")]


@pytest.mark.parametrize("action", WRITING)
async def test_what_cannot_be_recorded_does_not_happen(office: Office, action: str) -> None:
    await office.add("robot", "staff", kind="service")
    await office.access.sessions.begin(("default", "li"), "web", "")
    by = next(office.as_user(u) for u in ("sysop", "secop") if may(office.as_user(u), action))
    before = await state(office)
    office.book.down = True
    with pytest.raises(OperatorError, match="ledger is down"):
        await ACTS[action][1](office, by)
    assert await state(office) == before
    office.book.down = False
    await ACTS[action][1](office, by)
    if action != "second_factor.reset":
        assert await state(office) != before


async def state(office: Office) -> list[Any]:
    stores = office.access.stores
    return [
        await stores.accounts.of_tenant("default"),
        await stores.keys.of_tenant("default"),
        await stores.sessions.of_user("default", "li"),
        await stores.passwords._row("default", "li"),
        await stores.requests.pending("default"),
    ]


async def test_records_hold_no_secret_and_tell_of_failures(office: Office) -> None:
    made = await office.access.administration.create(
        office.sys, Account("neu", Text("新", "New"), frozenset({"staff"}))
    )
    reset = await office.access.administration.reset_password(office.sys, "neu")
    for secret in (made.password, reset):
        assert secret and secret not in str(office.book.rows)
    with pytest.raises(CallerError):
        await office.access.stores.requests.settle(
            replace(made.request, id="0" * 16),
            "secop",
            confirm=True,  # type: ignore[type-var]
        )
    assert office.book.acts() == ["user.create", "user.password"]


# --- roles ----------------------------------------------------------------------------------------


async def roles_of(office: Office, user: str) -> frozenset[str]:
    return (await office.access.stores.accounts.get("default", user)).roles


async def test_a_new_account_has_no_roles_until_a_security_administrator_says_so(
    office: Office,
) -> None:
    made = await office.access.administration.create(
        office.sys, Account("neu", Text("新", "New"), frozenset({"staff", "finance"}))
    )
    assert made.request is not None and await roles_of(office, "neu") == frozenset()
    for user in ("sysop", "auditor", "li"):
        with pytest.raises(AccessError):
            await office.access.roles.decide(office.as_user(user), made.request.id, confirm=True)
    await office.access.roles.decide(office.sec, made.request.id, confirm=True)
    assert await roles_of(office, "neu") == {"staff", "finance"}
    with pytest.raises(CallerError, match="decided already"):
        await office.access.roles.decide(office.sec, made.request.id, confirm=True)


async def test_ordinary_roles_are_the_security_administrators_to_give(office: Office) -> None:
    change = office.access.roles.change
    outcome = await change(office.sec, "li", frozenset({"finance"}), give=True)
    assert outcome.request is None and await roles_of(office, "li") == {"staff", "finance"}
    await change(office.sec, "li", frozenset({"staff"}), give=False)
    assert await roles_of(office, "li") == {"finance"}
    asked = await change(office.sys, "li", frozenset({"staff"}), give=True)
    assert asked.request is not None and await roles_of(office, "li") == {"finance"}
    for user in ("li", "wang", "auditor"):
        with pytest.raises(AccessError):
            await change(office.as_user(user), "wang", frozenset({"finance"}), give=True)
    with pytest.raises(AccessError, match="another administrator"):
        await change(office.sec, "secop", frozenset({"manager"}), give=True)


@pytest.mark.parametrize("give", [True, False])
async def test_an_office_needs_a_second_administrators_word(office: Office, give: bool) -> None:
    target = "wang" if give else "auditor"
    before = await roles_of(office, target)
    asked = await office.access.roles.change(
        office.sec, target, frozenset({"auditadmin"}), give=give
    )
    assert asked.request is not None and await roles_of(office, target) == before
    for user in ("secop", target, "li"):
        with pytest.raises(AccessError):
            await office.access.roles.decide(office.as_user(user), asked.request.id, confirm=True)
    with pytest.raises(NotFound):
        await office.access.roles.decide(
            office.as_user("thereadmin", "other"), asked.request.id, confirm=True
        )
    await office.access.roles.decide(office.sys, asked.request.id, confirm=True)
    assert ("auditadmin" in await roles_of(office, target)) is give


async def test_whoever_lost_their_office_has_asked_for_nothing(office: Office) -> None:
    await office.add("sec2", "secadmin")
    asked = await office.access.roles.change(
        office.sys, "wang", frozenset({"auditadmin"}), give=True
    )
    assert asked.request is not None
    await office.access.administration.disable(office.sec, "sysop")
    with pytest.raises(AccessError):
        await office.access.roles.decide(office.sec, asked.request.id, confirm=True)


async def test_nobody_gets_a_second_office(office: Office) -> None:
    for user, role in (("sysop", "secadmin"), ("secop", "auditadmin"), ("auditor", "sysadmin")):
        with pytest.raises(CallerError, match="together"):
            await office.access.roles.change(office.sec, user, frozenset({role}), give=True)
    with pytest.raises(CallerError, match="together"):
        await office.access.roles.change(
            office.sec, "li", frozenset({"sysadmin", "secadmin"}), give=True
        )
    with pytest.raises(CallerError, match="together"):
        await office.access.administration.create(
            office.sys, Account("neu", Text("n", "n"), SEPARATED)
        )
    # Two requests, each fine by itself, confirmed one after the other.
    first = await office.access.roles.change(office.sec, "li", frozenset({"sysadmin"}), give=True)
    second = await office.access.roles.change(
        office.sec, "li", frozenset({"auditadmin"}), give=True
    )
    assert first.request and second.request
    await office.access.roles.decide(office.sys, first.request.id, confirm=True)
    with pytest.raises(CallerError, match="together"):
        await office.access.roles.decide(office.sys, second.request.id, confirm=True)
    assert await roles_of(office, "li") == {"staff", "sysadmin"}


async def test_broken_on_purpose_one_person_could_confirm_their_own(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await office.access.roles.change(
        office.sec, "wang", frozenset({"auditadmin"}), give=True
    )
    assert asked.request is not None
    monkeypatch.setattr(roles, "may_confirm", lambda *_: True)
    await office.access.roles.decide(office.sec, asked.request.id, confirm=True)
    assert "auditadmin" in await roles_of(office, "wang")


def test_may_confirm() -> None:
    sys, sys2 = somebody("sysadmin", user="a"), somebody("sysadmin", user="b")
    sec, sec2 = somebody("secadmin", user="c"), somebody("secadmin", user="d")
    yes = [(sys, sec), (sec, sys), (sec, sec2)]
    no = [
        (sys, sys2), (sec, sec), (sec, somebody("auditadmin", user="e")), (somebody(user="f"), sec),
        (sec, somebody(user="f")), (sec, somebody("sysadmin", "secadmin", user="g")),
        (sec, replace(sys, tenant="other")),
    ]  # fmt: skip
    assert all(may_confirm(r, o, "x") for r, o in yes)
    assert not any(may_confirm(r, o, "x") for r, o in no)
    assert not may_confirm(sec, sys, sys.user)


async def test_a_request_lapses_and_may_be_taken_back(office: Office) -> None:
    asked = await office.access.roles.change(office.sys, "li", frozenset({"finance"}), give=True)
    assert asked.request is not None
    assert [r.id for r in await office.access.roles.pending(office.sec)] == [asked.request.id]
    await office.access.roles.decide(office.sys, asked.request.id, confirm=False)
    assert await office.access.roles.pending(office.sec) == []
    again = await office.access.roles.change(office.sys, "li", frozenset({"finance"}), give=True)
    assert again.request is not None
    office.clock.now += 7 * 86_400 + 1
    with pytest.raises(CallerError):
        await office.access.roles.decide(office.sec, again.request.id, confirm=True)
    assert await roles_of(office, "li") == {"staff"}


async def test_unknown_roles_and_services_in_office(office: Office) -> None:
    await office.add("robot", "staff", kind="service")
    with pytest.raises(CallerError, match="there are: "):
        await office.access.roles.change(office.sec, "li", frozenset({"nonsense"}), give=True)
    with pytest.raises(CallerError, match="service account"):
        await office.access.roles.change(office.sec, "robot", frozenset({"sysadmin"}), give=True)


async def test_one_does_not_end_ones_own_account(office: Office) -> None:
    for act in ("disable", "enable", "delete"):
        with pytest.raises(AccessError, match="own account"):
            await getattr(office.access.administration, act)(office.sys, "sysop")


# --- the first administrators ---------------------------------------------------------------------


async def test_whoever_runs_the_machine_makes_the_first_administrators_and_no_more(
    office: Office,
) -> None:
    operator = Principal("root", frozenset(), tenant="third", channel="cli")
    gateway, command = office.access, await office.other_process(setup=True)
    with pytest.raises(AccessError):
        await gateway.administration.create(operator, Account("a", Text("a", "a")))
    for role in sorted(SEPARATED):
        await command.administration.create(operator, Account(role, Text(role, role)))
        outcome = await command.roles.change(operator, role, frozenset({role}), give=True)
        assert outcome.request is None
        assert role in command.people.principal(role, "cli", "third").roles
    for act in (
        command.administration.users(operator),
        command.administration.create(operator, Account("b", Text("b", "b"))),
        command.administration.reset_password(operator, "sysadmin"),
        command.roles.change(operator, "sysadmin", frozenset({"staff"}), give=True),
    ):
        with pytest.raises(AccessError):
            await act
    await command.changes.database.close()


async def test_setting_up_gives_a_vacant_office_and_nothing_else(office: Office) -> None:
    command = await office.other_process(setup=True)
    operator = Principal("root", frozenset(), channel="cli")
    assert not command.authority.setting_up(operator)
    await office.access.administration.disable(office.sec, "sysop")
    await command.changes.look()
    assert command.authority.vacant("default") == {"sysadmin"}
    for wrong in ({"secadmin"}, {"staff"}, {"sysadmin", "staff"}):
        outcome = await command.roles.change(operator, "wang", frozenset(wrong), give=True)
        assert outcome.request is not None  # asked for, as by anybody
    with pytest.raises(AccessError):
        await command.administration.reset_password(operator, "li")
    assert (
        await command.roles.change(operator, "wang", frozenset({"sysadmin"}), give=True)
    ).request is None
    await command.changes.database.close()


def test_the_errors_speak_both_languages() -> None:
    with pytest.raises(DaziError) as caught:
        duties.require(somebody(), "accounts.create")
    assert "权限" in caught.value.message("zh") and "may not" in caught.value.message("en")

"""Signing in, step by step; what is asked of whom, and what everybody else hears."""

from __future__ import annotations

import base64

import pytest

from dazi.access import sign_in as sign_in_module
from dazi.access.accounts import Account
from dazi.access.administration import Locks
from dazi.access.identity import Identity, check_mapping
from dazi.access.lockout import Locked, Subject
from dazi.access.sessions import Begun
from dazi.access.sign_in import Attempt
from dazi.access.totp import code_at
from dazi.core.errors import (
    AccessError,
    CallerError,
    ConfigError,
    NotFound,
    OperatorError,
    OverloadError,
)
from dazi.core.language import Text
from tests.access.accounts.conftest import GOOD, Office


def attempt(user: str, password: str = GOOD, address: str = "10.0.0.1") -> Attempt:
    return Attempt(user, password, "web", address)


async def ready(office: Office, *users: str) -> None:
    for user in users:
        await office.access.stores.passwords.set("default", user, GOOD)


async def enrol(office: Office, begun: Begun) -> tuple[Begun, bytes]:
    made = await office.access.sign_in.enrol(begun.token)
    secret = base64.b32decode(made.secret)
    return await office.access.sign_in.with_code(begun.token, code(office, secret)), secret


def code(office: Office, secret: bytes) -> str:
    return code_at(secret, int(office.clock.now // 30))


async def test_a_password_is_enough_for_whoever_has_no_office(office: Office) -> None:
    await ready(office, "li")
    begun = await office.access.sign_in.with_password(attempt("li"))
    assert begun.session.complete
    found = await office.access.sign_in.principal(begun.token, "web")
    assert found is not None and found[0].user == "li" and found[0].roles == {"staff"}
    assert found[1].address == "10.0.0.1"
    await office.access.sign_in.end(begun.token)
    assert await office.access.sign_in.principal(begun.token, "web") is None


async def test_all_refusals_sound_the_same(office: Office) -> None:
    await office.add("robot", "staff", kind="service")
    await office.add("outside", "staff", source="oidc:x", subject="1")
    await ready(office, "li", "wang", "robot", "outside")
    await office.access.administration.disable(office.sys, "wang")
    heard = set()
    for tried in (
        attempt("li", "Wrong-guess-1"), attempt("nobody"), attempt("wang"), attempt("robot"),
        attempt("outside"), attempt("there"), attempt("demo", "wrong"), attempt("li", ""),
        attempt("' OR 1=1 --"),
    ):  # fmt: skip
        with pytest.raises(AccessError) as caught:
            await office.access.sign_in.with_password(tried)
        heard.add((caught.value.code, str(caught.value)))
    assert len(heard) == 1
    assert [b["why"] for k, _, b in office.book.rows if k == "sign_in"] == ["sign_in"] * 9
    assert "Wrong-guess-1" not in str(office.book.rows)


async def test_unknown_names_lock_like_known_ones(office: Office) -> None:
    await ready(office, "li")
    for user in ("li", "nobody"):
        for _ in range(5):
            with pytest.raises(AccessError, match="wrong user"):
                await office.access.sign_in.with_password(attempt(user, "Wrong-guess-1"))
        with pytest.raises(Locked):
            await office.access.sign_in.with_password(attempt(user))
    office.clock.now += 900
    assert (await office.access.sign_in.with_password(attempt("li"))).session.complete


async def test_a_reset_password_unlocks(office: Office) -> None:
    for _ in range(5):
        with pytest.raises(AccessError):
            await office.access.sign_in.with_password(attempt("li", "Wrong-guess-1"))
    initial = await office.access.administration.reset_password(office.sys, "li")
    begun = await office.access.sign_in.with_password(attempt("li", initial))
    assert begun.session.remaining == ("new_password",)


async def test_each_duty_ends_its_own_pause(office: Office) -> None:
    act, lockout = office.access.administration, office.access.stores.lockout
    for kind in ("account", "code"):
        subject = Subject(kind, "default/li")  # type: ignore[arg-type]
        for _ in range(5):
            await lockout.begin(subject)
            await lockout.failed(subject)
    locks = await act.locked(office.sys, "li")
    assert locks == Locks(office.clock.now + 900, office.clock.now + 900)
    for nobody in ("auditor", "wang", "thereadmin"):
        with pytest.raises((AccessError, NotFound)):
            await act.unlock(
                office.as_user(nobody, "other" if nobody == "thereadmin" else "default"), "li"
            )
    assert await act.locked(office.sys, "li") == locks
    await act.unlock(office.sys, "li")
    assert await act.locked(office.sec, "li") == Locks(0.0, office.clock.now + 900)
    await act.unlock(office.sec, "li")
    assert await act.locked(office.sec, "li") == Locks(0.0, 0.0)
    told = [
        b["locks"] for _, _, b in office.book.rows if b.get("act") == "user.unlock" and "of" in b
    ]
    assert told == [["account"], ["code"]]
    for by in (office.sys, office.sec):
        with pytest.raises(AccessError, match="own account"):
            await act.unlock(by, by.user)


async def test_a_one_time_password_leads_to_a_new_one_and_nowhere_else(office: Office) -> None:
    made = await office.access.administration.create(
        office.sys, Account("neu", Text("新", "New"), frozenset({"staff"}))
    )
    sign_in = office.access.sign_in
    begun = await sign_in.with_password(attempt("neu", made.password))
    assert await sign_in.principal(begun.token, "web") is None
    for wrong in (sign_in.with_code(begun.token, "123456"), sign_in.enrol(begun.token)):
        with pytest.raises(AccessError):
            await wrong
    with pytest.raises(AccessError):
        await sign_in.change_password(begun.token, made.password, GOOD)
    with pytest.raises(CallerError):
        await sign_in.choose_password(begun.token, "weak")
    done = await sign_in.choose_password(begun.token, GOOD)
    assert done.session.complete and done.token != begun.token
    assert await sign_in.principal(done.token, "web") is not None
    assert await sign_in.principal(begun.token, "web") is None


async def test_an_office_needs_a_second_factor(office: Office) -> None:
    await ready(office, "sysop")
    sign_in = office.access.sign_in
    begun = await sign_in.with_password(attempt("sysop"))
    assert begun.session.remaining == ("enrol",)
    done, secret = await enrol(office, begun)
    assert done.session.complete and done.token != begun.token
    office.clock.now += 30
    begun = await sign_in.with_password(attempt("sysop"))
    assert begun.session.remaining == ("second_factor",)
    assert await sign_in.principal(begun.token, "web") is None
    with pytest.raises(AccessError):
        await sign_in.enrol(begun.token)  # a password alone gets nobody another second factor
    with pytest.raises(AccessError, match="code"):
        await sign_in.with_code(begun.token, "000000")
    done = await sign_in.with_code(begun.token, code(office, secret))
    found = await sign_in.principal(done.token, "web")
    assert found is not None and found[0].roles == {"sysadmin"}


async def test_whoever_has_one_is_asked_for_it_always(office: Office) -> None:
    await ready(office, "li")
    begun = await office.access.sign_in.with_password(attempt("li"))
    made = await office.access.sign_in.enrol(begun.token)
    with pytest.raises(AccessError, match="code"):
        await office.access.sign_in.confirm_factor(begun.token, "000000")
    first = code(office, base64.b32decode(made.secret))
    done = await office.access.sign_in.confirm_factor(begun.token, first)
    assert await office.access.sign_in.principal(begun.token, "web") is None
    assert await office.access.sign_in.principal(done.token, "web") is not None
    again = await office.access.sign_in.with_password(attempt("li"))
    assert again.session.remaining == ("second_factor",)


async def test_five_wrong_codes_lock(office: Office) -> None:
    await ready(office, "sysop")
    _, secret = await enrol(office, await office.access.sign_in.with_password(attempt("sysop")))
    office.clock.now += 30
    begun = await office.access.sign_in.with_password(attempt("sysop"))
    for _ in range(5):
        with pytest.raises(AccessError, match="code"):
            await office.access.sign_in.with_code(begun.token, "000000")
    with pytest.raises(Locked):
        await office.access.sign_in.with_code(begun.token, code(office, secret))
    # Signing in anew gives no new guesses.
    begun = await office.access.sign_in.with_password(attempt("sysop"))
    with pytest.raises(Locked):
        await office.access.sign_in.with_code(begun.token, code(office, secret))


async def test_no_sign_in_that_cannot_be_recorded(office: Office) -> None:
    await ready(office, "li")
    office.book.down = True
    with pytest.raises(OperatorError, match="ledger"):
        await office.access.sign_in.with_password(attempt("li"))
    assert await office.access.sessions.of_user("default", "li") == []


async def test_changing_the_password_ends_the_other_sessions(office: Office) -> None:
    await ready(office, "li")
    sign_in = office.access.sign_in
    one = await sign_in.with_password(attempt("li"))
    two = await sign_in.with_password(attempt("li"))
    with pytest.raises(AccessError):
        await sign_in.change_password(one.token, "Wrong-guess-1", "Backstein-99x")
    done = await sign_in.change_password(one.token, GOOD, "Backstein-99x")
    for old in (one, two):
        assert await sign_in.principal(old.token, "web") is None
    assert await sign_in.principal(done.token, "web") is not None
    with pytest.raises(AccessError):
        await sign_in.with_password(attempt("li"))


async def test_rights_that_change_end_the_session(office: Office) -> None:
    await ready(office, "li")
    begun = await office.access.sign_in.with_password(attempt("li"))
    await office.access.roles.change(office.sec, "li", frozenset({"finance"}), give=True)
    assert await office.access.sign_in.principal(begun.token, "web") is None


async def test_a_disabled_person_gets_through_no_step(office: Office) -> None:
    await ready(office, "sysop")
    begun = await office.access.sign_in.with_password(attempt("sysop"))
    await office.access.stores.accounts.set_disabled("default", "sysop", True)
    with pytest.raises(AccessError):
        await office.access.sign_in.with_code(begun.token, "123456")


async def test_users_of_the_company_file_sign_in_as_before(office: Office) -> None:
    begun = await office.access.sign_in.with_password(attempt("demo", "demo"))
    assert begun.session.complete


# --- whom a directory outside vouches for ---------------------------------------------------------


def vouched(user: str = "zhou", subject: str = "s1", *held: str, **more: object) -> Identity:
    return Identity("oidc:corp", subject, user, "周", frozenset(held), **more)  # type: ignore[arg-type]


async def test_an_account_is_made_and_kept_up_to_date(office: Office) -> None:
    sign_in = office.access.sign_in
    begun = await sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "10.0.0.1")
    assert begun.session.complete and office.as_user("zhou").roles == {"staff"}
    held = await sign_in.with_identity(
        vouched("zhou", "s1", "manager", department="仓库"), "web", "10.0.0.1"
    )
    assert office.as_user("zhou").roles == {"manager", "staff"}
    assert office.as_user("zhou").attributes["department"] == "仓库"
    assert await sign_in.principal(begun.token, "web") is None
    await sign_in.with_identity(vouched("zhou", "s1"), "web", "10.0.0.1")
    assert office.as_user("zhou").roles == frozenset()
    assert await sign_in.principal(held.token, "web") is None
    acts = [b["act"] for k, u, b in office.book.rows if u == "oidc:corp"]
    assert acts == ["user.vouched", "role.vouched", "role.vouched"]


async def test_a_name_does_not_make_somebody_else(office: Office) -> None:
    await office.access.sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "")
    for identity in (vouched("zhou", "s2", "manager"), vouched("li", "s3"), vouched("demo", "s4")):
        with pytest.raises(AccessError, match="no account here"):
            await office.access.sign_in.with_identity(identity, "web", "")
    renamed = await office.access.sign_in.with_identity(vouched("li", "s1", "staff"), "web", "")
    assert renamed.session.user == "zhou"  # who it is there, and not what they are called


async def test_a_directory_gives_no_office_and_takes_none(office: Office) -> None:
    sign_in = office.access.sign_in
    begun = await sign_in.with_identity(vouched("zhou", "s1", "staff", "secadmin"), "web", "")
    assert office.as_user("zhou").roles == {"staff"} and begun.session.complete
    asked = await office.access.roles.change(
        office.sec, "zhou", frozenset({"auditadmin"}), give=True
    )
    assert asked.request is not None
    await office.access.roles.decide(office.sys, asked.request.id, confirm=True)
    begun = await sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "")
    assert office.as_user("zhou").roles == {"staff", "auditadmin"}
    assert begun.session.remaining == ("enrol",)
    begun = await sign_in.with_identity(
        vouched("zhou", "s1", "staff", second_factor=True), "web", ""
    )
    assert begun.session.complete  # the provider has asked for one


async def test_broken_on_purpose_a_directory_would_give_an_office(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_module, "SEPARATED", frozenset())
    await office.access.sign_in.with_identity(vouched("zhou", "s1", "secadmin"), "web", "")
    assert "secadmin" in office.as_user("zhou").roles


async def test_a_disabled_person_is_not_vouched_back(office: Office) -> None:
    await office.access.sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "")
    await office.access.administration.disable(office.sys, "zhou")
    with pytest.raises(AccessError):
        await office.access.sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "")


async def test_names_that_cannot_be_accounts_and_those_of_the_deleted(office: Office) -> None:
    sign_in = office.access.sign_in
    await sign_in.with_identity(vouched("zhou", "s1", "staff"), "web", "")
    await office.access.administration.delete(office.sys, "zhou")
    for identity in (vouched("zhou", "s1", "staff"), vouched("zhou min", "s5")):
        with pytest.raises(AccessError, match="no account here"):
            await sign_in.with_identity(identity, "web", "")
    assert [b["why"] for k, _, b in office.book.rows if b.get("ok") is False] == ["no_account"] * 2


async def test_what_does_not_work_here_is_nobodys_wrong_guess(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(office, "li")
    monkeypatch.setattr("dazi.access.passwords.MOST_WAITING", 0)
    for _ in range(6):
        with pytest.raises(OverloadError):
            await office.access.sign_in.with_password(attempt("li"))
    monkeypatch.undo()
    assert (await office.access.sign_in.with_password(attempt("li"))).session.complete


async def test_no_secret_is_in_what_may_be_printed(office: Office) -> None:
    await ready(office, "li")
    begun = await office.access.sign_in.with_password(attempt("li"))
    made = await office.access.sign_in.enrol(begun.token)
    new = await office.access.administration.create(office.sys, Account("neu", Text("n", "n")))
    for thing, secrets in (
        (attempt("li"), [GOOD]), (begun, [begun.token]), (new, [new.password]),
        (made, [made.secret, *made.recovery_codes]),
    ):  # fmt: skip
        assert not [s for s in secrets if s in repr(thing)]


def test_a_mapping_to_an_office_stops_start_up() -> None:
    included = {"staff": frozenset({"staff"}), "root": frozenset({"root", "sysadmin"})}
    check_mapping("oidc corp", {"g": ("staff",)}, included)
    for roles in (("nonsense",), ("sysadmin",), ("root",)):
        with pytest.raises(ConfigError):
            check_mapping("oidc corp", {"g": roles}, included)

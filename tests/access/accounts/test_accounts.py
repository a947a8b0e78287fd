"""Accounts: one tenant's do not exist for another's, and what rights hang on is seen at once."""

from __future__ import annotations

import pytest

from dazi.access import people
from dazi.access.accounts import Account, Edit
from dazi.core.errors import AccessError, CallerError, NotFound, OperatorError
from dazi.core.language import Text
from tests.access.accounts.conftest import Office


async def test_an_account_becomes_a_principal(office: Office) -> None:
    await office.add("zhao", "manager", department="仓库", attributes={"employee_id": "E9"})
    found = office.as_user("zhao")
    assert found.roles == {"manager", "staff"}
    assert found.attributes == {"employee_id": "E9", "department": "仓库"}
    assert (found.tenant, found.channel) == ("default", "api")


async def test_users_of_the_company_file_stand_beside_and_are_read_only(office: Office) -> None:
    assert office.access.people.of_tenant("default")[0].user == "demo"
    assert office.as_user("demo").attributes == {"employee_id": "E1"}
    with pytest.raises(CallerError, match=r"dazi\.toml"):
        await office.access.administration.disable(office.sys, "demo")
    with pytest.raises(CallerError, match="taken"):
        await office.access.administration.create(office.sys, Account("demo", Text("x", "x")))
    with pytest.raises(AccessError):
        office.as_user("demo", "other")


async def test_another_tenants_user_does_not_exist(office: Office) -> None:
    administration, sys = office.access.administration, office.sys
    for act in (
        administration.show(sys, "there"),
        administration.edit(sys, "there", Edit(department="x")),
        administration.disable(sys, "there"),
        administration.enable(sys, "there"),
        administration.delete(sys, "there"),
        administration.reset_password(sys, "there"),
        administration.sessions(sys, "there"),
        administration.end_sessions(sys, "there"),
        administration.reset_second_factor(office.sec, "there"),
        office.access.roles.change(office.sec, "there", frozenset({"staff"}), give=False),
    ):
        with pytest.raises(NotFound):
            await act
    assert "there" not in [a.user for a in await administration.users(sys)]
    assert "there" in [
        a.user for a in await administration.users(office.as_user("thereadmin", "other"))
    ]
    # The same name in two tenants: neither learns of the other.
    made = await administration.create(sys, Account("there", Text("x", "x")))
    assert made.account.tenant == "default"
    assert office.as_user("there", "other").roles == {"staff"}


async def test_an_administrator_makes_accounts_in_their_own_tenant_only(office: Office) -> None:
    made = await office.access.administration.create(
        office.sys,
        Account("chen", Text("陈", "Chen"), tenant="other", source="oidc:x", subject="1"),
    )
    assert (made.account.tenant, made.account.source, made.account.subject) == (
        "default", "local", "",
    )  # fmt: skip


async def test_a_disabled_account_is_nobody_until_it_is_enabled(office: Office) -> None:
    await office.access.administration.disable(office.sys, "li")
    with pytest.raises(AccessError, match="no user li"):
        office.as_user("li")
    with pytest.raises(AccessError, match="no user nobody"):
        office.as_user("nobody")
    await office.access.administration.enable(office.sys, "li")
    assert office.as_user("li").roles == {"staff"}


async def test_a_deleted_account_leaves_its_name_and_nothing_else(office: Office) -> None:
    await office.access.administration.delete(office.sys, "li")
    with pytest.raises(AccessError):
        office.as_user("li")
    with pytest.raises(CallerError, match="taken"):
        await office.add("li", "staff")
    row = (await office.access.stores.accounts.since(0))[-1]
    assert row[2] and (row[1].name, row[1].roles, row[1].department) == (
        Text("", ""), frozenset(), "",
    )  # fmt: skip
    assert "li" not in [a.user for a in await office.access.stores.accounts.of_tenant("default")]


async def test_editing_changes_what_is_named_and_nothing_else(office: Office) -> None:
    await office.access.administration.edit(office.sys, "li", Edit(name=Text("李", "Li")))
    found = await office.access.administration.show(office.sys, "li")
    assert (found.name, found.department) == (Text("李", "Li"), "sales")


@pytest.mark.parametrize(
    "user", ["", "Li", "li wang", "../li", "li\n", "-li", "l" * 65, "ｌi", "li\u200b", "li'--"]
)
async def test_names_that_no_account_can_have(office: Office, user: str) -> None:
    with pytest.raises(CallerError):
        await office.access.administration.create(office.sys, Account(user, Text("x", "x")))


async def test_attributes_are_bounded(office: Office) -> None:
    for attributes in ({"A B": "x"}, {"a": "x" * 201}, {f"a{i}": "" for i in range(51)}):
        with pytest.raises(CallerError):
            await office.access.administration.edit(office.sys, "li", Edit(attributes=attributes))


async def test_another_process_learns_at_its_next_look(office: Office) -> None:
    other = await office.other_process()
    assert other.people.principal("li", "api").roles == {"staff"}
    await office.access.administration.disable(office.sys, "li")
    assert other.people.principal("li", "api")  # not yet
    await other.changes.look()
    with pytest.raises(AccessError):
        other.people.principal("li", "api")
    await other.changes.database.close()


async def test_what_was_read_too_long_ago_lets_nobody_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.access.changes._clock = lambda: 10.1
    with pytest.raises(OperatorError, match="cannot be checked"):
        office.as_user("li")
    with pytest.raises(OperatorError):
        office.access.keyring.grant("dz_abc_def", "api")
    monkeypatch.setattr(people.Changes, "require_fresh", lambda self: None)
    assert office.as_user("li")  # it was this guard that refused


async def test_a_refused_change_raises_no_version(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.access.stores.accounts.set_disabled("default", "nobody", True)
    seen = office.access.changes._known
    await office.access.changes.look()
    assert office.access.changes._known == seen

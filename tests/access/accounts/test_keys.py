"""API keys: narrower than their owner at every use, gone when revoked, cheap to answer for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from dazi.access.keyring import Grant
from dazi.access.keys import Draft, Made, Scope, api_keys
from dazi.core.errors import AccessError, CallerError, NotFound
from tests.access.accounts.conftest import Office
from tests.access.accounts.test_sessions import Handle, Stream

DAY = 86_400.0


async def make(office: Office, user: str = "wang", by: str = "", **scope: Any) -> Made:
    scope.setdefault("roles", frozenset({"staff"}))
    draft = Draft("default", user, "report", Scope(**scope), 30.0)
    return await office.access.keys.create(office.as_user(by or user), draft)


def grant(office: Office, text: str, channel: str = "api", address: str = "") -> Grant | None:
    return office.access.keyring.grant(text, channel, address)


async def test_a_key_speaks_for_its_owner_with_the_roles_it_has(office: Office) -> None:
    made = await make(office)
    found = grant(office, made.text)
    assert found is not None
    assert (found.principal.user, found.principal.roles) == ("wang", {"staff"})
    assert found.principal.channel == "api" and found.until == office.clock.now + 30 * DAY
    assert made.text.startswith(f"dz_{made.key.id}_") and made.key.prefix == f"dz_{made.key.id}_"


async def test_the_secret_is_nowhere(office: Office) -> None:
    made = await make(office)
    secret = made.text.split("_", 2)[2]
    assert len(secret) == 43
    async with office.database.read() as connection:
        row = (await connection.execute(select(api_keys))).mappings().one()
    for text in (repr(made), repr(made.key), *map(str, row.values()), str(office.book.rows)):
        assert secret not in text
    assert row["digest"] not in repr(made.key)


async def test_no_key_but_the_very_one(office: Office) -> None:
    made = await make(office)
    _, id, secret = made.text.split("_", 2)
    other = await make(office)
    wrong = [
        "", "dz", "dz_", "dz__", f"dz_{id}", f"dz_{id}_", f"dz_{id}_{secret[:-1]}",
        f"dz_{id}_{secret}x", f"dz_{id}_{secret.swapcase()}", f"DZ_{id}_{secret}",
        f"dz_{other.key.id}_{secret}", f"dz_{id.upper()}_{secret}", f" {made.text}",
        f"dz_{id}_{made.key.digest.hex()}", "dz_' OR 1=1 --_x", "dz_\udcff_\udcff", "x" * 100_000,
    ]  # fmt: skip
    assert [w for w in wrong if grant(office, w) is not None] == []


async def test_rights_that_the_owner_loses_are_lost_at_once(office: Office) -> None:
    made = await make(office, roles=frozenset({"manager", "staff"}))
    found = grant(office, made.text)
    assert found is not None and found.principal.roles == {"manager", "staff"}
    await office.access.roles.change(office.sec, "wang", frozenset({"staff"}), give=True)
    await office.access.roles.change(office.sec, "wang", frozenset({"manager"}), give=False)
    found = grant(office, made.text)
    assert found is not None and found.principal.roles == {"staff"}
    await office.access.roles.change(office.sec, "wang", frozenset({"staff"}), give=False)
    assert grant(office, made.text) is None


async def test_rights_that_the_owner_gains_are_not_the_keys(office: Office) -> None:
    made = await make(office, "li")
    await office.access.roles.change(office.sec, "li", frozenset({"finance"}), give=True)
    found = grant(office, made.text)
    assert found is not None and found.principal.roles == {"staff"}


class Sticky(dict[tuple[str, str], Grant | None]):
    """Grants that outlive every change."""

    def clear(self) -> None:
        return


async def test_broken_on_purpose_an_old_right_lives_on(office: Office) -> None:
    """What the tests above would find if grants were kept."""
    made = await make(office, roles=frozenset({"manager", "staff"}))
    office.access.keyring._grants = Sticky()
    assert grant(office, made.text) is not None
    await office.access.roles.change(office.sec, "wang", frozenset({"manager"}), give=False)
    found = grant(office, made.text)
    assert found is not None and "manager" in found.principal.roles


@pytest.mark.parametrize("act", ["disable", "delete"])
async def test_a_key_of_nobody_opens_nothing(office: Office, act: str) -> None:
    made = await make(office)
    await getattr(office.access.administration, act)(office.sys, "wang")
    assert grant(office, made.text) is None


async def test_a_revoked_key_ends_here_at_once_and_elsewhere_at_the_next_look(
    office: Office,
) -> None:
    other = await office.other_process()
    made = await make(office)
    await other.changes.look()
    found = grant(office, made.text)
    assert found is not None and other.keyring.grant(made.text, "api") is not None
    here = await Stream(office.access.watch, Handle(found.principal, key=made.key.id)).began()
    there = await Stream(other.watch, Handle(found.principal, key=made.key.id)).began()
    await office.access.keys.revoke(office.as_user("wang"), made.key.id)
    assert grant(office, made.text) is None and here.why == "key"
    assert there.why == ""
    await other.changes.look()
    assert other.keyring.grant(made.text, "api") is None and there.why == "key"
    for stream in (here, there):
        await stream.close()
    await other.changes.database.close()


async def test_an_expired_key_is_none(office: Office) -> None:
    made = await make(office)
    office.clock.now += 30 * DAY - 1
    assert grant(office, made.text) is not None
    office.clock.now += 1
    assert grant(office, made.text) is None
    for days in (0.0, -1.0, 366.0, float("inf"), float("nan")):
        with pytest.raises(CallerError, match="days"):
            await office.access.keys.create(
                office.as_user("wang"),
                Draft("default", "wang", "x", Scope(frozenset({"staff"})), days),
            )


async def test_channels_and_networks(office: Office) -> None:
    made = await make(
        office,
        channels=frozenset({"mcp"}),
        networks=("10.1.0.0/16", "192.0.2.7", "2001:db8::/32"),
    )
    allowed = ("10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1")
    refused = ("10.2.0.1", "", "x", "10.1.2.3, 8.8.8.8", "::1", "2001:db9::1", "1.2.0.10")
    assert all(grant(office, made.text, "mcp", a) is not None for a in allowed)
    assert all(grant(office, made.text, "mcp", a) is None for a in refused)
    assert grant(office, made.text, "api", "10.1.2.3") is None


async def test_tools_and_models_are_told_and_never_lost(office: Office) -> None:
    made = await make(office, tools=frozenset({"get_order"}), models=frozenset({"dazi"}))
    found = grant(office, made.text)
    assert found is not None
    assert found.allows_tool("get_order") and not found.allows_tool("refund")
    assert found.allows_model("dazi") and not found.allows_model("raw")
    assert office.access.keyring.principal(made.text, "api") is None
    wide = await make(office)
    assert office.access.keyring.principal(wide.text, "api") is not None
    every = grant(office, wide.text)
    assert every is not None and every.allows_tool("refund") and every.allows_model("raw")


async def test_a_key_has_no_more_than_its_owner_and_no_office(office: Office) -> None:
    await office.add("boss", "manager", "sysadmin")
    tries = [
        ("li", {"manager"}), ("li", {"staff", "finance"}), ("li", set()), ("li", {"nonsense"}),
        ("boss", {"sysadmin"}), ("boss", {"manager", "sysadmin"}),
    ]  # fmt: skip
    for user, roles in tries:
        with pytest.raises(AccessError, match="roles"):
            await make(office, user, roles=frozenset(roles))
    assert office.book.acts() == []


async def test_a_narrow_key_makes_no_wider_one(office: Office) -> None:
    narrow = grant(office, (await make(office)).text)
    assert narrow is not None
    draft = Draft("default", "wang", "x", Scope(frozenset({"manager"})), 1.0)
    with pytest.raises(AccessError, match="roles"):
        await office.access.keys.create(narrow.principal, draft)


async def test_an_office_that_got_into_a_key_is_not_granted(office: Office) -> None:
    """Whatever stands in the table."""
    draft = Draft("default", "secop", "x", Scope(frozenset({"secadmin"})), 1.0)
    made = await office.access.stores.keys.create(draft, "secop")
    assert grant(office, made.text) is None


async def test_nobody_makes_a_key_that_speaks_for_somebody_else(office: Office) -> None:
    await office.add("robot", "staff", kind="service")
    for by, user in (("li", "wang"), ("li", "robot"), ("sysop", "robot"), ("secop", "wang")):
        with pytest.raises(AccessError):
            await make(office, user, by)
    with pytest.raises(NotFound):
        await make(office, "there", "secop")
    made = await make(office, "robot", "secop")
    found = grant(office, made.text)
    assert found is not None and found.principal.user == "robot"
    assert made.key.made_by == "secop"
    draft = Draft("other", "li", "x", Scope(frozenset({"staff"})), 1.0)
    own = await office.access.keys.create(office.as_user("li"), draft)
    assert own.key.tenant == "default"


async def test_revoking_and_listing(office: Office) -> None:
    made = await make(office)
    with pytest.raises(NotFound):
        await office.access.keys.revoke(office.as_user("li"), made.key.id)
    with pytest.raises(NotFound):
        await office.access.keys.revoke(office.as_user("thereadmin", "other"), made.key.id)
    with pytest.raises(AccessError):
        await office.access.keys.keys(office.as_user("li"))
    with pytest.raises(AccessError):
        await office.access.keys.keys(office.as_user("li"), "wang")
    assert [k.id for k in await office.access.keys.keys(office.sec)] == [made.key.id]
    assert [k.id for k in await office.access.keys.keys(office.as_user("wang"), "wang")] == [
        made.key.id
    ]
    await office.access.keys.revoke(office.sec, made.key.id)
    found = (await office.access.keys.keys(office.sec))[0]
    assert found.revoked_by == "secop" and found.revoked_at == office.clock.now


async def test_the_last_use_is_written_once_in_a_while(office: Office) -> None:
    made = await make(office)
    version = office.access.changes._known
    for _ in range(1000):
        grant(office, made.text)
    assert (await office.access.keys.keys(office.sec))[0].last_used is None
    await office.access.keyring.note_uses()
    assert (await office.access.keys.keys(office.sec))[0].last_used == office.clock.now
    await office.access.changes.look()
    assert office.access.changes._known == version  # that is no change of rights
    assert grant(office, made.text + "x") is None and office.access.keyring._used == {}


async def test_answers_come_from_memory_and_unknown_keys_fill_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(office)

    def no_database(*_: Any) -> Any:
        raise AssertionError("asked the database")

    monkeypatch.setattr(office.access.changes.database, "read", no_database)
    monkeypatch.setattr(office.access.changes.database, "write", no_database)
    assert grant(office, made.text) is grant(office, made.text)
    ring = office.access.keyring
    sizes = len(ring._held), len(ring._grants), len(ring._used)
    for n in range(2000):
        assert grant(office, f"dz_{n:012}_secret") is None
    assert (len(ring._held), len(ring._grants), len(ring._used)) == sizes


@pytest.mark.parametrize(
    "scope",
    [
        {"networks": ("10.0.0.1/8",)}, {"networks": ("nonsense",)}, {"tools": frozenset({"a b"})},
        {"tools": frozenset({""})}, {"models": frozenset({"x" * 201})},
        {"tools": frozenset(f"t{n}" for n in range(101))},
    ],
)  # fmt: skip
async def test_scopes_that_mean_nothing_are_refused(office: Office, scope: Any) -> None:
    with pytest.raises(CallerError, match="scope"):
        await make(office, **scope)

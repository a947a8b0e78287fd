"""Passwords: what they must be like, how they are kept, and how many guesses there are."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import select

from dazi.access.lockout import Locked, Lockout, LockoutRules, Subject
from dazi.access.password_rules import PasswordRules, check_password, make_initial
from dazi.access.passwords import Passwords, passwords
from dazi.core.errors import CallerError, OverloadError
from tests.access.accounts.conftest import GOOD, Office

RULES = PasswordRules()
DAY = 86_400.0


@pytest.mark.parametrize(
    "password",
    [
        "Short-1", "alllowercase", "lowercase-only", "UPPERCASE99", "1234567890", "Password123!",
        "P@ssw0rd2026", "Qwerty12345!", "Welcome-2026", "Kx7-mauer-WANG", "Aa1Aa1Aa1Aa1",
        "Iloveyou520!", "Admin@123456", "x" * 120 + "A1-abcdefg", "Spring2026!!",
    ],
)  # fmt: skip
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(CallerError):
        check_password(password, "wang", RULES)


@pytest.mark.parametrize("password", [GOOD, "密码很长Mauerwerk", "correct-Horse7", "Zt9$kkvv!qRx"])
def test_good_passwords_pass(password: str) -> None:
    check_password(password, "li", RULES)


def test_one_time_passwords_are_strong_and_differ() -> None:
    made = {make_initial() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_password(password, "li", RULES)


async def test_the_profile_is_that_of_rfc_9106(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.access.passwords.RFC_9106_LOW_MEMORY", RFC_9106_LOW_MEMORY)
    store = Passwords(office.database, RULES)
    await store.set("default", "li", GOOD)
    async with office.database.read() as connection:
        kept = await connection.scalar(select(passwords.c.hash))
    found = extract_parameters(kept or "")
    assert (found.memory_cost, found.time_cost, found.parallelism) == (65536, 3, 4)
    assert (kept or "").startswith("$argon2id$")
    assert await store.verify("default", "li", GOOD) == "right"


async def test_the_loop_goes_on_while_a_password_is_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = office.access.stores.passwords
    await store.set("default", "li", GOOD)
    entered, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*_: Any) -> bool:
        loop.call_soon_threadsafe(entered.set)
        return leave.wait(10)

    monkeypatch.setattr(store, "_matches", slow)
    task = asyncio.create_task(store.verify("default", "li", GOOD))
    await asyncio.wait_for(entered.wait(), 10)
    leave.set()  # we got here while it was at work
    assert await task == "right"


async def test_another_keyboard_gives_the_same_password(office: Office) -> None:
    store = office.access.stores.passwords
    await store.set("default", "li", "Mauerwe\u0301rk-77")
    assert await store.verify("default", "li", "Mauerw\u00e9rk-77") == "right"


async def test_a_hash_with_older_parameters_is_renewed(office: Office) -> None:
    store = Passwords(office.database, RULES, office.clock, PasswordHasher(1, 16, 1, 32, 16))
    await office.access.stores.passwords.set("default", "li", GOOD)
    assert await store.verify("default", "li", GOOD) == "right"
    async with office.database.read() as connection:
        kept = await connection.scalar(select(passwords.c.hash))
    assert extract_parameters(kept or "").memory_cost == 16
    assert await store.verify("default", "li", GOOD) == "right"


async def test_nobodys_password_costs_the_same_work(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = office.access.stores.passwords
    await store.set("default", "li", GOOD)
    assert await store.verify("default", "nobody", GOOD) == "wrong"  # the first makes the hash
    worked: list[str] = []
    right = store._matches

    def counted(hashed: str, password: str) -> bool:
        worked.append(hashed[:20])
        return right(hashed, password)

    monkeypatch.setattr(store, "_matches", counted)
    assert await store.verify("default", "li", "Wrong-guess-1") == "wrong"
    assert await store.verify("default", "nobody", "Wrong-guess-1") == "wrong"
    assert len(worked) == 2 and worked[0] == worked[1]


async def test_after_90_days_a_new_one_is_asked_for(office: Office) -> None:
    store = office.access.stores.passwords
    await store.set("default", "li", GOOD)
    office.clock.now += 90 * DAY
    assert await store.verify("default", "li", GOOD) == "right"
    office.clock.now += 1
    assert await store.verify("default", "li", GOOD) == "must_change"


async def test_the_last_five_do_not_come_back(office: Office) -> None:
    store = office.access.stores.passwords
    every = [f"Mauerwerk-{n}-Kx" for n in range(1, 8)]
    for password in every[:6]:
        await store.set("default", "li", password)
    for password in every[1:6]:
        with pytest.raises(CallerError, match="last 5"):
            await store.set("default", "li", password)
    await store.set("default", "li", every[0])  # the sixth before is free again


async def test_a_one_time_password_works_once_and_must_be_changed(office: Office) -> None:
    store = office.access.stores.passwords
    initial = await store.make_initial("default", "li")
    both = await asyncio.gather(*(store.verify("default", "li", initial) for _ in range(5)))
    assert sorted(both) == ["must_change"] + ["wrong"] * 4
    assert await store.verify("default", "li", initial) == "wrong"
    with pytest.raises(CallerError, match="last"):
        await store.set("default", "li", initial)
    await store.set("default", "li", GOOD)
    assert await store.verify("default", "li", GOOD) == "right"


async def test_a_one_time_password_expires(office: Office) -> None:
    store = office.access.stores.passwords
    initial = await store.make_initial("default", "li")
    office.clock.now += 7 * DAY + 1
    assert await store.verify("default", "li", initial) == "wrong"


async def test_too_many_waiting_are_sent_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.access.passwords.MOST_WAITING", 2)
    store = office.access.stores.passwords
    store._waiting = 2
    with pytest.raises(OverloadError):
        await store.verify("default", "li", GOOD)


# --- lockout --------------------------------------------------------------------------------------

LI = Subject("account", "default/li")


async def guess(lockout: Lockout, *subjects: Subject) -> None:
    await lockout.begin(*subjects)
    await lockout.failed(*subjects)


async def test_five_failures_lock_for_15_minutes_and_then_twice_as_long(office: Office) -> None:
    lockout = office.access.stores.lockout
    for pause in (900.0, 1800.0, 3600.0):
        for _ in range(5):
            await guess(lockout, LI)
        with pytest.raises(Locked) as caught:
            await lockout.begin(LI)
        assert caught.value.retry_after == pause
        office.clock.now += pause - 1
        with pytest.raises(Locked):
            await lockout.begin(LI)
        office.clock.now += 1
    await lockout.begin(LI)
    await lockout.succeeded(LI)
    for _ in range(5):
        await guess(lockout, LI)
    with pytest.raises(Locked) as caught:
        await lockout.begin(LI)
    assert caught.value.retry_after == 900.0  # a success begins anew


async def test_the_pause_does_not_grow_past_a_day(office: Office) -> None:
    lockout = Lockout(office.database, LockoutRules(failures=1), office.clock)
    for _ in range(12):
        await guess(lockout, LI)
        with pytest.raises(Locked) as caught:
            await lockout.begin(LI)
        office.clock.now += caught.value.retry_after
    assert caught.value.retry_after == 86_400.0


async def test_guesses_at_once_are_no_more_than_the_limit(office: Office) -> None:
    lockout = office.access.stores.lockout
    looked_at = 0

    async def one() -> None:
        nonlocal looked_at
        await lockout.begin(LI)
        looked_at += 1
        await asyncio.sleep(0.01)
        await lockout.failed(LI)

    await asyncio.gather(*(one() for _ in range(30)), return_exceptions=True)
    assert looked_at == 5


async def test_an_address_is_locked_whoever_is_guessed_at(office: Office) -> None:
    lockout = Lockout(office.database, LockoutRules(address_failures=8), office.clock)
    where = Subject("address", "10.0.0.9")
    for n in range(8):
        await guess(lockout, Subject("account", f"default/u{n}"), where)
    fresh = Subject("account", "default/u99")
    with pytest.raises(Locked):
        await lockout.begin(fresh, where)
    await lockout.begin(fresh, Subject("address", "10.0.0.10"))


async def test_people_behind_one_address_who_are_right_do_not_lock_it(office: Office) -> None:
    lockout = Lockout(office.database, LockoutRules(address_failures=3), office.clock)
    where = Subject("address", "10.0.0.9")
    for n in range(20):
        who = Subject("account", f"default/u{n}")
        await lockout.begin(who, where)
        await lockout.succeeded(who, where)
    await guess(lockout, LI, where)  # but being right does not wipe out others' failures
    await guess(lockout, LI, where)
    await lockout.begin(Subject("account", "default/me"), where)
    await lockout.succeeded(Subject("account", "default/me"), where)
    await guess(lockout, LI, where)
    with pytest.raises(Locked):
        await lockout.begin(LI, where)


async def test_guesses_that_broke_off_count_as_wrong_and_lapse(office: Office) -> None:
    lockout = office.access.stores.lockout
    for _ in range(5):
        await lockout.begin(LI)
    with pytest.raises(Locked) as caught:
        await lockout.begin(LI)
    assert caught.value.retry_after == 900.0
    office.clock.now += 900
    await lockout.begin(LI)


async def test_what_was_not_looked_at_is_no_failure_and_wipes_out_none(office: Office) -> None:
    lockout = office.access.stores.lockout
    for _ in range(4):
        await guess(lockout, LI)
    for _ in range(10):
        await lockout.begin(LI)
        await lockout.not_looked_at(LI)
    await guess(lockout, LI)
    with pytest.raises(Locked):
        await lockout.begin(LI)


async def test_failures_are_forgotten_after_an_hour(office: Office) -> None:
    lockout = office.access.stores.lockout
    for _ in range(4):
        await guess(lockout, LI)
    office.clock.now += 3601
    for _ in range(4):
        await guess(lockout, LI)
    await lockout.begin(LI)

"""Administrators with accounts, signed in without the steps of signing in (which have tests of their
own)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dazi.access.accounts import Account
from dazi.access.lockout import Subject
from dazi.core.language import Text
from tests.console.browser import Browser
from tests.console.conftest import Site


async def make(site: Site, user: str, *roles: str, kind: str = "person") -> None:
    stores = site.runtime.access.stores
    name = Text(f"{user}先生", f"Mx {user.title()}")
    await stores.accounts.create(Account(user, name, frozenset(roles), kind=kind))  # type: ignore[arg-type]


async def gone(site: Site, *users: str) -> None:
    """As if they had never been, their names free again."""
    stores = site.runtime.access.stores
    for user in users:
        await stores.sessions.end_all("default", user)
        await stores.passwords.forget("default", user)
        await stores.second_factor.forget("default", user)
        await stores.lockout.unlock(Subject("account", f"default/{user}"))
    async with site.runtime.database.write() as connection:
        for table in ("accounts", "api_keys", "role_requests"):
            for user in users:
                await connection.exec_driver_sql(f'DELETE FROM {table} WHERE "user" = ?', (user,))
    for user in users:
        stores.people._by_name.pop(("default", user), None)
    stores.people._principals.clear()


@contextmanager
def accounts(site: Site, **roles: str) -> Iterator[None]:
    """``user=ROLE`` each; an empty role is none."""
    site.run(gone(site, *roles))
    for user, role in roles.items():
        site.run(make(site, user, *filter(None, [role])))
    try:
        yield
    finally:
        site.run(gone(site, *roles))


def enter(browser: Browser, site: Site, user: str, path: str) -> None:
    """Somebody signed in, at a page that is connected."""
    begun = site.run(site.runtime.access.sessions.begin(("default", user), "web", "127.0.0.1"))
    browser.set_cookie("dazi_session", begun.token, httpOnly=True, sameSite="Lax")
    go(browser, path)


def go(browser: Browser, path: str) -> None:
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))

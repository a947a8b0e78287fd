"""Signing in over HTTP: a session token, step by step, as the page does it."""

from __future__ import annotations

from dazi.access.sessions import Begun
from dazi.access.sign_in import Attempt
from dazi.gateway.accounts import bodies
from dazi.gateway.accounts.views import CHANNEL, access_of, instant
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode


async def sign_in(x: Exchange) -> None:
    given = bodies.SIGN_IN.read(x.body)
    attempt = Attempt(given.user[:200], given.password, CHANNEL, x.address)
    await _tell(x, await access_of(x).sign_in.with_password(attempt))


async def code(x: Exchange) -> None:
    """The step ``second_factor`` or ``enrol``; of whoever is signed in, the end of an enrolment."""
    given, sign_in = bodies.CODE.read(x.body), access_of(x).sign_in
    finish = sign_in.confirm_factor if x.session is not None else sign_in.with_code
    await _tell(x, await finish(x.token, given.code[:100]))


async def enrol(x: Exchange) -> None:
    made = await access_of(x).sign_in.enrol(x.token)
    await x.reply(encode(bodies.EnrolmentView(made.uri, made.secret, made.recovery_codes)))


async def password(x: Exchange) -> None:
    given, sign_in = bodies.NEW_PASSWORD.read(x.body), access_of(x).sign_in
    if x.session is not None:
        begun = await sign_in.change_password(x.token, given.old, given.password)
    else:
        begun = await sign_in.choose_password(x.token, given.password)
    await _tell(x, begun)


async def sign_out(x: Exchange) -> None:
    await access_of(x).sign_in.end(x.token)
    await x.reply(encode(bodies.Done()))


async def _tell(x: Exchange, begun: Begun) -> None:
    session = begun.session
    view = bodies.SessionView(begun.token, session.user, instant(session.until), session.remaining)
    await x.reply(encode(view), (b"cache-control", b"no-store"))

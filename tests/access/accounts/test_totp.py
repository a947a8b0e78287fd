"""One-time codes: RFC 6238's own vectors, each code once, and secrets that a dump does not hold."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import select, update

from dazi.access import totp
from dazi.access.sealing import Sealer
from dazi.access.totp import SecondFactor, code_at
from dazi.core.errors import CallerError, OperatorError
from tests.access.accounts.conftest import Office

LI = ("default", "li")


@pytest.mark.parametrize(
    ("seconds", "eight"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
        (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(seconds: int, eight: str) -> None:
    assert code_at(b"12345678901234567890", seconds // 30) == eight[2:]


async def enrolled(office: Office) -> tuple[bytes, tuple[str, ...]]:
    made = await office.access.stores.second_factor.enrol(*LI, "云杉")
    secret = base64.b32decode(made.secret + "=" * (-len(made.secret) % 8))
    assert await office.access.stores.second_factor.confirm(*LI, now_code(office, secret))
    office.clock.now += 30
    return secret, made.recovery_codes


def now_code(office: Office, secret: bytes, steps: int = 0) -> str:
    return code_at(secret, int(office.clock.now // 30) + steps)


async def test_the_uri_is_what_authenticators_read(office: Office) -> None:
    made = await office.access.stores.second_factor.enrol(*LI, "云杉")
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/云杉:li")
    assert parse_qs(uri.query) == {"secret": [made.secret], "issuer": ["云杉"]}
    assert len(base64.b32decode(made.secret + "=" * (-len(made.secret) % 8))) == 20


async def test_an_enrolment_counts_once_a_code_is_given(office: Office) -> None:
    factor = office.access.stores.second_factor
    made = await factor.enrol(*LI, "x")
    secret = base64.b32decode(made.secret)
    assert not await factor.enrolled(*LI)
    assert not await factor.check(*LI, now_code(office, secret))
    assert not await factor.check(*LI, made.recovery_codes[0])
    again = await factor.enrol(*LI, "x")  # broken off: a new one takes its place
    assert not await factor.confirm(*LI, now_code(office, secret))
    assert await factor.confirm(*LI, now_code(office, base64.b32decode(again.secret)))
    assert await factor.enrolled(*LI)
    with pytest.raises(CallerError, match="in use"):
        await factor.enrol(*LI, "x")


async def test_a_window_of_one_step(office: Office) -> None:
    secret, _ = await enrolled(office)
    office.clock.now += 600
    factor = office.access.stores.second_factor
    for steps in (-2, 2):
        assert not await factor.check(*LI, now_code(office, secret, steps))
    for steps in (-1, 0, 1):
        assert await factor.check(*LI, now_code(office, secret, steps))


async def test_a_code_counts_once_and_so_does_an_older_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await enrolled(office)
    factor = office.access.stores.second_factor
    code, before = now_code(office, secret), now_code(office, secret, -1)
    tries = await asyncio.gather(*(factor.check(*LI, code) for _ in range(8)))
    assert sorted(tries) == [False] * 7 + [True]
    assert not await factor.check(*LI, before)


async def test_what_is_no_code(office: Office) -> None:
    secret, _ = await enrolled(office)
    factor = office.access.stores.second_factor
    code = now_code(office, secret)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    for text in ("", "0", code[:5], code + "0", wide, "-" + code[1:], "１２３４５６", "x" * 10_000):
        assert not await factor.check(*LI, text)
    assert await factor.check(*LI, f"{code[:3]} {code[3:]}")


async def test_recovery_codes_work_once_each(office: Office) -> None:
    _, codes = await enrolled(office)
    factor = office.access.stores.second_factor
    assert len(set(codes)) == 10 and all(len(c.replace("-", "")) == 16 for c in codes)
    tries = await asyncio.gather(*(factor.check(*LI, codes[0]) for _ in range(5)))
    assert sorted(tries) == [False] * 4 + [True]
    assert await factor.check(*LI, codes[1].upper().replace("-", " "))
    assert not await factor.check("default", "wang", codes[2])
    await factor.forget(*LI)
    assert not await factor.check(*LI, codes[3])


async def test_the_database_holds_no_secret(office: Office) -> None:
    secret, codes = await enrolled(office)
    async with office.database.read() as connection:
        kept = (await connection.execute(select(totp.totp))).mappings().one()
        hashes = list(await connection.scalars(select(totp.recovery.c.hash)))
    assert secret not in kept["secret"]
    assert not any(code in hashed for hashed in hashes for code in codes)


async def test_a_sealed_secret_opens_for_its_owner_and_key_only(
    office: Office, tmp_path: Path
) -> None:
    secret, _ = await enrolled(office)
    async with office.database.write() as connection:
        await connection.execute(update(totp.totp).values(user="wang"))
    with pytest.raises(OperatorError):
        await office.access.stores.second_factor.check("default", "wang", now_code(office, secret))
    other = SecondFactor(office.database, Sealer.at(tmp_path / "other.key"), office.clock)
    with pytest.raises(OperatorError):
        await other.check("default", "wang", now_code(office, secret))


def test_the_key_file_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "k"
    sealed = Sealer.at(path).seal(b"secret", "li")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Sealer.at(path).open(sealed, "li") == b"secret"
    path.write_bytes(b"short")
    with pytest.raises(OperatorError, match="32 bytes"):
        Sealer.at(path)

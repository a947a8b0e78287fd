"""Checkpoints: signed, followed through new keys, never over a ledger that does not fit."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from dazi.audit.anchors import Checkpoint, read_checkpoints
from dazi.audit.checkpoints import Checkpoints, head_of, keep_checkpoints
from dazi.audit.signing import Known, SigningKeys, Trust, key_id, pem, read_public
from dazi.audit.verify import Bad, Fault, verify
from dazi.core.errors import ConfigError, OperatorError
from tests.audit.conftest import House


async def test_one_is_made_of_the_end_and_kept_outside_too(house: House) -> None:
    assert await house.checkpoints.make() is None
    await house.fill(3)
    made = await house.checkpoints.make()
    assert made is not None and made.seq == 3
    assert made.hash == (await house.rows())[2].hash
    assert house.keys.trust().valid(made.key, made.statement(), made.signature)
    assert head_of(house.keys) == [made]
    assert await house.checkpoints.make() == made  # nothing has come since
    assert await house.checkpoints.latest() == made


async def test_no_key_is_in_the_database(house: House) -> None:
    await house.fill(3)
    await house.checkpoints.make()
    private = (house.folder / "audit" / "signing.key").read_bytes().splitlines()[1]
    assert private not in (house.folder / "dazi.sqlite").read_bytes()
    if os.name == "posix":
        for path in (house.folder / "audit").iterdir():
            assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("before", [0, 1])
async def test_what_does_not_fit_is_never_signed(house: House, before: int) -> None:
    await house.fill(3)
    if before:
        await house.checkpoints.make()
        await house.fill(3)
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_records SET turn = 'x' WHERE seq = 3"))
    with pytest.raises(OperatorError, match="record 3"):
        await house.checkpoints.make()


async def test_the_checkpoint_gone_on_from_must_be_signed_too(house: House) -> None:
    await house.fill(3)
    await house.checkpoints.make()
    await house.fill(3)
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_checkpoints SET signature = 'AAAA'"))
    with pytest.raises(OperatorError, match="record 3"):
        await house.checkpoints.make()


async def test_a_cut_is_not_signed_over_by_what_comes_after(house: House) -> None:
    """The attacker waits for the service to bless what is left."""
    await house.fill(5)
    await house.checkpoints.make()
    await house.fill(5)
    await house.checkpoints.make()
    async with house.database.write() as connection:
        for table in ("audit_records", "audit_checkpoints"):
            await connection.execute(text(f"DELETE FROM {table} WHERE seq > 7"))
    with pytest.raises(OperatorError, match="record 8"):
        await house.checkpoints.make()
    await house.ledger.open()
    await house.fill(5)
    with pytest.raises(OperatorError, match="record 10"):
        await house.checkpoints.make()


async def test_a_later_checkpoint_outside_is_not_replaced_by_an_earlier_one(house: House) -> None:
    await house.fill(5)
    early = await house.checkpoints.make()
    await house.fill(5)
    late = await house.checkpoints.make()
    assert early is not None
    house.checkpoints._keep_outside(early)
    assert head_of(house.keys) == [late]


async def test_two_at_once_make_one(house: House) -> None:
    await house.fill(3)
    one, two = await asyncio.gather(house.checkpoints.make(), house.checkpoints.make())
    assert one is not None and two is not None and one.seq == two.seq == 3
    assert (await house.verified()).checkpoints == 1


async def test_due_by_count_and_by_time(house: House) -> None:
    made = house.checkpoints
    assert not await made.due(10, 0.0)  # nothing to sign
    await house.fill(9)
    assert await made.due(10, 600.0)  # none was ever made
    await made.make()
    assert not await made.due(1, 0.0)
    await house.fill(9)
    assert not await made.due(10, 600.0)
    assert await made.due(9, 600.0)
    assert await made.due(10, 0.0)


async def _latest(house: House, expected: int) -> int:
    """The latest checkpoint's record, as soon as it is the expected one."""
    for _ in range(2000):
        latest = await house.checkpoints.latest()
        if latest is not None and latest.seq >= expected:
            return latest.seq
        await asyncio.sleep(0.01)
    return 0


async def _said(log: pytest.LogCaptureFixture, words: str) -> bool:
    for _ in range(2000):
        if words in log.text:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_they_are_kept_up_while_serving(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    running = asyncio.create_task(
        keep_checkpoints(house.checkpoints, every_records=5, every_s=600.0, look_s=0.01)
    )
    for expected in (5, 10):
        await house.fill(5)
        assert await _latest(house, expected) == expected
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_records SET turn = 'x' WHERE seq = 10"))
    await house.fill(5)
    assert await _said(caplog, "record 10")
    assert not running.done()  # it goes on, whatever happens
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_database_that_is_away_ends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> bool:
        raise OSError("gone")

    monkeypatch.setattr(Checkpoints, "due", away)
    running = asyncio.create_task(keep_checkpoints(house.checkpoints, look_s=0.01))
    assert await _said(caplog, "gone")
    assert not running.done()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_old_keys_stay_known_and_lead_to_new_ones(house: House, tmp_path: Path) -> None:
    await house.fill(3)
    await house.checkpoints.make()
    old = tmp_path / "old.pem"
    old.write_text(house.keys.public_pem(), "utf-8")
    for _ in range(2):
        house.keys.rotate()
        await house.fill(3)
        await house.checkpoints.make()
    assert len(house.keys.known()) == 3
    assert (await house.verified()).checkpoints == 3
    root = read_public(old)
    found = await verify(house.database, house.keys.trust(root))
    assert (found.bad, found.checkpoints) == (None, 3)
    # The new key does not vouch for what was before it.
    new = tmp_path / "new.pem"
    new.write_text(house.keys.public_pem(), "utf-8")
    found = await verify(house.database, house.keys.trust(read_public(new)))
    assert found.bad == Bad(3, Fault.SIGNATURE)


async def test_a_key_slipped_in_is_not_followed(house: House) -> None:
    await house.fill(1)
    await house.checkpoints.make()
    (real,) = house.keys.known()
    stranger = Ed25519PrivateKey.generate()
    forged = msgspec.structs.replace(
        real, id="0" * 16, by=real.id, public=real.public, signature=real.signature
    )
    assert "0" * 16 not in Trust([real.key()]).follow([forged])
    signed = stranger.sign(forged.statement())
    claimed = msgspec.structs.replace(
        forged, by=key_id(stranger.public_key()), signature=str(signed)
    )
    assert "0" * 16 not in Trust([real.key()]).follow([claimed])


async def test_an_id_that_is_not_the_keys_own_is_not_followed(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    keys.rotate()
    first, second = keys.known()
    bent = msgspec.structs.replace(second, id="0" * 16)
    key, signature = _signing(tmp_path / "other", bent.statement())
    told = msgspec.structs.replace(bent, by=key, signature=signature)
    trust = SigningKeys(tmp_path / "other").trust()
    assert "0" * 16 not in trust.follow([told, first])


def _signing(folder: Path, statement: bytes) -> tuple[str, str]:
    return SigningKeys(folder).sign(statement)


async def test_a_checkpoint_kept_elsewhere_finds_a_whole_new_ledger(
    house: House, tmp_path: Path
) -> None:
    """The machine was taken over, keys and all; the copy is on another one."""
    await house.fill(5)
    made = await house.checkpoints.make()
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(msgspec.json.encode(made) + b"\n\n")
    async with house.database.write() as connection:
        for table in ("audit_records", "audit_checkpoints"):
            await connection.execute(text(f"DELETE FROM {table}"))
    house.keys.head.unlink()
    house.ledger._seq, house.ledger._previous = 0, "0" * 64
    await house.fill(5, "somebody else")
    await house.checkpoints.make()
    assert (await house.verified()).bad is None
    found = await verify(house.database, house.keys.trust(), read_checkpoints(kept))
    assert found.bad == Bad(5, Fault.FORKED)


@pytest.mark.parametrize("content", [b"no json", b'{"seq": "one"}', b"\xff\xfe"])
def test_a_file_that_holds_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no checkpoint"):
        read_checkpoints(path)


def test_files_that_hold_no_key(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    with pytest.raises(ConfigError, match="no public key"):
        read_public(path)
    path.write_text("no key", "utf-8")
    with pytest.raises(ConfigError, match="no public key"):
        read_public(path)
    key = Ed25519PrivateKey.generate().public_key()
    path.write_text(pem(key), "utf-8")
    assert key_id(read_public(path)) == key_id(key)


def test_two_processes_make_one_signing_key(tmp_path: Path) -> None:
    one, two = SigningKeys(tmp_path), SigningKeys(tmp_path)
    assert one.sign(b"a")[0] == two.sign(b"a")[0]
    assert len(one.known()) == 1


def test_a_signing_key_of_another_kind_says_so(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = X25519PrivateKey.generate()
    (tmp_path / "signing.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(ConfigError, match="Ed25519"):
        SigningKeys(tmp_path).sign(b"a")
    public = tmp_path / "p.pem"
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ConfigError, match="Ed25519"):
        read_public(public)


def test_a_checkpoint_is_bound_to_all_it_says() -> None:
    made = Checkpoint(1, "0" * 64, 1.0)
    others = [
        Checkpoint(2, "0" * 64, 1.0),
        Checkpoint(1, "1" * 64, 1.0),
        Checkpoint(1, "0" * 64, 2.0),
    ]
    assert made.statement() not in [c.statement() for c in others]


async def test_what_is_not_due_is_not_made(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    await house.fill(3)
    asked = asyncio.Event()

    async def due(*_: object) -> bool:
        asked.set()
        return False

    monkeypatch.setattr(Checkpoints, "due", due)
    running = asyncio.create_task(keep_checkpoints(house.checkpoints, look_s=0.01))
    await asked.wait()
    asked.clear()
    await asked.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert await house.checkpoints.latest() is None


def test_a_key_under_another_id_is_not_followed(tmp_path: Path) -> None:
    """Signed by a trusted key, and still not what its id says."""
    root, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    trust = Trust([root.public_key()])
    raw = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    unsigned = Known("f" * 16, b64encode(raw).decode(), 1.0, key_id(root.public_key()))
    signature = b64encode(root.sign(unsigned.statement())).decode()
    trust.follow([msgspec.structs.replace(unsigned, signature=signature)])
    assert "f" * 16 not in trust and key_id(other.public_key()) not in trust


@pytest.mark.parametrize("content", [b"no json\n", b'{"id":"x","public":"AAAA","at":1.0}\n'])
def test_public_keys_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    keys = SigningKeys(tmp_path)
    keys.sign(b"x")
    with (tmp_path / "public.jsonl").open("ab") as file:
        file.write(content)
    with pytest.raises(ConfigError, match="no public key") as caught:
        keys.trust()
    assert caught.value.line == 2


def test_a_private_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_bytes(b"no key")
    with pytest.raises(ConfigError, match="no private key"):
        SigningKeys(tmp_path).sign(b"x")

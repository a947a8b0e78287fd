"""An installation in good order, over a company folder of its own: what checks pass on."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from argon2 import Parameters, Type
from sqlalchemy import update

from dazi.access.accounts import Account
from dazi.access.totp import totp
from dazi.audit.checkpoints import Checkpoints
from dazi.core.company import Company
from dazi.core.language import Text
from dazi.main.company import load_company
from dazi.main.compliance import Wanted, looked_at
from dazi.main.settings import Settings
from dazi.ops.backup import keyfile
from dazi.ops.backup.backup import Installed, Target, back_up
from dazi.ops.compliance.checks import files, identity
from dazi.ops.compliance.subject import Subject

DEMO = Path(__file__).parents[3] / "examples" / "yunshan"
CHEAP = Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=8, parallelism=1)
WORDS = "words that nobody guesses"
ADMINISTRATORS = {"wang": "sysadmin", "chen": "secadmin", "zhou": "auditadmin"}


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2, and a backup's passphrase, at a cost of nothing."""
    monkeypatch.setattr("dazi.access.passwords.RFC_9106_LOW_MEMORY", CHEAP)
    monkeypatch.setattr(identity, "LEAST_MEMORY_KIB", 8)
    monkeypatch.setattr("dazi.ops.backup.backup.derive", lambda _, salt: sha256(salt).digest())


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The demo company without its users: a company like others. Read once."""
    folder = tmp_path_factory.mktemp("company") / "house"
    shutil.copytree(DEMO, folder)
    text = (folder / "dazi.toml").read_text("utf-8").replace("demo = true", "")
    text = re.sub(r"\[\[users\]\][^\[]*(?:\[\"[^\[]*)*", "", text)
    text = re.sub(r"\[self_check\][^\[]*", "", text)
    (folder / "dazi.toml").write_text(text, "utf-8")
    return load_company(folder)


@pytest.fixture
def house(loaded: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its folder, for each test to change."""
    folder = tmp_path / "house"
    shutil.copytree(loaded.folder, folder)
    monkeypatch.setattr(
        "dazi.main.compliance.load_company", lambda _: replace(loaded, folder=folder)
    )
    return folder


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first who asks for a ``subject`` puts what the others copy."""
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
async def subject(
    installation: Path, house: Path, tmp_path: Path, cheap: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subject]:
    if not (installation / "whole").exists():
        await install(installation, house)
        (installation / "whole").touch()
    data, backups = tmp_path / "data", tmp_path / "backups"
    shutil.copytree(installation / "data", data)
    shutil.copytree(installation / "backups", backups)
    known = data / "audit" / keyfile.KNOWN
    known.write_text(known.read_text().replace(str(installation), str(tmp_path)))
    encrypted(tmp_path, data, monkeypatch)
    async with looked_at(Settings(company=house, data=data), Wanted()) as made:
        yield replace(made, backups=(backups,))


async def install(folder: Path, house: Path) -> None:
    """People, records, a checkpoint and a backup."""
    data = folder / "data"
    data.mkdir(0o700)
    (folder / "backups").mkdir()
    async with looked_at(Settings(company=house, data=data), Wanted()) as made:
        stores = made.access.stores
        for user, role in {**ADMINISTRATORS, "lin": "staff"}.items():
            await stores.accounts.create(Account(user, Text(user, user), frozenset({role})))
            await stores.second_factor.enrol("default", user, "test")
        async with made.books.database.write() as connection:
            await connection.execute(update(totp).values(confirmed=True))
        for kind, body in (
            ("turn", {"said": "发货了吗"}),
            ("call", {"tool": "get_order_status", "arguments": {"order_id": "ORD12345"}}),
            ("outcome", {"tool": "get_order_status", "outcome": "ok"}),
            ("answer", {"answer": "已发货"}),
            ("sign_in", {"ok": False, "address": "192.0.2.7"}),
        ):
            await made.books.ledger.append(kind, "lin", "turn_1", body)  # type: ignore[arg-type]
        await Checkpoints(made.books.database, made.books.keys).make()
        target = Target(folder / "backups" / "night.dazi", folder / "backups" / keyfile.NAME, WORDS)
        await back_up(Installed(made.books.database, data), target, lambda _: None)


def encrypted(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux tells of a volume under LUKS."""
    import os

    device = data.stat().st_dev
    told = tmp_path / "block" / f"{os.major(device)}:{os.minor(device)}" / "dm" / "uuid"
    told.parent.mkdir(parents=True)
    told.write_text("CRYPT-LUKS2-0123456789abcdef-volume")
    monkeypatch.setattr(files, "BLOCK_DEVICES", tmp_path / "block")

"""Exchanging what is in a data folder, so that a cut-off leaves the old or the new, and whole.

The new is staged in a folder inside. Then a marker is written, durably: from there on the exchange
is carried to its end, by whoever comes next if need be. With PostgreSQL the marker names a token
that the database holds once its own exchange is committed; without it, nothing is exchanged.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from dazi.audit.files import replace, sync_folder
from dazi.core.errors import OperatorError

MARKER = "restore.json"
STAGING = ".restore-"
ASIDE = "before-restore-"


class Plan(msgspec.Struct, frozen=True):
    """``out``: names that go ``aside``. ``database``: which PostgreSQL database holds ``token``,
    empty where the database is one of the staged files."""

    staging: str
    aside: str
    out: list[str]
    token: str = ""
    database: str = ""


def pending(data: Path) -> bool:
    return (data / MARKER).exists()


def begin(data: Path, plan: Plan) -> None:
    """From now on the exchange will happen."""
    replace(data / MARKER, msgspec.json.encode(plan))


def finish(data: Path, database: str, committed: Callable[[str], bool]) -> None:
    """Carry an exchange to its end that was begun; nothing where none was. The caller is alone in
    the folder. ``database``: the one in use; ``committed``: whether it holds a token.

    Raises ``OperatorError`` where another database holds the answer.
    """
    try:
        plan = msgspec.json.decode((data / MARKER).read_bytes(), type=Plan)
    except FileNotFoundError:
        return
    if plan.token:
        if plan.database != database:
            raise OperatorError(
                "restoring",
                f"对 {plan.database} 的恢复中途停了;先用那个数据库(DAZI_DATABASE)启动一次",
                f"a restore into {plan.database} was cut off; start once with that database "
                "(DAZI_DATABASE)",
            )
        if not committed(plan.token):
            shutil.rmtree(data / plan.staging, ignore_errors=True)
            (data / MARKER).unlink()
            return
    _move_out(data, plan)
    _move_in(data, plan)
    (data / MARKER).unlink()
    sync_folder(data)


def clear_staging(data: Path) -> None:
    """What a restore left behind when it was cut off before the marker: it holds keys. For whoever
    knows that none is under way."""
    for path in data.glob(f"{STAGING}*"):
        shutil.rmtree(path, ignore_errors=True)


def _move_out(data: Path, plan: Plan) -> None:
    aside = data / plan.aside
    for name in plan.out:
        # What is aside already went there before a cut-off: what has its name now is new.
        if (data / name).exists() and not (aside / name).exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            (data / name).rename(aside / name)
    if aside.exists():
        sync_folder(aside)


def _move_in(data: Path, plan: Plan) -> None:
    staging = data / plan.staging
    if not staging.exists():
        return
    for path in sorted(staging.iterdir()):
        path.rename(data / path.name)
    sync_folder(data)
    staging.rmdir()

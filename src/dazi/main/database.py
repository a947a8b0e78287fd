"""Where the database is, by the settings, and what is in it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dazi.core.errors import ConfigError, OperatorError
from dazi.main.settings import Settings
from dazi.ops.backup.switch import clear_staging, pending
from dazi.store.database import Database
from dazi.store.presence import Presence

FILE = "dazi.sqlite"
SETTING = "DAZI_DATABASE"
TABLES = (
    "dazi.access.accounts",
    "dazi.access.changes",
    "dazi.access.keys",
    "dazi.access.limits.totals",
    "dazi.access.lockout",
    "dazi.access.oidc",
    "dazi.access.passwords",
    "dazi.access.role_requests",
    "dazi.access.sessions",
    "dazi.access.totp",
    "dazi.access.visitors",
    "dazi.apps.risk.cases",
    "dazi.apps.desk.tables",
    "dazi.apps.contracts.verdict_tables",
    "dazi.gateway.channels.tables",
    "dazi.audit.anchors",
    "dazi.audit.holds",
    "dazi.audit.records",
    "dazi.knowledge.records",
    "dazi.memory.facts",
    "dazi.memory.tables",
    "dazi.ops.experiments.tables",
    "dazi.ops.feedback.tables",
    "dazi.ops.gaps.tables",
    "dazi.ops.prompts.tables",
    "dazi.router.intents",
    "dazi.ops.alerts.tables",
    "dazi.router.tickets",
    "dazi.store.jobs.tables",
)
"""Every module that declares tables."""


def database_of(settings: Settings, data: Path) -> Database:
    """The company's database, not yet connected to; whoever has it is in the data folder.

    Raises ``OperatorError`` where a restore is under way or a driver is missing, and
    ``ConfigError`` for a setting that is no URL.
    """
    url = database_url(settings, data)
    if pending(data):
        from dazi.ops.backup.restore import Destination, finish

        with Presence(data, alone=True):
            finish(data, Destination(url, data))
    presence = Presence(data)
    clear_staging(data)
    return Database(url, presence=presence, declare=declare_tables)


def declare_tables() -> None:
    """Have every room's tables in the metadata."""
    for module in TABLES:
        import_module(module)


def database_url(settings: Settings, data: Path) -> str:
    """What ``database_of`` raises for the setting, this raises."""
    if not settings.database:
        return f"sqlite+aiosqlite:///{data / FILE}"
    _check(settings.database)
    if find_spec("psycopg") is None:
        raise OperatorError(
            "driver",
            "PostgreSQL 的驱动没有装;请运行:pip install 'dazi[postgresql]'",
            "the driver for PostgreSQL is not installed; run: pip install 'dazi[postgresql]'",
        )
    return settings.database


def _check(url: str) -> None:
    """The URL holds a password, so no error repeats it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername != "postgresql" or not parsed.database:
        raise ConfigError(
            SETTING,
            None,
            "应写成 postgresql://用户:密码@主机/数据库;密码里的特殊字符用 %XX 写。"
            "不设就用数据目录里的 SQLite",
            "write postgresql://USER:PASSWORD@HOST/DATABASE, with %XX for special characters in "
            "the password. Unset, it is SQLite in the data folder",
        )

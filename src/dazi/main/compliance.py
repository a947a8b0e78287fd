"""``dazi audit compliance``: the installation, opened without a model, and its report."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.main.admission import make_access
from dazi.main.auditing import audit_folder, opened
from dazi.main.company import load_company
from dazi.main.guarding import guard_of
from dazi.main.labelling import LabelProbe
from dazi.main.settings import Settings
from dazi.ops.backup.keyfile import remembered
from dazi.ops.compliance.matrix import load_matrix
from dazi.ops.compliance.page import html
from dazi.ops.compliance.report import Report, as_json, survey
from dazi.ops.compliance.subject import Books, Serving, Subject
from dazi.ops.compliance.table import lines

_BOUNDS = (
    "max_body_bytes", "max_message_chars", "max_concurrent", "turn_seconds", "turn_rounds",
    "turn_calls", "answer_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """``frameworks``: all where none are named. ``days``: how far back records are looked at. ``backups``: the
    folders that hold some; where none is named, those that backups were made to. ``page``: as
    ``LabelProbe`` takes it."""

    frameworks: tuple[str, ...] = ()
    days: float = 90.0
    backups: tuple[Path, ...] = ()
    page: Mapping[Language, tuple[str, ...]] | None = None


async def report(
    settings: Settings, wanted: Wanted, told: Callable[[int, int], None] | None = None
) -> Report:
    """``told``: as ``survey`` has it."""
    frameworks = load_matrix(wanted.frameworks)
    async with looked_at(settings, wanted) as subject:
        return await survey(subject, frameworks, _version(), told=told)


@asynccontextmanager
async def looked_at(settings: Settings, wanted: Wanted) -> AsyncIterator[Subject]:
    """Everything that checks look at, opened as the service would open it."""
    folder = settings.company_folder()
    company = load_company(folder)
    data = settings.data_folder(folder)
    async with opened(settings) as room:
        directory = Directory(company, settings.host)
        access = make_access(company, room.database, room.ledger, directory, data)
        await access.open(watch=False)
        try:
            books = Books(
                room.database,
                room.ledger,
                room.sealing,
                room.keys,
                settings.audit,
                settings.audit_days,
                settings.thread_days,
            )
            yield Subject(
                company, CedarPolicy(company), guard_of(folder), access, books,
                _serving(settings), data, wanted.backups or _backups(data),
                LabelProbe(settings, company, wanted.page), time.time(), wanted.days,
            )  # fmt: skip
        finally:
            await access.close()


def _serving(settings: Settings) -> Serving:
    named = (settings.model, settings.embedding_url, settings.database, settings.redis)
    systems = tuple(bare for url in named if (bare := _without_credentials(url)))
    bounds = {name: float(getattr(settings, name)) for name in _BOUNDS}
    return Serving(settings.host, settings.tls_cert, settings.tls_key, systems, bounds)


def _without_credentials(url: str) -> str:
    """Scheme and host; nothing for what is no URL, as a model's name is not."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""


def _backups(data: Path) -> tuple[Path, ...]:
    """Where backups were made to, by the files of keys that lie beside them."""
    return tuple(dict.fromkeys(path.parent for path in remembered(audit_folder(data))))


def as_text(found: Report, language: Language) -> Sequence[str]:
    return list(lines(found, language))


def as_json_text(found: Report) -> str:
    return json.dumps(as_json(found), ensure_ascii=False, indent=1)


def save_page(found: Report, language: Language, out: Path) -> None:
    """Raises ``CallerError`` where it cannot be written."""
    try:
        out.write_text(html(found, language), encoding="utf-8")
    except OSError as e:
        raise CallerError(
            "out", f"写不了 {out}:{e.strerror}", f"{out} cannot be written: {e.strerror}"
        ) from e


def _version() -> str:
    try:
        return version("dazi")
    except PackageNotFoundError:
        return "0"

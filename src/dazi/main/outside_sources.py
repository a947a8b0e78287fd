"""Documents from beyond this machine's folders: web pages through the egress guard, and databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import open_database
from dazi.core.errors import CallerError
from dazi.knowledge.library import Row
from dazi.knowledge.parsing.kinds import kind_of
from dazi.knowledge.parsing.refusals import Refused
from dazi.main.knowledge_settings import SEPARATOR
from dazi.net import EgressForbidden, Origin, Rule, TooLarge, fetch
from dazi.net.rules import NOT_HTTP

LARGEST_PAGE = 50_000_000
"""Bytes of what is at a URL."""
PAGE_SECONDS = 60.0
MOST_ROWS = 50_000
QUERY_SECONDS = 120.0
COLUMNS = ("id", "title", "text")
_ENDINGS: Mapping[str, str] = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@dataclass(frozen=True, slots=True)
class OutsideSources:
    """Implements ``knowledge.library.Outside``."""

    context: ConnectorContext

    async def fetch(self, url: str, *, declared: bool) -> tuple[str, bytes]:
        """What the company's file names may be in house; what people bring along only public, or one
        of ``[services]``."""
        try:
            rule = self._rule(url, declared)
            got = await fetch(url, rule, limit=LARGEST_PAGE, seconds=PAGE_SECONDS)
        except EgressForbidden as e:
            raise _unreachable(url, e.text.zh, e.text.en) from e
        except ValueError as e:
            raise _unreachable(url, NOT_HTTP.zh, NOT_HTTP.en) from e
        except TooLarge as e:
            why = f"{LARGEST_PAGE // 1_000_000} MB"
            raise _unreachable(url, f"超过 {why}", f"more than {why}") from e
        except (TimeoutError, OSError) as e:
            why = str(e) or type(e).__name__
            raise _unreachable(url, why, why) from e
        if got.status != 200:
            why = f"HTTP {got.status}"
            raise _unreachable(url, why, why)
        return _name(url, got.content_type), got.body

    def _rule(self, url: str, declared: bool) -> Rule:
        """Raises ``ValueError`` for what is no http(s) URL."""
        services = [s for s in self.context.services.values() if Origin.of(s) == Origin.of(url)]
        return Rule.to(url) if declared or services else Rule()

    async def rows(self, place: str) -> AsyncIterator[Row]:
        name, _, query = place.partition(SEPARATOR)
        database = open_database(name, self.context.databases[name], self.context)
        number = 0
        try:
            async with asyncio.timeout(QUERY_SECONDS), database.reader.connect() as connection:
                found = await connection.stream(text(query))
                if not set(COLUMNS) <= set(found.keys()):
                    raise _columns(name)
                async for row in found.mappings():
                    number += 1
                    if number > MOST_ROWS:
                        raise _many(name)
                    yield Row(*(str(row[c] if row[c] is not None else "") for c in COLUMNS))
        except (SQLAlchemyError, TimeoutError, OSError) as e:
            why = str(getattr(e, "orig", None) or e) or type(e).__name__
            raise CallerError(
                "database", f"数据库 {name} 查询失败:{why}", f"the query on {name} failed: {why}"
            ) from e
        finally:
            await database.close()


def _name(url: str, content_type: str) -> str:
    """A file name whose ending says the kind: the URL's own, or that of its content type."""
    own = PurePosixPath(unquote(urlsplit(url).path)).name
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if own and kind_of(PurePosixPath(own)) is not None:
            return f"page{PurePosixPath(own).suffix.lower()}"
    except Refused:
        pass
    if kind not in _ENDINGS:
        raise CallerError(
            "kind",
            f"{url} 的内容类型 {kind or '(未写)'} 读不了",
            f"{url}: content of type {kind or '(none)'} cannot be read",
        )
    return f"page{_ENDINGS[kind]}"


def _unreachable(url: str, zh: str, en: str) -> CallerError:
    return CallerError("url", f"取不到 {url}:{zh}", f"{url} cannot be fetched: {en}")


def _columns(name: str) -> CallerError:
    wanted = ", ".join(COLUMNS)
    return CallerError(
        "database",
        f"数据库 {name} 的查询要给出 {wanted} 三列",
        f"the query on {name} must give the columns {wanted}",
    )


def _many(name: str) -> CallerError:
    return CallerError(
        "database",
        f"数据库 {name} 的查询超过 {MOST_ROWS} 行;请缩小范围",
        f"the query on {name} gives more than {MOST_ROWS} rows; narrow it",
    )

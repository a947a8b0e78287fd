"""A database that cannot be used, in words: whoever asks is not told of a driver's inside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from dazi.core.errors import OperatorError


class NoneFree(Exception):
    """Too much is wanted of the database at once: no place was free in time."""

    def __str__(self) -> str:
        return "too much is wanted of it at once"


@contextmanager
def told() -> Iterator[None]:
    """Raises ``OperatorError`` for what is the database's own trouble: locked, full, gone, not
    reached. What a statement did wrong goes on as it is."""
    try:
        yield
    except IntegrityError:
        raise
    except (sqlite3.OperationalError, OperationalError, NoneFree, OSError) as e:
        raise unusable(e) from e
    except SQLAlchemyError as e:
        if getattr(e, "connection_invalidated", False):
            raise unusable(e) from e
        raise


def reason(e: Exception) -> str:
    """One line, without what was to be written."""
    said = str(getattr(e, "orig", None) or e).splitlines()
    return said[0][:200] if said else "no answer in time"


def locked(e: Exception) -> bool:
    """Is it another's lock that was waited for in vain?"""
    said = reason(e)
    return "is locked" in said or "lock timeout" in said


def unusable(e: Exception) -> OperatorError:
    why = reason(e)
    return OperatorError(
        "database",
        f"数据库现在用不了:{why}。检查数据库、磁盘空间和权限",
        f"the database cannot be used now: {why}. Check the database, the disk and its rights",
    )

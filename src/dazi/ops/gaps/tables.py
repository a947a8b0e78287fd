"""Questions that were not answered, sealed with the key of who asked them, and gaps that were closed."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text

from dazi.store.database import metadata

gap_questions = Table(
    "gap_questions",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("channel", String(40), nullable=False),
    Column("why", String(12), nullable=False),
    Column("turn", String(40), nullable=False),
    Column("source", String(64), nullable=False),
    Column("near", Text, nullable=False),
    Column("gap", String(16), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("content", Text, nullable=False),
)
"""``source``: of the nearest document, ``near`` the documents that were; ``gap``: which closed one it
belongs to."""

closed_gaps = Table(
    "closed_gaps",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("document", String(64), nullable=False),
    Column("asked", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("measured", Float, nullable=False),
)
"""``document``: what closed it; of ``asked`` questions ``answered`` were, when that was ``measured``."""

"""What threads lie in; what is personal in them is sealed by ``ThreadStore`` and ``DigestStore``."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text

from dazi.store.database import metadata

threads = Table(
    "threads",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("archived", Float),
)

thread_messages = Table(
    "thread_messages",
    metadata,
    Column("thread", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("calls", Text, nullable=False),
    Column("call", String(100), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("result", Text, nullable=False),
)

thread_digests = Table(
    "thread_digests",
    metadata,
    Column("thread", String(64), primary_key=True),
    Column("through", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""See ``dazi.memory.digests``."""

"""What people said of answers, calls and drafts. What was said and done is sealed with the key of whoever
it is about."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from dazi.store.database import metadata

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("giver", String(200), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("item", String(80), nullable=False),
    Column("turn", String(40), nullable=False),
    Column("thumb", String(4), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("decided", Float),
    Column("decided_by", String(200), nullable=False),
    Column("dataset", String(80), nullable=False),
    Column("content", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("tenant", "giver", "kind", "item", name="uq_feedback_item"),
)
"""``user``: whom it is about, and with whose key it is sealed; ``giver``: who said it. ``item``: the turn,
the call or the ticket. ``dataset``: ``NAME/VERSION`` that its sample went into."""

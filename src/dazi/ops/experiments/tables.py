"""Tables of experiments. Nothing that was said is in them: of a subject there are a digest and numbers, and
the user's name, so that they can be forgotten."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text

from dazi.store.database import metadata

experiments = Table(
    "experiments",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("created", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

experiment_events = Table(
    "experiment_events",
    metadata,
    Column("experiment", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("author", String(200), nullable=False),
    Column("act", String(20), nullable=False),
    Column("detail", Text, nullable=False),
)

experiment_subjects = Table(
    "experiment_subjects",
    metadata,
    Column("experiment", String(40), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("arm", String(40), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("first", Text, nullable=False),
    Column("sums", Text, nullable=False),
)
"""``at``: their first turn in it. ``first``: that turn's metrics; ``sums``: of each metric how often it was
measured in their window, and the sum."""

"""Tables of durable jobs. What is personal in them is sealed with the key of whoever asked."""

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

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("channel", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("key", String(100)),
    Column("batch", String(40), nullable=False, index=True),
    Column("state", String(10), nullable=False, index=True),
    Column("due", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("attempts", Integer, nullable=False),
    Column("step_zh", String(200), nullable=False),
    Column("step_en", String(200), nullable=False),
    Column("fraction", Float, nullable=False),
    Column("error", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("worker", String(32), nullable=False),
    Column("lease", Float, nullable=False),
    Column("stop", Boolean, nullable=False),
    UniqueConstraint("tenant", "user", "kind", "key", name="uq_jobs_key"),
)

job_steps = Table(
    "job_steps",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("content", Text, nullable=False),
    Column("at", Float, nullable=False),
)

job_files = Table(
    "job_files",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("at", Float, nullable=False),
)

job_schedules = Table(
    "job_schedules",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("channel", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("cron", String(100), nullable=False),
    Column("due", Float, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last", String(32), nullable=False),
    Column("at", Float, nullable=False),
)

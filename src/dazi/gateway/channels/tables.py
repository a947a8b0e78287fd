"""What is kept of channels. Words and vendors' names of people are sealed with the person's key."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from dazi.store.database import metadata

messages = Table(
    "channel_messages",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("received", Float, nullable=False),
    Column("due", Float, nullable=False),
    Column("began", Float),
    Column("state", String(10), nullable=False),
    Column("worker", String(32), nullable=False),
    Column("lease", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("sending", Integer, nullable=False),
    Column("ended", Float),
    Index("ix_channel_messages_open", "state", "due"),
    Index("ix_channel_messages_person", "channel", "person", "state"),
)

bindings = Table(
    "channel_bindings",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("at", Float, nullable=False),
)

codes = Table(
    "channel_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("expires", Float, nullable=False),
)

conversations = Table(
    "channel_threads",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("user", String(200), primary_key=True),
    Column("thread", String(64), nullable=False),
    Column("at", Float, nullable=False),
)

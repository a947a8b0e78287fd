"""Tickets and their events. What people wrote is sealed with the key of whose ticket it is."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text, UniqueConstraint

from dazi.store.database import metadata

desk_tickets = Table(
    "desk_tickets",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("thread", String(64), nullable=False, index=True),
    Column("channel", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("key", String(100)),
    Column("events", Integer, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("category", String(40), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("assignee", String(200), nullable=False),
    Column("assigned", Float, nullable=False),
    Column("holder", String(10), nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("resolved", Float),
    Column("due", Float),
    Column("warn", Float),
    UniqueConstraint("number", name="uq_desk_tickets_number"),
    UniqueConstraint("tenant", "user", "key", name="uq_desk_tickets_key"),
)
"""All but ``title``, ``thread`` and ``key`` follows from the events, for lists and queues. ``due``,
``warn``: of the clock that ends first."""

desk_events = Table(
    "desk_events",
    metadata,
    Column("ticket", String(16), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("by", String(200), nullable=False),
    Column("actor", String(12), nullable=False),
    Column("act", String(20), nullable=False),
    Column("about", String(200), nullable=False),
    Column("content", Text, nullable=False),
)
"""``about``: who was given the ticket."""

"""Tables of alerts: how they are, what was, and what people said of them."""

from __future__ import annotations

from sqlalchemy import Column, Float, String, Table, Text

from dazi.store.database import metadata

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""As whoever has the lease sees them; ``body`` is JSON."""

alert_past = Table(
    "alert_past",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("fired", Float, primary_key=True),
    Column("ended", Float, nullable=False, index=True),
    Column("rule", String(64), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("labels", Text, nullable=False),
    Column("worst", Float),
    Column("acked_by", String(200), nullable=False),
)

alert_acks = Table(
    "alert_acks",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("fired", Float, nullable=False),
    Column("user", String(200), nullable=False),
    Column("at", Float, nullable=False),
)

alert_silences = Table(
    "alert_silences",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("rule", String(200), nullable=False),
    Column("labels", Text, nullable=False),
    Column("until", Float, nullable=False),
    Column("user", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""``why`` is sealed with the key of whoever wrote it."""

alert_seen = Table(
    "alert_seen",
    metadata,
    Column("process", String(16), primary_key=True),
    Column("fingerprint", String(16), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("value", Float),
    Column("bad", Float, nullable=False),
    Column("at", Float, nullable=False),
)
"""What other processes read that is not well: 1 is bad, 0 between the limits."""

alert_lease = Table(
    "alert_lease",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("process", String(16), nullable=False),
    Column("until", Float, nullable=False),
)
"""Which of several processes sends."""

"""Tables of what people say of findings. What is personal in them is sealed with the key of whoever said it."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text, UniqueConstraint

from dazi.store.database import metadata

contract_verdicts = Table(
    "contract_verdicts",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("document", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("content", Text, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("tenant", "user", "document", "item", name="uq_contract_verdicts_item"),
)

contract_shown = Table(
    "contract_shown",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("user", String(200), primary_key=True),
    Column("document", String(64), primary_key=True),
    Column("rule", String(100), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
"""How often each rule was shown in a document: once, however often that is reviewed."""

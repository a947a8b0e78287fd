"""Tables of prompt versions. Both only grow: nothing in them is changed or deleted."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text

from dazi.store.database import metadata

prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("author", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("content", Text, nullable=False),
)

prompt_activations = Table(
    "prompt_activations",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("author", String(200), nullable=False),
)
"""The last one says which version is in use."""

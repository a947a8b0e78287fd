"""Threads can be put out of the list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # A program that knows few rooms may have made a database without this one.
    if sa.inspect(op.get_bind()).has_table("threads"):
        op.add_column("threads", sa.Column("archived", sa.Float()))

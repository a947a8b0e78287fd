"""Titles of threads are sealed, and longer than the words in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("threads") as threads:
        threads.alter_column(
            "title", type_=sa.Text(), existing_type=sa.String(200), existing_nullable=False
        )

"""What sites say of their visitors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "site_visitors",
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("user"),
        if_not_exists=True,
    )
    op.create_index("ix_site_visitors_seen", "site_visitors", ["seen"], if_not_exists=True)

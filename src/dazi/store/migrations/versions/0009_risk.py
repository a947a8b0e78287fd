"""What the risk engine scored and people decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "risk_queue",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("transaction", sa.String(200), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "transaction"),
        if_not_exists=True,
    )
    op.create_index("ix_risk_queue_day", "risk_queue", ["day"], if_not_exists=True)
    op.create_table(
        "risk_decisions",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("transaction", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    for column in ("user", "transaction"):
        op.create_index(
            f"ix_risk_decisions_{column}", "risk_decisions", [column], if_not_exists=True
        )

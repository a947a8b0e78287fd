"""The service desk: tickets, and what was done to each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "desk_tickets",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("thread", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("key", sa.String(100)),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("assignee", sa.String(200), nullable=False),
        sa.Column("assigned", sa.Float(), nullable=False),
        sa.Column("holder", sa.String(10), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("updated", sa.Float(), nullable=False),
        sa.Column("resolved", sa.Float()),
        sa.Column("due", sa.Float()),
        sa.Column("warn", sa.Float()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", name="uq_desk_tickets_number"),
        sa.UniqueConstraint("tenant", "user", "key", name="uq_desk_tickets_key"),
        if_not_exists=True,
    )
    for name in ("user", "thread", "state"):
        op.create_index(f"ix_desk_tickets_{name}", "desk_tickets", [name], if_not_exists=True)
    op.create_table(
        "desk_events",
        sa.Column("ticket", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(12), nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "seq"),
        if_not_exists=True,
    )

"""Messages of messaging channels, who is who there, and codes to bind oneself with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "channel_messages",
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.Column("due", sa.Float(), nullable=False),
        sa.Column("began", sa.Float()),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("lease", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("sending", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Float()),
        sa.PrimaryKeyConstraint("channel", "id"),
        if_not_exists=True,
    )
    for name, columns in (
        ("user", ["user"]),
        ("open", ["state", "due"]),
        ("person", ["channel", "person", "state"]),
    ):
        op.create_index(
            f"ix_channel_messages_{name}", "channel_messages", columns, if_not_exists=True
        )
    op.create_table(
        "channel_bindings",
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "person"),
        if_not_exists=True,
    )
    op.create_table(
        "channel_codes",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        if_not_exists=True,
    )
    for table in ("channel_bindings", "channel_codes"):
        op.create_index(f"ix_{table}_user", table, ["user"], if_not_exists=True)
    op.create_table(
        "channel_threads",
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("thread", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "tenant", "user"),
        if_not_exists=True,
    )

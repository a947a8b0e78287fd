"""Alerts: how they are, what was, and what people said of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        if_not_exists=True,
    )
    op.create_table(
        "alert_past",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("fired", sa.Float(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("worst", sa.Float()),
        sa.Column("acked_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "fired"),
        if_not_exists=True,
    )
    op.create_index("ix_alert_past_ended", "alert_past", ["ended"], if_not_exists=True)
    op.create_table(
        "alert_acks",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("fired", sa.Float(), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        if_not_exists=True,
    )
    op.create_table(
        "alert_silences",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_table(
        "alert_seen",
        sa.Column("process", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("bad", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("process", "fingerprint"),
        if_not_exists=True,
    )
    op.create_table(
        "alert_lease",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("process", sa.String(16), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        if_not_exists=True,
    )

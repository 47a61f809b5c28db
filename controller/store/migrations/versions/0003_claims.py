"""Calls that left, what was seen of each and what it cost; the do-not-call list; the lease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema. Every row is kept; the caps count the calls that older versions placed, at no cost."""
    with op.batch_alter_table("promises") as promises:
        promises.add_column(sa.Column("dials", sa.Integer, nullable=False, server_default="0"))
    _widen_attempts()
    # After three of the older outcomes nothing had left the PBX.
    op.execute(
        "UPDATE promises SET dials = (SELECT count(*) FROM attempts WHERE attempts.promise_id = promises.id "
        "AND (outcome IS NULL OR outcome NOT IN ('not_allowed', 'outside_hours', 'not_placed')))"
    )
    op.create_table(
        "do_not_call",
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("blocked_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_do_not_call"),
    )
    op.create_index("ix_do_not_call_blocked_at", "do_not_call", ["blocked_at", "number"])
    op.create_table(
        "leases",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("term", sa.Integer, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
    )


def downgrade() -> None:
    """Go back. Lost: the do-not-call list, and all that is new about attempts.

    Numbers on the list would be called and texted again, so what they are owed is closed first; so is the SMS that
    the list held back, of which an older version knows nothing.
    """
    op.execute(
        "UPDATE promises SET state = 'cancelled', version = version + 1 "
        "WHERE state = 'waiting' AND number IN (SELECT number FROM do_not_call)"
    )
    op.execute(
        "UPDATE sms_outbox SET status = 'failed', error = 'the number is on the do-not-call list' "
        "WHERE status = 'blocked' OR (status = 'queued' AND number IN (SELECT number FROM do_not_call))"
    )
    op.drop_table("leases")
    op.drop_table("do_not_call")
    _narrow_attempts()
    with op.batch_alter_table("promises") as promises:
        promises.drop_column("dials")


def _widen_attempts() -> None:
    with op.batch_alter_table("attempts") as attempts:
        attempts.add_column(sa.Column("term", sa.Integer, nullable=False, server_default="0"))
        attempts.add_column(sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()))
        attempts.add_column(sa.Column("wish", sa.String(32)))
        attempts.add_column(sa.Column("wish_later_s", sa.Float))
        attempts.add_column(sa.Column("trunk", sa.String(64), nullable=False, server_default=""))
        attempts.add_column(sa.Column("cause", sa.Integer, nullable=False, server_default="0"))
        attempts.add_column(sa.Column("tech_cause", sa.Integer, nullable=False, server_default="0"))
        attempts.add_column(sa.Column("rang", sa.Boolean, nullable=False, server_default=sa.false()))
        attempts.add_column(sa.Column("timed_out", sa.Boolean, nullable=False, server_default=sa.false()))
        attempts.add_column(sa.Column("placed_at", UtcDateTime))
        attempts.add_column(sa.Column("answered_at", UtcDateTime))
        attempts.add_column(sa.Column("answered_by", sa.String(16), nullable=False, server_default="not_asked"))
        attempts.add_column(sa.Column("confirmed_at", UtcDateTime))
        attempts.add_column(sa.Column("counts_from", UtcDateTime))
        attempts.add_column(sa.Column("cost_milli", sa.Integer, nullable=False, server_default="0"))
        attempts.add_column(sa.Column("per_call_milli", sa.Integer, nullable=False, server_default="0"))
        attempts.add_column(sa.Column("per_minute_milli", sa.Integer, nullable=False, server_default="0"))
    # Nobody wrote when they were placed: they count from their end, and so never too short.
    op.execute(
        "UPDATE attempts SET counts_from = coalesce(ended_at, started_at) "
        "WHERE outcome IS NULL OR outcome NOT IN ('not_allowed', 'outside_hours', 'not_placed')"
    )
    op.create_index("ix_attempts_number_counts_from", "attempts", ["number", "counts_from"])
    op.create_index("ix_attempts_counts_from", "attempts", ["counts_from"])


def _narrow_attempts() -> None:
    op.drop_index("ix_attempts_counts_from", "attempts")
    op.drop_index("ix_attempts_number_counts_from", "attempts")
    with op.batch_alter_table("attempts") as attempts:
        for column in (
            "per_minute_milli",
            "per_call_milli",
            "cost_milli",
            "counts_from",
            "confirmed_at",
            "answered_by",
            "answered_at",
            "placed_at",
            "timed_out",
            "rang",
            "tech_cause",
            "cause",
            "trunk",
            "wish_later_s",
            "wish",
            "by_hand",
            "term",
        ):
            attempts.drop_column(column)

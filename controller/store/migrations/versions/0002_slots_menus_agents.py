"""Slots, every call that asked for a promise, calls without a queue, quoted waits, agents, the line's decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema. Every row is kept."""
    _create_promise_requests()
    with op.batch_alter_table("promises") as promises:
        promises.drop_constraint("uq_promises_call_id", type_="unique")
        promises.drop_column("call_id")
        promises.add_column(sa.Column("slot_starts_at", UtcDateTime))
        promises.add_column(sa.Column("slot_ends_at", UtcDateTime))
    _partial("ix_promises_slot", "promises", ["queue", "slot_starts_at"], "slot_starts_at IS NOT NULL")
    _widen_calls()
    op.add_column("sms_outbox", sa.Column("details", sa.Text, nullable=False, server_default="{}"))
    _create_agents()
    _create_line_decisions()
    op.create_table(
        "callers",
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_callers"),
    )


def downgrade() -> None:
    """Go back. Lost: windows, all but the first call of a promise, SMS that nobody can write there, the new tables."""
    for table in ("callers", "line_decisions", "agents"):
        op.drop_table(table)
    _narrow_sms()
    _narrow_calls()
    _narrow_promises()
    op.drop_table("promise_requests")


def _create_promise_requests() -> None:
    op.create_table(
        "promise_requests",
        sa.Column("call_id", sa.String(150), nullable=False),
        sa.Column("promise_id", sa.String(64), nullable=False),
        sa.Column("requested_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_promise_requests"),
        sa.ForeignKeyConstraint(["promise_id"], ["promises.id"], name="fk_promise_requests_promise_id_promises"),
    )
    op.create_index("ix_promise_requests_promise_id", "promise_requests", ["promise_id"])
    op.execute(
        "INSERT INTO promise_requests (call_id, promise_id, requested_at) SELECT call_id, id, made_at FROM promises"
    )


def _narrow_promises() -> None:
    op.drop_index("ix_promises_slot", "promises")
    with op.batch_alter_table("promises") as promises:
        promises.drop_column("slot_starts_at")
        promises.drop_column("slot_ends_at")
        promises.add_column(sa.Column("call_id", sa.String(150)))
    op.execute(
        "UPDATE promises SET call_id = (SELECT call_id FROM promise_requests WHERE promise_id = promises.id "
        "ORDER BY requested_at, call_id LIMIT 1)"
    )
    with op.batch_alter_table("promises") as promises:
        promises.alter_column("call_id", existing_type=sa.String(150), nullable=False)
        promises.create_unique_constraint("uq_promises_call_id", ["call_id"])


def _widen_calls() -> None:
    with op.batch_alter_table("calls") as calls:
        calls.alter_column("queue", existing_type=sa.String(64), nullable=True)
        calls.add_column(sa.Column("dialled", sa.String(64), nullable=False, server_default=""))
        calls.add_column(sa.Column("joined_at", UtcDateTime))
        calls.add_column(sa.Column("quoted_low_s", sa.Float))
        calls.add_column(sa.Column("quoted_high_s", sa.Float))
        calls.add_column(sa.Column("quoted_at", UtcDateTime))
    # Until now every call went straight to a queue.
    op.execute("UPDATE calls SET joined_at = arrived_at")
    _partial("ix_calls_quoted", "calls", ["quoted_at", "id"], "quoted_at IS NOT NULL")


def _narrow_calls() -> None:
    op.drop_index("ix_calls_quoted", "calls")
    op.execute("UPDATE calls SET queue = '' WHERE queue IS NULL")
    with op.batch_alter_table("calls") as calls:
        for column in ("quoted_at", "quoted_high_s", "quoted_low_s", "joined_at", "dialled"):
            calls.drop_column(column)
        calls.alter_column("queue", existing_type=sa.String(64), nullable=False)


def _narrow_sms() -> None:
    op.execute("DELETE FROM sms_outbox WHERE status = 'queued' AND template IN ('web_page', 'missed_you')")
    with op.batch_alter_table("sms_outbox") as sms_outbox:
        sms_outbox.drop_column("details")


def _create_agents() -> None:
    op.create_table(
        "agents",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("pin_hash", sa.Text),
        sa.Column("signed_in", sa.Boolean, nullable=False),
        sa.Column("pause_reason", sa.String(64)),
        sa.Column("wrong_pins", sa.Integer, nullable=False),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_agents"),
    )


def _create_line_decisions() -> None:
    op.create_table(
        "line_decisions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("waiter_id", sa.String(150), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("starving", sa.Boolean, nullable=False),
        sa.Column("passed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_line_decisions"),
    )
    op.create_index("ix_line_decisions_at", "line_decisions", ["at"])


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)

"""Promises, attempts, their history, the SMS outbox, calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    _create_promises()
    _create_attempts()
    _create_promise_events()
    _create_sms_outbox()
    _create_calls()


def downgrade() -> None:
    """Go back to an empty database."""
    for table in ("calls", "sms_outbox", "promise_events", "attempts", "promises"):
        op.drop_table(table)


def _create_promises() -> None:
    op.create_table(
        "promises",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts_used", sa.Integer, nullable=False),
        sa.Column("last_outcome", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String(150), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promises"),
        sa.UniqueConstraint("call_id", name="uq_promises_call_id"),
    )
    _partial(
        "uq_promises_open_number",
        "promises",
        ["queue", "number"],
        "state IN ('waiting', 'dialling', 'connected')",
        unique=True,
    )
    _partial("ix_promises_waiting", "promises", ["since", "id"], "state = 'waiting'")


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("promise_id", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("outcome", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["promise_id"], ["promises.id"], name="fk_attempts_promise_id_promises"),
    )
    op.create_index("ix_attempts_promise_id", "attempts", ["promise_id"])
    _partial("uq_attempts_live_number", "attempts", ["number"], "ended_at IS NULL", unique=True)


def _create_promise_events() -> None:
    op.create_table(
        "promise_events",
        sa.Column("promise_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("from_state", sa.String(16)),
        sa.Column("to_state", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("promise_id", "seq", name="pk_promise_events"),
        sa.ForeignKeyConstraint(["promise_id"], ["promises.id"], name="fk_promise_events_promise_id_promises"),
    )


def _create_sms_outbox() -> None:
    op.create_table(
        "sms_outbox",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("queued_at", UtcDateTime, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("reference", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_sms_outbox"),
        sa.UniqueConstraint("key", name="uq_sms_outbox_key"),
    )
    _partial("ix_sms_outbox_queued", "sms_outbox", ["not_before", "id"], "status = 'queued'")
    _partial("ix_sms_outbox_sending", "sms_outbox", ["id"], "status = 'sending'")


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(150), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64)),
        sa.Column("arrived_at", UtcDateTime, nullable=False),
        sa.Column("agent", sa.String(64)),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("ending", sa.String(16)),
        sa.Column("ended_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    _partial("ix_calls_open", "calls", ["arrived_at", "id"], "ending IS NULL")


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)

"""What screens and figures need: agents' time, people, keys, an audit, notes, closures, and webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema. What was not written down before stays unknown."""
    # Not as a batch: that would build the tables anew, and write what stands in them as SQLite tells it.
    op.add_column("calls", sa.Column("offered_at", UtcDateTime))
    op.add_column("calls", sa.Column("was_closed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_calls_arrived_at", "calls", ["arrived_at"])
    op.add_column("promises", sa.Column("due_by", UtcDateTime))
    op.add_column("promises", sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("promises", sa.Column("assigned_to", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_promises_since", "promises", ["since"])
    op.create_index("ix_promises_made_at", "promises", ["made_at"])
    op.add_column("line_decisions", sa.Column("due_at", UtcDateTime))
    _agents_and_queues()
    _staff()
    _what_they_do()
    _webhooks()


def downgrade() -> None:
    """Go back. Lost: all that is written down here alone."""
    for table in (
        "hook_deliveries",
        "call_notes",
        "answered_requests",
        "audit",
        "api_keys",
        "sessions",
        "people",
        "queue_closures",
        "agent_spans",
    ):
        op.drop_table(table)
    with op.batch_alter_table("line_decisions") as changed:
        changed.drop_column("due_at")
    op.drop_index("ix_promises_since", "promises")
    op.drop_index("ix_promises_made_at", "promises")
    with op.batch_alter_table("promises") as changed:
        for column in ("assigned_to", "urgent", "due_by"):
            changed.drop_column(column)
    op.drop_index("ix_calls_arrived_at", "calls")
    with op.batch_alter_table("calls") as changed:
        for column in ("was_closed", "offered_at"):
            changed.drop_column(column)


def _agents_and_queues() -> None:
    op.create_table(
        "agent_spans",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pbx", sa.String(64), nullable=False, server_default="asterisk"),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False, server_default=""),
        sa.Column("queues", sa.Text, nullable=False),
        sa.Column("queue", sa.String(64), nullable=False, server_default=""),
        sa.Column("waiter_id", sa.String(150), nullable=False, server_default=""),
        sa.Column("kind", sa.String(16), nullable=False, server_default=""),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_agent_spans"),
    )
    op.create_index("ix_agent_spans_since", "agent_spans", ["since"])
    op.create_index("ix_agent_spans_agent_since", "agent_spans", ["agent", "since"])
    goes_on = sa.text("until IS NULL")
    op.create_index(
        "ix_agent_spans_open", "agent_spans", ["agent", "since"], sqlite_where=goes_on, postgresql_where=goes_on
    )
    op.create_table(
        "queue_closures",
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("closed_by", sa.String(64), nullable=False),
        sa.Column("closed_at", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
        sa.PrimaryKeyConstraint("queue", name="pk_queue_closures"),
    )


def _staff() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False, server_default=""),
        sa.Column("language", sa.String(8), nullable=False, server_default=""),
        sa.Column("password_hash", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("wrong_passwords", sa.Integer, nullable=False, server_default="0"),
        sa.Column("locked_until", UtcDateTime),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("subnet", sa.String(64), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(["person"], ["people.name"], name="fk_sessions_person_people", ondelete="CASCADE"),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("used_at", UtcDateTime),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )


def _what_they_do() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False, server_default=""),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False, server_default="{}"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_who", "audit", ["who"])
    op.create_table(
        "answered_requests",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("key", name="pk_answered_requests"),
    )
    op.create_index("ix_answered_requests_asked_at", "answered_requests", ["asked_at"])
    op.create_table(
        "call_notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("waiter_id", sa.String(150), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False, server_default=""),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("disposition", sa.String(64), nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_notes"),
    )
    op.create_index("uq_call_notes_waiter_id_agent", "call_notes", ["waiter_id", "agent"], unique=True)
    op.create_index("ix_call_notes_number_written_at", "call_notes", ["number", "written_at"])
    op.create_index("ix_call_notes_written_at", "call_notes", ["written_at"])


def _webhooks() -> None:
    op.create_table(
        "hook_deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("hook", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("delivered", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_hook_deliveries"),
    )
    op.create_index("ix_hook_deliveries_settled_at", "hook_deliveries", ["settled_at"])
    op.create_index("uq_hook_deliveries_event", "hook_deliveries", ["hook", "event_id"], unique=True)
    unsettled = sa.text("settled_at IS NULL")
    for name, column in (("ix_hook_deliveries_due", "not_before"), ("ix_hook_deliveries_subject", "subject")):
        op.create_index(
            name,
            "hook_deliveries",
            ["hook", column, "id"],
            sqlite_where=unsettled,
            postgresql_where=unsettled,
        )

"""SMS both ways: how long one is of use, what it cost, receipts, replies; booking links, and proofs of a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VALID = timedelta(hours=12)
_NEW_TEMPLATES = ("confirmed", "running_late", "cancelled", "booking_link", "code", "reply_help", "time_taken")


def upgrade() -> None:
    """Go to this schema. Every row is kept; the caps count what older versions sent, at no cost."""
    with op.batch_alter_table("promises") as promises:
        promises.add_column(sa.Column("told_late", sa.Boolean, nullable=False, server_default=sa.false()))
    _widen_outbox()
    _create_receipts()
    _create_replies()
    _create_booking_links()
    _create_challenges()


def downgrade() -> None:
    """Go back. Lost: receipts, replies, booking links, proofs, and all that is new about SMS.

    An SMS of which the older version has no text goes too, if it still waits. What a receipt said is kept as far as
    the older version has a word for it.
    """
    for table in ("challenges", "booking_links", "sms_replies", "sms_receipts"):
        op.drop_table(table)
    _narrow_outbox()
    with op.batch_alter_table("promises") as promises:
        promises.drop_column("told_late")


def _widen_outbox() -> None:
    with op.batch_alter_table("sms_outbox") as outbox:
        outbox.alter_column("key", existing_type=sa.String(128), type_=sa.String(255), existing_nullable=False)
        outbox.add_column(sa.Column("promise_id", sa.String(64)))
        outbox.add_column(sa.Column("valid_until", UtcDateTime))
        outbox.add_column(sa.Column("sent_at", UtcDateTime))
        outbox.add_column(sa.Column("segments", sa.Integer, nullable=False, server_default="0"))
        outbox.add_column(sa.Column("cost_milli", sa.Integer, nullable=False, server_default="0"))
        outbox.add_column(sa.Column("converted_at", UtcDateTime))
        outbox.add_column(sa.Column("receipt_at", UtcDateTime))
        outbox.add_column(sa.Column("receipt_error", sa.Text))
        outbox.create_foreign_key("fk_sms_outbox_promise_id_promises", "promises", ["promise_id"], ["id"])
    _fill_outbox()
    with op.batch_alter_table("sms_outbox") as outbox:
        outbox.alter_column("valid_until", existing_type=UtcDateTime(), nullable=False)
    op.create_index("ix_sms_outbox_promise_id", "sms_outbox", ["promise_id"])
    op.create_index("ix_sms_outbox_sent_at", "sms_outbox", ["sent_at"])
    op.create_index("ix_sms_outbox_number_sent_at", "sms_outbox", ["number", "sent_at"])
    op.create_index("ix_sms_outbox_reference", "sms_outbox", ["reference", "id"])


def _fill_outbox() -> None:
    """Say of each SMS until when it is of use and, as far as its key tells, which promise it is about.

    What waits for another try gets its twelve hours from that on. What was sent counts from when that was known.
    """
    connection = op.get_bind()
    instants = ("queued_at", "not_before", "settled_at", "valid_until", "sent_at")
    outbox = sa.table(
        "sms_outbox",
        *(sa.column(name) for name in ("id", "key", "template", "status", "promise_id")),
        *(sa.column(name, UtcDateTime()) for name in instants),
    )
    promises = sa.table("promises", sa.column("id"))
    known = set(connection.execute(sa.select(promises.c.id)).scalars())
    filled: list[dict[str, Any]] = []
    for row in connection.execute(sa.select(outbox)).all():
        promise_id, _, rest = row.key.rpartition(":")
        may_have_left = row.status in {"sending", "sent", "unknown"}
        filled.append(
            {
                "of": row.id,
                "promise_id": promise_id if promise_id in known and rest == row.template else None,
                "valid_until": (row.not_before if row.status == "queued" else row.queued_at) + _VALID,
                "sent_at": (row.settled_at or row.not_before) if may_have_left else None,
            }
        )
    if filled:
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in ("promise_id", "valid_until", "sent_at")}
        connection.execute(sa.update(outbox).where(outbox.c.id == sa.bindparam("of")).values(columns), filled)


def _narrow_outbox() -> None:
    new = ", ".join(f"'{template}'" for template in _NEW_TEMPLATES)
    op.execute(f"DELETE FROM sms_outbox WHERE status = 'queued' AND template IN ({new})")  # noqa: S608 - the words above
    op.execute("UPDATE sms_outbox SET status = 'sent' WHERE status = 'delivered'")
    op.execute(
        "UPDATE sms_outbox SET status = 'failed', error = coalesce(nullif(receipt_error, ''), error, status) "
        "WHERE status IN ('undelivered', 'lapsed')"
    )
    # Their keys are the only ones that may be longer, and are of no more use.
    op.execute("UPDATE sms_outbox SET key = substr(key, 1, 100) || '-' || id WHERE length(key) > 128")
    for index in ("reference", "number_sent_at", "sent_at", "promise_id"):
        op.drop_index(f"ix_sms_outbox_{index}", "sms_outbox")
    with op.batch_alter_table("sms_outbox") as outbox:
        outbox.drop_constraint("fk_sms_outbox_promise_id_promises", type_="foreignkey")
        for column in (
            "receipt_error",
            "receipt_at",
            "converted_at",
            "cost_milli",
            "segments",
            "sent_at",
            "valid_until",
            "promise_id",
        ):
            outbox.drop_column(column)
        outbox.alter_column("key", existing_type=sa.String(255), type_=sa.String(128), existing_nullable=False)


def _create_receipts() -> None:
    op.create_table(
        "sms_receipts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("key", sa.String(255)),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sms_receipts"),
    )
    op.create_index("uq_sms_receipts_event", "sms_receipts", ["provider", "event_id"], unique=True)
    _partial("ix_sms_receipts_early", "sms_receipts", ["reference", "id"], "applied IS FALSE")


def _create_replies() -> None:
    op.create_table(
        "sms_replies",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("sent_to", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("about_id", sa.Integer),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("handled_at", UtcDateTime),
        sa.Column("meaning", sa.String(64)),
        sa.Column("needs_person", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sms_replies"),
        sa.ForeignKeyConstraint(["about_id"], ["sms_outbox.id"], name="fk_sms_replies_about_id_sms_outbox"),
    )
    op.create_index("uq_sms_replies_event", "sms_replies", ["provider", "event_id"], unique=True)
    op.create_index("ix_sms_replies_about_id", "sms_replies", ["about_id"])
    op.create_index("ix_sms_replies_number_handled_at", "sms_replies", ["number", "handled_at"])
    _partial("ix_sms_replies_unhandled", "sms_replies", ["id"], "handled_at IS NULL")


def _create_booking_links() -> None:
    op.create_table(
        "booking_links",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("promise_id", sa.String(64)),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_booking_links"),
        sa.ForeignKeyConstraint(["promise_id"], ["promises.id"], name="fk_booking_links_promise_id_promises"),
    )
    op.create_index("ix_booking_links_promise_id", "booking_links", ["promise_id"])


def _create_challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.Column("proved_at", UtcDateTime),
        sa.Column("sms_key", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
    )


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)

"""What is kept of people goes when its time is over; the do-not-call list is kept as keyed hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEPT = {
    "promises": ("made_at", "number <> ''"),
    "attempts": ("started_at", "number <> ''"),
    "sms_outbox": ("queued_at", "number <> ''"),
    "sms_replies": ("received_at", "number <> ''"),
    "booking_links": ("expires_at", "number <> ''"),
    "calls": ("arrived_at", "number IS NOT NULL"),
    "call_notes": ("written_at", "(number <> '' OR text <> '')"),
}
"""Rows that have something left to be erased, by when its time began."""
_HASHED = sa.text("SELECT COUNT(*) FROM do_not_call WHERE number LIKE 'h1%'")


def upgrade() -> None:
    """Go to this schema. Entries of the list stay in clear until a controller starts that has the key."""
    with op.batch_alter_table("do_not_call") as changed:
        changed.alter_column(
            "number", existing_type=sa.String(16), type_=sa.String(80), existing_nullable=False, nullable=False
        )
        changed.add_column(sa.Column("shown", sa.String(16), nullable=False, server_default=""))
    for table, (column, condition) in _KEPT.items():
        kept = sa.text(condition)
        op.create_index(f"ix_{table}_kept", table, [column], sqlite_where=kept, postgresql_where=kept)
    shown = sa.text("number IS NOT NULL")
    op.create_index("ix_calls_number", "calls", ["number", "arrived_at"], sqlite_where=shown, postgresql_where=shown)
    op.create_index("ix_promises_number", "promises", ["number", "made_at"])
    is_open = sa.text("state IN ('waiting', 'dialling', 'connected')")
    op.create_index("ix_promises_open_of", "promises", ["number", "id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("ix_sms_receipts_received_at", "sms_receipts", ["received_at"])
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"])


def downgrade() -> None:
    """Go back. Raises RuntimeError where the list is hashed: older versions would not find anybody on it."""
    if op.get_bind().scalar(_HASHED):
        raise RuntimeError(
            "The do-not-call list is hashed, and older versions would call everybody on it. Restore the backup from "
            "before the upgrade instead."
        )
    op.drop_index("ix_challenges_expires_at", "challenges")
    op.drop_index("ix_sms_receipts_received_at", "sms_receipts")
    op.drop_index("ix_promises_open_of", "promises")
    op.drop_index("ix_promises_number", "promises")
    op.drop_index("ix_calls_number", "calls")
    for table in _KEPT:
        op.drop_index(f"ix_{table}_kept", table)
    with op.batch_alter_table("do_not_call") as changed:
        changed.drop_column("shown")
        changed.alter_column(
            "number", existing_type=sa.String(80), type_=sa.String(16), existing_nullable=False, nullable=False
        )

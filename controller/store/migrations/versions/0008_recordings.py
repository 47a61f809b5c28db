"""Talks can be recorded; and an attempt says whether the customer was dialled first, whoever talked with them then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_recordings_number": (["number", "began_at"], "number <> ''"),
    "ix_recordings_kept": (["began_at"], "NOT unwanted"),
    "ix_recordings_open": (["pbx", "began_at"], "ended_at IS NULL"),
    "ix_recordings_to_erase": (["pbx", "id"], "unwanted AND erased_at IS NULL"),
}
"""Columns, and for which rows."""


def upgrade() -> None:
    """Go to this schema. Who was dialled first and has talked with somebody since is not known of older attempts."""
    op.add_column("attempts", sa.Column("customer_first", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE attempts SET customer_first = true WHERE agent = ''"))
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("waiter_id", sa.String(150), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False, server_default=""),
        sa.Column("pbx", sa.String(64), nullable=False, server_default="asterisk"),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False, server_default=""),
        sa.Column("consent", sa.String(16), nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("paused_at", UtcDateTime),
        sa.Column("unwanted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("erased_at", UtcDateTime),
    )
    op.create_index("ix_recordings_began_at", "recordings", ["began_at", "id"])
    op.create_index("ix_recordings_waiter", "recordings", ["waiter_id"])
    for name, (columns, rows) in _INDEXES.items():
        of = sa.text(rows)
        op.create_index(name, "recordings", columns, sqlite_where=of, postgresql_where=of)


def downgrade() -> None:
    """Go back. Raises RuntimeError where talks were recorded: nobody would erase the sound when its time is over."""
    left = sa.text("SELECT COUNT(*) FROM recordings WHERE erased_at IS NULL")
    if op.get_bind().scalar(left):
        raise RuntimeError(
            "There are recordings, and older versions would never erase them. Delete them first, or restore the "
            "backup from before the upgrade."
        )
    op.drop_table("recordings")
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_column("customer_first")

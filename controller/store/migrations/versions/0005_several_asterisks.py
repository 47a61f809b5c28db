"""Several Asterisks: leases by name, holds, and which Asterisk a call and an attempt belong to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from controller.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PBX = "asterisk"
"""The name of the only one that older versions know."""


def upgrade() -> None:
    """Go to this schema. The lease keeps its term; nobody has it, so the first who starts takes it at its end."""
    held = _rows("leases", "holder", "term")
    op.drop_table("leases")
    op.create_table(
        "leases",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("member", sa.String(128), nullable=False),
        sa.Column("term", sa.Integer, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("wanted_by", sa.String(128), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    _write("leases", [{**row, "name": f"pbx:{_PBX}", "member": ""} for row in held])
    op.create_table(
        "holds",
        sa.Column("promise_id", sa.String(64), nullable=False),
        sa.Column("pbx", sa.String(64), nullable=False),
        sa.Column("term", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("promise_id", name="pk_holds"),
        sa.ForeignKeyConstraint(["promise_id"], ["promises.id"], name="fk_holds_promise_id_promises"),
    )
    op.create_index("ix_holds_pbx", "holds", ["pbx"])
    for table in ("attempts", "calls"):
        with op.batch_alter_table(table) as changed:
            changed.add_column(sa.Column("pbx", sa.String(64), nullable=False, server_default=_PBX))
    op.drop_index("ix_attempts_counts_from", "attempts")
    op.create_index("ix_attempts_counts_from", "attempts", ["counts_from", "number", "cost_milli"])


def downgrade() -> None:
    """Go back. Lost: every lease but that of the Asterisk that older versions know, and whose each call was.

    Its term is then as high as any that an attempt has, so that whoever takes it next has a higher one.
    """
    op.drop_index("ix_attempts_counts_from", "attempts")
    op.create_index("ix_attempts_counts_from", "attempts", ["counts_from"])
    for table in ("calls", "attempts"):
        with op.batch_alter_table(table) as changed:
            changed.drop_column("pbx")
    op.drop_table("holds")
    held = sorted(
        _rows("leases", "holder", "term", "name"), key=lambda row: (row["name"] != f"pbx:{_PBX}", row["name"])
    )
    op.drop_table("leases")
    op.create_table(
        "leases",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("term", sa.Integer, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
    )
    of_pbxs = [row for row in held if row["name"].startswith("pbx:")]
    if of_pbxs:
        kept = {key: of_pbxs[0][key] for key in ("holder", "expires_at")}
        _write("leases", [{**kept, "id": 1, "term": max(row["term"] for row in of_pbxs)}])


def _rows(table: str, *names: str) -> list[dict[str, Any]]:
    """Return some columns of each lease, with its end."""
    found = sa.table(table, *(sa.column(name) for name in names), sa.column("expires_at", UtcDateTime()))
    return [dict(row) for row in op.get_bind().execute(sa.select(found)).mappings()]


def _write(table: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        columns = (sa.column(name, UtcDateTime()) if name == "expires_at" else sa.column(name) for name in row)
        op.get_bind().execute(sa.insert(sa.table(table, *columns)).values(row))

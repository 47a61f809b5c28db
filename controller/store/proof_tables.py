"""The table of those who prove on the web that a number is theirs."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from controller.store.schema import metadata
from controller.store.types import UtcDateTime

# Who says that a number is theirs; the code itself is nowhere.
challenges = Table(
    "challenges",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("queue", String(64), nullable=False),
    Column("number", String(16), nullable=False),  # empty: nothing that we would text
    Column("language", String(8), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("proved_at", UtcDateTime),
    Column("sms_key", String(255)),
    Index("ix_challenges_expires_at", "expires_at"),
)

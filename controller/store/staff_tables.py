"""The tables of those who work here: people, keys, what they did, what they wrote; and what other systems are told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text, true

from controller.domain.promise import DEFAULT_PBX
from controller.store.schema import metadata
from controller.store.types import UtcDateTime

GOES_ON = text("until IS NULL")
IS_UNSETTLED = text("settled_at IS NULL")
HAS_NUMBER = text("number <> ''")
HAS_NO_END = text("ended_at IS NULL")
IS_KEPT = text("NOT unwanted")
IS_TO_ERASE = text("unwanted AND erased_at IS NULL")
SAYS_SOMETHING = text("(number <> '' OR text <> '')")

# Each unbroken time that an agent spent in one state.
agent_spans = Table(
    "agent_spans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pbx", String(64), nullable=False, server_default=DEFAULT_PBX),
    Column("agent", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),  # of a pause
    Column("queues", Text, nullable=False),  # JSON: a list of the queues that they served then
    Column("queue", String(64), nullable=False, server_default=""),  # of whom they served; empty for nobody
    Column("waiter_id", String(150), nullable=False, server_default=""),
    Column("kind", String(16), nullable=False, server_default=""),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    Index("ix_agent_spans_since", "since"),
    Index("ix_agent_spans_agent_since", "agent", "since"),
    Index("ix_agent_spans_open", "agent", "since", sqlite_where=GOES_ON, postgresql_where=GOES_ON),
)

# A talk that was recorded. The sound is on the Asterisk, under the id.
recordings = Table(
    "recordings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("waiter_id", String(150), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("attempt_id", String(64), nullable=False, server_default=""),
    Column("pbx", String(64), nullable=False, server_default=DEFAULT_PBX),
    Column("queue", String(64), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("number", String(64), nullable=False, server_default=""),
    Column("consent", String(16), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("paused_at", UtcDateTime),
    Column("unwanted", Boolean, nullable=False, server_default=false()),
    Column("erased_at", UtcDateTime),
    Index("ix_recordings_began_at", "began_at", "id"),
    Index("ix_recordings_number", "number", "began_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
    Index("ix_recordings_waiter", "waiter_id"),
    Index("ix_recordings_kept", "began_at", sqlite_where=IS_KEPT, postgresql_where=IS_KEPT),
    Index("ix_recordings_open", "pbx", "began_at", sqlite_where=HAS_NO_END, postgresql_where=HAS_NO_END),
    Index("ix_recordings_to_erase", "pbx", "id", sqlite_where=IS_TO_ERASE, postgresql_where=IS_TO_ERASE),
)

# A queue that was closed by hand, whatever its hours say.
queue_closures = Table(
    "queue_closures",
    metadata,
    Column("queue", String(64), primary_key=True),
    Column("closed_by", String(64), nullable=False),
    Column("closed_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),  # null: until it is opened by hand
)

people = Table(
    "people",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display_name", String(120), nullable=False),
    Column("role", String(16), nullable=False),
    Column("agent", String(64), nullable=False, server_default=""),
    Column("language", String(8), nullable=False, server_default=""),
    Column("password_hash", Text),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("wrong_passwords", Integer, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("made_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),  # SHA-256 of what the browser holds
    Column("person", ForeignKey(people.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("subnet", String(64), nullable=False, server_default=""),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),  # the part of the key that is no secret
    Column("title", String(120), nullable=False),
    Column("secret_hash", String(64), nullable=False),  # SHA-256: the secret is as long as the hash
    Column("scopes", Text, nullable=False),  # JSON: a list
    Column("made_by", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# Who did what. Nothing here is ever changed.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # person, key, or command
    Column("who", String(64), nullable=False, index=True),
    Column("action", String(64), nullable=False),
    Column("subject", String(160), nullable=False, server_default=""),
    Column("outcome", String(32), nullable=False),
    Column("detail", Text, nullable=False, server_default="{}"),  # JSON: an object; numbers masked
)

# What was answered to a request under a key of its sender's, so that the same request again does nothing more.
answered_requests = Table(
    "answered_requests",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of who asked, and of their key
    Column("fingerprint", String(64), nullable=False),  # SHA-256 of what was asked
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("status", Integer),  # null while it is being answered
    Column("answer", Text, nullable=False, server_default=""),
)

# What an agent wrote of a talk.
call_notes = Table(
    "call_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("waiter_id", String(150), nullable=False),  # a call's id or a promise's
    Column("kind", String(16), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("number", String(64), nullable=False, server_default=""),  # E.164 where it is one; empty when withheld
    Column("agent", String(64), nullable=False),
    Column("disposition", String(64), nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("written_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("uq_call_notes_waiter_id_agent", "waiter_id", "agent", unique=True),
    Index("ix_call_notes_number_written_at", "number", "written_at"),
    Index("ix_call_notes_written_at", "written_at"),
    Index("ix_call_notes_kept", "written_at", sqlite_where=SAYS_SOMETHING, postgresql_where=SAYS_SOMETHING),
)

# What a webhook is to be told, owed in the transaction that changed it.
hook_deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hook", String(64), nullable=False),  # by its name in the settings
    Column("event_id", String(64), nullable=False),
    Column("event", String(64), nullable=False),
    Column("subject", String(200), nullable=False),  # what it happened to: one after the other of each
    Column("body", Text, nullable=False),  # JSON, as it is signed and sent
    Column("made_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("settled_at", UtcDateTime, index=True),
    Column("delivered", Boolean, nullable=False, server_default=false()),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False, server_default=""),
    Index("uq_hook_deliveries_event", "hook", "event_id", unique=True),
    Index(
        "ix_hook_deliveries_due", "hook", "not_before", "id", sqlite_where=IS_UNSETTLED, postgresql_where=IS_UNSETTLED
    ),
    Index(
        "ix_hook_deliveries_subject", "hook", "subject", "id", sqlite_where=IS_UNSETTLED, postgresql_where=IS_UNSETTLED
    ),
)

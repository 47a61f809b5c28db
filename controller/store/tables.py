"""The tables. Two of the invariants are theirs: see the partial unique indexes. Changing one needs a migration."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, false, text

from controller.domain.promise import DEFAULT_PBX
from controller.store import proof_tables, schema, staff_tables  # noqa: F401 - whoever has these has all tables
from controller.store.types import UtcDateTime

metadata = schema.metadata

IS_WAITING = text("state = 'waiting'")
IS_OPEN = text("state IN ('waiting', 'dialling', 'connected')")
IS_LIVE = text("ended_at IS NULL")
IS_QUEUED = text("status = 'queued'")
IS_SENDING = text("status = 'sending'")
HAS_NO_ENDING = text("ending IS NULL")
HAS_SLOT = text("slot_starts_at IS NOT NULL")
HAS_QUOTE = text("quoted_at IS NOT NULL")
IS_UNHANDLED = text("handled_at IS NULL")
IS_UNAPPLIED = text("applied IS FALSE")
IS_SHOWN = text("number IS NOT NULL")
HAS_NUMBER = text("number <> ''")
"""Conditions that an index and the queries that are to use it share word for word: a partial index is used only
when the planner can prove its condition, and it cannot with a bound value."""

promises = Table(
    "promises",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("queue", String(64), nullable=False),
    Column("number", String(16), nullable=False),  # E.164: "+" and at most 15 digits
    Column("language", String(8), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts_used", Integer, nullable=False),
    Column("dials", Integer, nullable=False, server_default="0"),
    Column("last_outcome", String(32)),
    Column("version", Integer, nullable=False),
    Column("slot_starts_at", UtcDateTime),
    Column("slot_ends_at", UtcDateTime),
    Column("told_late", Boolean, nullable=False, server_default=false()),
    Column("due_by", UtcDateTime),  # the end of what was promised first; null where no time was named
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("assigned_to", String(64), nullable=False, server_default=""),  # the only agent who is to have it
    # One open promise per number and queue.
    Index("uq_promises_open_number", "queue", "number", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index("ix_promises_waiting", "since", "id", sqlite_where=IS_WAITING, postgresql_where=IS_WAITING),
    Index("ix_promises_since", "since"),
    Index("ix_promises_made_at", "made_at"),
    Index("ix_promises_number", "number", "made_at"),
    Index("ix_promises_open_of", "number", "id", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index("ix_promises_kept", "made_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
    Index("ix_promises_slot", "queue", "slot_starts_at", sqlite_where=HAS_SLOT, postgresql_where=HAS_SLOT),
)

# Which call asked for which promise: the one that made it, and those whose request it took in later.
promise_requests = Table(
    "promise_requests",
    metadata,
    Column("call_id", String(150), primary_key=True),
    Column("promise_id", ForeignKey(promises.c.id), nullable=False, index=True),
    Column("requested_at", UtcDateTime, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("promise_id", ForeignKey(promises.c.id), nullable=False, index=True),
    Column("number", String(16), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(32)),
    Column("term", Integer, nullable=False, server_default="0"),
    Column("by_hand", Boolean, nullable=False, server_default=false()),
    Column("customer_first", Boolean, nullable=False, server_default=false()),
    Column("wish", String(32)),  # an outcome that the customer asked for, written before it was acknowledged
    Column("wish_later_s", Float),
    # What was seen of it (`domain/evidence.py`), written when it ends.
    Column("trunk", String(64), nullable=False, server_default=""),
    Column("cause", Integer, nullable=False, server_default="0"),
    Column("tech_cause", Integer, nullable=False, server_default="0"),
    Column("rang", Boolean, nullable=False, server_default=false()),
    Column("timed_out", Boolean, nullable=False, server_default=false()),
    Column("placed_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("answered_by", String(16), nullable=False, server_default="not_asked"),
    Column("confirmed_at", UtcDateTime),
    # What the caps count. `counts_from` begins its 24 hours; null: nothing left, so it counts towards no cap.
    Column("counts_from", UtcDateTime),
    Column("cost_milli", Integer, nullable=False, server_default="0"),
    Column("per_call_milli", Integer, nullable=False, server_default="0"),
    Column("per_minute_milli", Integer, nullable=False, server_default="0"),
    Column("pbx", String(64), nullable=False, server_default=DEFAULT_PBX),  # which Asterisk placed it
    # One live outbound leg per number, whatever the queue and whoever dials.
    Index("uq_attempts_live_number", "number", unique=True, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE),
    Index("ix_attempts_number_counts_from", "number", "counts_from"),
    Index("ix_attempts_kept", "started_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
    Index("ix_attempts_counts_from", "counts_from", "number", "cost_milli"),  # all that most caps read
)

do_not_call = Table(
    "do_not_call",
    metadata,
    Column("number", String(80), primary_key=True),  # E.164, or its keyed hash (`domain/opt_out.py`)
    Column("shown", String(16), nullable=False, server_default=""),  # of a hashed one: what people see of it
    Column("reason", Text, nullable=False),
    Column("blocked_at", UtcDateTime, nullable=False),
    Index("ix_do_not_call_blocked_at", "blocked_at", "number"),
)

# Who does what only one may do, by its name.
leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("member", String(128), nullable=False),  # empty: of an older version
    Column("term", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("wanted_by", String(128), nullable=False, server_default=""),
)

# Which Asterisk's office has a promise in hand. A row of another term than its lease has counts for nothing.
holds = Table(
    "holds",
    metadata,
    Column("promise_id", ForeignKey(promises.c.id), primary_key=True),
    Column("pbx", String(64), nullable=False, index=True),
    Column("term", Integer, nullable=False),
)

promise_events = Table(
    "promise_events",
    metadata,
    Column("promise_id", ForeignKey(promises.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True),  # the promise's version after the event; 0 for "Made"
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    Column("detail", Text, nullable=False),
)

sms_outbox = Table(
    "sms_outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("number", String(16), nullable=False),
    Column("template", String(32), nullable=False),
    Column("language", String(8), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("promise_id", ForeignKey(promises.c.id), index=True),
    Column("details", Text, nullable=False, server_default="{}"),  # JSON: an object of texts
    Column("status", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime, nullable=False),
    # What the caps count. `sent_at` begins its 24 hours; null: nothing left, so it counts towards no cap.
    Column("sent_at", UtcDateTime),
    Column("segments", Integer, nullable=False, server_default="0"),
    Column("cost_milli", Integer, nullable=False, server_default="0"),
    Column("converted_at", UtcDateTime),  # when the code in it was used
    Column("settled_at", UtcDateTime),
    Column("reference", Text),
    Column("error", Text),
    Column("receipt_at", UtcDateTime),
    Column("receipt_error", Text),
    Index("ix_sms_outbox_queued", "not_before", "id", sqlite_where=IS_QUEUED, postgresql_where=IS_QUEUED),
    Index("ix_sms_outbox_sending", "id", sqlite_where=IS_SENDING, postgresql_where=IS_SENDING),
    Index("ix_sms_outbox_sent_at", "sent_at"),
    Index("ix_sms_outbox_number_sent_at", "number", "sent_at"),
    Index("ix_sms_outbox_reference", "reference", "id"),
    Index("ix_sms_outbox_kept", "queued_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
)

# What providers told of SMS, each message once. One that is not applied came before we knew its reference.
sms_receipts = Table(
    "sms_receipts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("reference", Text, nullable=False),
    Column("key", String(255)),
    Column("delivery", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("applied", Boolean, nullable=False),
    Index("uq_sms_receipts_event", "provider", "event_id", unique=True),
    Index("ix_sms_receipts_early", "reference", "id", sqlite_where=IS_UNAPPLIED, postgresql_where=IS_UNAPPLIED),
    Index("ix_sms_receipts_received_at", "received_at"),
)

# What people sent to us, each SMS once; `about_id` is the last one that we had sent to them.
sms_replies = Table(
    "sms_replies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("number", String(32), nullable=False),
    Column("sent_to", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("about_id", ForeignKey(sms_outbox.c.id), index=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("handled_at", UtcDateTime),
    Column("meaning", String(64)),
    Column("needs_person", Boolean, nullable=False),
    Index("uq_sms_replies_event", "provider", "event_id", unique=True),
    Index("ix_sms_replies_unhandled", "id", sqlite_where=IS_UNHANDLED, postgresql_where=IS_UNHANDLED),
    Index("ix_sms_replies_number_handled_at", "number", "handled_at"),
    Index("ix_sms_replies_kept", "received_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
)

booking_links = Table(
    "booking_links",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("number", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("promise_id", ForeignKey(promises.c.id), index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Index("ix_booking_links_kept", "expires_at", sqlite_where=HAS_NUMBER, postgresql_where=HAS_NUMBER),
)

calls = Table(
    "calls",
    metadata,
    Column("id", String(150), primary_key=True),
    Column("dialled", String(64), nullable=False, server_default=""),  # empty for calls of older versions
    Column("queue", String(64)),  # the last one that the caller stood in; null when they came to none
    Column("number", String(64)),  # as the network showed it, not always E.164; null when withheld
    Column("arrived_at", UtcDateTime, nullable=False),
    Column("joined_at", UtcDateTime),
    Column("quoted_low_s", Float),
    Column("quoted_high_s", Float),
    Column("quoted_at", UtcDateTime),
    Column("agent", String(64)),
    Column("answered_at", UtcDateTime),
    Column("ending", String(16)),
    Column("ended_at", UtcDateTime),
    Column("pbx", String(64), nullable=False, server_default=DEFAULT_PBX),  # to which Asterisk it came
    Column("offered_at", UtcDateTime),  # when a callback was offered in words
    Column("was_closed", Boolean, nullable=False, server_default=false()),  # the queue was, when they came to it
    Index("ix_calls_arrived_at", "arrived_at"),
    Index("ix_calls_number", "number", "arrived_at", sqlite_where=IS_SHOWN, postgresql_where=IS_SHOWN),
    Index("ix_calls_kept", "arrived_at", sqlite_where=IS_SHOWN, postgresql_where=IS_SHOWN),
    Index("ix_calls_open", "arrived_at", "id", sqlite_where=HAS_NO_ENDING, postgresql_where=HAS_NO_ENDING),
    Index("ix_calls_quoted", "quoted_at", "id", sqlite_where=HAS_QUOTE, postgresql_where=HAS_QUOTE),
)

# What agents set by phone. An agent who never did has no row.
agents = Table(
    "agents",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("pin_hash", Text),
    Column("signed_in", Boolean, nullable=False),
    Column("pause_reason", String(64)),
    Column("wrong_pins", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
)

line_decisions = Table(
    "line_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("queue", String(64), nullable=False),
    Column("waiter_id", String(150), nullable=False),  # a call's id or a promise's
    Column("kind", String(16), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("place", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("starving", Boolean, nullable=False),
    Column("passed", Text, nullable=False),  # JSON: a list of waiters' ids, in the order of arrival
    Column("due_at", UtcDateTime),  # not served before; null: any time
)

callers = Table(
    "callers",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

"""What the seam knows of PostgreSQL: how a session is set up, when it was cut off, and what became of a commit.

Sources: https://www.postgresql.org/docs/current/runtime-config-client.html,
https://www.postgresql.org/docs/current/errcodes-appendix.html,
https://www.postgresql.org/docs/current/functions-info.html (pg_xact_status).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import Integer, cast, event, func, literal, select, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

OLDEST_VERSION = 13
"""Of the server: the first with `pg_xact_status` of 64 bits."""
SSL_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey"})
"""What an address may say of TLS, in libpq's words (https://www.postgresql.org/docs/current/libpq-ssl.html)."""
POOL_SIZE = 10
"""One event loop: more than this would only wait for each other's locks, on the server instead of here."""
_QUEUE_S = 60
"""How long to wait for a connection of our own. Many at once are no fault of the database's."""
_STATEMENT_S = 5
"""How much longer than a lock a statement may take. Ours take milliseconds."""
_NETWORK_S = 2
_IDLE_IN_TRANSACTION_S = 4
"""Ours never pause in a transaction. A process that was stopped in one may hold what all claims wait by: not for longer
than the others wait for a lock."""
_MIGRATION_S = 600

CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: nothing was written, and doing it again is the remedy."""
_STALE_PLAN = "InvalidCachedStatementError"
_CUT_OFF = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04")


def session_options(url: URL, *, busy_timeout_s: float, changes_schema: bool) -> tuple[URL, dict[str, Any]]:
    """Return the address and the options for SQLAlchemy to make an engine of.

    A lock is waited for as long as `busy_timeout_s`, and so is a server that does not answer at the start.
    `changes_schema`: its statements may take minutes, since they may have to touch every row.
    """
    lock_ms = round(busy_timeout_s * 1000)
    statement_s = _MIGRATION_S if changes_schema else busy_timeout_s + _STATEMENT_S
    idle_s = _MIGRATION_S if changes_schema else _IDLE_IN_TRANSACTION_S
    arguments: dict[str, Any] = {
        "timeout": max(1.0, busy_timeout_s),
        # The server's limit comes first; this one is for a network that is silent.
        "command_timeout": statement_s + _NETWORK_S,
        "server_settings": {
            "application_name": "orikaeshi",
            "timezone": "UTC",
            "lock_timeout": f"{lock_ms}ms",
            "statement_timeout": f"{round(statement_s * 1000)}ms",
            "idle_in_transaction_session_timeout": f"{idle_s}s",
            # Of a machine that is gone the server lets go of its locks within seconds, not hours.
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            "jit": "off",
        },
    }
    tls = {name: value for name, value in url.query.items() if name in SSL_OPTIONS}
    if tls:
        # The driver takes these in an address alone; what stands beside it goes before it.
        arguments["dsn"] = f"postgresql://?{urlencode(tls)}"
    options = {
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": _QUEUE_S,
        "pool_use_lifo": True,
        "connect_args": arguments,
    }
    return url.difference_update_query(sorted(SSL_OPTIONS)), options


def wait_for_other_migrations(connection: Connection, lock: int) -> None:
    """Let one program at a time change the schema, until the transaction ends, for as long as another one needs."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{_MIGRATION_S}s'"))
    connection.execute(select(func.pg_advisory_xact_lock(cast(literal(lock), Integer))))
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))  # nobody is to queue up behind a change that waits


def pass_over_dead_connections(engine: AsyncEngine) -> None:
    """Let the pool replace a connection whose end is known already, without asking the server each time."""
    event.listen(engine.sync_engine, "checkout", _refuse_if_closed)


def _refuse_if_closed(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    driver: Any = getattr(connection, "driver_connection", None)
    if driver is not None and driver.is_closed():
        raise DisconnectionError


def sqlstate_of(error: BaseException) -> str:
    """Return the server's code of what went wrong; empty when it was not the server who said so."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")


def is_conflict(error: Exception) -> bool:
    """Tell whether doing the same again, from its start, is the remedy, since nothing was written.

    Also where another process changed the tables under a statement that had been prepared: the driver has forgotten
    what it prepared by the time it says so.
    """
    if not isinstance(error, DBAPIError):
        return False
    return sqlstate_of(error) in CONFLICTS or type(error.orig).__name__ == _STALE_PLAN


def was_cut_off(error: Exception) -> bool:
    """Tell whether the connection was lost, and with it what was not committed."""
    if isinstance(error, OSError):  # TimeoutError is one: the network is silent
        return True
    return isinstance(error, DBAPIError) and (error.connection_invalidated or sqlstate_of(error).startswith(_CUT_OFF))


async def receipt_of(connection: AsyncConnection) -> str:
    """Return by what the server can be asked later whether this transaction was committed; empty: nothing to commit."""
    found = await connection.scalar(text("SELECT CAST(pg_current_xact_id_if_assigned() AS text)"))
    return found or ""


async def was_committed(connection: AsyncConnection, receipt: str) -> bool | None:
    """Tell what became of a transaction; None: it goes on, or the server does not know of it (any more).

    A server that took over without the last commits of the first does not know of them. Raises DBAPIError.
    """
    asked = text("SELECT pg_xact_status(CAST(CAST(:receipt AS text) AS xid8))")
    status = await connection.scalar(asked, {"receipt": receipt})
    return {"committed": True, "aborted": False}.get(status or "")

"""The way into the database: open it, bring it up to date, hand out its books."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from controller.store.agent_book import StoredAgentBook
from controller.store.call_log import StoredCallLog
from controller.store.caller_memory import StoredCallerMemory
from controller.store.dialect import connect_to
from controller.store.do_not_call import StoredDoNotCallBook
from controller.store.engine import Database
from controller.store.inbox import StoredSmsInbox
from controller.store.lease import StoredLeaseBook
from controller.store.line_audit import StoredLineAudit
from controller.store.links import StoredBookingLinks
from controller.store.migrate import check_schema, migrate
from controller.store.number_proofs import StoredNumberProofs
from controller.store.outbox import StoredSmsOutbox, StoredSmsRequests
from controller.store.promise_book import StoredPromiseBook
from controller.store.sms_listing import StoredSmsListing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from structlog.typing import FilteringBoundLogger

    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.clock import Clock

_BUSY_TIMEOUT_S = 5.0


class Store:
    """The open database: one book for each port, `promises`, `calls`, `outbox`, `texts` and the others below.

    `changed`, `sms_queued` and `replied` are lists of listeners, who come and go at any time: a promise was changed or
    let go, an SMS is owed, somebody wrote. They are called once what they tell of is committed, on the event loop, and
    have to be quick; what they raise is logged, since the commit stands whatever they make of it.
    """

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        clock: Clock,
        new_id: Callable[[], str],
        log: FilteringBoundLogger,
    ) -> None:
        self.changed: list[Callable[[Promise], None]] = []
        self.sms_queued: list[Callable[[], None]] = []
        self.replied: list[Callable[[], None]] = []
        self.database = database
        self._log = log
        changed: Callable[[Promise], None] = lambda promise: self._call(self.changed, promise)  # noqa: E731 - three books take it
        sms_queued: Callable[[], None] = lambda: self._call(self.sms_queued)  # noqa: E731 - and five this one
        self.promises = StoredPromiseBook(
            database, policies=policies, clock=clock, new_id=new_id, changed=changed, sms_queued=sms_queued
        )
        self.do_not_call = StoredDoNotCallBook(
            database, policies=policies, clock=clock, changed=changed, sms_queued=sms_queued
        )
        self.leases = StoredLeaseBook(database, clock)
        self.calls = StoredCallLog(database, log)
        self.outbox = StoredSmsOutbox(database)
        self.texts = StoredSmsRequests(database, clock=clock, sms_queued=sms_queued)
        self.inbox = StoredSmsInbox(database, replied=lambda: self._call(self.replied))
        self.links = StoredBookingLinks(
            database, policies=policies, new_id=new_id, changed=changed, sms_queued=sms_queued
        )
        self.proofs = StoredNumberProofs(database, clock=clock, sms_queued=sms_queued)
        self.sms_listing = StoredSmsListing(database)
        self.line_audit = StoredLineAudit(database)
        self.callers = StoredCallerMemory(database, clock, log)
        self.agents = StoredAgentBook(database)

    def _call(self, listeners: Iterable[Callable[..., None]], *args: Any) -> None:
        for listener in tuple(listeners):
            try:
                listener(*args)
            except Exception:  # noqa: BLE001 - a listener's mistake must not make a commit look undone
                self._log.exception("store_hook_failed")


@asynccontextmanager
async def open_store(
    url: str,
    *,
    policies: Mapping[str, RetryPolicy],
    clock: Clock,
    new_id: Callable[[], str],
    busy_timeout_s: float = _BUSY_TIMEOUT_S,
    log: FilteringBoundLogger | None = None,
) -> AsyncIterator[Store]:
    """Open the database at `url` (`sqlite+aiosqlite:////path/to/file.db`), migrated, until the context is left.

    `policies` go by queue; `new_id` names promises; `busy_timeout_s` is how long a locked database is waited for.
    Raises StoreUnavailableError, whose text is one line for the admin.
    """
    database = Database(connect_to(url, busy_timeout_s=busy_timeout_s))
    try:
        await migrate(database.engine)
        yield Store(
            database,
            policies=policies,
            clock=clock,
            new_id=new_id,
            log=log or structlog.get_logger("controller.store"),
        )
    finally:
        await database.close()


@asynccontextmanager
async def open_beside(url: str, *, policies: Mapping[str, RetryPolicy], clock: Clock) -> AsyncIterator[Store]:
    """Open the database at `url` for one command, beside a controller that may be running.

    Changes no tables, and makes no promises. Raises StoreUnavailableError, also when the tables are another version's.
    """
    database = Database(connect_to(url, busy_timeout_s=_BUSY_TIMEOUT_S))
    try:
        await check_schema(database.engine)
        yield Store(
            database, policies=policies, clock=clock, new_id=_no_id, log=structlog.get_logger("controller.store")
        )
    finally:
        await database.close()


def _no_id() -> str:
    raise LookupError("a command beside the controller makes no promises")

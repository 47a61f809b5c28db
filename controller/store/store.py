"""The way into the database: open it, bring it up to date, hand out its books."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from controller.store.agent_book import StoredAgentBook
from controller.store.agent_spans import StoredAgentSpans
from controller.store.answered_requests import StoredAnsweredRequests
from controller.store.api_keys import StoredKeyBook
from controller.store.audit import StoredAuditBook
from controller.store.call_log import StoredCallLog
from controller.store.caller_memory import StoredCallerMemory
from controller.store.dialect import HOOKS, NUMBER_KEY, connect_to
from controller.store.do_not_call import StoredDoNotCallBook
from controller.store.engine import Database
from controller.store.facts import StoredFacts
from controller.store.floor_book import StoredFloorBook
from controller.store.hook_owing import HookPlan, TellingDatabase
from controller.store.hooks import StoredHookBook
from controller.store.inbox import StoredSmsInbox
from controller.store.lease import StoredLeaseBook
from controller.store.line_audit import StoredLineAudit
from controller.store.links import StoredBookingLinks
from controller.store.migrate import check_schema, migrate
from controller.store.notes import StoredNoteBook
from controller.store.number_proofs import StoredNumberProofs
from controller.store.opt_outs import take_up
from controller.store.outbox import StoredSmsOutbox, StoredSmsRequests
from controller.store.people import StoredPeopleBook
from controller.store.privacy import StoredPrivacyBook
from controller.store.promise_book import StoredPromiseBook
from controller.store.promise_list import StoredPromiseList
from controller.store.queue_closures import StoredQueueClosures
from controller.store.recordings import StoredRecordingBook
from controller.store.sms_listing import StoredSmsListing
from controller.store.web_sessions import StoredSessionBook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from structlog.typing import FilteringBoundLogger

    from controller.domain.opt_out import NumberKey
    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.clock import Clock
    from controller.ports.hooks import HookWish

_BUSY_TIMEOUT_S = 5.0


class Store:
    """The open database: one book for each port, `promises`, `calls`, `outbox`, `texts` and the others below.

    `changed`, `sms_queued`, `replied`, `hooks_queued`, `closed` and `recordings_unwanted` are lists of listeners, who
    come and go at any time: a promise was changed or let go, an SMS is owed, somebody wrote, a hook is owed something,
    a queue was closed by hand or opened, there is sound to be erased. They are called once what they tell of is
    committed, on the event loop, and have to be quick; what they raise is logged, since the commit stands whatever
    they make of it.
    """

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        clock: Clock,
        new_id: Callable[[], str],
        log: FilteringBoundLogger,
        hooks: Sequence[HookWish] = (),
    ) -> None:
        self.changed: list[Callable[[Promise], None]] = []
        self.sms_queued: list[Callable[[], None]] = []
        self.replied: list[Callable[[], None]] = []
        self.hooks_queued: list[Callable[[], None]] = []
        self.closed: list[Callable[[], None]] = []
        self.recordings_unwanted: list[Callable[[], None]] = []
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
        self.hooks = StoredHookBook(database, wishes=hooks, queued=lambda: self._call(self.hooks_queued))
        if isinstance(database, TellingDatabase):
            database.owed = lambda: self._call(self.hooks_queued)
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
        self.agent_spans = StoredAgentSpans(database)
        self.facts = StoredFacts(database)
        self.answered = StoredAnsweredRequests(database)
        self.promise_list = StoredPromiseList(database, policies=policies)
        self.people = StoredPeopleBook(database)
        self.sessions = StoredSessionBook(database)
        self.keys = StoredKeyBook(database)
        self.audit = StoredAuditBook(database)
        self.notes = StoredNoteBook(database)
        self.closures = StoredQueueClosures(database, changed=lambda: self._call(self.closed))
        self.floor = StoredFloorBook(database)
        unwanted: Callable[[], None] = lambda: self._call(self.recordings_unwanted)  # noqa: E731 - two books take it
        self.recordings = StoredRecordingBook(database, unwanted=unwanted)
        self.privacy = StoredPrivacyBook(database, policies=policies, changed=changed, unwanted=unwanted)

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
    number_key: NumberKey | None = None,
    hooks: Sequence[HookWish] = (),
    log: FilteringBoundLogger | None = None,
) -> AsyncIterator[Store]:
    """Open the database at `url` (`sqlite+aiosqlite:////path/to/file.db`), migrated, until the context is left.

    `policies` go by queue; `new_id` names promises; `busy_timeout_s` is how long a locked database is waited for. With
    `number_key` the do-not-call list is kept as hashes, and what stands there in clear is hashed first. Raises
    StoreUnavailableError, whose text is one line for the admin; also where the list was hashed with another key.
    """
    database = _opened(url, busy_timeout_s, number_key, _plan(hooks, clock))
    try:
        await migrate(database.engine)
        await take_up(database, clock.now())
        yield Store(
            database,
            policies=policies,
            clock=clock,
            new_id=new_id,
            log=log or structlog.get_logger("controller.store"),
            hooks=hooks,
        )
    finally:
        await database.close()


@asynccontextmanager
async def open_beside(
    url: str,
    *,
    policies: Mapping[str, RetryPolicy],
    clock: Clock,
    number_key: NumberKey | None = None,
    hooks: Sequence[HookWish] = (),
) -> AsyncIterator[Store]:
    """Open the database at `url` for one command, beside a controller that may be running.

    Changes no tables, and makes no promises. Raises StoreUnavailableError, also when the tables are another version's.
    """
    database = _opened(url, _BUSY_TIMEOUT_S, number_key, _plan(hooks, clock))
    try:
        await check_schema(database.engine)
        yield Store(
            database,
            policies=policies,
            clock=clock,
            new_id=_no_id,
            log=structlog.get_logger("controller.store"),
            hooks=hooks,
        )
    finally:
        await database.close()


def _opened(url: str, busy_timeout_s: float, number_key: NumberKey | None, plan: HookPlan | None) -> Database:
    options = {NUMBER_KEY: number_key, HOOKS: plan}
    engine = connect_to(url, busy_timeout_s=busy_timeout_s).execution_options(**options)
    return Database(engine) if plan is None else TellingDatabase(engine)


def _plan(hooks: Sequence[HookWish], clock: Clock) -> HookPlan | None:
    return HookPlan(tuple(hooks), clock.now) if hooks else None


def _no_id() -> str:
    raise LookupError("a command beside the controller makes no promises")

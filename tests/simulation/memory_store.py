"""A store in memory: the same books as `controller.store.Store`, for days that are played ten thousand times."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from tests.simulation.memory_data import MemoryData, MemoryDatabase
from tests.simulation.memory_inbox import MemorySmsInbox
from tests.simulation.memory_lease import MemoryDoNotCallBook, MemoryLeaseBook
from tests.simulation.memory_links import MemoryBookingLinks, MemoryNumberProofs
from tests.simulation.memory_promises import MemoryPromiseBook
from tests.simulation.memory_records import MemoryAgentBook, MemoryCallerMemory, MemoryCallLog, MemoryLineAudit
from tests.simulation.memory_sms import MemorySmsOutbox, MemorySmsRequests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

SCHEME = "memory:"
"""How the address of such a store begins. Stores with the same address share their rows."""
_opened: dict[str, MemoryData] = {}


class MemoryStore:
    """One process's view of the rows. Hooks as those of the real store."""

    def __init__(
        self, data: MemoryData, *, policies: Mapping[str, RetryPolicy], clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self.changed: list[Callable[[Promise], None]] = []
        self.sms_queued: list[Callable[[], None]] = []
        self.replied: list[Callable[[], None]] = []
        self.database = MemoryDatabase(data)
        self.promises = MemoryPromiseBook(
            data,
            policies=policies,
            clock=clock,
            new_id=new_id,
            changed=lambda promise: self._call(self.changed, promise),
            sms_queued=lambda: self._call(self.sms_queued),
        )
        self.calls = MemoryCallLog(data)
        self.outbox = MemorySmsOutbox(data)
        self.texts = MemorySmsRequests(data, clock, lambda: self._call(self.sms_queued))
        self.callers = MemoryCallerMemory(data, clock)
        self.agents = MemoryAgentBook(data)
        self.line_audit = MemoryLineAudit(data)
        self.leases = MemoryLeaseBook(data, clock)
        self.do_not_call = MemoryDoNotCallBook(data, self.promises, clock)
        self.inbox = MemorySmsInbox(data, lambda: self._call(self.replied))
        self.links = MemoryBookingLinks(data, self.promises, self.do_not_call)
        self.proofs = MemoryNumberProofs(data, clock, lambda: self._call(self.sms_queued))

    @staticmethod
    def _call(listeners: Iterable[Callable[..., None]], *args: Any) -> None:
        for listener in tuple(listeners):
            try:
                listener(*args)
            except Exception:
                log.exception("store_hook_failed")


@asynccontextmanager
async def open_memory_store(
    url: str, *, policies: Mapping[str, RetryPolicy], clock: Clock, new_id: Callable[[], str], **_: Any
) -> AsyncIterator[MemoryStore]:
    """Open the store at `url` (`memory:NAME`); its rows stay for whoever opens it next."""
    yield MemoryStore(_opened.setdefault(url, MemoryData()), policies=policies, clock=clock, new_id=new_id)

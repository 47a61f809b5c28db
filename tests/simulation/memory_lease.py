"""The leases and the do-not-call list in memory: the ports `LeaseBook` and `DoNotCallBook`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.lifecycle import ALLOWED, Cancelled, CancelReason
from controller.ports.do_not_call import Blocked
from controller.ports.lease import Lease, pbx_of_lease

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.ports.clock import Clock
    from tests.simulation.memory_data import MemoryData
    from tests.simulation.memory_promises import MemoryPromiseBook


E164 = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)


class MemoryLeaseBook:
    """`LeaseBook`."""

    def __init__(self, data: MemoryData, clock: Clock) -> None:
        self._data = data
        self._clock = clock

    async def take(self, name: str, holder: str, member: str, lease_s: float, *, wants: bool = False) -> Lease:
        """Take a lease that is free, has run out or is our own member's; else return it as it then is."""
        now, lasts = self._clock.now(), timedelta(seconds=lease_s)
        held = self._data.leases.get(name, Lease(name, "", "", 0, now))
        # One that lasts far longer than it could is of a clock that was set back.
        if held.member != member and held.holder != holder and now < held.expires_at <= now + 2 * lasts:
            if wants:
                self._data.leases[name] = held = replace(held, wanted_by=member)
            return held
        quiet = min(held.expires_at, now + lasts) if now < held.expires_at and held.holder != holder else None
        self._data.leases[name] = taken = Lease(name, holder, member, held.term + 1, now + lasts)
        pbx = pbx_of_lease(name)
        self._data.holds = {key: hold for key, hold in self._data.holds.items() if hold[0] != pbx}
        return replace(taken, quiet_until=quiet)

    async def renew(self, lease: Lease, lease_s: float) -> Lease | None:
        """Hold on to it; None when it has another term by now."""
        return self._set_end(lease, self._clock.now() + timedelta(seconds=lease_s))

    async def release(self, lease: Lease) -> None:
        """Give it back, if it still has this term."""
        self._set_end(lease, self._clock.now())

    async def all(self) -> list[Lease]:
        """Return every lease, by name."""
        return [self._data.leases[name] for name in sorted(self._data.leases)]

    def _set_end(self, lease: Lease, expires_at: datetime) -> Lease | None:
        held = self._data.leases.get(lease.name)
        if held is None or (held.term, held.holder) != (lease.term, lease.holder):
            return None
        self._data.leases[lease.name] = held = replace(held, expires_at=expires_at)
        return held


class MemoryDoNotCallBook:
    """`DoNotCallBook`."""

    def __init__(self, data: MemoryData, promises: MemoryPromiseBook, clock: Clock) -> None:
        self._data = data
        self._promises = promises
        self._clock = clock

    async def block(self, number: str, *, reason: str) -> list[Promise]:
        """Put a number on the list and cancel its open promises; return those."""
        if not E164.fullmatch(number):
            raise ValueError("not an E.164 number")
        self._data.blocked.setdefault(number, Blocked(number, reason, self._clock.now()))
        held = [
            self._data.promises[each]
            for key, each in sorted(self._data.open_numbers.items(), key=lambda item: item[1])
            if key[1] == number
        ]
        return [
            await self._promises.advance(each.id, Cancelled(CancelReason.STOP))
            for each in held
            if (each.state, Cancelled) in ALLOWED
        ]

    async def unblock(self, number: str) -> bool:
        """Take a number off the list; False when it was not on it."""
        return self._data.blocked.pop(number, None) is not None

    async def is_blocked(self, number: str) -> bool:
        """Tell whether a number is on the list."""
        return number in self._data.blocked

    async def listed(self) -> list[Blocked]:
        """Return the list, newest first."""
        by_number = sorted(self._data.blocked.values(), key=lambda each: each.number)
        return sorted(by_number, key=lambda each: each.blocked_at, reverse=True)

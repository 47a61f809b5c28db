"""Booking links and proofs of a number in memory: the ports `BookingLinks` and `NumberProofs`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.lifecycle import ALLOWED, Cancelled
from controller.ports.links import Ask, BookingLink, Done, LinkSpent, NeverAgain, TooLate, Withdraw
from controller.ports.promises import Made
from tests.simulation.memory_data import ChallengeRow
from tests.simulation.memory_sms import queue_sms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.domain.effects import SendSms
    from controller.ports.clock import Clock
    from controller.ports.links import Challenge, LinkWish, Redeemed
    from tests.simulation.memory_data import MemoryData
    from tests.simulation.memory_lease import MemoryDoNotCallBook
    from tests.simulation.memory_promises import MemoryPromiseBook


class MemoryBookingLinks:
    """`BookingLinks`. What it asks of the other books never waits, so nothing comes between."""

    def __init__(self, data: MemoryData, promises: MemoryPromiseBook, do_not_call: MemoryDoNotCallBook) -> None:
        self._data = data
        self._promises = promises
        self._do_not_call = do_not_call

    async def issue(self, link: BookingLink) -> BookingLink:
        """Write a link, once."""
        return self._data.links.setdefault(link.id, link)

    async def find(self, link_id: str, now: datetime) -> BookingLink | None:
        """Return a link that has not expired."""
        link = self._data.links.get(link_id)
        return link if link is not None and now < link.expires_at else None

    async def redeem(self, link_id: str, wish: LinkWish, now: datetime) -> Redeemed:
        """Spend a link on one wish. Raises ValueError for a wish about another number or queue."""
        link = await self.find(link_id, now)
        if link is None or link.used_at is not None:
            return LinkSpent()
        answer = await self._carry_out(link, wish)
        if isinstance(answer, Done):
            self._data.links[link_id] = replace(link, used_at=now)
        return answer

    async def _carry_out(self, link: BookingLink, wish: LinkWish) -> Redeemed:
        match wish:
            case Ask(wanted):
                if (wanted.number, wanted.queue) != (link.number, link.queue):
                    raise ValueError(f"what is wanted is not for the number and queue of link {link.id}")
                made = await self._promises.make(wanted)
                return Done((made.promise,)) if isinstance(made, Made) else made
            case Withdraw():
                if link.promise_id is not None:
                    held = await self._promises.get(link.promise_id)
                else:
                    found = await self._promises.open_for(link.queue, link.number)
                    if found is None:
                        return TooLate()
                    held = found
                if (held.state, Cancelled) not in ALLOWED:
                    return TooLate()
                return Done((await self._promises.advance(held.id, Cancelled()),))
            case NeverAgain():
                reason = "the page of a link: this was not me"
                return Done(tuple(await self._do_not_call.block(link.number, reason=reason)))


class MemoryNumberProofs:
    """`NumberProofs`."""

    def __init__(self, data: MemoryData, clock: Clock, sms_queued: Callable[[], None]) -> None:
        self._data = data
        self._clock = clock
        self._sms_queued = sms_queued

    async def start(self, challenge: Challenge, sms: SendSms | None) -> None:
        """Write a challenge and its SMS, once."""
        if challenge.id in self._data.challenges:
            return
        self._data.challenges[challenge.id] = ChallengeRow(challenge, None if sms is None else sms.key)
        if sms is not None and queue_sms(self._data, sms, self._clock.now()):
            self._sms_queued()

    async def guess(self, challenge_id: str, *, is_right: bool, now: datetime) -> Challenge | None:
        """Count one try; return the challenge if that proved it."""
        row = self._data.challenges.get(challenge_id)
        if row is None or row.proved_at or now >= row.challenge.expires_at or row.challenge.tries_left <= 0:
            return None
        row.challenge = replace(row.challenge, tries_left=row.challenge.tries_left - 1)
        if not is_right or not row.challenge.number:
            return None
        row.proved_at = now
        if row.sms_key in self._data.sms:
            self._data.sms[row.sms_key].converted_at = now
        return row.challenge

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """Return a challenge that has not expired."""
        row = self._data.challenges.get(challenge_id)
        return row.challenge if row is not None and now < row.challenge.expires_at else None

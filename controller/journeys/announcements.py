"""What a caller in line hears beside the music: their place, an honest wait, the offer to be called back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.opening_hours import Unending
from controller.domain.wait_estimate import passes_closing
from controller.journeys import prompts, spoken
from controller.journeys.house import Offer

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.line import Order, Place


class Announcer:
    """Says what is to be said to one caller, each time that it is due."""

    def __init__(self, call: Call, place: Place, queue: Queue, house: House, *, returns: bool, urgent: bool) -> None:
        self._call = call
        self._place = place
        self._queue = queue
        self._house = house
        self._returns = returns
        self._urgent = urgent
        self._is_first = True
        self._has_offered = False
        self._to_say: list[str] = []
        self._is_saying = False
        """What is due is being said; still so when that was cut off."""
        self._is_due = False
        self.told_until: datetime | None = None
        """The far end of the wait that the caller was told last; None: they were told none."""

    def heed(self, order: Order, queue: Queue) -> None:
        """Say from now on what becomes the caller as a supervisor wants them: of which queue, urgent or not.

        What everybody is to hear is due at once, and so is what the order cut off.
        """
        self._is_due = self._is_due or self._is_saying
        self._queue, self._urgent = queue, order.urgent
        self._to_say += order.say

    async def next(self) -> None:
        """Wait until something is due, say it, and return. Cancelled when something happens meanwhile."""
        if self._to_say:
            words, self._to_say = self._to_say, []
            await self._call.play(*words)
            return
        if self._place.has_agent:  # None of it would be heard, so nothing is told, nor noted as told.
            await self._house.clock.sleep(self._queue.announcements.interval_s)
            return
        self._is_saying = False
        if not (self._is_first or self._is_due):
            await self._house.clock.sleep(self._queue.announcements.interval_s)
        self._is_due = False
        while not (words := await self._words()):
            self._is_first = False
            await self._house.clock.sleep(self._queue.announcements.interval_s)
        self._is_first = False
        self._is_saying = True
        await self._call.play(*words)
        self._is_saying = False

    async def _words(self) -> list[str]:
        rules = self._queue.announcements
        words = self._greeting() if self._is_first else []
        if rules.place:
            words += spoken.place(self._place.position())
        if rules.wait:
            words += await self._wait_told()
        if self._is_offered(self._place.expected_wait()):
            words.append(prompts.HOLD_OFFER if self._is_first else prompts.OFFER)
            await self._note_offer()
        return words

    async def _wait_told(self) -> list[str]:
        told = self._place.quote()
        if told is None:
            return [prompts.WAIT_UNKNOWN]
        now = self._house.clock.now()
        self.told_until = now + timedelta(seconds=told.high_s)
        await self._house.calls.quoted(self._call.id, low_s=told.low_s, high_s=told.high_s, quoted_at=now)
        return spoken.wait(told.low_s, told.high_s)

    async def _note_offer(self) -> None:
        if not self._has_offered:
            self._has_offered = True
            await self._house.calls.offered(self._call.id, offered_at=self._house.clock.now())

    def _greeting(self) -> list[str]:
        if self._urgent:
            return [prompts.URGENT_CONNECTING]
        return [prompts.WELCOME_BACK] if self._returns else []

    def _is_offered(self, expected: WaitRange | None) -> bool:
        """Tell whether the offer is made now: not to who is urgent or has a promise, nor one that could not be kept."""
        rules = self._queue.announcements
        if self._urgent or self._returns or rules.offer in {Offer.NEVER, Offer.ON_KEY}:
            return False
        if rules.offer is Offer.BY_WAIT and (expected is None or expected.high_s <= rules.offer_wait_s):
            return False
        return self._queue.slots is not None or is_soon_enough(self._queue, self._house.clock.now(), expected)


def is_soon_enough(queue: Queue, now: datetime, expected: WaitRange | None) -> bool:
    """Tell whether somebody who is promised a call now would have their turn before the queue closes."""
    closes_at = queue.hours.closes_at(now)
    if closes_at is None or isinstance(closes_at, Unending):
        return closes_at is not None
    return expected is None or not passes_closing(expected, now, closes_at)

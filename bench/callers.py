"""Callers of a benchmark: so many at a time, and for each who is served another one dials."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from bench.observer import Phones
    from bench.observer_call import PhoneCall

DIALS_PER_S: Final = 40
"""Slow enough that one who dials does not wait for another."""
AGAIN_AFTER_S: Final = (0.2, 0.7)
"""A new caller comes a while after one was served: an arrival costs time too, and is not what is measured."""
SETTLED_AFTER_S: Final = 1.5
"""From the answer: the greeting is over, the caller stands in line."""


class CallersFailedError(Exception):
    """Callers were not answered, or were thrown out; the message says how many and why."""


class Callers:
    """Keeps `count` callers on the phone with one number."""

    def __init__(self, phones: Phones, number: str, count: int, dice: random.Random, *, dials_again: bool) -> None:
        self._phones = phones
        self._number = number
        self._count = count
        self._dice = dice
        self._dials_again = dials_again
        self._dialled = 0
        self._calls: set[PhoneCall] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self.settled = 0
        """Callers who have had the time to stand in line, those who talk with an agent included."""
        self.served = 0
        """Callers whose agent has hung up, and who have heard of it."""
        self.faults: list[str] = []
        """How calls ended that neither an agent nor we have ended."""

    async def come(self, *, timeout_s: float = 60) -> None:
        """Dial all, one after the other, and return when all stand in line. Raises CallersFailedError."""
        for _ in range(self._count):
            self._dial()
            await asyncio.sleep(1 / DIALS_PER_S)
        try:
            async with asyncio.timeout(timeout_s):
                await self.until(lambda: self.settled >= self._count or bool(self.faults))
        except TimeoutError:
            self.faults.append("no answer")
        if self.faults:
            raise CallersFailedError(f"{self.settled} of {self._count} are there; {self.faults[0]}")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; it is looked at whenever a caller has come to stand, or a call failed."""
        while not condition():
            self._news.clear()
            await self._news.wait()

    async def go(self) -> None:
        """Hang up all, and return when the last has hung up."""
        self._dials_again = False
        calls = list(self._calls)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for index, call in enumerate(calls):
            call.hang_up()
            if index % DIALS_PER_S == DIALS_PER_S - 1:
                # Asterisk's socket holds so many packets, and no more.
                await asyncio.sleep(1 / DIALS_PER_S)
        await asyncio.gather(*(call.ended for call in calls))

    def _dial(self) -> None:
        self._dialled += 1
        task = asyncio.create_task(self._caller(f"090{20_000_000 + self._dialled}"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _caller(self, user: str) -> None:
        call = self._phones.dial(user, self._number)
        self._calls.add(call)
        try:
            if await asyncio.shield(call.answered) is not None:
                await self._stay(call)
        finally:
            self._calls.discard(call)
        why = await asyncio.shield(call.ended)
        self.served += why == "was hung up"
        if why != "was hung up":
            self.faults.append(why)
            self._news.set()
        elif self._dials_again:
            await asyncio.sleep(self._dice.uniform(*AGAIN_AFTER_S))
            self._dial()

    async def _stay(self, call: PhoneCall) -> None:
        """Count among those who are there from the time when the greeting is over."""
        await asyncio.wait((call.ended,), timeout=SETTLED_AFTER_S)
        if not call.ended.done():
            self.settled += 1
            self._news.set()
            try:
                await asyncio.shield(call.ended)
            finally:
                self.settled -= 1

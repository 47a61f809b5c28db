"""Whoever carries the SMS of a day: takes them, or not, or says nothing; tells of them twice, late, in any order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller.domain.sms import Delivery
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Accepted, IncomingSms, Receipt, Refused, Unclear
from tests.simulation.far_end import What

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from controller.ports.sms import SendResult, SmsInbox
    from tests.simulation.premises import Premises

ANSWERS = {"takes it": 12, "takes it and says nothing": 1.5, "says nothing": 0.5, "too busy": 1.5, "refuses": 0.5}
SILENCE_S = 10.0
"""After so long the gateway gives up waiting for an answer."""
PATIENCE_S = 10.0
"""So long the carrier waits until what it tells us is acknowledged; then it tells it again, and again."""
AGAIN_S = (2.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Letter:
    """An SMS on a customer's phone."""

    number: str
    template: str
    queue: str
    key: str
    link: str | None
    tries: int
    details: dict[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The token of its link; "" without one."""
        return "" if self.link is None else self.link.rpartition("/")[2]

    @staticmethod
    def of(number: str, text: str, tries: int) -> Letter:
        """Return what a text says."""
        template, queue, key, link, *more = text.split(" ")
        details = dict(each.split("=", 1) for each in more)
        return Letter(number, template, queue, key, None if link == "-" else link, tries, details)


class Carrier:
    """The gateway of every controller of a day, and the network behind it."""

    name = "carrier"

    def __init__(self, premises: Premises, on_letter: Callable[[Letter], None]) -> None:
        """`on_letter` is told of each SMS that a phone gets."""
        self._premises = premises
        self._on_letter = on_letter
        self._tries: dict[str, int] = {}
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for us to take note of anything."""
        return not self._jobs

    async def run(self) -> None:
        """There is no connection to keep up."""

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Take one SMS, or not."""
        far_end = self._premises.far_end
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        dice = self._premises.day.dice("carrier", key, tries)
        answer = dice.choices(list(ANSWERS), list(ANSWERS.values()))[0]
        far_end.see(What.HANDED_OVER, number, f"{answer}: {text}")
        if answer == "too busy":
            await asyncio.sleep(0.1)
            return Refused("too many requests", dice.choice((1.0, 20.0)))
        if answer == "refuses":
            await asyncio.sleep(0.1)
            return Refused("no route", None)
        if answer != "says nothing":
            far_end.see(What.SMS, number, text)
            self._on_letter(Letter.of(number, text, tries))
            self._tell_of(key, dice)
        if answer != "takes it":
            await asyncio.sleep(SILENCE_S)
            return Unclear(f"{sender} got no answer")
        await asyncio.sleep(dice.choice((0.05, 0.2, 3.0)))
        return Accepted(f"ref-{key}")

    def _tell_of(self, key: str, dice: Random) -> None:
        """Send receipts: now and then before our answer, twice, or the last one first."""
        last = dice.choices((Delivery.DELIVERED, Delivery.UNDELIVERED, None), (8, 1, 1))[0]
        names_key = dice.random() < 0.7
        for delivery in (Delivery.ON_ITS_WAY, last):
            if delivery is None:
                continue
            receipt = Receipt(
                self.name, f"{key}/{delivery}", f"ref-{key}", delivery, key=key if names_key else None, error="x"
            )
            for _ in range(dice.choice((1, 1, 1, 2))):
                self.post(lambda inbox, receipt=receipt: self._receipt(inbox, receipt), after_s=dice.uniform(0, 15))  # type: ignore[misc]

    async def _receipt(self, inbox: SmsInbox, receipt: Receipt) -> None:
        await inbox.note_receipt(receipt, self._premises.clock.now())

    def reply(self, number: str, text: str, event_id: str, *, copies: int, on_taken: Callable[[], None]) -> None:
        """Bring us what somebody wrote, several times perhaps; `on_taken` is called when we acknowledge it first."""
        incoming = IncomingSms(self.name, event_id, number, "+81312345678", text)
        is_taken = False

        async def bring(inbox: SmsInbox) -> None:
            nonlocal is_taken
            await inbox.note_reply(incoming, self._premises.clock.now())
            if not is_taken:
                is_taken = True
                on_taken()

        for nth in range(copies):
            self.post(bring, after_s=0.3 * nth)

    def post(self, tell: Callable[[SmsInbox], Awaitable[Any]], *, after_s: float) -> None:
        """Tell us something until it is acknowledged."""
        task = self._premises.loop.create_task(self._until_taken(tell, after_s))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _until_taken(self, tell: Callable[[SmsInbox], Awaitable[Any]], after_s: float) -> None:
        await asyncio.sleep(after_s)
        tries = 0
        while True:
            office = self._premises.office
            if office is not None:
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await tell(office.inbox)
                except (StoreUnavailableError, TimeoutError):
                    pass
                else:
                    return
            await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

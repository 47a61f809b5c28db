"""Reception: every call that comes in gets its journey, its place in the record, and a proper end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.domain.call_ending import Ending
from controller.domain.phone_number import mask
from controller.journeys import prompts
from controller.journeys.inbound_caller import inbound_caller
from controller.ports.calls import CallerHungUp
from controller.workers.apology import apologise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from controller.domain.menu import Entrance
    from controller.journeys.house import House
    from controller.ports.calls import Call
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


class Reception:
    """Starts a journey for each incoming call, and guards it."""

    def __init__(self, house: House, entrances: Sequence[Entrance], supervisor: Supervisor) -> None:
        self._house = house
        self._entrances = {number: entrance for entrance in entrances for number in entrance.dialled_numbers}
        self._default = entrances[0]
        self._supervisor = supervisor
        self._in_hand: set[str] = set()

    @property
    def in_hand(self) -> frozenset[str]:
        """The ids of the calls that have a journey now."""
        return frozenset(self._in_hand)

    def entrance_for(self, dialled: str) -> Entrance:
        """Return where a dialled number leads. One that no entrance names leads to the first: nobody is turned away."""
        entrance = self._entrances.get(dialled)
        if entrance is None:
            log.warning("no entrance has this dialled number; the first takes the call", entrance=self._default.name)
            return self._default
        return entrance

    def welcome(self, call: Call) -> None:
        """Start the journey of a call that has just come in."""
        entrance = self.entrance_for(call.facts.dialled)
        self.see_through(call, lambda: inbound_caller(call, entrance, self._house))

    def see_through(
        self, call: Call, journey: Callable[[], Awaitable[Ending]], *, is_written_down: bool = False
    ) -> None:
        """Run `journey` for `call` to its end, whichever that is.

        `is_written_down`: an earlier process has noted that it came, so that the journey need not wait for that.
        """
        self._in_hand.add(call.id)
        self._supervisor.spawn(self._see_through(call, journey, is_written_down), call_id=call.id)

    async def _see_through(self, call: Call, journey: Callable[[], Awaitable[Ending]], is_written_down: bool) -> None:
        try:
            await self._guide(call, journey, is_written_down)
        finally:
            self._in_hand.discard(call.id)

    async def _guide(self, call: Call, journey: Callable[[], Awaitable[Ending]], is_written_down: bool) -> None:
        log.info("call", dialled=call.facts.dialled, number=mask(call.facts.number))
        if not is_written_down:
            await self._write_down(call)
        try:
            ending = await journey()
        except CallerHungUp:
            ending = Ending.ABANDONED
        except Exception:
            log.exception("a caller's journey failed")
            ending = Ending.FAILED
            await apologise(call, prompts.APOLOGY)
        await call.hang_up()
        if is_written_down:
            await self._write_down(call)  # It changes nothing, unless the database was away when the call came.
        await self._house.calls.ended(call.id, ending=ending, ended_at=self._house.clock.now())
        log.info("call ended", ending=ending.value)

    async def _write_down(self, call: Call) -> None:
        facts = call.facts
        await self._house.calls.arrived(
            call.id,
            dialled=facts.dialled,
            number=facts.number,
            arrived_at=facts.arrived_at,
            pbx=self._house.pbx,
        )

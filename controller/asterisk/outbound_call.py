"""Calls that we place: an agent's leg, a customer's leg. Known by their id before anything is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriConflict, AriError, AriNotFound, AriRefused, AriUnanswered
from controller.asterisk.call import AriCall
from controller.asterisk.hangup_causes import outcome_of
from controller.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.call_state import CallState
    from controller.asterisk.hold_rooms import HoldRooms
    from controller.domain.phone_number import DialableNumber
    from controller.ports.calls import CallFacts

log = structlog.get_logger(__name__)

BACKSTOP_S = 10
"""Asterisk's own ring time-out is this much longer than ours: it stops the ringing if we no longer can."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes and what its channel carries. `endpoint` is a dial string as PJSIP/09012345678@carrier."""

    endpoint: str
    context: str
    caller_id: str | None
    ring_timeout_s: float
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trunk:
    """The way out. `national` numbers are dialled as at home (090...), else as E.164 (+8190...)."""

    endpoint: str
    caller_id: str
    national: bool = True

    def dial_string(self, number: DialableNumber) -> str:
        """Return the PJSIP dial string. Only digits and `+` ever get into it."""
        return self.dial_string_as_written(number.national if self.national else number.e164)

    def dial_string_as_written(self, number: str) -> str:
        """Return the PJSIP dial string for a number that is dialled as it stands, such as 0120123456 or 9110."""
        return f"PJSIP/{names.digits_only(number)}@{self.endpoint}"


class AriOutboundCall(AriCall):
    """A channel that we originate into a dialplan context, which leads into our application once it is answered.

    Into the dialplan and not straight into the application: a party who answers while the controller is away is then
    met by music and another try, not by silence.
    """

    def __init__(
        self,
        client: AriClient,
        channel_id: str,
        state: CallState,
        *,
        rooms: HoldRooms,
        facts: CallFacts,
        language: str,
        clear: Callable[[], Destination | Outcome],
        placed: bool = False,
    ) -> None:
        super().__init__(client, channel_id, state, rooms=rooms, facts=facts, language=language)
        self._clear = clear
        self._placed = placed

    @property
    def placed(self) -> bool:
        """Whether the originate was sent, or the channel found on the PBX."""
        return self._placed

    @property
    def expected_on_pbx(self) -> bool:
        """Only once it was placed."""
        return self._placed

    async def hang_up(self) -> None:
        """Hang up, if it was ever placed."""
        if self._placed:
            await super().hang_up()

    async def dial(self) -> Outcome | None:
        """Ring, and wait for the answer. A call that was found ringing after a restart is only waited for."""
        ring_timeout_s = None  # One that was found ringing is ended by Asterisk's own time-out.
        try:
            if not self._placed:
                destination = self._clear()
                if isinstance(destination, Outcome):
                    return destination
                refusal = await self._place(destination)
                if refusal is not None:
                    self._state.vanished()
                    return refusal
                ring_timeout_s = destination.ring_timeout_s
            return await self._answer(ring_timeout_s)
        except asyncio.CancelledError:
            await self.hang_up()
            raise

    async def _place(self, destination: Destination) -> Outcome | None:
        self._placed = True
        try:
            await self._client.channels.originate(
                destination.endpoint,
                channel_id=self.id,
                timeout_s=int(destination.ring_timeout_s) + BACKSTOP_S,
                context=destination.context,
                extension=names.EXTENSION,
                priority=1,
                caller_id=destination.caller_id,
                variables=destination.variables,
            )
        except AriUnanswered as error:
            return await self._look_for_it() if error.maybe_executed else Outcome.NOT_PLACED
        except AriConflict:
            return await self._look_for_it()  # The id is taken: by ourselves, before.
        except AriRefused as error:
            log.warning("the PBX did not place the call", reason=str(error))
            return Outcome.NOT_PLACED
        return None

    async def _look_for_it(self) -> Outcome | None:
        """Find out whether a call whose request got no answer was placed. It is never placed again."""
        await self._client.wait_connected()
        try:
            data = await self._client.channels.get(self.id)
        except AriNotFound:
            return Outcome.UNKNOWN
        except AriError:
            return await self._look_for_it()
        self._state.up = self._state.up or data.state == "Up"
        return None

    async def _answer(self, ring_timeout_s: float | None) -> Outcome | None:
        state = self._state
        try:
            async with asyncio.timeout(ring_timeout_s):
                await state.until(lambda: state.up or state.in_stasis)
        except TimeoutError:
            await self.hang_up()
            await self.gone()
            return Outcome.NO_ANSWER
        # Answered: the dialplan leads into our application within the blink of an eye, or after its next try.
        await state.until(lambda: state.in_stasis)
        if state.gone is None:
            return None
        if state.up:
            return Outcome.DROPPED
        return outcome_of(state.gone.cause, state.gone.tech_cause, rang=state.rang, timed_out=False)

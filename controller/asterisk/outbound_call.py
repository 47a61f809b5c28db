"""Calls that we place: an agent's leg, a customer's leg. Known by their id before anything is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriConflict, AriError, AriNotFound, AriRefused, AriUnanswered
from controller.asterisk.call import AriCall
from controller.asterisk.hangup_causes import blames_trunk, outcome_of
from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.outcome import Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.call_state import CallState
    from controller.asterisk.hold_rooms import HoldRooms
    from controller.asterisk.legs import Clearance, Destination
    from controller.asterisk.trunks import Trunks
    from controller.ports.calls import CallFacts
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

BACKSTOP_S = 10
"""Asterisk's own ring time-out is this much longer than ours: it stops the ringing if we no longer can."""


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
        clear: Clearance,
        trunks: Trunks,
        clock: Clock,
        found_on: str | None = None,
        placed_at: datetime | None = None,
    ) -> None:
        """Take what it works with. `found_on`: its endpoint, for one that was found on the PBX."""
        super().__init__(client, channel_id, state, rooms=rooms, facts=facts, language=language)
        self._clear = clear
        self._trunks = trunks
        self._clock = clock
        self._placed = found_on is not None
        self._trunk = found_on if found_on in trunks.endpoints else ""
        self._placed_at = placed_at
        self._answered_at: datetime | None = None
        self._timed_out = False
        self._listened_for_machine = False
        if found_on is not None:
            trunks.occupy(channel_id, found_on)

    @property
    def placed(self) -> bool:
        """Whether the originate was sent, or the channel found on the PBX."""
        return self._placed

    @property
    def expected_on_pbx(self) -> bool:
        """Only once it was placed."""
        return self._placed

    @property
    def evidence(self) -> Evidence:
        """What was seen of it so far."""
        state, gone = self._state, self._state.gone
        untold = AnsweredBy.UNSURE if state.in_stasis and self._listened_for_machine else AnsweredBy.NOT_ASKED
        return Evidence(
            trunk=self._trunk,
            cause=gone.cause if gone else 0,
            tech_cause=gone.tech_cause if gone else 0,
            rang=state.rang,
            timed_out=self._timed_out,
            placed_at=self._placed_at,
            answered_at=self._answered_at,
            answered_by=state.answered_by or untold,
        )

    async def hang_up(self) -> None:
        """Hang up, if it was ever placed."""
        if self._placed:
            await super().hang_up()

    async def dial(self) -> Outcome | None:
        """Ring, and wait for the answer. A call that was found ringing after a restart is only waited for."""
        ring_timeout_s = None  # One that was found ringing is ended by Asterisk's own time-out.
        try:
            if not self._placed:
                destination = await self._clear()
                if isinstance(destination, Outcome):
                    return destination
                refusal = await self._place(destination)
                if refusal is not None:
                    self._state.vanished()
                    self._trunks.vacate(self.id)
                    return refusal
                ring_timeout_s = destination.ring_timeout_s
            return await self._answer(ring_timeout_s)
        except asyncio.CancelledError:
            await self.hang_up()
            raise

    async def _place(self, destination: Destination) -> Outcome | None:
        """Send the request, with nothing awaited before it. None: the call is on its way."""
        if destination.trunk:
            log.info("originate", trunk=destination.trunk, **destination.told, dry_run=destination.dry)
        if destination.dry:
            return Outcome.DRY_RUN
        self._placed, self._placed_at, self._trunk = True, self._clock.now(), destination.trunk
        self._listened_for_machine = names.DETECT_MACHINE in destination.variables
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
            return await self._look_for_it() if error.maybe_executed else self._not_placed()
        except AriConflict:
            return await self._look_for_it()  # The id is taken: by ourselves, before.
        except AriRefused as error:
            log.warning("the PBX did not place the call", reason=str(error))
            self._trunks.failed(self._trunk, self.id, f"the PBX refused: {error.status} {error.reason}")
            return self._not_placed()
        return None

    def _not_placed(self) -> Outcome:
        self._placed_at, self._trunk = None, ""
        return Outcome.NOT_PLACED

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
                await state.until(lambda: state.heard or state.in_stasis)
                if state.heard:
                    self._trunks.worked(self._trunk, self.id)
                await state.until(lambda: state.up or state.in_stasis)
        except TimeoutError:
            self._timed_out = True
            await self.hang_up()
            await self.gone()
        if state.up and not self._timed_out:
            self._answered_at = self._clock.now()
        # Answered: the dialplan leads into our application within the blink of an eye, once it has listened for a
        # machine, or after its next try.
        await state.until(lambda: state.in_stasis)
        return None if state.gone is None else self._ended(state.gone.cause, state.gone.tech_cause)

    def _ended(self, cause: int, tech_cause: int) -> Outcome:
        """Return how a call ended that never came to us, and note what that says of the trunk."""
        state = self._state
        answered = state.up and not self._timed_out
        if answered and state.answered_by is AnsweredBy.MACHINE:
            return Outcome.MACHINE
        if blames_trunk(cause, tech_cause, heard=state.heard):
            self._trunks.failed(self._trunk, self.id, f"cause {cause}, SIP {tech_cause}")
        elif tech_cause and not self._timed_out:
            self._trunks.worked(self._trunk, self.id)  # Whatever the network said: it said something.
        return outcome_of(cause, tech_cause, rang=state.rang, timed_out=self._timed_out, answered=answered)

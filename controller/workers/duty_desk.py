"""What agents set by phone: kept first, then in force, so that a restart knows it. PINs, and the end of guessing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.domain.agents import AgentEvent, Duty, RefusedAgentEventError
from controller.domain.pin import DamagedPinHashError, Guesses, matches
from controller.ports.agents import SignIn
from controller.ports.floor import Refused
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.ports.agents import AgentBook, KeptAgent
    from controller.ports.clock import Clock
    from controller.workers.agent_desk import AgentDesk

log = structlog.get_logger(__name__)


async def matches_off_loop(pin: str, kept: str) -> bool:
    """Tell whether a PIN is right, in a thread: that is slow on purpose. Raises DamagedPinHashError."""
    return await asyncio.to_thread(matches, pin, kept)


class DutyDesk:
    """`AgentDuty` on the agents' desk and their book. One wish at a time: two phones cannot overtake each other."""

    def __init__(
        self,
        desk: AgentDesk,
        book: AgentBook,
        clock: Clock,
        *,
        pin_required: bool,
        is_right: Callable[[str, str], Awaitable[bool]] = matches_off_loop,
    ) -> None:
        """Take what it works with; `is_right` compares a PIN with what is kept of one."""
        self._desk = desk
        self._book = book
        self._clock = clock
        self._pin_required = pin_required
        self._is_right = is_right
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Put the duties that were kept in force; before anybody is served. Raises StoreUnavailableError.

        Where a PIN is required, nobody is signed in who did not do it by phone; elsewhere everybody is who did not
        sign out.
        """
        duties = {agent.name: Duty(signed_in=not self._pin_required) for agent in self._desk.agents}
        duties |= {kept.name: kept.duty for kept in await self._book.kept()}
        self._desk.take_over(duties)

    def name_of(self, endpoint: str | None) -> str | None:
        """Return the agent whose phone this PJSIP endpoint is; None for a phone of nobody."""
        return self._desk.name_of(endpoint)

    async def sign_in(self, name: str, pin: str | None = None) -> SignIn:
        """Sign an agent in; ends a pause too. Without `pin` it says whether one is wanted. Counts wrong PINs."""
        async with self._turn:
            try:
                refused = await self._refusal(name, pin)
                if refused is None:
                    await self._set(name, AgentEvent.SIGN_IN)
            except StoreUnavailableError as error:
                log.warning("an agent could not sign in", agent=name, reason=str(error))
                return SignIn.NOT_POSSIBLE
        return refused or SignIn.DONE

    async def sign_out(self, name: str) -> bool:
        """Sign an agent out, after the call that they may be on."""
        return await self._wish(name, AgentEvent.SIGN_OUT)

    async def pause(self, name: str, reason: str) -> bool:
        """Pause an agent, after the call that they may be on."""
        return await self._wish(name, AgentEvent.PAUSE, reason)

    async def unpause(self, name: str) -> bool:
        """End an agent's pause, also one that a missed call began."""
        return await self._wish(name, AgentEvent.UNPAUSE)

    async def end_wrap_up(self, name: str) -> bool:
        """End an agent's wrap-up before its time; False when there is none."""
        return await self._wish(name, AgentEvent.END_WRAP_UP)

    async def do(self, name: str, event: AgentEvent, reason: str | None = None) -> Refused | None:
        """Keep a wish, of the agent or of a supervisor, and let it be in force; or say why not, and nothing is changed.

        Who signs an agent in this way knows otherwise that they are who they are.
        """
        async with self._turn:
            try:
                await self._set(name, event, reason)
            except (RefusedAgentEventError, StoreUnavailableError) as error:
                log.info("an agent's wish was not possible", agent=name, wish=event.value, reason=str(error))
                return Refused.UNAVAILABLE if isinstance(error, StoreUnavailableError) else Refused.NOT_NOW
        return None

    async def _wish(self, name: str, event: AgentEvent, reason: str | None = None) -> bool:
        return await self.do(name, event, reason) is None

    async def _set(self, name: str, event: AgentEvent, reason: str | None = None) -> None:
        """Keep what follows from `event`, then let it follow. Raises RefusedAgentEventError, StoreUnavailableError."""
        before, now = self._desk.agent(name), self._clock.now()
        duty = before.after(event, now, reason=reason).duty
        if duty != before.duty:
            await self._book.keep_duty(name, duty, at=now)
        # Calls and phones move on while it is being written, but a duty changes here alone, so it still fits.
        self._desk.move(name, event, reason=reason)

    async def _refusal(self, name: str, pin: str | None) -> SignIn | None:
        """Return why the agent may not sign in, or None. Raises StoreUnavailableError."""
        if self._desk.agent(name).signed_in:
            return None
        kept = await self._book.find(name)
        if kept is None or kept.pin_hash is None:
            if not self._pin_required:
                return None
            log.error("an agent has no PIN; set one: controller agent pin NAME", agent=name)
            return SignIn.NOT_POSSIBLE
        if kept.guesses.is_locked(self._clock.now()):
            return SignIn.LOCKED
        return SignIn.PIN_WANTED if pin is None else await self._judge(kept, kept.pin_hash, pin)

    async def _judge(self, kept: KeptAgent, pin_hash: str, pin: str) -> SignIn | None:
        try:
            is_right = await self._is_right(pin, pin_hash)
        except DamagedPinHashError as error:
            log.error("set a PIN anew: controller agent pin NAME", agent=kept.name, reason=str(error))  # noqa: TRY400
            return SignIn.NOT_POSSIBLE
        # Written before it is said: who hangs up, or crashes us, has used up the guess all the same.
        now = self._clock.now()
        guesses = Guesses() if is_right else kept.guesses.after_wrong(now)
        if guesses != kept.guesses:
            await self._book.keep_guesses(kept.name, guesses)
        if is_right:
            return None
        locked = guesses.is_locked(now)
        log.warning("a wrong PIN", agent=kept.name, in_a_row=guesses.wrong, locked=locked)
        return SignIn.LOCKED if locked else SignIn.PIN_WRONG

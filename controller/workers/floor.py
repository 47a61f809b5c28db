"""The floor of one office: what is in memory of its line, agents and trunks, and what can be done there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from controller.domain.agents import PAUSE_REASONS, AgentEvent, AgentState
from controller.domain.lifecycle import RefusedTransitionError
from controller.domain.supervising import Assigned, Moved, Prioritised
from controller.journeys.preview import Choice
from controller.ports.calls import NotListening, PbxUnavailableError
from controller.ports.floor import Refused
from controller.ports.promises import NotMovedError, NotMovedReason, StoreUnavailableError
from controller.workers.floor_view import FloorView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.lifecycle import Event
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Oversight
    from controller.ports.floor import FloorNow, TrunkEntry
    from controller.ports.floor_book import FloorLook
    from controller.ports.recordings import RecordingShelf
    from controller.workers.agent_desk import AgentDesk
    from controller.workers.duty_desk import DutyDesk
    from controller.workers.line_keeper import LineKeeper

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FloorRules:
    """What the settings say of it."""

    staff: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Every agent, at whichever Asterisk, with the queues that they serve."""
    caller_id: str = ""
    """What the phone of who listens shows."""
    allow_listening: bool = False
    signs_in_by_hand: bool = False
    """Agents sign in with a PIN: who has, and whose phone is away, is missed."""


class OfficeFloor:
    """One office's part of the floor. Commands return None when it is done, or why it is not; none of them raises."""

    def __init__(
        self,
        house: House,
        keeper: LineKeeper,
        desk: AgentDesk,
        duty: DutyDesk,
        oversight: Oversight,
        *,
        rules: FloorRules,
        trunks: Callable[[], Sequence[TrunkEntry]],
        shelf: RecordingShelf | None = None,
    ) -> None:
        """Take what it works with; `trunks` tells how each is now, without `shelf` nothing is recorded."""
        self._house = house
        self._keeper = keeper
        self._desk = desk
        self._duty = duty
        self._oversight = oversight
        self._shelf = shelf
        self._rules = rules
        self._view = FloorView(house, keeper, desk, trunks, misses_phones=rules.signs_in_by_hand)
        self.listeners: list[Callable[[], None]] = []
        """Called, on the loop, whenever `now` may have changed."""
        keeper.watchers.append(self.tell)
        house.recorded.on_changed = self.tell

    @property
    def pbx(self) -> str:
        """The Asterisk of this office."""
        return self._house.pbx

    def tell(self) -> None:
        """Take note that something has changed."""
        for listener in tuple(self.listeners):
            try:
                listener()
            except Exception:
                log.exception("a floor's listener failed")

    def now(self, look: FloorLook) -> FloorNow:
        """Return this part of the floor as it is; `look` has what only the database can tell."""
        return self._view.now(look)

    # -- agents

    def has_agent(self, name: str) -> bool:
        """Tell whether an agent's phone is at this Asterisk."""
        return any(agent.name == name for agent in self._desk.agents)

    async def set_duty(self, agent: str, event: AgentEvent, reason: str | None = None) -> Refused | None:
        """Sign an agent in or out, pause them or end that, end their wrap-up."""
        if event is AgentEvent.PAUSE and reason not in PAUSE_REASONS.values():
            return Refused.UNKNOWN
        if event is AgentEvent.END_WRAP_UP and self._desk.state_of(agent) is not AgentState.WRAP_UP:
            return Refused.NOT_NOW
        return await self._duty.do(agent, event, reason)

    def extend_wrap_up(self, agent: str, by_s: float) -> Refused | None:
        """Let an agent's wrap-up last longer."""
        if by_s <= 0 or not self._desk.extend_wrap_up(agent, by_s):
            return Refused.NOT_NOW
        self.tell()
        return None

    async def hang_up(self, agent: str) -> Refused | None:
        """End the talk that an agent is in, by their leg; the journey sees the rest."""
        if self._desk.state_of(agent) is not AgentState.ON_CALL:
            return Refused.NOT_NOW
        return None if await self._oversight.hang_up_on(self._desk.agent(agent).endpoint) else Refused.NOT_NOW

    def preview(self, agent: str, choice: str) -> Refused | None:
        """Choose for an agent who is shown a promise."""
        if choice.upper() not in Choice.__members__:
            return Refused.UNKNOWN
        return None if self._house.choices.choose(agent, Choice[choice.upper()].value) else Refused.NOT_NOW

    async def set_recording(self, agent: str, *, paused: bool) -> Refused | None:
        """Pause the recording of the talk that an agent is in, or go on with it: at the PBX, then in the database.

        A database that is away keeps nobody from it; how the PBX has it counts.
        """
        noted, book = self._house.recorded.of(agent), self._house.recordings
        if noted is None or self._shelf is None or book is None:
            return Refused.NOT_NOW
        recording_id, _ = noted
        try:
            if not await (self._shelf.pause if paused else self._shelf.resume)(recording_id):
                return Refused.NOT_NOW
        except PbxUnavailableError:
            return Refused.UNAVAILABLE
        self._house.recorded.set_paused(recording_id, paused=paused)
        log.info("a recording is paused" if paused else "a recording goes on", agent=agent, recording_id=recording_id)
        try:
            await book.note_pause(recording_id, self._house.clock.now() if paused else None)
        except StoreUnavailableError as error:
            log.warning("a pause of a recording is not written down", recording_id=recording_id, reason=str(error))
        return None

    async def listen(self, agent: str, endpoint: str) -> Refused | None:
        """Let a phone hear the talk that an agent is in."""
        if not self._rules.allow_listening or self._desk.state_of(agent) is not AgentState.ON_CALL:
            return Refused.NOT_NOW
        talking = self._desk.agent(agent).endpoint
        try:
            refused = await self._oversight.listen(talking, endpoint, caller_id=self._rules.caller_id)
        except PbxUnavailableError:
            return Refused.UNAVAILABLE
        if refused is NotListening.NO_PHONE:
            return Refused.UNKNOWN
        return None if refused is None else Refused.NOT_NOW

    # -- the line

    def has_caller(self, waiter_id: str) -> bool:
        """Tell whether somebody is on the phone here under this id, waiting or served."""
        return waiter_id in self._keeper.places

    def has_in_hand(self, promise_id: str) -> bool:
        """Tell whether a promise is being kept here."""
        return promise_id in self._keeper.promises.in_hand

    async def prioritise(self, waiter_id: str, *, urgent: bool) -> Refused | None:
        """Put a caller or a promise ahead of those who are not urgent, or back."""
        place = self._keeper.places.get(waiter_id)
        if place is not None:
            return None if place.prioritise(urgent=urgent) else Refused.NOT_NOW
        return await self._advance(waiter_id, Prioritised(urgent))

    async def assign(self, waiter_id: str, agent: str) -> Refused | None:
        """Let a caller or a promise wait for one agent alone; "" for everybody again."""
        place = self._keeper.places.get(waiter_id)
        promise = self._keeper.promises.find(waiter_id)
        queue = place.waiter.queue if place is not None else promise.queue if promise is not None else None
        if agent and agent not in self._rules.staff:
            return Refused.UNKNOWN
        if agent and queue is not None and queue not in self._rules.staff[agent]:
            return Refused.NOT_NOW
        if place is None:
            return await self._advance(waiter_id, Assigned(agent))
        # A phone at another Asterisk cannot be joined with a call at this one.
        is_here = not agent or self.has_agent(agent)
        return None if is_here and place.assign(agent) else Refused.NOT_NOW

    async def move(self, waiter_id: str, queue: str) -> Refused | None:
        """Let a caller or a promise wait for another queue, with the same arrival."""
        target = self._house.queues.get(queue)
        if target is None:
            return Refused.UNKNOWN
        place = self._keeper.places.get(waiter_id)
        if place is not None:
            return (
                None if self._takes(target) and queue != place.waiter.queue and place.move(queue) else Refused.NOT_NOW
            )
        promise = self._keeper.promises.find(waiter_id)
        if promise is not None and promise.queue == queue:
            return Refused.NOT_NOW
        capacity = target.slots.capacity if target.slots is not None else 0
        return await self._advance(waiter_id, Moved(queue, capacity))

    async def announce(self, queue: str, prompt: str) -> Refused | None:
        """Let everybody who holds for a queue here hear a prompt."""
        try:
            if not await self._oversight.has_prompt(prompt, self._house.languages):
                return Refused.UNKNOWN
        except PbxUnavailableError:
            return Refused.UNAVAILABLE
        places = [place for place in self._keeper.places.values() if place.waiter.queue == queue]
        told = sum(place.say(prompt) for place in places)
        log.info("announced", queue=queue, prompt=prompt, callers=told)
        return None

    def _takes(self, queue: Queue) -> bool:
        """Tell whether a caller who is sent to a queue can hold there, and is not turned out at once."""
        is_staffed = queue.limits.on_no_agents is None or self._keeper.agents_on_duty(queue.name) > 0
        return is_staffed and self._house.is_open(queue, self._house.clock.now())

    async def _advance(self, promise_id: str, event: Event) -> Refused | None:
        """Write what a supervisor wants of a promise; every office hears of it as of any other change."""
        if self.has_in_hand(promise_id):
            return Refused.NOT_NOW
        try:
            await self._house.promises.advance(promise_id, event)
        except LookupError:
            return Refused.UNKNOWN
        except RefusedTransitionError:
            return Refused.NOT_NOW
        except NotMovedError as error:
            return Refused.NUMBER_HELD if error.reason is NotMovedReason.NUMBER_HELD else Refused.NOT_NOW
        except StoreUnavailableError:
            return Refused.UNAVAILABLE
        return None

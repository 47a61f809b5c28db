"""One floor over all offices of a process: what is seen is put together, what is wanted goes to whose it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from controller.domain.agents import AgentEvent
from controller.ports.floor import EntryState, FloorNow, QueueEntry, Refused
from controller.ports.promises import StoreUnavailableError
from controller.workers.floor_problems import Problems
from controller.workers.floor_view import DUE, LATER, LIVE, counted, with_door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.ports.floor import LineEntry, PbxEntry
    from controller.ports.floor_book import FloorLook
    from controller.workers.floor import OfficeFloor
    from controller.workers.floor_closures import ClosureDesk
    from controller.workers.floor_looks import FloorLooks

log = structlog.get_logger(__name__)


class Floors:
    """`Floor` for the whole process. Offices come and go; without one there is nothing in line here."""

    def __init__(
        self,
        queues: Mapping[str, Queue],
        pbx_of: Mapping[str, str],
        pbxs: Callable[[], Sequence[PbxEntry]],
        looks: FloorLooks,
        closures: ClosureDesk,
        clock: Clock,
    ) -> None:
        """Take what it works with. `pbx_of` gives each agent's Asterisk, `pbxs` how each Asterisk is with us now."""
        self._queues = queues
        self._pbx_of = pbx_of
        self._pbxs = pbxs
        self._looks = looks
        self._closures = closures
        self._clock = clock
        self._problems = Problems()
        self._offices: list[OfficeFloor] = []
        self._listeners: list[Callable[[], None]] = []
        self._has_news = True
        looks.on_changed = self._tell
        closures.on_changed = self._tell

    def opened(self, office: OfficeFloor) -> None:
        """Take note of an office that has begun to work."""
        self._offices.append(office)
        office.listeners.append(self.hear)
        self.hear()

    def closed(self, office: OfficeFloor) -> None:
        """Take note of one that has left."""
        self._offices.remove(office)
        office.listeners.remove(self.hear)
        self.hear()

    # -- what is seen

    def now(self) -> FloorNow:
        """Return the floor as it is."""
        look = self._latest()
        parts = [office.now(look) for office in self._offices]
        floor = FloorNow(self._clock.now(), queues=tuple(self._doors()))
        if len(parts) == 1:
            floor = parts[0]
        elif parts:
            line = tuple(_together(parts))
            floor = FloorNow(
                at=floor.at,
                line=line,
                agents=tuple(agent for part in parts for agent in part.agents),
                queues=tuple(_summed(parts, line)),
                trunks=tuple(trunk for part in parts for trunk in part.trunks),
                problems=tuple(problem for part in parts for problem in part.problems),
            )
        floor = replace(floor, pbxs=tuple(self._pbxs()))
        return replace(floor, problems=self._problems.found(floor, look))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, which has to be quick, whenever `now` may have changed; return how to end that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _doors(self) -> Iterable[QueueEntry]:
        now = self._clock.now()
        for name, queue in self._queues.items():
            yield with_door(QueueEntry(name, is_open=False), queue, self._closures.seen, now)

    def _latest(self) -> FloorLook:
        """Return what the database told last; it is asked again, behind this, when something has happened since."""
        if self._has_news:
            self._has_news = False
            self._looks.want()
        return self._looks.latest

    def hear(self) -> None:
        """Take note that something has changed: here, or in the database by another process."""
        self._has_news = True
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a floor's listener failed")

    # -- agents

    async def sign_in(self, agent: str) -> Refused | None:
        """Sign an agent in who has proved who they are otherwise."""
        return await self._set_duty(agent, AgentEvent.SIGN_IN)

    async def sign_out(self, agent: str) -> Refused | None:
        """Sign an agent out, after the call that they may be on."""
        return await self._set_duty(agent, AgentEvent.SIGN_OUT)

    async def pause(self, agent: str, reason: str) -> Refused | None:
        """Pause an agent for a reason of `PAUSE_REASONS`, after the call that they may be on."""
        return await self._set_duty(agent, AgentEvent.PAUSE, reason)

    async def unpause(self, agent: str) -> Refused | None:
        """End an agent's pause."""
        return await self._set_duty(agent, AgentEvent.UNPAUSE)

    async def end_wrap_up(self, agent: str) -> Refused | None:
        """End an agent's wrap-up before its time."""
        return await self._set_duty(agent, AgentEvent.END_WRAP_UP)

    async def extend_wrap_up(self, agent: str, by_s: float) -> Refused | None:
        """Let an agent's wrap-up last longer, by so many seconds."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else office.extend_wrap_up(agent, by_s)

    async def hang_up(self, agent: str) -> Refused | None:
        """End the talk that an agent is in; the wrap-up follows."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else await office.hang_up(agent)

    async def preview(self, agent: str, choice: str) -> Refused | None:
        """Choose as by key for an agent who is shown a promise: `dial`, `to_colleague` or `put_off`."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else office.preview(agent, choice)

    async def pause_recording(self, agent: str) -> Refused | None:
        """Keep nothing of what is said from now on in the talk that an agent is in."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else await office.set_recording(agent, paused=True)

    async def resume_recording(self, agent: str) -> Refused | None:
        """Go on recording the talk that an agent is in."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else await office.set_recording(agent, paused=False)

    async def listen(self, agent: str, endpoint: str) -> Refused | None:
        """Let a phone hear the talk that an agent is in; neither party hears it."""
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else await office.listen(agent, endpoint)

    async def _set_duty(self, agent: str, event: AgentEvent, reason: str | None = None) -> Refused | None:
        office = self._office_of(agent)
        return office if isinstance(office, Refused) else await office.set_duty(agent, event, reason)

    def _office_of(self, agent: str) -> OfficeFloor | Refused:
        if agent not in self._pbx_of:
            return Refused.UNKNOWN
        office = next((each for each in self._offices if each.pbx == self._pbx_of[agent]), None)
        return office or Refused.ELSEWHERE

    # -- the line

    async def prioritise(self, waiter_id: str, *, urgent: bool) -> Refused | None:
        """Put a caller or a promise ahead of those who are not urgent, or back."""
        office = self._office_with(waiter_id)
        if office is None:
            return Refused.ELSEWHERE
        return self._or_elsewhere(await office.prioritise(waiter_id, urgent=urgent))

    async def assign(self, waiter_id: str, agent: str) -> Refused | None:
        """Let a caller or a promise wait for one agent alone; "" for everybody again."""
        if agent and agent not in self._pbx_of:
            return Refused.UNKNOWN
        office = self._office_with(waiter_id)
        if office is None:
            return Refused.ELSEWHERE
        return self._or_elsewhere(await office.assign(waiter_id, agent))

    async def move(self, waiter_id: str, queue: str) -> Refused | None:
        """Let a caller or a promise wait for another queue, with the same arrival."""
        if queue not in self._queues:
            return Refused.UNKNOWN
        office = self._office_with(waiter_id)
        if office is None:
            return Refused.ELSEWHERE
        return self._or_elsewhere(await office.move(waiter_id, queue))

    def _office_with(self, waiter_id: str) -> OfficeFloor | None:
        """Return the office where somebody is on the phone, else the one that keeps a promise, else any."""
        with_caller = [each for each in self._offices if each.has_caller(waiter_id)]
        with_promise = [each for each in self._offices if each.has_in_hand(waiter_id)]
        return next(iter((*with_caller, *with_promise, *self._offices)), None)

    def _or_elsewhere(self, refused: Refused | None) -> Refused | None:
        """Return why not; nobody whom we do not know may be a caller at another controller's Asterisk."""
        ours = {office.pbx for office in self._offices}
        is_all_ours = all(pbx.name in ours for pbx in self._pbxs())
        return Refused.ELSEWHERE if refused is Refused.UNKNOWN and not is_all_ours else refused

    # -- queues

    async def close_queue(self, queue: str, *, by: str, until: datetime | None) -> Refused | None:
        """Close a queue now, whatever its hours say; callers who hold are served. None: until it is opened again."""
        if queue not in self._queues:
            return Refused.UNKNOWN
        if until is not None and until <= self._clock.now():
            return Refused.NOT_NOW
        try:
            await self._closures.close(queue, by=by, until=until)
        except StoreUnavailableError:
            return Refused.UNAVAILABLE
        return None

    async def open_queue(self, queue: str) -> Refused | None:
        """End what `close_queue` did: its hours count again."""
        if queue not in self._queues:
            return Refused.UNKNOWN
        try:
            return None if await self._closures.open(queue) else Refused.NOT_NOW
        except StoreUnavailableError:
            return Refused.UNAVAILABLE

    async def announce(self, queue: str, prompt: str) -> Refused | None:
        """Let everybody who holds for a queue, at the Asterisks that are ours, hear a prompt."""
        if queue not in self._queues:
            return Refused.UNKNOWN
        if not self._offices:
            return Refused.ELSEWHERE
        answers = [await office.announce(queue, prompt) for office in tuple(self._offices)]
        return next((answer for answer in answers if answer is not None), None)


def _together(parts: Sequence[FloorNow]) -> Iterable[LineEntry]:
    """Yield those who wait anywhere, each once, first to be served first; then who is being served.

    A promise waits in every office, and is kept in one of them: that one knows what happens to it.
    """
    found: dict[str, tuple[int, LineEntry]] = {}
    for nth, entry in (each for part in parts for each in enumerate(part.line)):
        known = found.get(entry.id)
        if known is None or _knows_more(entry, known[1]):
            found[entry.id] = nth, entry

    def rank(each: tuple[int, LineEntry]) -> tuple[bool, bool, int, datetime]:
        nth, entry = each
        return entry.state is not EntryState.WAITING, entry.place is None, nth, entry.since

    return [entry for _, entry in sorted(found.values(), key=rank)]


def _knows_more(entry: LineEntry, known: LineEntry) -> bool:
    """Tell whether an office knows more of somebody than another: that they are served, or that they are due."""
    if known.state is not EntryState.WAITING:
        return False
    return entry.state is not EntryState.WAITING or (known.place is None and entry.place is not None)


def _summed(parts: Sequence[FloorNow], line: Iterable[LineEntry]) -> Iterable[QueueEntry]:
    """Yield the queues over all offices. What who joins now would be told is that of the office with the shortest."""
    counts = counted(line)
    for entries in zip(*(part.queues for part in parts), strict=True):
        name = entries[0].name
        told = [each for each in entries if each.expected_high_s is not None]
        best = min(told, key=lambda each: each.expected_high_s or 0.0, default=entries[0])
        since = [each.longest_wait_since for each in entries if each.longest_wait_since is not None]
        yield replace(
            best,
            live=counts[name, LIVE],
            promises_due=counts[name, DUE],
            promises_later=counts[name, LATER],
            agents_on_duty=sum(each.agents_on_duty for each in entries),
            agents_free=sum(each.agents_free for each in entries),
            longest_wait_since=min(since, default=None),
        )

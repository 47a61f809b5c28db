"""The trunks: which way a call leaves, at which pace, and which way has to rest.

The first in the order of the settings that is healthy, has a free circuit and does not rest. One that fails rests,
longer each time, and is then tried by one call alone. A call that failed is not sent again by another way: that is a
new attempt, with an id of its own.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.domain.pacing import RAMP_S, Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from controller.domain.phone_number import DialableNumber
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

FIRST_REST_S = 5.0
DETOUR_REST_S = 30.0
"""The first rest where there is another way: longer than it takes until an agent has been rung for the next try."""
LONGEST_REST_S = 300.0
ONLY_WAY_PATIENCE = 3
"""So many calls in a row must have failed before the only trunk rests: one 503 may be the number's, not the trunk's."""
_AFTERWARDS_S = 0.01
"""A timer may fire a little early: who is told too soon finds no room, and is not told again."""
DEFAULT_CIRCUITS = 10
DEFAULT_CALLS_PER_S = 5.0


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out. `national` numbers are dialled as at home (090...), else as E.164 (+8190...)."""

    endpoint: str
    """The PJSIP endpoint."""
    caller_id: str
    """What customers see, unless their queue has a number of its own."""
    national: bool = True
    max_concurrent_calls: int = DEFAULT_CIRCUITS
    calls_per_s: float = DEFAULT_CALLS_PER_S
    name: str = ""
    """What the settings call it; "": as its endpoint."""

    def dial_string(self, number: DialableNumber) -> str:
        """Return the PJSIP dial string. Only digits and `+` ever get into it."""
        return self.dial_string_as_written(number.national if self.national else number.e164)

    def dial_string_as_written(self, number: str) -> str:
        """Return the PJSIP dial string for a number that is dialled as it stands, such as 0120123456 or 9110."""
        return f"PJSIP/{names.digits_only(number)}@{self.endpoint}"


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """A trunk at one moment."""

    name: str
    endpoint: str
    healthy: bool
    """As far as the PBX knows; True where it cannot know."""
    calls: int
    """Calls of ours on it, those included that wait for its pace."""
    max_concurrent_calls: int
    calls_per_s: float
    """The rate of now: less than the settings say after an outage."""
    failures: int
    """How often in a row it has failed."""
    rests_s: float
    """How long it rests yet; 0 when it does not."""


class _Way:
    """One trunk with what is known of it. Instants are seconds of the loop's clock."""

    def __init__(self, trunk: Trunk, ramp_s: float) -> None:
        self.trunk = trunk
        self.pace = Pace(trunk.calls_per_s, ramp_s=ramp_s)
        self.turns = asyncio.Lock()
        """Held by the call that waits for the pace and by its last look: the others stand behind it."""
        self.calls: set[str] = set()
        self.healthy = True
        self.is_hint_heeded = True
        self.doubts = 0
        """Calls in a row that failed before it was let rest."""
        self.failures = 0
        self.rests_until_s = 0.0
        self.trial: str | None = None
        """After a rest: the one call that finds out whether it works again, or tried to."""
        self.in_trial = False

    def works(self, now_s: float) -> bool:
        return (self.healthy or not self.is_hint_heeded) and now_s >= self.rests_until_s

    def takes_a_call(self, now_s: float) -> bool:
        has_circuit = len(self.calls) < self.trunk.max_concurrent_calls
        return self.works(now_s) and has_circuit and not self.in_trial

    def circuits(self, now_s: float) -> int:
        if not self.works(now_s):
            return 0
        return self.trunk.max_concurrent_calls if self.failures == 0 else 1


class Trunks:
    """All trunks, in order. Circuits are counted by calls: one from when it was given its way until it is over."""

    def __init__(self, trunks: Iterable[Trunk], clock: Clock, *, ramp_s: float = RAMP_S) -> None:
        """Begin with every trunk healthy; `clock` waits for the pace. Raises ValueError for none at all, or twins."""
        listed = tuple(trunks)
        self._ways = {trunk.endpoint: _Way(trunk, ramp_s) for trunk in listed}
        if not listed or len(self._ways) < len(listed):
            raise ValueError("there must be a trunk, and each must have an endpoint of its own")
        self._clock = clock
        self._taken: dict[str, _Way] = {}
        self.on_room: Callable[[], None] = lambda: None
        """Told when a call may find a way that had none before: a circuit, the pace, a rest that is over, health."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The PJSIP endpoints, in order."""
        return tuple(self._ways)

    @property
    def first(self) -> Trunk:
        """The one that is preferred."""
        return next(iter(self._ways.values())).trunk

    @property
    def has_room(self) -> bool:
        """Whether a call that is placed now would leave at once."""
        now_s = _now_s()
        return any(
            way.takes_a_call(now_s) and not way.turns.locked() and way.pace.wait_s(now_s) == 0
            for way in self._ways.values()
        )

    @property
    def circuits(self) -> int:
        """How many calls there can be at the same time, as things stand: on one that is tried again, one."""
        now_s = _now_s()
        return sum(way.circuits(now_s) for way in self._ways.values())

    @property
    def other_way(self) -> bool:
        """Whether one trunk is out of use and another takes a call: a failed call may be tried again at once."""
        now_s = _now_s()
        ways = self._ways.values()
        return any(not way.works(now_s) for way in ways) and any(way.takes_a_call(now_s) for way in ways)

    def status(self) -> list[TrunkStatus]:
        """Return every trunk as it is now, in order."""
        now_s = _now_s()
        return [
            TrunkStatus(
                name=way.trunk.name or way.trunk.endpoint,
                endpoint=way.trunk.endpoint,
                healthy=way.healthy,
                calls=len(way.calls),
                max_concurrent_calls=way.trunk.max_concurrent_calls,
                calls_per_s=way.pace.rate(now_s),
                failures=way.failures,
                rests_s=max(0.0, way.rests_until_s - now_s),
            )
            for way in self._ways.values()
        ]

    @asynccontextmanager
    async def turn(self, call_id: str) -> AsyncIterator[Trunk | None]:
        """Give a call its way and a circuit, and hold its turn once the pace lets a call leave; None: there is no way.

        In the context: say `leaves` right before the call is placed, or `vacate` when it is not. Cancelled while it
        waits, or left by an exception, the call has no circuit any more.
        """
        try:
            while (way := self._take(call_id)) is not None:
                async with way.turns:
                    while (wait_s := way.pace.wait_s(_now_s())) > 0:
                        await self._clock.sleep(wait_s)
                    if way.works(_now_s()):
                        yield way.trunk
                        return
                # It failed while this call waited for its pace: perhaps there is another.
                self.vacate(call_id)
            yield None
        except BaseException:
            self.vacate(call_id)
            raise

    def leaves(self, call_id: str) -> None:
        """Take note that the call is placed now: the next one waits for the pace."""
        if (way := self._taken.get(call_id)) is not None:
            way.pace.left(_now_s())
            self._tell_in(way.pace.wait_s(_now_s()))

    def occupy(self, call_id: str, endpoint: str | None) -> None:
        """Count a call that was found on the PBX; one that is on none of the trunks counts nowhere."""
        if endpoint in self._ways and call_id not in self._taken:
            way = self._taken[call_id] = self._ways[endpoint]
            way.calls.add(call_id)

    def vacate(self, call_id: str) -> None:
        """Free the circuit of a call that is over, or never was. Repeatable."""
        way = self._taken.pop(call_id, None)
        if way is None:
            return
        way.calls.discard(call_id)
        if way.trial == call_id:
            way.in_trial = False
        self.on_room()

    def worked(self, endpoint: str, call_id: str) -> None:
        """Take note that the network took a call on a trunk, whatever becomes of it; also after it was vacated."""
        way = self._ways.get(endpoint)
        if way is not None and way.failures == 0:
            way.doubts = 0
        if way is None or way.failures == 0 or way.trial != call_id:
            return  # A call from before the rest says nothing about now.
        way.failures, way.doubts, way.trial, way.in_trial = 0, 0, None, False
        log.info("trunk works again", trunk=way.trunk.endpoint)
        self.on_room()

    def failed(self, endpoint: str, call_id: str, why: str) -> None:
        """Let the trunk of a call rest: it is full, out of order, or refuses us. `why` is for the log."""
        way = self._ways.get(endpoint)
        now_s = _now_s()
        if way is None or now_s < way.rests_until_s:
            return  # Calls that left before the first failure was known do not make its rest longer.
        if way.failures and way.trial != call_id:
            return
        way.doubts += 1
        if way.failures == 0 and len(self._ways) == 1 and way.doubts < ONLY_WAY_PATIENCE:
            return  # It may have been the number: of the only way out that is not believed at once.
        first_s = FIRST_REST_S if len(self._ways) == 1 else DETOUR_REST_S
        rest_s = min(first_s * 2 ** min(way.failures, 16), LONGEST_REST_S)
        way.failures += 1
        way.trial, way.in_trial = None, False
        way.rests_until_s = now_s + rest_s
        log.warning("trunk rests", trunk=way.trunk.endpoint, why=why, failures=way.failures, rest_s=rest_s)
        self._tell_in(rest_s)
        self.on_room()

    def health(self, endpoint: str, *, healthy: bool) -> None:
        """Take note of what the PBX says of a trunk: a hint, which chooses the way and never an outcome."""
        way = self._ways.get(endpoint)
        if way is None or way.healthy == healthy:
            return
        way.healthy = healthy
        # Where every trunk is said to be down, as all are until Asterisk has asked them once, a call finds out.
        is_one_up = any(each.healthy for each in self._ways.values())
        for each in self._ways.values():
            each.is_hint_heeded = is_one_up
        if healthy:
            log.info("trunk is reachable", trunk=endpoint)
        else:
            log.warning("trunk is not reachable", trunk=endpoint)
        self.on_room()

    def outage_over(self) -> None:
        """Begin anew at a slow pace: the connection is back, and everybody who waited is due at once."""
        for way in self._ways.values():
            way.pace.outage_over(_now_s())

    def _take(self, call_id: str) -> _Way | None:
        """Give a call the first way that takes it, with a circuit; None when there is none."""
        now_s = _now_s()
        way = next((way for way in self._ways.values() if way.takes_a_call(now_s)), None)
        if way is not None:
            way.calls.add(call_id)
            self._taken[call_id] = way
            if way.failures:
                way.trial, way.in_trial = call_id, True
        return way

    def _tell_in(self, delay_s: float) -> None:
        def tell() -> None:
            self.on_room()  # Whoever listens by then.

        asyncio.get_running_loop().call_later(delay_s + _AFTERWARDS_S, tell)


def _now_s() -> float:
    return asyncio.get_running_loop().time()

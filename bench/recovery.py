"""How long a controller that was killed with -9 needs until all live calls are in its hand again.

Half of the callers talk with agents, the rest wait in line with music, when the controller is killed. While it is away,
FREED agents hang up. Then it is started again, and counted from its exec:

    start-up        until its first line: Python, the imports, the settings, the database
    connect         from there until ARI is connected
    survey          from there until the first call is taken up: channels and bridges are read
    taking up       from there until `in control`

The phones, which know nothing of all that, see when the agents who became free are rung for those who wait. Then one
agent at a time hangs up, the next one when the last talks again: so all who wait get an agent, nobody was cut
off, and whether each got theirs in turn can be told. It could not be if all hung up at once.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.load import running_load
from bench.load_site import OURS, running_site, stamp_of
from bench.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.load import LoadProcess
    from bench.load_phones import CallMade
    from bench.load_site import LoadSite
    from bench.results import Options

NAME: Final = "recovery"
SIZES: Final = (100, 500)
QUICK_SIZES: Final = (20,)
ROUNDS: Final = 3
GOAL_S: Final = 2.0
ARRIVALS_PER_S: Final = 15.0
FREED: Final = 5
AWAY_S: Final = 1.0
GREETING_S: Final = 1.5
PATIENCE_S: Final = 120.0
NEXT_S: Final = 10.0
"""So long a free agent waits for the next caller before it is taken that there is none."""
LEAVING: Final = 5
LEAVE_EVERY_S: Final = 0.1
"""Once nobody waits any more, so many agents hang up every so often."""
_TAKEN_UP: Final = "a caller is taken up"


class NotRecoveredError(Exception):
    """Something that has to come did not; the message says what."""


@dataclass(frozen=True, slots=True)
class Return:
    """One return of the controller, in seconds."""

    startup_s: float
    connect_s: float
    survey_s: float
    taking_up_s: float
    first_rung_s: float
    """From exec until the first agent is rung, and until the last of FREED is, as their phones saw it."""
    last_rung_s: float
    taken_up: int
    lost: int
    """Callers who were cut off, or never got an agent."""
    overtaken: int
    """Of those who waited: who got an agent after somebody who had come later. Among the first FREED, who are rung for
    at the same time, there is no order."""

    @property
    def in_control_s(self) -> float:
        """From exec until it said that it is in control."""
        return self.startup_s + self.connect_s + self.survey_s + self.taking_up_s

    def __str__(self) -> str:
        """For whoever watches."""
        return (
            f"in control after {self.in_control_s:.2f} s (start-up {self.startup_s:.2f}, connect {self.connect_s:.2f}, "
            f"survey {self.survey_s:.2f}, taking up {self.taking_up_s:.2f}); {self.taken_up} calls taken up; first "
            f"agent rung after {self.first_rung_s:.2f} s, {FREED} after {self.last_rung_s:.2f} s; {self.lost} lost, "
            f"{self.overtaken} overtaken"
        )


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Measure each size ROUNDS times and take the medians; about 10 minutes, quick: one. Needs root."""
    rows: list[Row] = []
    for size in QUICK_SIZES if options.quick else SIZES:
        returns = [await one_return(size, tell) for _ in range(1 if options.quick else ROUNDS)]
        rows += rows_of(size, returns)
    return rows


def rows_of(size: int, returns: Sequence[Return]) -> list[Row]:
    """Return the table's rows for one size."""
    live = f"{size} live calls"

    def middle(value: Callable[[Return], float]) -> float:
        return median(value(one) for one in returns)

    return [
        Row(NAME, f"exec to in control, {live}", "s", middle(lambda one: one.in_control_s), goal=GOAL_S),
        Row(NAME, "... start-up of Python, settings, database", "s", middle(lambda one: one.startup_s)),
        Row(NAME, "... connecting", "s", middle(lambda one: one.connect_s)),
        Row(NAME, "... survey", "s", middle(lambda one: one.survey_s)),
        Row(NAME, "... taking up", "s", middle(lambda one: one.taking_up_s)),
        Row(NAME, f"exec to the first agent rung, {live}", "s", middle(lambda one: one.first_rung_s), goal=GOAL_S),
        Row(NAME, f"exec to {FREED} agents rung, {live}", "s", middle(lambda one: one.last_rung_s), goal=GOAL_S),
        Row(NAME, f"callers lost, {live}", "", sum(one.lost for one in returns), goal=0.0),
        Row(NAME, f"callers overtaken, {live}", "", sum(one.overtaken for one in returns), goal=0.0),
    ]


async def one_return(size: int, tell: Callable[[str], None]) -> Return:
    """Fill a PBX with calls, kill the controller, start it again. Raises NotRecoveredError."""
    with tempfile.TemporaryDirectory(prefix="orikaeshi-recovery-") as home:
        async with (
            running_site(Path(home), agents=size // 2) as site,
            running_load(site.site.host, site.site.ports.sip) as load,
        ):
            await load.register(site.site.agents)
            await site.controller.start()
            await _fill(load, size)
            tell(f"{size} calls are live")
            await site.controller.kill9()
            freed = await load.hang_up(FREED)
            await asyncio.sleep(AWAY_S)
            lines = await site.controller.start()
            rung_s = await _rung_since(load, freed[-1][0], FREED)
            await _serve_the_rest(load, size - size // 2 - FREED, talking=size // 2)
            await _let_all_go(load, size)
            found = _returned(site, lines, rung_s, await load.calls())
            tell(str(found))
            return found


async def _fill(load: LoadProcess, size: int) -> None:
    await load.talk_for(None)
    await load.call(OURS, count=size, per_s=ARRIVALS_PER_S)
    await _until(load, "half of the callers to talk", lambda state: state["talking"] >= size // 2)
    await _until(load, "all callers to be answered", lambda state: state["answered"] >= size)
    await asyncio.sleep(GREETING_S)


async def _rung_since(load: LoadProcess, since_s: float, count: int) -> list[float]:
    """Return when the first `count` agents were rung since then (`time.monotonic()`)."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        rung = [at_s for at_s, _agent in await load.rung() if at_s > since_s]
        if len(rung) >= count:
            return rung[:count]
        await asyncio.sleep(0.05)
    raise NotRecoveredError(f"{count} agents are free, and nobody rang them within {PATIENCE_S:.0f} s")


async def _serve_the_rest(load: LoadProcess, waiting: int, *, talking: int) -> None:
    """Free one agent after another, until nobody waits or nobody is rung any more: who waits then is lost."""
    await _until(load, "the agents who were freed to talk again", lambda state: state["talking"] >= talking)
    for _ in range(waiting):
        await load.hang_up(1)
        deadline_s = time.monotonic() + NEXT_S
        while (await load.state())["talking"] < talking:
            if time.monotonic() > deadline_s:
                return
            await asyncio.sleep(0.01)


async def _let_all_go(load: LoadProcess, size: int) -> None:
    """Have every agent hang up, a few at a time, until nobody is there any more, or for as long as is waited."""
    deadline_s = time.monotonic() + PATIENCE_S
    while (await load.state())["ended"] < size and time.monotonic() < deadline_s:
        await load.hang_up(LEAVING)
        await asyncio.sleep(LEAVE_EVERY_S)


async def _until(load: LoadProcess, what: str, holds: Callable[[dict[str, int]], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds(state := await load.state()):
        if time.monotonic() > deadline_s:
            raise NotRecoveredError(f"waited {PATIENCE_S:.0f} s for {what}: {state}")
        await asyncio.sleep(0.1)


def _returned(
    site: LoadSite, lines: list[dict[str, Any]], rung_s: Sequence[float], calls: Sequence[CallMade]
) -> Return:
    began_s, exec_s = site.controller.started_at_s, site.controller.started_s

    def at_s(event: str) -> float:
        return next((stamp_of(line) for line in lines if line["event"] == event), stamp_of(lines[-1])) - began_s

    startup_s, connected_s, taking_s = stamp_of(lines[0]) - began_s, at_s("ari_connected"), at_s(_TAKEN_UP)
    waited = [call for call in calls if call.agent_rung_s >= rung_s[0]]
    together_s = rung_s[-1]
    return Return(
        startup_s=startup_s,
        connect_s=connected_s - startup_s,
        survey_s=taking_s - connected_s,
        taking_up_s=stamp_of(lines[-1]) - began_s - taking_s,
        first_rung_s=rung_s[0] - exec_s,
        last_rung_s=rung_s[-1] - exec_s,
        taken_up=sum(1 for line in lines if line["event"] == _TAKEN_UP),
        lost=sum(1 for call in calls if not call.agent_answered_s or not call.ended_s),
        overtaken=overtaken(
            [Turn(call.invited_s, call.answered_s, max(call.agent_rung_s, together_s)) for call in waited]
        ),
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """When somebody called, was answered, and was given an agent: `time.monotonic()`."""

    invited_s: float
    answered_s: float
    rung_s: float


def overtaken(turns: Sequence[Turn]) -> int:
    """Return how many got an agent only after somebody who called when they had been answered already.

    Of two whose calls were on their way at the same time, a busy PBX may well have seen the second one first.
    """
    return sum(any(other.invited_s > one.answered_s and other.rung_s < one.rung_s for other in turns) for one in turns)

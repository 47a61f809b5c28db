"""The dialer: from the instant at which a promise falls due, with an agent free, to the INVITE at the carrier's port.

The real controller process, durable and logged; a real Asterisk; another one plays the telephone network, customers and
agents' phones. What is counted is seen by an ear on the loopback interface (`dialing_wire.py`), by the kernel's stamps:

- *customer first*: from the due instant, as it stands in the database, to the INVITE for the customer's number.
- *agent first*: the agent is rung first, and hears whose callback it is until they press a key. So two spans: from the
  due instant to the INVITE at the agent's phone; from the end of that key (RFC 4733) to the INVITE for the customer.
  Their sum is what we take; the time between them, the agent's own, is not in it.

One promise falls due after another, somewhat more than a second apart, while hundreds of others wait that are due
tomorrow. That an agent was free each time is checked by the calls on the wire. The first ones are not counted: after a
start calls begin slowly, on purpose.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.dialing_wire import Wire, WireCall
from bench.figures import percentile
from bench.results import Row
from controller.ports.promises import NewPromise
from controller.store.store import open_store
from controller.system_clock import SystemClock
from lab.controller_process import ControllerProcess
from lab.far_end import Does, Numbers, furnish
from lab.pbx import running_pair
from lab.stack import write_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bench.results import Options

NAME: Final = "dialing"
GOAL_MS: Final = 100.0
AGENTS: Final = 10
APART_S: Final = (1.2, 1.7)
FIRST_S: Final = 25.0
"""From before the controller's start to the first due instant: it has to be in control, and desks registered."""
UNCOUNTED: Final = 5
LATER: Final = 300
"""Promises that wait besides."""
AFTERWARDS_S: Final = 15.0
QUEUE: Final = "support"
DESK: Final = "agent-"
MODES: Final = ("customer_first", "agent_first")


class DialingFailedError(Exception):
    """What was to be measured did not happen; the message says what."""


@dataclass(frozen=True, slots=True)
class Due:
    """One promise."""

    number: str
    """National, as it is dialled."""
    at_ns: int


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Measure both modes. Raises DialingFailedError, and what a lab raises."""
    rows: list[Row] = []
    for mode in MODES:
        rows += await _of(mode, 8 if options.quick else 100, tell)
    return rows


async def _of(mode: str, wanted: int, tell: Callable[[str], None]) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="orikaeshi-bench-") as folder:
        home = Path(folder)
        async with running_pair(home, agents=AGENTS, language="en", furnish=furnish) as (site, _pbx, _carrier):
            url = f"sqlite+aiosqlite:///{home / 'bench.db'}"
            due = await _promised(url, wanted + UNCOUNTED, SystemClock().now() + timedelta(seconds=FIRST_S))
            changes = {
                ("store", "url"): f'"{url}"',
                ("queues.callbacks", "mode"): f'"{mode}"',
                ("[queues]", "wrap_up_s"): "0",
            }
            controller = ControllerProcess(site, write_settings(site, changes))
            with Wire(site.ports.carrier_sip) as wire:
                await controller.start()
                try:
                    over_at = due[-1].at_ns / 1e9 + AFTERWARDS_S
                    tell(f"{mode}: {len(due)} promises fall due")
                    await asyncio.sleep(max(0.0, over_at - SystemClock().now().timestamp()))
                finally:
                    await controller.stop()
    if wire.lost:
        raise DialingFailedError(f"the ear lost {wire.lost} packets: too much else is on the loopback interface")
    return rows_of(mode, due, list(wire.calls.values()))


async def _promised(url: str, wanted: int, first_at: datetime) -> list[Due]:
    """Make the promises, those that fall due while it is measured and those that do not; return the former."""
    dice, numbers, ids = random.Random(wanted), Numbers(), count()  # noqa: S311 - the same each time
    due: list[Due] = []
    clock = SystemClock()
    async with open_store(url, policies={}, clock=clock, new_id=lambda: f"bench-{next(ids)}") as store:

        async def promise(number: str, not_before: datetime) -> None:
            wanted = NewPromise(QUEUE, f"+81{number[1:]}", "en", clock.now(), f"call-{number}", not_before)
            await store.promises.make(wanted)

        for _ in range(LATER):
            await promise(numbers.new(Does.LET_RING), first_at + timedelta(hours=20))
        at = max(first_at, clock.now() + timedelta(seconds=FIRST_S))
        for _ in range(wanted):
            number = numbers.new(Does.TALK)
            await promise(number, at)
            due.append(Due(number, round(at.timestamp() * 1e6) * 1000))
            at += timedelta(seconds=dice.uniform(*APART_S))
    return due


def rows_of(mode: str, due: list[Due], calls: list[WireCall]) -> list[Row]:
    """Return the rows. Raises DialingFailedError: somebody was not dialled, dialled too soon, or no agent was free."""
    spans = [_spans_ms(mode, each, calls) for each in due[UNCOUNTED:]]
    for each in due[UNCOUNTED:]:
        # A callback has one agent at most, kept, rung or talking, and one call to its customer, or to its agent alone.
        going = [call for call in calls if call.rang_ns < each.at_ns and not 0 < call.ended_ns <= each.at_ns]
        desks = sum(call.user.startswith(DESK) for call in going)
        if max(desks, len(going) - desks) >= AGENTS:
            raise DialingFailedError(f"{mode}: no agent was free when {each.number[:4]}... fell due")
    names = {
        "customer_first": ("due to INVITE at the carrier",),
        "agent_first": ("due to INVITE at the agent's phone", "the agent's key to INVITE at the carrier"),
    }[mode]
    columns = dict(zip(names, zip(*spans, strict=True), strict=True))
    if len(names) > 1:
        columns["due to INVITE at the carrier, less the agent's own time"] = tuple(map(sum, spans))
    last = list(columns)[-1]
    text = mode.replace("_", " ")
    return [
        Row(
            NAME,
            f"{text}: {what}, p{percent}",
            "ms",
            percentile(column, percent),
            goal=GOAL_MS if (what, percent) == (last, 99) else None,
        )
        for what, column in columns.items()
        for percent in (50, 99)
    ]


def _spans_ms(mode: str, due: Due, calls: Iterable[WireCall]) -> tuple[float, ...]:
    customers = [call for call in calls if call.user == due.number]
    if len(customers) != 1:
        raise DialingFailedError(f"{mode}: {len(customers)} calls for one promise")
    customer = customers[0]
    if mode == "customer_first":
        return (_ms(due.at_ns, customer.rang_ns),)
    # The agent's call is the last one that pressed its key before the customer was dialled.
    desks = [call for call in calls if call.user.startswith(DESK) and due.at_ns <= call.rang_ns < customer.rang_ns]
    if not desks or not desks[0].key_ns:
        raise DialingFailedError(f"{mode}: no agent pressed a key before a customer was dialled")
    return _ms(due.at_ns, desks[0].rang_ns), _ms(desks[0].key_ns, customer.rang_ns)


def _ms(since_ns: int, until_ns: int) -> float:
    if until_ns < since_ns:
        raise DialingFailedError("a call began before it was due")
    return (until_ns - since_ns) / 1e6

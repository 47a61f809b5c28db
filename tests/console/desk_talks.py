"""Talks for the agents' desk: somebody rings, an agent serves them, and the floor of a script shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from controller.domain.agents import AgentState
from controller.domain.lifecycle import CustomerConnected
from controller.domain.line import WaiterKind
from controller.domain.promise import Attempt, Promise
from controller.ports.floor import EntryState, LineEntry
from controller.ports.promises import Made, NewPromise
from tests.console.floor import AGENT, NUMBER

if TYPE_CHECKING:
    from controller.domain.slots import Slot
    from tests.console.house import ConsoleSite

CALL = "1795331535.77"
OWN = f"/api/v1/agents/{AGENT}"


def state(site: ConsoleSite, state: AgentState, waiter: str = "", *, agent: str = AGENT, **more: Any) -> None:
    """Let an agent be in a state, with somebody or with nobody; and tell it to whoever watches."""
    shown = site.floor.shown
    given = {"state": state, "since": site.house.now, "waiter_id": waiter, "queue": "support" if waiter else ""}
    more = {"phone_registered": True, "phone_idle": True, "rest_ends_at": None, "reason": "", **more}
    agents = tuple(replace(one, **{**given, **more}) if one.name == agent else one for one in shown.agents)
    site.floor.changed(replace(shown, agents=agents))


def in_line(site: ConsoleSite, waiter: str, kind: WaiterKind, number: str | None, entry: EntryState) -> None:
    """Let the line show somebody who is being served; only them."""
    one = LineEntry(waiter, kind, "support", "asterisk", site.house.now, entry, number, agent=AGENT)
    site.floor.changed(replace(site.floor.shown, line=(one,)))


async def rings(site: ConsoleSite, number: str | None = NUMBER, call: str = CALL) -> str:
    """Let an agent's phone ring for a caller; return the call's id."""
    now = site.house.now
    await site.store.calls.arrived(call, dialled="0312345678", number=number, arrived_at=now)
    await site.store.calls.joined(call, queue="support", joined_at=now)
    in_line(site, call, WaiterKind.LIVE, number, EntryState.RINGING)
    state(site, AgentState.RINGING, call)
    return call


async def talks(site: ConsoleSite, number: str | None = NUMBER, call: str = CALL) -> str:
    """Let an agent talk with a caller; return the call's id."""
    await rings(site, number, call)
    await site.store.calls.answered(call, agent=AGENT, answered_at=site.house.now)
    in_line(site, call, WaiterKind.LIVE, number, EntryState.TALKING)
    state(site, AgentState.ON_CALL, call)
    return call


async def wraps_up(site: ConsoleSite, number: str | None = NUMBER, call: str = CALL) -> str:
    """Let an agent wrap up a talk; return the call's id."""
    await talks(site, number, call)
    site.floor.changed(replace(site.floor.shown, line=()))
    state(site, AgentState.WRAP_UP, call)
    return call


async def promised(site: ConsoleSite, number: str = NUMBER, slot: Slot | None = None, call: str = "old-1") -> Promise:
    """Let a number have a promise."""
    made = await site.store.promises.make(
        NewPromise("support", number, "ja", site.house.now, call, slot=slot, slot_capacity=2)
    )
    assert isinstance(made, Made)
    return made.promise


async def dials_promise(site: ConsoleSite, number: str = NUMBER) -> Promise:
    """Let a customer be called back, whose agent is on the phone already."""
    promise = await promised(site, number)
    attempt = Attempt("attempt-1", promise.id, number, AGENT, site.house.now)
    moved = await site.store.promises.open_attempt(promise, attempt)
    assert isinstance(moved, Promise), moved
    in_line(site, promise.id, WaiterKind.PROMISE, number, EntryState.DIALLING)
    state(site, AgentState.ON_CALL, promise.id)
    return moved


async def talks_on_promise(site: ConsoleSite, number: str = NUMBER) -> Promise:
    """Let an agent talk with a customer who was called back."""
    promise = await dials_promise(site, number)
    connected = await site.store.promises.advance(promise.id, CustomerConnected())
    in_line(site, promise.id, WaiterKind.PROMISE, number, EntryState.TALKING)
    return connected

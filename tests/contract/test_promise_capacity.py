from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerRangIn
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise
from controller.ports.promises import Made, SlotFull
from tests.contract.store_under_test import NOON, HandClock, attempt_for, slot_after, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.domain.lifecycle import Event
    from controller.domain.promise import PromiseState
    from controller.domain.slots import Slot

T = TypeVar("T")

CAPACITY = 2
SLOTS = [slot_after(hours) for hours in (2, 3)]
NUMBERS = [f"+81901234567{n}" for n in range(4)]
numbers = st.sampled_from(NUMBERS)


@dataclass
class Held:
    """What the model knows of an open promise."""

    promise_id: str
    slot: Slot | None
    is_dialled: bool = False


class Bookings(RuleBasedStateMachine):
    """Numbers that book, book again, withdraw, ring in and are called, in any order, beside a model in a few lines."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._clock = HandClock()
        self._store = self._run(self._open.enter_async_context(store_at(url, self._clock)))
        self._ids = itertools.count()
        self._held: dict[str, Held] = {}
        self._used_up: list[Slot] = []
        """Windows of promises that ended in or after them."""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def _advance(self, number: str, event: Event) -> PromiseState:
        return self._run(self._store.promises.advance(self._held[number].promise_id, event)).state

    def some(self, *, is_dialled: bool) -> list[str]:
        """Return the numbers whose promise is being dialled, or waits."""
        return sorted(number for number, held in self._held.items() if held.is_dialled is is_dialled)

    def _taken(self, slot: Slot, but_for: str) -> int:
        open_ones = [held.slot for number, held in self._held.items() if number != but_for]
        return (open_ones + self._used_up).count(slot)

    @rule(number=numbers, slot=st.none() | st.sampled_from(SLOTS))
    def asks(self, number: str, slot: Slot | None) -> None:
        """Book a window, or ask for a call as soon as possible; the first time or once more."""
        call_id = f"call-{next(self._ids)}"
        request = wanted(call_id, number=number, slot=slot, slot_capacity=CAPACITY, since=self._clock.now())
        held = self._held.get(number)
        found = self._run(self._store.promises.open_for("sales", number))
        assert (found and (found.id, found.slot)) == (held and (held.promise_id, held.slot))
        is_full = slot is not None and self._taken(slot, but_for=number) >= CAPACITY
        answer = self._run(self._store.promises.make(request))
        if is_full:
            assert answer == SlotFull()
            return
        assert isinstance(answer, Made)
        assert answer.is_new is (held is None)
        assert held is None or answer.promise.id == held.promise_id
        self._held[number] = Held(answer.promise.id, slot, is_dialled=held is not None and held.is_dialled)

    @precondition(lambda self: self.some(is_dialled=False))
    @rule(data=st.data(), event=st.sampled_from([Cancelled(), CustomerRangIn()]))
    def withdraws(self, data: st.DataObject, event: Event) -> None:
        """Whoever is being dialled cannot: the dial's end decides."""
        number = data.draw(st.sampled_from(self.some(is_dialled=False)))
        assert self._advance(number, event).is_final
        del self._held[number]

    @precondition(lambda self: self.some(is_dialled=False))
    @rule(data=st.data())
    def is_dialled(self, data: st.DataObject) -> None:
        """Open an attempt."""
        held = self._held[data.draw(st.sampled_from(self.some(is_dialled=False)))]
        promise = self._run(self._store.promises.get(held.promise_id))
        attempt = attempt_for(promise, f"attempt-{next(self._ids)}")
        assert isinstance(self._run(self._store.promises.open_attempt(promise, attempt)), Promise)
        held.is_dialled = True

    @precondition(lambda self: self.some(is_dialled=True))
    @rule(data=st.data(), outcome=st.sampled_from([Outcome.TALKED, Outcome.DECLINED, Outcome.BUSY, Outcome.CONGESTION]))
    def dial_ends(self, data: st.DataObject, outcome: Outcome) -> None:
        """For good, or until the next."""
        number = data.draw(st.sampled_from(self.some(is_dialled=True)))
        held = self._held[number]
        held.is_dialled = False
        if self._advance(number, AttemptEnded(outcome)).is_final:
            del self._held[number]
            if held.slot is not None and held.slot.starts_at <= self._clock.now():
                self._used_up.append(held.slot)

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        """Windows begin."""
        self._clock.turn(minutes * 60)

    @invariant()
    def no_window_has_more_promises_than_places(self) -> None:
        """And what is booked is what the model says, to the last place."""
        booked = self._run(self._store.promises.booked("sales", start=NOON, end=NOON + timedelta(days=1)))
        expected = Counter(held.slot.starts_at for held in self._held.values() if held.slot is not None)
        expected.update(slot.starts_at for slot in self._used_up)
        assert booked == expected
        assert all(count <= CAPACITY for count in booked.values())

    def teardown(self) -> None:
        """Close the database."""
        self._run(self._open.aclose())
        self._loop.close()


def test_whatever_customers_do_no_window_has_more_promises_than_places(fresh_url: Callable[[], str]) -> None:
    """Booked, moved, withdrawn, kept: each place is held by exactly one promise or free."""
    run_state_machine_as_test(
        lambda: Bookings(fresh_url()),  # type: ignore[arg-type]  # any function that makes a machine will do
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from bench.callers import Callers, CallersFailedError
from tests.bench.test_observer import two_sides

if TYPE_CHECKING:
    from bench.observer_call import PhoneCall

DICE = random.Random(1)  # noqa: S311 - spreads callers, guards nothing


async def test_so_many_callers_are_there_and_each_who_is_served_is_followed_by_another() -> None:
    """Three come; one is hung up; a fourth dials, with a number of its own."""
    with two_sides() as (near, far):
        came: asyncio.Queue[PhoneCall] = asyncio.Queue()

        def take(call: PhoneCall) -> None:
            call.answer()
            came.put_nowait(call)

        far.on_invite = take
        callers = Callers(near, "0312345678", 3, DICE, dials_again=True)
        await callers.come()
        assert callers.settled == 3
        first = [await came.get() for _ in range(3)]
        first[0].hang_up()
        another = await came.get()
        assert len({call.id for call in (*first, another)}) == 4
        await callers.until(lambda: callers.settled == 3)
        await callers.go()
        assert (callers.settled, callers.faults, near.calls) == (0, [], {})


async def test_a_caller_who_is_refused_makes_the_measurement_fail() -> None:
    """With how many are there, and what the PBX said."""
    with two_sides() as (near, far):
        far.on_invite = lambda call: call.refuse("503 Service Unavailable")
        callers = Callers(near, "0312345678", 2, DICE, dials_again=True)
        with pytest.raises(CallersFailedError, match="0 of 2 are there; 503 Service Unavailable"):
            await callers.come()
        await callers.go()


async def test_a_caller_who_is_never_answered_makes_it_fail_too() -> None:
    """It rings, and nobody comes."""
    with two_sides() as (near, far):
        far.on_invite = lambda call: call.ring()
        callers = Callers(near, "0312345678", 1, DICE, dials_again=True)
        with pytest.raises(CallersFailedError, match="0 of 1 are there; no answer"):
            await callers.come(timeout_s=0.2)
        await callers.go()
        assert near.calls == {}

"""At which pace calls leave by a trunk, and what waits for it. In virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.adapters.trunk_bench import Bench, later, placed, room, trunk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Open a bench, and see that no task is left on it."""
    opened = Bench()
    yield opened
    left = asyncio.all_tasks(opened.loop)
    opened.loop.close()
    assert not left


def test_calls_leave_one_gap_after_the_other_in_the_order_in_which_they_came(bench: Bench) -> None:
    """Two a second; and whoever asks for room is told when the next one may leave."""
    trunks = bench.trunks(trunk("one", circuits=9, calls_per_s=2))
    left: list[tuple[str, float]] = []

    async def leave(call_id: str) -> None:
        await placed(trunks, call_id)
        left.append((call_id, bench.loop.time()))

    async def story() -> None:
        await asyncio.gather(*map(leave, "abcd"))
        assert [call_id for call_id, _ in left] == list("abcd")
        assert [at_s for _, at_s in left] == pytest.approx([0, 0.5, 1, 1.5])
        assert not room(trunks)
        await later(0.52)
        assert room(trunks)
        assert bench.told_at_s[-1] == pytest.approx(2.01)

    bench.play(story())


def test_after_an_outage_calls_begin_at_a_tenth_of_the_pace(bench: Bench) -> None:
    """And are as quick as before a minute later."""
    trunks = bench.trunks(trunk("one", circuits=99, calls_per_s=2))
    left: list[float] = []

    async def leave(call_id: str) -> None:
        await placed(trunks, call_id)
        left.append(bench.loop.time())

    async def story() -> None:
        trunks.outage_over()
        assert trunks.status()[0].calls_per_s == pytest.approx(0.2)
        await asyncio.gather(*(leave(str(number)) for number in range(90)))
        assert left[1] - left[0] == pytest.approx(5)
        assert left[-1] - left[-2] == pytest.approx(0.5)
        assert sum(at_s < 60 for at_s in left) < 60 * 2 * 0.55 + 1
        assert all(after - before >= 0.4999 for before, after in pairwise(left))

    bench.play(story())


def test_a_call_that_is_taken_back_while_it_waits_for_the_pace_leaves_nothing_behind(bench: Bench) -> None:
    """Neither a circuit nor a gap: the next one goes as if it had never been."""
    trunks = bench.trunks(trunk("one", calls_per_s=0.1))

    async def story() -> None:
        await placed(trunks, "a")
        waiting = asyncio.ensure_future(placed(trunks, "b"))
        await later(3)
        assert trunks.status()[0].calls == 2
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert trunks.status()[0].calls == 1
        assert await placed(trunks, "c") == "one"
        assert bench.loop.time() == pytest.approx(10)

    bench.play(story())


def test_a_call_that_is_refused_in_its_turn_costs_no_pace(bench: Bench) -> None:
    """The gate said no: the next one need not wait for it."""
    trunks = bench.trunks(trunk("one", calls_per_s=0.1))

    async def story() -> None:
        async with trunks.turn("a") as way:
            assert way is not None
            assert not room(trunks)
        trunks.vacate("a")
        assert room(trunks)
        await placed(trunks, "b")
        assert bench.loop.time() == 0

    bench.play(story())


def test_a_call_that_waits_for_the_pace_of_a_trunk_that_fails_meanwhile_goes_another_way(bench: Bench) -> None:
    """It had not left yet: its id is still its own."""
    trunks = bench.trunks(trunk("one", calls_per_s=0.1), trunk("two"))

    async def story() -> None:
        await placed(trunks, "a")
        waiting = asyncio.ensure_future(placed(trunks, "b"))
        await later(1)
        trunks.health("one", healthy=False)
        assert await waiting == "two"
        assert [status.calls for status in trunks.status()] == [1, 1]

    bench.play(story())

"""Which trunk a call leaves by, and how one that fails rests and comes back. In virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.asterisk.trunks import DETOUR_REST_S, FIRST_REST_S, LONGEST_REST_S, ONLY_WAY_PATIENCE
from tests.adapters.trunk_bench import Bench, detour, later, placed, room, trunk

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


def test_the_first_trunk_with_a_circuit_is_taken_and_a_call_that_is_over_frees_it(bench: Bench) -> None:
    """In the order of the settings; when all are full there is no way."""
    trunks = bench.trunks(trunk("one"), trunk("two", circuits=1))

    async def story() -> None:
        await later(1)
        taken = []
        for call_id in "abcd":
            taken.append(await placed(trunks, call_id))
            await later(1)
        assert taken == ["one", "one", "two", None]
        assert not room(trunks)
        assert trunks.circuits == 3
        bench.told_at_s.clear()
        trunks.vacate("a")
        trunks.vacate("a")
        assert bench.told_at_s == [bench.loop.time()]
        assert room(trunks)
        assert [status.calls for status in trunks.status()] == [1, 1]
        assert await placed(trunks, "e") == "one"

    bench.play(story())


def test_a_call_that_was_found_on_the_pbx_takes_a_circuit(bench: Bench) -> None:
    """After a restart of the controller; one on an agent's phone takes none."""
    trunks = bench.trunks(trunk("one", circuits=1))

    async def story() -> None:
        trunks.occupy("agent", "agent-1")
        trunks.occupy("nowhere", None)
        assert room(trunks)
        trunks.occupy("found", "one")
        assert not room(trunks)
        assert await placed(trunks, "a") is None
        trunks.vacate("found")
        assert await placed(trunks, "a") == "one"

    bench.play(story())


def test_a_trunk_that_fails_rests_and_the_next_call_goes_another_way(bench: Bench) -> None:
    """Then one call alone tries it again, and only once that worked do the others follow."""
    trunks = bench.trunks(trunk("one"), trunk("two"))

    async def story() -> None:
        await placed(trunks, "a")
        assert not detour(trunks)
        trunks.failed("one", "a", "503")
        trunks.vacate("a")
        assert detour(trunks)
        assert await placed(trunks, "b") == "two"
        assert trunks.status()[0].rests_s == DETOUR_REST_S
        await later(DETOUR_REST_S + 0.1)
        assert bench.told_at_s[-1] == pytest.approx(DETOUR_REST_S, abs=0.02)
        assert not detour(trunks)
        assert trunks.circuits == 3
        assert await placed(trunks, "c") == "one"
        assert await placed(trunks, "d") == "two"
        trunks.worked("one", "c")
        assert await placed(trunks, "e") == "one"
        assert trunks.circuits == 4

    bench.play(story())


def test_a_trunk_that_fails_again_and_again_rests_longer_each_time_up_to_five_minutes(bench: Bench) -> None:
    """And from the beginning once it has worked."""
    trunks = bench.trunks(trunk("one"))
    rests: list[float] = []

    async def fail(call_id: str) -> None:
        assert await placed(trunks, call_id) == "one"
        trunks.failed("one", call_id, "503")
        trunks.vacate(call_id)
        rests.append(trunks.status()[0].rests_s)
        await later(rests[-1])

    async def story() -> None:
        for number in range(ONLY_WAY_PATIENCE + 8):
            await fail(str(number))
        # It is the only way: the first failures may have been the numbers'.
        assert rests == pytest.approx([0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300])
        await placed(trunks, "well")
        trunks.worked("one", "well")
        trunks.vacate("well")
        await later(1)
        for number in range(ONLY_WAY_PATIENCE):
            await fail(f"once more {number}")
        assert rests[-3:] == pytest.approx([0, 0, FIRST_REST_S])
        assert FIRST_REST_S < LONGEST_REST_S

    bench.play(story())


def test_calls_that_fail_together_are_one_failure(bench: Bench) -> None:
    """They left before anybody knew; and one that left before and worked says nothing about now."""
    trunks = bench.trunks(trunk("one", circuits=4))

    async def story() -> None:
        for call_id in "abcd":
            await placed(trunks, call_id)
            await later(0.1)
        for call_id in "abc":
            trunks.failed("one", call_id, "503")
        trunks.worked("one", "d")
        assert trunks.status()[0].failures == 1
        assert await placed(trunks, "e") is None
        await later(FIRST_REST_S)
        trunks.failed("one", "b", "503")
        assert trunks.status()[0].failures == 1

    bench.play(story())


def test_a_trial_that_told_nothing_is_followed_by_the_next(bench: Bench) -> None:
    """The customer was called off before the network said anything: the trunk is not stuck in its trial."""
    trunks = bench.trunks(trunk("one"))

    async def story() -> None:
        await placed(trunks, "a")
        for _ in range(ONLY_WAY_PATIENCE):
            trunks.failed("one", "a", "503")
        trunks.vacate("a")
        await later(FIRST_REST_S)
        assert await placed(trunks, "b") == "one"
        await later(1)
        assert await placed(trunks, "c") is None
        trunks.vacate("b")
        assert await placed(trunks, "c") == "one"

    bench.play(story())


def test_a_trunk_that_the_pbx_does_not_reach_is_passed_over(bench: Bench) -> None:
    """Until the PBX says that it is back; where all are said to be down, a call finds out."""
    trunks = bench.trunks(trunk("one"), trunk("two"))

    async def story() -> None:
        trunks.health("one", healthy=False)
        trunks.health("agent-1", healthy=False)
        assert detour(trunks)
        assert await placed(trunks, "a") == "two"
        bench.told_at_s.clear()
        trunks.health("two", healthy=False)
        assert bench.told_at_s == [0]
        await later(1)
        assert room(trunks)
        assert await placed(trunks, "b") == "one"
        trunks.vacate("b")
        trunks.health("two", healthy=True)
        await later(1)
        assert await placed(trunks, "c") == "two"

    bench.play(story())


@pytest.mark.parametrize("listed", [(), ("one", "one")])
def test_no_trunk_at_all_and_the_same_one_twice_are_refused(bench: Bench, listed: tuple[str, ...]) -> None:
    """A circuit would be counted twice."""
    with pytest.raises(ValueError, match="there must be a trunk"):
        bench.trunks(*map(trunk, listed))


def test_a_number_that_answers_503_does_not_close_the_only_trunk(bench: Bench) -> None:
    """Whatever works in between says that it was the number."""
    trunks = bench.trunks(trunk("one"))

    async def story() -> None:
        for number in range(2 * ONLY_WAY_PATIENCE):
            for call_id, works in ((f"congested {number}", False), (f"well {number}", True)):
                assert await placed(trunks, call_id) == "one"
                if works:
                    trunks.worked("one", call_id)
                else:
                    trunks.failed("one", call_id, "503")
                trunks.vacate(call_id)
                await later(1)
        assert trunks.status()[0].rests_s == 0

    bench.play(story())

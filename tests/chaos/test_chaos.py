"""The faults of `make chaos`, a few times each, on a real PBX; how long anything takes is for `make chaos` to say."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lab.chaos import crash_sweep, faults
from lab.chaos.__main__ import do
from lab.chaos.bench import running_bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.chaos.__main__ import Fault
    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """Start PBX, telephone network and ledger once; each fault starts its own controllers."""
    async with running_bench(tmp_path_factory.mktemp("chaos"), random.Random(20261122)) as running:  # noqa: S311
        yield running


async def judged(bench: Bench, name: str, fault: Fault, times: int) -> Figures:
    """Do a fault and see that what came of it can be judged, and is without a fault."""
    figures = await do(bench, name, fault, times)
    assert figures.broken == []
    assert figures.requests > 0
    assert {kind: count for kind, count in figures.faults.items() if count} == {}, figures.notes
    return figures


@pytest.mark.timeout(600)
async def test_killed_at_every_crash_point_nothing_is_lost_and_nobody_is_dialled_twice(bench: Bench) -> None:
    """Before and after each commit, each request that changes something, each SMS: once each."""
    figures = await judged(bench, "crash points", crash_sweep.changing_crash_points, 1)
    assert figures.runs >= 30


@pytest.mark.timeout(300)
async def test_killed_under_load_nothing_is_lost_and_no_talk_is_dropped(bench: Bench) -> None:
    """At any moment, ten times; two talk all the while."""
    figures = await judged(bench, "kill -9 under load", faults.kill9, 10)
    assert figures.runs == 10


@pytest.mark.timeout(200)
async def test_a_controller_that_was_stopped_past_its_lease_dials_nobody_when_it_goes_on(bench: Bench) -> None:
    """Another has taken over meanwhile."""
    await judged(bench, "stopped past its lease", faults.stopped, 1)


@pytest.mark.timeout(200)
async def test_a_clock_that_steps_an_hour_and_a_day_dials_nobody_twice_and_forgets_nobody(bench: Bench) -> None:
    """Back and ahead."""
    await judged(bench, "clock stepped", crash_sweep.clock_stepped, 1)

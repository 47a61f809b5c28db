"""Faults of a cluster, on two real Asterisks; how long a takeover takes is for `make chaos` to say.

So is a controller that is stopped and goes on, and an Asterisk that dies: `tests/asterisk/test_cluster_door.py` has the
latter without controllers.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from lab.chaos import cluster_faults
from lab.chaos.__main__ import do
from lab.chaos.cluster_bench import running_cluster_bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.chaos.__main__ import ClusterFault
    from lab.chaos.cluster_bench import ClusterBench
    from lab.chaos.figures import Figures


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterBench]:
    """Start Asterisks, Kamailio, PostgreSQL, telephone network and ledger once; each fault starts its controllers."""
    seed = int(os.environ.get("CHAOS_SEED") or 7)  # Others are for `make chaos`.
    async with running_cluster_bench(tmp_path_factory.mktemp("cluster"), random.Random(seed)) as running:  # noqa: S311
        running.post.names_times = False  # They would be waited for; `make chaos` does.
        yield running


async def judged(bench: ClusterBench, name: str, fault: ClusterFault, times: int) -> Figures:
    """Do a fault and see that what came of it can be judged, and is without a fault."""
    figures = await do(bench, name, fault, times)
    assert figures.broken == []
    assert figures.requests > 0
    assert figures.wrong == {}, figures.notes
    assert figures.runs == times
    return figures


@pytest.mark.timeout(200)
async def test_a_controller_is_killed_and_the_other_takes_over_and_hands_back(bench: ClusterBench) -> None:
    """Each of the two once, under load, with talks at both Asterisks that go on over all of it."""
    figures = await judged(bench, "owner killed", cluster_faults.owner_killed, 2)
    assert figures.back_s is not None


@pytest.mark.timeout(200)
async def test_the_database_is_killed_and_nobody_is_forgotten_or_dialled_twice(bench: ClusterBench) -> None:
    """All of PostgreSQL at once; both controllers outlast it."""
    await judged(bench, "PostgreSQL killed", cluster_faults.database_killed, 1)

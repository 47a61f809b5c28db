"""The faults of `make chaos`, a few times each, on a real PBX; how long anything takes is for `make chaos` to say."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from lab.chaos import crash_sweep, faults, sms_faults
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
    seed = int(os.environ.get("CHAOS_SEED") or 7)  # Others are for `make chaos`.
    async with running_bench(tmp_path_factory.mktemp("chaos"), random.Random(seed)) as running:  # noqa: S311
        running.post.names_times = False  # They would be waited for; `make chaos` does.
        yield running


async def judged(bench: Bench, name: str, fault: Fault, times: int) -> Figures:
    """Do a fault and see that what came of it can be judged, and is without a fault."""
    figures = await do(bench, name, fault, times)
    assert figures.broken == []
    assert figures.requests > 0
    assert figures.wrong == {}, figures.notes
    return figures


@pytest.mark.timeout(300)
async def test_killed_at_a_third_of_the_crash_points_nothing_is_lost_and_nobody_is_dialled_twice(bench: Bench) -> None:
    """Before and after a commit, a request that changes something, an SMS: once each. `make chaos` takes them all."""
    figures = await judged(bench, "crash points", crash_sweep.some_crash_points, 1)
    assert figures.runs >= 10, figures.notes


@pytest.mark.timeout(300)
async def test_killed_under_load_nothing_is_lost_and_no_talk_is_dropped(bench: Bench) -> None:
    """At any moment, ten times; two talk all the while."""
    figures = await judged(bench, "kill -9 under load", faults.kill9, 10)
    assert figures.runs == 10


@pytest.mark.timeout(300)
async def test_a_line_to_asterisk_that_is_cut_costs_nobody_the_call(bench: Bench) -> None:
    """Reset, and mended within a second; one talks all the while."""
    figures = await judged(bench, "event socket cut", faults.event_socket_reset, 1)
    assert figures.runs == 1


@pytest.mark.timeout(300)
async def test_when_asterisk_dies_its_calls_are_gone_and_no_promise_is(bench: Bench) -> None:
    """While one customer's phone rings and another talks."""
    figures = await judged(bench, "Asterisk killed", faults.pbx_killed, 1)
    assert figures.runs == 1


@pytest.mark.timeout(300)
async def test_killed_while_sms_and_replies_flow_none_is_sent_twice_and_no_reply_is_forgotten(bench: Bench) -> None:
    """Twice; meanwhile the provider refuses one, breaks at one, and cuts two off, before and after taking it."""
    figures = await judged(bench, "killed while texting", sms_faults.killed_in_doubt, 2)
    assert figures.runs == 2


@pytest.mark.timeout(300)
async def test_many_presses_of_a_link_make_one_change_and_forged_webhooks_none(bench: Bench) -> None:
    """Two links eight times each, over a kill; then five hundred forgeries, in every way there is."""
    figures = await judged(bench, "forged webhooks", sms_faults.forged_after_links, 500)
    assert figures.runs > 400

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.wallboard import GOAL_MS, LEAD_MS, Change, Event, NotShownError, delays_ms, rows_of
from bench.wallboard_page import Shown, WallboardPage
from lab.browser import open_browser

if TYPE_CHECKING:
    from pathlib import Path

AGENT, OTHER = "agent-1", "agent-2"
NOON_MS = 1_795_000_000_000
CYCLE_MS = 2_000
PAGE = """
<!doctype html><ul id="agents">
<li><span class="name">agent-1</span><span class="chip" data-state="available"></span></li>
<li><span class="name">agent-2</span><span class="chip" data-state="paused"></span></li>
</ul>
"""
CHANGES = """
const [row, state] = arguments;
document.querySelectorAll(".chip")[row].dataset.state = state;
"""


def rings(at_ms: float, agent: str = AGENT) -> Event:
    """Return an INVITE."""
    return Event(agent, Change.RINGS, int(at_ms * 1e6))


def hangs_up(at_ms: float, agent: str = AGENT) -> Event:
    """Return a BYE."""
    return Event(agent, Change.HANGS_UP, int(at_ms * 1e6))


@given(st.lists(st.tuples(st.floats(1 - LEAD_MS, 400), st.floats(0, 400)), min_size=1, max_size=20))
def test_each_change_has_the_delay_with_which_it_was_shown(delays: list[tuple[float, float]]) -> None:
    """Talk after talk, also where the page was ahead of the phone."""
    events, shown = [], []
    for nth, (ring_ms, end_ms) in enumerate(delays):
        at_ms = NOON_MS + nth * CYCLE_MS
        events += [rings(at_ms), hangs_up(at_ms + 1_000)]
        shown += [Shown(at_ms + ring_ms, AGENT, "ringing"), Shown(at_ms + 500, AGENT, "on_call")]
        shown += [Shown(at_ms + 1_000 + end_ms, AGENT, "wrap_up"), Shown(at_ms + 1_450, AGENT, "available")]
    found = delays_ms(events, shown)
    assert found[Change.RINGS] == pytest.approx([ring_ms for ring_ms, _ in delays], abs=0.01)
    assert found[Change.HANGS_UP] == pytest.approx([end_ms for _, end_ms in delays], abs=0.01)


def test_what_another_agent_does_is_not_taken_for_ones_own() -> None:
    """Their changes lie between each other's, in whatever order they are told."""
    events = [rings(NOON_MS), rings(NOON_MS + 50, OTHER)]
    shown = [Shown(NOON_MS + 210, OTHER, "ringing"), Shown(NOON_MS + 60, AGENT, "ringing")]
    assert delays_ms(events, shown)[Change.RINGS] == pytest.approx([60, 160], abs=0.01)


def test_a_ring_of_before_is_not_taken_for_the_next() -> None:
    """A late page has a long delay; it does not get that of the last time."""
    events = [rings(NOON_MS), hangs_up(NOON_MS + 300), rings(NOON_MS + 400)]
    states = [(100, "ringing"), (350, "wrap_up"), (1_400, "ringing")]
    shown = [Shown(NOON_MS + at_ms, AGENT, state) for at_ms, state in states]
    assert delays_ms(events, shown)[Change.RINGS] == pytest.approx([100, 1_000], abs=0.01)


@pytest.mark.parametrize("state", ["on_call", "reserved"])
def test_a_change_that_was_never_shown_is_told(state: str) -> None:
    """Left out, it would make the figures better than they are."""
    shown = [Shown(NOON_MS - LEAD_MS - 1, AGENT, "ringing"), Shown(NOON_MS + 10, AGENT, state)]
    with pytest.raises(NotShownError, match="agent-1: the phone rings"):
        delays_ms([rings(NOON_MS)], shown)


def test_the_table_has_both_changes_with_their_goal() -> None:
    """The longest counts as well as the 99th percentile."""
    delays = [float(delay_ms) for delay_ms in range(1, 101)]
    rows = {row.what: row for row in rows_of(200, {Change.RINGS: delays, Change.HANGS_UP: [*delays, GOAL_MS + 1]})}
    assert rows["the phone rings: shown after, p50, 200 waiting"].ours == 50
    assert rows["the phone rings: shown after, p99, 200 waiting"].is_reached
    assert rows["the phone hangs up: shown after, p99, 200 waiting"].ours == 100
    assert rows["the phone hangs up: shown after, longest, 200 waiting"].is_reached is False


async def test_a_change_of_a_real_page_is_noted_with_the_time_of_this_machine(tmp_path: Path) -> None:
    """Once for each, by whoever's row it is; what has not changed is not noted again."""
    (tmp_path / "page.html").write_text(PAGE, "utf-8")
    with open_browser() as chrome:
        await asyncio.to_thread(chrome.get, (tmp_path / "page.html").as_uri())
        page = WallboardPage(chrome)
        await page.watch()
        before_ms = time.time() * 1000
        for row, state in ((0, "ringing"), (1, "paused"), (1, "available"), (0, "on_call")):
            await asyncio.to_thread(chrome.execute_script, CHANGES, row, state)
        after_ms = time.time() * 1000
        first, second, *changes = await page.shown()
    assert [(each.agent, each.state) for each in (first, second)] == [(AGENT, "available"), (OTHER, "paused")]
    assert [(each.agent, each.state) for each in changes] == [
        (AGENT, "ringing"),
        (OTHER, "available"),
        (AGENT, "on_call"),
    ]
    # The clock of the page has a tenth of a millisecond, and its origin one of its own.
    assert before_ms - 2 <= changes[0].at_ms <= changes[-1].at_ms <= after_ms + 2

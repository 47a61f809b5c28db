"""The expected wait, and what may be said of it from one announcement to the next.

How often it is right is measured by a simulation: `python -m bench.expected_wait`.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.handle_times import HandleTimes
from controller.domain.line import Waiter, WaiterKind
from controller.domain.patience import Patience
from controller.domain.wait_estimate import (
    Announced,
    Cause,
    Crowd,
    WaitRange,
    announce,
    cause_of,
    crowd_before,
    expected_wait,
    heard,
    passes_closing,
    spoken_range,
    wait_behind,
)

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
EVERY_240_S = HandleTimes().note_all([180.0, 240.0, 300.0] * 16)

handles = st.tuples(st.lists(st.floats(10, 1800), max_size=5), st.integers(1, 9)).map(
    lambda drawn: HandleTimes().note_all(drawn[0] * drawn[1])
)
leaving = st.floats(0, 0.02)
waits = st.tuples(st.floats(0, 7200), st.floats(0, 3600)).map(lambda drawn: WaitRange(drawn[0], sum(drawn)))


def known(wait: WaitRange | None) -> WaitRange:
    """Return a wait that has to be there."""
    assert wait is not None
    return wait


@given(st.integers(0, 200), handles)
def test_where_nobody_is_on_duty_nothing_is_told(ahead: int, handle: HandleTimes) -> None:
    """Not zero, and not for ever."""
    assert expected_wait(ahead, 0, 0, handle) is None


@given(st.integers(0, 200), st.integers(1, 50), st.integers(0, 50), handles, leaving)
def test_a_range_begins_no_earlier_than_now_and_ends_no_earlier_than_it_begins(
    ahead: int, agents: int, free: int, handle: HandleTimes, leaving_per_s: float
) -> None:
    """And nobody who finds a free agent waits."""
    wait = known(expected_wait(ahead, agents, free, handle, leaving_per_s=leaving_per_s))
    assert 0 <= wait.low_s <= wait.high_s < float("inf")
    if ahead < free:
        assert wait == WaitRange(0, 0)
    else:
        assert wait.high_s > 0


@given(st.floats(0, 200), st.floats(0, 20), st.integers(1, 50), handles, leaving)
def test_more_people_ahead_never_make_the_wait_shorter(
    ahead: float, more: float, agents: int, handle: HandleTimes, leaving_per_s: float
) -> None:
    """At neither end."""
    fewer = known(expected_wait(ahead, agents, 0, handle, leaving_per_s=leaving_per_s))
    longer = known(expected_wait(ahead + more, agents, 0, handle, leaving_per_s=leaving_per_s))
    assert longer.low_s >= fewer.low_s - 1e-6
    assert longer.high_s >= fewer.high_s - 1e-6


@given(st.integers(0, 200), st.integers(1, 30), st.integers(1, 20), handles, leaving)
def test_more_agents_never_make_the_far_end_later(
    ahead: int, agents: int, more: int, handle: HandleTimes, leaving_per_s: float
) -> None:
    """The far end is what people plan by."""
    few = known(expected_wait(ahead, agents, 0, handle, leaving_per_s=leaving_per_s))
    many = known(expected_wait(ahead, agents + more, 0, handle, leaving_per_s=leaving_per_s))
    assert many.high_s <= few.high_s + 1e-6


@given(st.integers(0, 100), st.integers(1, 30), handles, st.floats(1.5, 10))
def test_calls_that_all_take_longer_lengthen_the_wait_as_much(
    ahead: int, agents: int, handle: HandleTimes, times: float
) -> None:
    """A wait is measured in handle times."""
    longer = HandleTimes(prior_mean_s=240 * times).note_all(each * times for each in handle.recent_s)
    wait, stretched = (known(expected_wait(ahead, agents, 0, each)) for each in (handle, longer))
    assert stretched.low_s == pytest.approx(wait.low_s * times, abs=1e-6)
    assert stretched.high_s == pytest.approx(wait.high_s * times)


@given(st.integers(1, 100), st.integers(1, 30), handles, st.floats(0.0001, 0.02))
def test_people_who_hang_up_shorten_the_wait(ahead: int, agents: int, handle: HandleTimes, per_s: float) -> None:
    """Of those behind them."""
    patient = known(expected_wait(ahead, agents, 0, handle))
    assert known(expected_wait(ahead, agents, 0, handle, leaving_per_s=per_s)).high_s < patient.high_s


def test_so_long_a_line_of_people_who_hang_up_takes_as_long_as_its_steps() -> None:
    """A step with 20 ahead is the time until one of 2 agents is free, or one of 20 hangs up; then 19, and so on."""
    steps_s = [1 / (2 / 240 + ahead / 300) for ahead in range(21)]
    wait = known(expected_wait(20, 2, 0, EVERY_240_S, leaving_per_s=1 / 300))
    assert (wait.low_s + wait.high_s) / 2 == pytest.approx(sum(steps_s), rel=0.1)


@pytest.mark.parametrize(("ahead", "agents", "about_s"), [(4, 1, 1090), (9, 5, 460), (40, 10, 970)])
def test_the_middle_of_the_range_is_what_one_would_reckon(ahead: int, agents: int, about_s: float) -> None:
    """Calls of four minutes: so many have to end, at the pace of so many agents, the first of them half way through."""
    wait = known(expected_wait(ahead, agents, 0, EVERY_240_S))
    assert (wait.low_s + wait.high_s) / 2 == pytest.approx(about_s, rel=0.05)


# -- who is ahead


def agent(name: str, *queues: str, state: AgentState = AgentState.ON_CALL) -> Agent:
    """Return an agent with a phone that is there."""
    return Agent(name, name, frozenset(queues), state, NOON, phone_registered=True, phone_idle=True)


def waiting(*queues: str, kind: WaiterKind = WaiterKind.LIVE) -> list[Waiter]:
    """Return one who waits for each of the queues."""
    return [Waiter(f"w{n}", kind, queue, NOON) for n, queue in enumerate(queues)]


def test_those_of_another_queue_count_by_the_share_of_their_agents_who_serve_this_one() -> None:
    """One of three: every third of them will be served by an agent of ours."""
    agents = [agent("a", "cards"), agent("b", "cards", "loans"), agent("c", "loans"), agent("d", "loans")]
    crowd = crowd_before(waiting("cards", "loans", "loans", "loans"), "cards", agents)
    assert crowd.ahead == pytest.approx(2)
    assert (crowd.agents, crowd.free_agents) == (2, 0)


def test_those_whom_nobody_serves_and_agents_who_are_not_on_duty_do_not_count() -> None:
    """They hold nobody up, and serve nobody."""
    agents = [
        agent("a", "cards", state=AgentState.AVAILABLE),
        agent("b", "cards", state=AgentState.SIGNED_OUT),
        agent("c", "loans", state=AgentState.SIGNED_OUT),
    ]
    assert crowd_before(waiting("cards", "loans", "other"), "cards", agents) == Crowd(1, 1, 1, 1)


def test_a_promise_ahead_does_not_hang_up() -> None:
    """So impatience shortens the wait behind live callers alone."""
    agents, restless = [agent("a", "cards")], Patience().note(0, left=True)
    live, promised = (
        wait_behind(crowd_before(waiting("cards", "cards", kind=kind), "cards", agents), EVERY_240_S, restless)
        for kind in (WaiterKind.LIVE, WaiterKind.PROMISE)
    )
    assert promised == expected_wait(2, 1, 0, EVERY_240_S)
    assert known(live).high_s < known(promised).high_s


# -- what is said of it


@given(waits)
def test_what_is_heard_is_never_narrower_than_what_is_expected(wait: WaitRange) -> None:
    """Down at the near end, up at the far end, and no further than one step each: a minute, or five above ten."""
    low_min, high_min = spoken_range(wait)
    assert 0 <= low_min * 60 <= wait.low_s
    assert wait.high_s <= high_min * 60
    assert high_min >= 1
    assert wait.low_s - low_min * 60 < (60 if low_min < 10 else 300)
    assert high_min * 60 - wait.high_s < (60 if high_min <= 10 else 300) or high_min == 1


@given(waits)
def test_only_minutes_that_are_easy_to_say_are_heard(wait: WaitRange) -> None:
    """Each to ten, then every fifth; and saying it again changes nothing."""
    assert all(minutes <= 10 or minutes % 5 == 0 for minutes in spoken_range(wait))
    assert spoken_range(heard(wait)) == spoken_range(wait)


@pytest.mark.parametrize(
    ("wait_s", "minutes"),
    [((0, 0), (0, 1)), ((59, 61), (0, 2)), ((60, 600), (1, 10)), ((601, 601), (10, 15)), ((780, 910), (10, 20))],
)
def test_ends_are_rounded_so(wait_s: tuple[float, float], minutes: tuple[int, int]) -> None:
    """Examples."""
    assert spoken_range(WaitRange(*wait_s)) == minutes


NOBODY_MOVED = Crowd(3, 2, 0, 1)


@given(st.lists(st.tuples(st.floats(0, 900), waits), min_size=2, max_size=8))
def test_without_a_cause_nobody_ever_hears_a_far_end_sooner_than_one_that_they_heard(
    story: list[tuple[float, WaitRange]],
) -> None:
    """Of two announcements, whatever lay between, the later one names no earlier instant."""
    now, previous, told_ends = NOON, None, list[datetime]()
    for after_s, fresh in story:
        now += timedelta(seconds=after_s)
        told = announce(previous, now, fresh)
        is_anew = previous is None or told == heard(fresh)
        previous = Announced(now, told, NOBODY_MOVED)
        ends_at = now + timedelta(minutes=spoken_range(told)[1])
        assert all(ends_at >= earlier - timedelta(milliseconds=1) for earlier in told_ends)
        assert told.high_s >= fresh.high_s - 1e-6
        assert told.low_s <= told.high_s
        if is_anew:  # In between, what was said before is said once more, of what is left.
            told_ends.append(ends_at)


@given(waits, st.floats(0, 3600))
def test_a_wait_that_shrinks_with_the_time_is_told_as_that_and_does_not_stand_still(
    wait: WaitRange, elapsed_s: float
) -> None:
    """Announcements every few seconds come to the same as one at the end."""
    first = Announced(NOON, announce(None, NOON, wait), NOBODY_MOVED)
    assume(elapsed_s < first.range.high_s)
    often = first
    for part in range(1, 11):
        now = NOON + timedelta(seconds=elapsed_s * part / 10)
        often = Announced(now, announce(often, now, WaitRange(0, 0)), NOBODY_MOVED)
    assert often.range.high_s == pytest.approx(first.range.high_s - elapsed_s, abs=1e-3)


@given(waits, waits, st.sampled_from(Cause))
def test_with_a_cause_the_fresh_wait_is_told_as_it_is(before: WaitRange, fresh: WaitRange, cause: Cause) -> None:
    """Also when it is much shorter."""
    assert announce(Announced(NOON, before, NOBODY_MOVED), NOON, fresh, cause) == heard(fresh)


@given(waits, waits)
def test_a_longer_wait_is_told_at_once(before: WaitRange, fresh: WaitRange) -> None:
    """Nobody is kept in hope."""
    assume(fresh.high_s > heard(before).high_s)
    assert announce(Announced(NOON, heard(before), NOBODY_MOVED), NOON, fresh) == heard(fresh)


@given(waits)
def test_a_clock_that_was_set_back_makes_no_wait_longer(wait: WaitRange) -> None:
    """No time went by, then."""
    earlier = NOON - timedelta(hours=1)
    told = heard(wait)
    assert announce(Announced(NOON, told, NOBODY_MOVED), earlier, wait).high_s <= told.high_s


@pytest.mark.parametrize(
    ("after_s", "crowd", "cause"),
    [
        (60, Crowd(3, 3, 0, 1), Cause.AGENTS_JOINED),
        (60, Crowd(3, 2, 0, 1), None),
        (60, Crowd(3, 1, 0, 1), None),
        (120, Crowd(2, 2, 0, 1), None),
        (119, Crowd(2, 2, 0, 1), Cause.MOVED_UP),
        (-60, Crowd(2, 2, 0, 1), Cause.MOVED_UP),
    ],
)
def test_agents_who_join_and_a_line_that_moves_quicker_than_expected_are_causes(
    after_s: float, crowd: Crowd, cause: Cause | None
) -> None:
    """Two agents with calls of four minutes: one step in two minutes is what was to be expected."""
    previous = Announced(NOON, WaitRange(300, 600), NOBODY_MOVED)
    assert cause_of(previous, NOON + timedelta(seconds=after_s), crowd, EVERY_240_S) is cause


@given(waits, st.floats(0, 7200))
def test_a_wait_passes_closing_time_if_its_far_end_does(wait: WaitRange, left_s: float) -> None:
    """And never where nobody closes."""
    closes_at = NOON + timedelta(seconds=left_s)
    assert passes_closing(wait, NOON, closes_at) == (wait.high_s > (closes_at - NOON).total_seconds())
    assert not passes_closing(wait, NOON, None)

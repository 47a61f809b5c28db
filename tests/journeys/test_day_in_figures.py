"""Every figure of a small day (`played_day.py` tells what happens in it), held against what it is by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.figure_facts import ClockStart, Counting
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS
from controller.domain.figures import by_agent, by_interval, by_queue, figures
from controller.domain.intervals import Length, split
from tests.journeys.played_day import TOKYO, play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.played_day import Day
    from tests.journeys.scene import Scene


@pytest.fixture
def day(open_scene: Callable[..., Scene]) -> Iterator[Day]:
    """Play the day."""
    played = play(open_scene)
    yield played
    played.close()


CARDS_BY_HAND: dict[str, float | None] = {
    # A, B, C, D, E, F, G, H and K twice came while it was open; I and J when it was closed.
    "incoming": 10,
    "offered": 10,
    "answered": 3,  # A, D, K's second
    "abandoned": 2,  # B, G
    "short_abandoned": 0,
    "promised": 4,  # C, E, F, K's first
    "diverted": 1,  # H
    "failed": 0,
    "waiting": 0,
    "closed": 2,
    "left_in_menu": 0,
    "self_served": 0,
    "answer_percent": 30.0,
    "abandon_percent": 20.0,
    "reached_percent": 70.0,  # the three, and all four who left a number
    "service_level_percent": 20.0,  # A and D of ten; K held for a minute
    "lenient_service_level_percent": 20.0,  # nobody gave up within 20 s
    "talks": 6,
    "att_s": 70.0,  # A 60, C 60, D 120, E 60, F 60, K 60
    "acw_s": 30.0,
    "aht_s": 100.0,
    "offered_erlangs": 0.03,  # 10 calls x 100 s / 9.5 h
    "carried_erlangs": 0.02,  # 6 x 100 s / 9.5 h
    "utilisation_percent": 94.0,  # on duty for 30,000 s, of which 1,800 s at lunch
    "callbacks_offered": 8,  # B, C, E, F, G, K's first; I and J when closed
    "callbacks_taken": 5,  # C, E, F, K, J
    "take_percent": 62.5,
    "promises": 5,
    "promises_kept": 3,  # C: no time was named; E; K
    "promises_late": 1,  # F
    "promises_broken": 0,
    "promises_overdue": 0,
    "promises_open": 1,  # J
    "promises_cancelled": 0,
    "rang_in": 1,  # K
    "retried": 1,  # F
    "calls_out": 4,  # C, E, F twice
    "kept_percent": 75.0,
    "called_in_time_percent": 100.0,  # E and F were told a wait, and called in it
    "texted": 1,  # F
    "reached_by_sms": 1,
    "answered_sms": 0,
    "reached_by_sms_percent": 100.0,
    "ranges_known": 0,  # E and F left long before the far end of what they were told
    "ranges_held_percent": None,
    "moved_percent": 0.0,
    "fairness_gained_s": 0.0,
    "fairness_lost_s": 0.0,
    "most_lost_s": 0.0,
    "mean_live_gain_s": 0.0,
    "mean_promise_gain_s": 0.0,
}
CARDS_ABOUT: dict[str, tuple[float, float]] = {
    "asa_s": ((2 + 2 + 62) / 3, 1.5),
    "mean_hold_s": ((1 + 1 + 61 + 4 * 5) / 7, 3),
    "mean_true_s": ((2 + 2 + 62 + 244 + 96 + 3793 + 183) / 7, 5),
    "p90_hold_s": (61, 2),
    "p90_true_s": (3793, 15),
    # 430 s of talks, 220 s of wrap-up (F did not answer: that too is wrapped up), 40 s of ringing customers.
    "occupancy_percent": (100 * 690 / 28_200, 0.1),
}
"""Times that hang on how quickly people press keys: by hand, and how far from that they may be."""


def shown(columns: Any, each: object) -> dict[str, Any]:
    """Return figures by their keys, as they are shown."""
    return {column.key: column.cell(each) for column in columns}


def test_every_figure_of_the_day_is_what_it_is_by_hand(day: Day) -> None:
    """None is left out: those that hang on seconds are known to the second."""
    found = shown(COLUMNS, by_queue(day.facts(), day.interval, Counting())["cards"])
    about = {key: found.pop(key) for key in CARDS_ABOUT}
    assert found == CARDS_BY_HAND
    for key, (by_hand, give) in CARDS_ABOUT.items():
        assert about[key] == pytest.approx(by_hand, abs=give), key


def test_a_call_of_another_queue_is_in_that_queue_and_in_all_of_them(day: Day) -> None:
    """Of the agent's time both queues have all: it cannot be split."""
    facts = day.facts()
    cards, loans = by_queue(facts, day.interval, Counting()).values()
    everything = shown(COLUMNS, figures(facts, day.interval, Counting()))
    loans_shown = shown(COLUMNS, loans)
    assert {key: loans_shown[key] for key in ("offered", "answered", "talks", "att_s", "acw_s", "promises")} == {
        "offered": 1,
        "answered": 1,
        "talks": 1,
        "att_s": 10.0,
        "acw_s": 10.0,
        "promises": 0,
    }
    assert (everything["offered"], everything["talks"], everything["promises"]) == (11, 7, 5)
    assert cards.time == loans.time == figures(facts, day.interval, Counting()).time


def test_a_quarter_of_an_hour_has_the_calls_that_came_in_it_whenever_they_were_called_back(day: Day) -> None:
    """The quarters add up to the day, and F's late call counts where F came."""
    facts = day.facts().of_queue("cards")
    quarters = {
        each.interval.since: shown(COLUMNS, each)
        for each in by_interval(facts, split(day.interval, TOKYO, Length.QUARTER_HOUR), Counting())
    }
    third = quarters[day.at("09:15:00")]
    assert {key: third[key] for key in ("offered", "answered", "promised", "promises_kept", "promises_late")} == {
        "offered": 3,
        "answered": 1,
        "promised": 2,
        "promises_kept": 1,
        "promises_late": 1,
    }
    assert quarters[day.at("10:15:00")]["talks"] == 1
    for key in ("offered", "closed", "talks", "callbacks_offered", "promises", "calls_out", "texted"):
        assert sum(each[key] for each in quarters.values()) == CARDS_BY_HAND[key], key


def test_the_agent_talked_with_seven_people_three_of_whom_were_called(day: Day) -> None:
    """C, E and F; and K, who rang in, was not."""
    (alice,) = by_agent(day.facts(), day.interval)
    found = shown(AGENT_COLUMNS, alice)
    assert (alice.agent, found["talks"], found["callback_talks"], found["signed_in_s"]) == ("alice", 7, 3, 30_000.0)
    assert found["att_s"] == pytest.approx(430 / 7, abs=0.1)


def test_waits_that_count_from_the_line_and_short_abandons_are_what_the_settings_make_of_them(day: Day) -> None:
    """G gave up after 40 s: with 45 s as the threshold that is no abandon, and no call offered."""
    counting = Counting(answer_within_s=65, short_abandon_s=45, clock_start=ClockStart.LINE)
    found = shown(COLUMNS, by_queue(day.facts(), day.interval, counting)["cards"])
    assert {key: found[key] for key in ("offered", "abandoned", "short_abandoned", "service_level_percent")} == {
        "offered": 9,
        "abandoned": 1,
        "short_abandoned": 1,
        "service_level_percent": 33.3,
    }


def test_what_was_promised_is_the_wait_that_was_told_and_nobody_is_promised_what_they_did_not_hear(day: Day) -> None:
    """Counted from the announcement; of A and D, who got an agent at once, no announcement is on record."""
    told = {
        call.id: (call.quote, call.was_offered_callback, call.promise_id)
        for call in sorted(day.facts().calls, key=lambda call: call.arrived_at)
    }
    due_by = {promise.id: promise.due_by for promise in day.facts().promises}
    with_quote = [(quote, promise_id) for quote, _, promise_id in told.values() if quote is not None]
    assert len(with_quote) == 2
    for quote, promise_id in with_quote:
        assert due_by[promise_id] == quote.at + timedelta(seconds=quote.high_s)
    assert sorted(due is None for due in due_by.values()) == [False, False, True, True, True]

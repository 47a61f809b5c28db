"""応答率, 放棄呼率, サービスレベル, 平均応答速度, and the two waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.call_ending import Ending
from controller.domain.call_figures import (
    OFFERED,
    Fate,
    call_figures,
    fate_of,
    nearest_rank,
    quoted_waits,
    talked_at,
    wait_figures,
)
from controller.domain.figure_facts import CallFact, ClockStart, Counting, PromiseFact, Quote
from controller.domain.promise import PromiseState
from controller.domain.quote_coverage import QuotedWait
from tests.domain.figure_days import answered, at, call, calls, gave_up

PLAIN = Counting()
SHORT_5 = Counting(short_abandon_s=5)


def test_the_service_level_is_reckoned_as_icmi_reckons_its_example() -> None:
    """ICMI, "Service Level Calculations" (2002), formulas 3 and 4: 860 of 1,000 answered and 20 of 60 gone in time.

    81 % where who gives up counts against it, 83 % where who gives up in time counts in neither.
    """
    day = [answered(after_s=20)] * 860 + [answered(after_s=21)] * 140 + [gave_up(after_s=20)] * 20
    found = call_figures(day + [gave_up(after_s=21)] * 40, PLAIN)
    assert found.service_level_percent == pytest.approx(81.13, abs=0.01)
    assert found.lenient_service_level_percent == pytest.approx(82.69, abs=0.01)
    assert found.answer_percent == pytest.approx(94.34, abs=0.01)
    assert found.abandon_percent == pytest.approx(5.66, abs=0.01)


@pytest.mark.parametrize(
    ("one", "fate"),
    [
        (answered(after_s=300), Fate.ANSWERED),
        (call(answered_s=10), Fate.ANSWERED),
        (call(answered_s=10, ended_s=20, ending=Ending.FAILED), Fate.ANSWERED),
        (call(ended_s=20, ending=Ending.SERVED), Fate.ANSWERED),
        (gave_up(after_s=5), Fate.ABANDONED),
        (gave_up(after_s=4.9), Fate.SHORT_ABANDONED),
        (call(ended_s=3, ending=Ending.PROMISED), Fate.PROMISED),
        (call(ended_s=3, ending=Ending.GUIDED), Fate.DIVERTED),
        (call(ended_s=3, ending=Ending.TRANSFERRED), Fate.DIVERTED),
        (call(ended_s=3, ending=Ending.INFORMED), Fate.DIVERTED),
        (call(ended_s=3, ending=Ending.FAILED), Fate.FAILED),
        (call(), Fate.WAITING),
        (call(queue=None), Fate.WAITING),
        (gave_up(after_s=300, queue=None), Fate.LEFT_IN_MENU),
        (call(ended_s=30, ending=Ending.GUIDED, queue=None), Fate.SELF_SERVED),
        (gave_up(after_s=300, was_closed=True), Fate.CLOSED),
        (call(ended_s=30, ending=Ending.PROMISED, was_closed=True), Fate.CLOSED),
    ],
)
def test_every_call_has_one_fate(one: CallFact, fate: Fate) -> None:
    """Whoever was answered is answered, whatever came then; who left a number is neither answered nor abandoned."""
    assert fate_of(one, SHORT_5) is fate


def test_short_abandons_count_apart_in_every_rate() -> None:
    """Neither against the centre nor for it."""
    day = [answered(after_s=3), gave_up(after_s=60), *[gave_up(after_s=2)] * 8]
    strict, apart = call_figures(day, PLAIN), call_figures(day, SHORT_5)
    assert (strict.offered, strict.abandon_percent, strict.service_level_percent) == (10, 90.0, 10.0)
    assert (apart.offered, apart.abandon_percent, apart.service_level_percent) == (2, 50.0, 50.0)
    assert apart.count(Fate.SHORT_ABANDONED) == 8
    assert strict.incoming == apart.incoming == 10


def test_a_promise_is_no_answer_until_somebody_has_talked() -> None:
    """And does not make the service level look better than it was."""
    kept = PromiseFact("kept", "sales", at(0), PromiseState.FULFILLED, talked_at=at(900))
    open_one = PromiseFact("open", "sales", at(0), PromiseState.WAITING)
    left = [call(ended_s=40, ending=Ending.PROMISED, promise_id=name) for name in ("kept", "open", "of nobody")]
    found = call_figures([answered(after_s=5), *left], PLAIN, {one.id: one for one in (kept, open_one)})
    assert (found.answer_percent, found.reached_percent) == (25.0, 50.0)
    assert (found.service_level_percent, found.abandon_percent) == (25.0, 0.0)


def test_the_answer_speed_counts_from_arrival_or_from_the_line_as_agreed() -> None:
    """Also for the service level and short abandons: one clock for all three."""
    day = [answered(after_s=30, joined_s=12), answered(after_s=50, joined_s=20), gave_up(after_s=14, joined_s=12)]
    by_arrival = call_figures(day, Counting(short_abandon_s=5))
    by_line = call_figures(day, Counting(short_abandon_s=5, clock_start=ClockStart.LINE))
    assert (by_arrival.asa_s, by_line.asa_s) == (40, 24)
    assert (by_arrival.answered_in_time, by_line.answered_in_time) == (0, 1)
    assert (by_arrival.offered, by_line.offered) == (3, 2)


def test_an_answer_whose_record_was_lost_is_answered_but_has_no_wait() -> None:
    """It would be a guess."""
    found = call_figures([answered(after_s=10), call(ended_s=500, ending=Ending.SERVED)], PLAIN)
    assert (found.answer_percent, found.asa_s, found.service_level_percent) == (100, 10, 50)


def test_patience_is_all_waiting_by_those_who_gave_up() -> None:
    """Not the mean wait of those who did: here that is 30 s."""
    day = [answered(after_s=60), answered(after_s=90), gave_up(after_s=30), call(500)]
    assert call_figures(day, PLAIN).patience_s == 180
    assert call_figures(day[:2], PLAIN).patience_s is None


def test_of_nothing_no_rate_is_told() -> None:
    """Neither 0 % nor 100 %."""
    found = call_figures([call(), gave_up(after_s=1, queue=None), gave_up(after_s=1, was_closed=True)], PLAIN)
    assert (found.offered, found.incoming) == (0, 1)
    assert found.answer_percent is found.abandon_percent is found.reached_percent is None
    assert found.service_level_percent is found.lenient_service_level_percent is found.asa_s is None
    # All gave up in time: nobody is left to judge by.
    assert call_figures([gave_up(after_s=1)], PLAIN).lenient_service_level_percent is None
    assert call_figures([gave_up(after_s=1)], PLAIN).service_level_percent == 0


@given(st.lists(calls()), st.sampled_from([PLAIN, SHORT_5, Counting(60, 30, ClockStart.LINE)]))
def test_every_call_is_counted_once_and_the_shares_add_up(day: list[CallFact], counting: Counting) -> None:
    """Answered, abandoned, promised, diverted and failed are all that is offered."""
    found = call_figures(day, counting)
    assert sum(found.by_fate.values()) == len(day)
    counts = [found.count(fate) for fate in (Fate.ANSWERED, Fate.ABANDONED, Fate.PROMISED, Fate.DIVERTED, Fate.FAILED)]
    assert sum(counts) == found.offered <= found.incoming <= len(day)
    shares = (found.answer_percent, found.abandon_percent, found.service_level_percent, found.reached_percent)
    if found.offered:
        assert all(share is not None and 0 <= share <= 100 for share in shares)
        lenient = found.lenient_service_level_percent
        assert lenient is None or (found.service_level_percent or 0) <= lenient <= 100
        assert found.answered_in_time <= found.count(Fate.ANSWERED) <= found.reached
    else:
        assert shares == (None,) * 4


def test_the_two_waits_are_those_of_the_same_callers() -> None:
    """One held for two minutes and talked; one held for one, left a number, and talked after twenty.

    Who gave up, and who still waits for the callback, is in neither.
    """
    promises = {
        "done": PromiseFact("done", "sales", at(0), PromiseState.FULFILLED, talked_at=at(1200)),
        "open": PromiseFact("open", "sales", at(0), PromiseState.WAITING),
    }
    day = [
        answered(after_s=130, joined_s=10),
        call(joined_s=10, ended_s=70, ending=Ending.PROMISED, promise_id="done"),
        call(joined_s=10, ended_s=70, ending=Ending.PROMISED, promise_id="open"),
        gave_up(after_s=900),
    ]
    found = wait_figures(day, PLAIN, promises)
    assert (found.hold_s, found.true_s) == ((60, 120), (130, 1200))
    assert (found.mean_hold_s, found.mean_true_s) == (90, 665)
    assert (found.p90_hold_s, found.p90_true_s) == (120, 1200)
    nothing = wait_figures([], PLAIN, {})
    assert nothing.mean_hold_s is nothing.mean_true_s is nothing.p90_hold_s is nothing.p90_true_s is None


@given(st.lists(calls()))
def test_nobody_holds_longer_than_they_wait(day: list[CallFact]) -> None:
    """A promise is kept after the call that made it."""
    kept = {
        one.promise_id: PromiseFact(
            one.promise_id, "sales", one.arrived_at, PromiseState.FULFILLED, talked_at=at(10**6)
        )
        for one in day
    }
    found = wait_figures(day, PLAIN, kept)
    assert len(found.hold_s) == len(found.true_s) <= sum(fate_of(one, PLAIN) in OFFERED for one in day)
    assert all(hold_s <= true_s for hold_s, true_s in zip(found.hold_s, found.true_s, strict=True))
    assert all(talked_at(one, kept) == one.answered_at for one in day if one.answered_at is not None)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_was_there_and_so_many_are_not_above_it(values: list[float], rank: int) -> None:
    """Nearest rank: nothing is made up between two values."""
    found = nearest_rank(sorted(values), rank)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= rank * len(values)
    assert sum(value < found for value in values) * 100 < rank * len(values)


def test_announced_waits_are_judged_from_the_announcement_on() -> None:
    """Served or gone; who still waits cannot be judged."""
    quote = Quote(at(20), 60, 120)
    day = [answered(after_s=100, quote=quote), gave_up(after_s=50, quote=quote), call(quote=quote), answered(after_s=9)]
    assert quoted_waits(day) == [
        QuotedWait("sales", 60, 120, 80, was_answered=True),
        QuotedWait("sales", 60, 120, 30, was_answered=False),
    ]


@pytest.mark.parametrize("no_length_s", [-1, float("nan")])
def test_a_threshold_is_a_length_of_time(no_length_s: float) -> None:
    """Not less than none."""
    with pytest.raises(ValueError, match=r"answer_within_s is .* has to be 0 or more"):
        Counting(answer_within_s=no_length_s)
    with pytest.raises(ValueError, match=r"short_abandon_s is .* has to be 0 or more"):
        Counting(short_abandon_s=no_length_s)

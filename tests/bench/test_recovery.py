from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.recovery import Return, Turn, overtaken, rows_of


def one_by_one(rung_s: list[float]) -> list[Turn]:
    """Return the turns of callers each of whom called when the one before had been answered."""
    return [Turn(nth, nth + 0.5, at_s) for nth, at_s in enumerate(rung_s)]


def a_return(*, lost: int = 0, overtaken: int = 0, **changes: float) -> Return:
    """Return one that took 1.5 s, with nobody lost."""
    fields = {"startup_s": 1.0, "connect_s": 0.1, "survey_s": 0.2, "taking_up_s": 0.2}
    fields |= {"first_rung_s": 1.6, "last_rung_s": 1.7, **changes}
    return Return(**fields, taken_up=10, lost=lost, overtaken=overtaken)


@given(st.lists(st.floats(0, 100)))
def test_nobody_is_overtaken_who_is_served_in_order(rung_s: list[float]) -> None:
    """At the same time is in order too."""
    assert overtaken(one_by_one(sorted(rung_s))) == 0


@given(st.lists(st.floats(0, 100), unique=True, max_size=20), st.floats(101, 200))
def test_who_is_served_last_of_all_was_overtaken_unless_they_came_last(others: list[float], last_s: float) -> None:
    """By whoever came after them."""
    in_order = sorted(others)
    assert overtaken(one_by_one([*in_order, last_s])) == 0
    assert overtaken(one_by_one([last_s, *in_order])) == bool(in_order)


def test_who_gets_an_agent_after_a_later_caller_was_overtaken() -> None:
    """Counted is who lost by it: two of them, whose agents came after the last caller's."""
    assert overtaken(one_by_one([5.0, 6.0, 7.0, 1.0])) == 3
    assert overtaken(one_by_one([1.0, 6.0, 7.0, 5.0])) == 2


def test_of_two_who_called_at_the_same_time_neither_was_overtaken() -> None:
    """Their calls were on their way together: which one the PBX saw first, the phones do not know."""
    assert overtaken([Turn(1.0, 1.2, 9.0), Turn(1.1, 1.3, 8.0)]) == 0
    assert overtaken([Turn(1.0, 1.2, 9.0), Turn(1.25, 1.3, 8.0)]) == 1


def test_the_time_until_in_control_is_the_sum_of_its_parts() -> None:
    """And the table has the median of each, with the callers who were lost in all rounds."""
    rows = {row.what: row for row in rows_of(500, [a_return(), a_return(startup_s=2.0), a_return(startup_s=3.0)])}
    whole = rows["exec to in control, 500 live calls"]
    assert (round(whole.ours, 3), whole.is_reached) == (2.5, False)
    assert rows["... start-up of Python, settings, database"].ours == 2.0


def test_who_was_lost_and_who_was_overtaken_are_told_apart() -> None:
    """The sum over all rounds of each."""
    rows = {row.what: row for row in rows_of(500, [a_return(lost=1), a_return(lost=2), a_return(overtaken=4)])}
    assert rows["callers lost, 500 live calls"].ours == 3
    assert rows["callers overtaken, 500 live calls"].ours == 4

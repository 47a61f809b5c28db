from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.load_phones import CallMade
from bench.recovery import SAME_S, Return, overtaken, rows_of


def waited(*rung_s: float) -> list[CallMade]:
    """Return calls in the order in which they came, each with an agent rung at an instant."""
    return [CallMade(str(n), float(n), float(n), agent_rung_s=at_s) for n, at_s in enumerate(rung_s)]


def a_return(**changes: float) -> Return:
    """Return one that took 1.5 s, with nobody lost."""
    fields = {"startup_s": 1.0, "connect_s": 0.1, "survey_s": 0.2, "taking_up_s": 0.2}
    fields |= {"first_rung_s": 1.6, "last_rung_s": 1.7, **changes}
    return Return(**fields, taken_up=10, lost=0, overtaken=0)


@given(st.lists(st.floats(0, 100)))
def test_nobody_is_overtaken_who_is_served_in_order(rung_s: list[float]) -> None:
    """At the same time is in order too."""
    assert overtaken(waited(*sorted(rung_s))) == 0


def test_who_gets_an_agent_after_a_later_caller_was_overtaken() -> None:
    """Counted is who lost by it: two of them, whose agents came after the last caller's."""
    assert overtaken(waited(5.0, 6.0, 7.0, 1.0)) == 3
    assert overtaken(waited(1.0, 6.0, 7.0, 5.0)) == 2


def test_packets_that_pass_one_another_overtake_nobody() -> None:
    """Agents who are free at the same time are rung at the same time."""
    assert overtaken(waited(5.0 + SAME_S / 2, 5.0)) == 0


def test_the_time_until_in_control_is_the_sum_of_its_parts() -> None:
    """And the table has the median of each, with the callers who were lost in all rounds."""
    rows = {row.what: row for row in rows_of(500, [a_return(), a_return(startup_s=2.0), a_return(startup_s=3.0)])}
    whole = rows["exec to in control, 500 live calls"]
    assert (round(whole.ours, 3), whole.is_reached) == (2.5, False)
    assert rows["... start-up of Python, settings, database"].ours == 2.0
    assert rows["callers lost or overtaken, 500 live calls"].is_reached is True

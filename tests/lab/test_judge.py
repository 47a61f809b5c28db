from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ledger.facts import By, Fact, Kind, Means, as_line, e164, from_line
from lab.ledger.judge import Fault, judge
from lab.ledger.rules import BUSY, CONGESTED, NO_ANSWER, Rules
from tests.lab.seen import NOON_S, NUMBER, OTHER, RULES, asked, call, faults, sms, talk, wrote


@pytest.mark.parametrize(
    "story",
    [
        [asked(), *talk(5, 20)],
        [asked(), *call(5, 9), *talk(13, 20)],
        [asked(), *call(5, 9), *call(13, 17), *call(21, 25), sms(25.1, "gave_up")],
        [asked(), *call(5, 9, answered=True, by=By.FAR_END), Fact(NOON_S + 8, Kind.CANCELLED, NUMBER)],
        [
            asked(),
            *call(5, 5.1, cause=CONGESTED),
            *call(7, 7.1, cause=CONGESTED),
            *call(9, 12),
            *call(16, 19),
            *talk(24, 30),
        ],
        [asked(), *call(5, 9, answered=True), Fact(NOON_S + 8, Kind.PRESSED_NO, NUMBER, f"{NUMBER}-5")],
        [asked(), *talk(5, 20), asked(100), *talk(105, 120)],
        [asked(), *call(5, 9), Fact(NOON_S + 9, Kind.LATER, NUMBER, later_s=600), *talk(609, 620)],
        [asked(), *call(5, 9), wrote(9.5, Means.NOW), *talk(10, 20)],
        [asked(), *call(5, 9), wrote(10, Means.AT, 90), *talk(100, 120)],
        [asked(), *call(5, 9), sms(9, "gave_up"), wrote(20, Means.NOW), *talk(21, 30)],
        [asked(), *call(5, 9), wrote(10, Means.NOW), sms(10.5, "gave_up"), *talk(13, 30)],
        [asked(), *call(5, 9), wrote(13, Means.CANCEL), *call(13.5, 14)],
        [asked(), *call(5, 9), wrote(13, Means.STOP), *call(13.5, 14), sms(13.9, "not_reached")],
        [asked(), *call(5, 9), wrote(10, Means.AT, 900), wrote(20, Means.NOW, kind=Kind.BOOKED), *talk(21, 30)],
    ],
    ids=[
        "talked",
        "at the second call",
        "given up",
        "cancelled by key",
        "congested",
        "cancelled by key, and gone",
        "asked twice",
        "called later",
        "now, by SMS",
        "at a time, by SMS",
        "anew, by SMS",
        "anew, while the last word was on its way",
        "cancelled by SMS, a call on its way",
        "stopped by SMS, a call and an SMS on their way",
        "another time, and then now",
    ],
)
def test_a_promise_that_was_kept_is_no_fault(story: list[Fact]) -> None:
    """A judge who finds fault with everything is as worthless as one who finds none."""
    assert faults(story) == []


def test_a_request_of_which_nothing_came_is_lost() -> None:
    """Neither a talk nor a last word, however often it was dialled."""
    assert faults(asked()) == [Fault.LOST]
    assert faults(asked(), call(5, 9), sms(9, "not_reached")) == [Fault.LOST]


def test_a_request_that_is_settled_only_before_it_was_made_is_lost() -> None:
    """The talk of an earlier request does not keep a later one."""
    assert faults(talk(5, 20), asked(100)) == [Fault.LOST]
    assert faults(asked(), talk(5, 20), asked(100)) == [Fault.LOST]


def test_whoever_was_called_in_vain_and_never_told_so_is_not_lost_but_untold() -> None:
    """Called as often as is allowed, or unknown to the network; one call less, and they are lost."""
    three = [*call(5, 9), *call(14, 18), *call(23, 27)]
    assert faults(asked(), three) == [Fault.UNTOLD]
    assert faults(asked(), three[:4]) == [Fault.LOST]
    assert faults(asked(), call(5, 6, cause=1)) == [Fault.UNTOLD]


def test_a_talk_that_was_over_before_the_caller_was_told_keeps_no_promise() -> None:
    """However shortly before."""
    assert faults(talk(5, 20), asked(20.5)) == [Fault.LOST]
    assert faults(talk(5, 20), asked(19.5)) == []


def test_who_pressed_the_key_for_no_longer_needed_and_gave_up_waiting_is_owed_a_call() -> None:
    """Nobody had heard them: else they had been let go."""
    pressed = Fact(NOON_S + 6, Kind.PRESSED_NO, NUMBER, f"{NUMBER}-5")
    assert faults(asked(), call(5, 24, answered=True, by=By.FAR_END), pressed) == [Fault.LOST]
    assert faults(asked(), call(5, 24, answered=True, by=By.COMPANY), pressed) == []
    assert faults(asked(), call(5, 24, answered=True, by=By.FAR_END), pressed, talk(26, 40)) == []


def test_whoever_is_told_of_one_promise_twice_is_not_called_twice_as_often() -> None:
    """As a caller is whose controller died while they were told."""
    four = [*call(5, 9), *call(14, 18), *call(23, 27), *call(32, 36)]
    assert faults(asked(), asked(1), four, sms(90, "gave_up")) == [Fault.DUPLICATED]
    assert faults(asked(), talk(5, 20), asked(100), call(105, 109), call(114, 118), talk(123, 140)) == []


def test_two_calls_at_a_time_to_one_number_are_a_duplicate() -> None:
    """Whichever of them is answered."""
    assert faults(asked(), call(5, 9), talk(8.9, 20)) == [Fault.DUPLICATED]


def test_a_call_that_lies_within_a_longer_one_is_a_duplicate_though_another_ended_between() -> None:
    """The overlap is looked for with every earlier call, not with the last alone."""
    found = faults(asked(), call(5, 60), call(6, 7), talk(30, 40))
    assert found.count(Fault.DUPLICATED) == 2


@pytest.mark.parametrize(
    "settled",
    [
        talk(5, 20),
        [*call(5, 9, answered=True, by=By.FAR_END), Fact(NOON_S + 9, Kind.CANCELLED, NUMBER)],
        [*call(5, 9), sms(9, "gave_up")],
    ],
    ids=["talked", "cancelled", "given up"],
)
def test_a_call_after_the_request_was_settled_is_a_duplicate(settled: list[Fact]) -> None:
    """Nobody is called who was talked with, who wanted no call, or who was told that there will be none."""
    assert Fault.DUPLICATED in faults(asked(), settled, call(60, 64), rules=RULES)


def test_one_call_more_than_is_allowed_is_a_duplicate() -> None:
    """Three are allowed; those for which the network had no room count only towards all calls."""
    three = [*call(5, 9), *call(14, 18), *call(23, 27)]
    assert faults(asked(), three, sms(90, "gave_up")) == []
    assert faults(asked(), three, call(32, 36), sms(90, "gave_up")) == [Fault.DUPLICATED]
    congested = [fact for at in range(5, 35, 5) for fact in call(at, at + 1, cause=CONGESTED)]
    assert faults(asked(), congested, sms(90, "gave_up")) == [Fault.DUPLICATED]


def test_an_sms_that_goes_out_twice_is_a_duplicate() -> None:
    """It is known by its key."""
    assert faults(asked(), talk(5, 20), sms(1, "not_reached"), sms(2, "not_reached")) == [Fault.DUPLICATED]
    assert faults(asked(), talk(5, 20), sms(1, "not_reached"), sms(2, "not_reached", key="p2")) == []


@pytest.mark.parametrize(
    ("cause", "gap_s"), [(BUSY, 2), (NO_ANSWER, 4), (CONGESTED, 1)], ids=["busy", "no answer", "other"]
)
def test_a_call_before_the_gap_is_over_is_early(cause: int, gap_s: float) -> None:
    """Each way of not being reached has a gap of its own."""
    first = call(5, 9, cause=cause)
    assert faults(asked(), first, talk(9 + gap_s, 30)) == []
    assert faults(asked(), first, talk(9 + gap_s - 0.1, 30)) == [Fault.EARLY]


def test_a_call_before_the_chosen_time_is_early() -> None:
    """Ten minutes are ten minutes."""
    chosen = Fact(NOON_S + 9, Kind.LATER, NUMBER, later_s=600)
    assert faults(asked(), call(5, 9, answered=True), chosen, talk(540, 560)) == [Fault.EARLY]


@pytest.mark.parametrize("number", ["+442079460000", "+81990123456", "112"], ids=["abroad", "denied", "no number"])
def test_a_number_that_may_not_be_dialled_is_forbidden(number: str) -> None:
    """One INVITE is one too many."""
    rules = Rules(denied_prefixes=("+81990",))
    assert Fault.FORBIDDEN in faults(call(5, 9, number=number), rules=rules)


@pytest.mark.parametrize(("hour", "is_allowed"), [(8, False), (9, True), (19, True), (20, False)])
def test_a_call_outside_the_calling_hours_is_forbidden(hour: int, is_allowed: bool) -> None:
    """On the customer's clock: Tokyo is nine hours ahead."""
    at_s = datetime(2026, 11, 23, hour - 9 if hour >= 9 else hour + 15, 30, tzinfo=UTC).timestamp()
    rules = Rules(opens=time(9), closes=time(20))
    found = judge([Fact(at_s, Kind.INVITE, NUMBER, "x")], rules)
    assert [finding.fault for finding in found] == ([] if is_allowed else [Fault.FORBIDDEN])


def test_a_call_to_a_number_that_asked_never_to_be_called_is_forbidden() -> None:
    """From that moment on, and not before."""
    blocked = Fact(NOON_S + 30, Kind.BLOCKED, NUMBER)
    assert faults(asked(), call(5, 9), blocked) == []
    assert Fault.FORBIDDEN in faults(asked(), blocked, call(35, 39))


def test_more_calls_at_a_time_than_there_are_circuits_are_over_the_cap() -> None:
    """Two are allowed."""
    three = [*talk(5, 20), *talk(6, 20, number=OTHER), *talk(7, 20, number="+818010300003")]
    assert faults(three[:8]) == []
    assert faults(three) == [Fault.OVER_CAP]


def test_more_calls_in_a_second_or_a_day_than_allowed_are_over_the_cap() -> None:
    """A storm is seen, and so is a number that is called again and again."""
    storm = [fact for at in range(4) for fact in talk(5 + at / 10, 20, number=f"+81801030001{at}")]
    assert Fault.OVER_CAP in faults(storm, rules=Rules(max_per_s=3))
    assert faults(storm, rules=Rules(max_per_s=4)) == []
    again = [fact for at in range(3) for fact in call(100 * at, 100 * at + 4)]
    assert Fault.OVER_CAP in faults(again, rules=Rules(max_per_number=2))
    assert faults(again, rules=Rules(max_per_number=3)) == []


def test_a_talk_that_the_customer_did_not_end_was_dropped() -> None:
    """Whether their own call is ended from our side, or they are left alone on it."""
    began, over = Fact(NOON_S + 6, Kind.TALK, NUMBER, agent="a"), Fact(NOON_S + 20, Kind.TALK_OVER, NUMBER, agent="a")
    cut = call(5, 20, answered=True, cause=16, by=By.COMPANY)
    alone = call(5, 60, answered=True, cause=16, by=By.FAR_END)
    assert faults(asked(), cut, began, over) == [Fault.DROPPED]
    assert faults(asked(), alone, began, over) == [Fault.DROPPED]


def test_two_who_are_parted_for_a_blink_were_dropped() -> None:
    """However soon they are put together again, and whoever with."""
    over = Fact(NOON_S + 9, Kind.TALK_OVER, NUMBER, agent="agent-1")
    for again in (
        Fact(NOON_S + 9.01, Kind.TALK, NUMBER, agent="agent-1"),
        Fact(NOON_S + 9.01, Kind.TALK, NUMBER, agent="agent-2"),
    ):
        assert faults(asked(), talk(5, 20), over, again) == [Fault.DROPPED]


def test_what_ends_with_the_pbx_was_not_dropped_by_the_controller() -> None:
    """And a call that the network still rings, since nobody could take it back, is no second one."""
    gone = Fact(NOON_S + 20, Kind.PBX_GONE)
    story = [*call(5, 90, answered=True), Fact(NOON_S + 6, Kind.TALK, NUMBER, agent="a")]
    assert faults(asked(), story, Fact(NOON_S + 20, Kind.TALK_OVER, NUMBER, agent="a"), gone) == []
    assert faults(asked(), call(5, 180), gone, talk(26, 40)) == []


@given(
    st.builds(
        Fact,
        at_s=st.floats(0, 4e9),
        kind=st.sampled_from(Kind),
        number=st.text(max_size=20),
        leg=st.text(max_size=20),
        text=st.text(max_size=9),
        cause=st.integers(0, 127),
        later_s=st.floats(0, 6000),
    )
)
def test_a_fact_is_read_as_it_was_written(fact: Fact) -> None:
    """Whatever letters a number came in."""
    assert from_line(as_line(fact)) == fact
    assert as_line(fact).count("\n") == 1


@pytest.mark.parametrize("dialled", ["08010300001", "+818010300001", "818010300001", "080-1030-0001"])
def test_a_number_is_one_number_however_it_was_dialled(dialled: str) -> None:
    """National or international, with or without signs."""
    assert e164(dialled) == NUMBER

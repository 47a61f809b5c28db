"""The judge on what customers write: SMS, replies, the booking page. Each fault is planted and found."""

from __future__ import annotations

import pytest

from lab.ledger.facts import Kind, Means
from lab.ledger.judge import Fault
from tests.lab.seen import asked, call, faults, sms, talk, wrote


def test_an_sms_is_not_handed_over_again_when_the_first_may_have_been_taken() -> None:
    """No answer is no refusal."""
    doubtful = sms(1, "not_reached", kind=Kind.SMS_OPEN)
    assert faults(asked(), talk(5, 20), doubtful, sms(2, "not_reached")) == [Fault.DUPLICATED]
    assert faults(asked(), talk(5, 20), doubtful, sms(2, "not_reached", kind=Kind.SMS_OPEN)) == [Fault.DUPLICATED]
    assert faults(asked(), talk(5, 20), doubtful) == []


@pytest.mark.parametrize("means", [Means.NOW, Means.AT])
@pytest.mark.parametrize("kind", [Kind.REPLIED, Kind.BOOKED])
def test_who_asks_for_a_call_in_writing_and_hears_nothing_is_lost(means: Means, kind: Kind) -> None:
    """Also when an earlier request of theirs was settled."""
    assert faults(wrote(0, means, kind=kind)) == [Fault.LOST]
    assert faults(asked(), talk(5, 20), wrote(30, means, kind=kind)) == [Fault.LOST]
    assert faults(wrote(0, means, kind=kind), talk(5, 20)) == []


@pytest.mark.parametrize("kind", [Kind.REPLIED, Kind.BOOKED])
def test_who_names_a_time_in_writing_is_not_called_before_it(kind: Kind) -> None:
    """Not by a second; but what was on its way may come."""
    assert faults(wrote(0, Means.AT, 90, kind=kind), talk(89, 99)) == [Fault.EARLY]
    assert faults(wrote(0, Means.AT, 90, kind=kind), talk(90, 99)) == []
    assert faults(wrote(0, Means.AT, 90, kind=kind), call(0.5, 5), talk(90, 99)) == []
    assert faults(wrote(0, Means.AT, 90, kind=kind), call(1.5, 5), talk(90, 99)) == [Fault.EARLY]


def test_who_names_a_time_in_writing_is_called_in_time_or_told() -> None:
    """Within half an hour of it, or they hear that it will be later, or not at all."""
    at = wrote(0, Means.AT, 90)
    assert faults(at, talk(1889, 1899)) == []
    assert faults(at, talk(1891, 1899)) == [Fault.LOST]
    assert faults(at, sms(1800, "running_late"), talk(1891, 1899)) == []
    assert faults(at, sms(1800, "expired"), asked(5000), talk(5005, 5010)) == []


@pytest.mark.parametrize("kind", [Kind.REPLIED, Kind.BOOKED])
def test_who_cancels_in_writing_is_not_called_any_more(kind: Kind) -> None:
    """But for a call that was on its way; and if they ask again, they are."""
    no = wrote(10, Means.CANCEL, kind=kind)
    assert faults(asked(), call(5, 9), no, call(14, 15)) == [Fault.DUPLICATED]
    assert faults(asked(), call(5, 9), no, wrote(11, Means.NOW), talk(12, 15)) == []


@pytest.mark.parametrize("kind", [Kind.REPLIED, Kind.BOOKED])
def test_who_says_stop_is_neither_called_nor_written_to_any_more(kind: Kind) -> None:
    """Not even to say so; what was on its way has a second."""
    stop = wrote(10, Means.STOP, kind=kind)
    assert Fault.FORBIDDEN in faults(asked(), call(5, 9), stop, call(12, 15))
    assert faults(asked(), call(5, 9), stop, sms(11.1, "cancelled")) == [Fault.FORBIDDEN]
    assert faults(asked(), call(5, 9), stop, sms(11.1, "cancelled", kind=Kind.SMS_OPEN)) == [Fault.FORBIDDEN]
    assert faults(asked(), call(5, 9), stop) == []


def test_who_asks_again_and_again_in_writing_is_called_once_more_for_each() -> None:
    """And not more often than that."""
    three = [*call(5, 9), *call(14, 18), *call(23, 27)]
    assert faults(asked(), three, wrote(28, Means.NOW), talk(29, 40)) == []
    many = [fact for at in range(29, 60, 10) for fact in call(at, at + 2)]
    assert Fault.DUPLICATED in faults(asked(), three, wrote(28, Means.NOW), many, sms(90, "gave_up"))

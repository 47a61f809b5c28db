"""From a hang-up to an outcome: one row for each way in which a call was seen to end on a real Asterisk."""

import pytest

from controller.asterisk.hangup_causes import BY_CAUSE, BY_TECH_CAUSE, outcome_of
from controller.domain.outcome import Outcome

SEEN = {
    "486, busy": (17, 486, True, Outcome.BUSY),
    "busy without ringing": (17, 486, False, Outcome.BUSY),
    "503, congested": (34, 503, False, Outcome.CONGESTION),
    "603, declined": (21, 603, True, Outcome.REJECTED),
    "403, rejected": (21, 403, False, Outcome.REJECTED),
    "404, unallocated": (1, 404, False, Outcome.INVALID_NUMBER),
    "early announcement, then unallocated": (1, 404, True, Outcome.INVALID_NUMBER),
    "480 at once: switched off": (19, 480, False, Outcome.UNREACHABLE),
    "480 after ringing: the network gave up": (19, 480, True, Outcome.NO_ANSWER),
    "484, bad format": (28, 484, False, Outcome.INVALID_NUMBER),
    "408, no response": (18, 408, False, Outcome.UNREACHABLE),
    "408 after ringing": (18, 408, True, Outcome.NO_ANSWER),
    "410, number changed": (22, 410, False, Outcome.INVALID_NUMBER),
    "502, out of order": (27, 502, False, Outcome.UNREACHABLE),
    "488, bearer": (58, 488, False, Outcome.UNREACHABLE),
    "500, network failure": (38, 500, False, Outcome.UNREACHABLE),
    "trunk dead, no qualify": (18, 408, False, Outcome.UNREACHABLE),
}


@pytest.mark.parametrize(("cause", "tech_cause", "rang", "outcome"), SEEN.values(), ids=SEEN)
def test_each_ending_that_was_seen_has_its_outcome(
    cause: int, tech_cause: int, outcome: Outcome, *, rang: bool
) -> None:
    """Classified by cause and SIP status, never by the Dial status, which calls half of these NOANSWER."""
    assert outcome_of(cause, tech_cause, rang=rang, timed_out=False) is outcome


@pytest.mark.parametrize(("cause", "tech_cause", "rang", "outcome"), SEEN.values(), ids=SEEN)
def test_whatever_the_wire_says_our_own_time_out_is_no_answer(
    cause: int, tech_cause: int, outcome: Outcome, *, rang: bool
) -> None:
    """It looks like a far end's 480 on the wire; only the own timer tells them apart."""
    del outcome
    assert outcome_of(cause, tech_cause, rang=rang, timed_out=True) is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (1, Outcome.INVALID_NUMBER),
        (17, Outcome.BUSY),
        (18, Outcome.UNREACHABLE),
        (19, Outcome.NO_ANSWER),
        (20, Outcome.UNREACHABLE),
        (21, Outcome.REJECTED),
        (27, Outcome.UNREACHABLE),
        (34, Outcome.CONGESTION),
        (41, Outcome.CONGESTION),
    ],
)
def test_without_a_sip_status_the_cause_decides(cause: int, outcome: Outcome) -> None:
    """A trunk that is not SIP has none."""
    assert outcome_of(cause, 0, rang=False, timed_out=False) is outcome


@pytest.mark.parametrize(("cause", "tech_cause"), [(0, 0), (16, 0), (127, 599), (-1, 200)])
def test_what_no_table_knows_is_unknown_and_so_our_own_fault(cause: int, tech_cause: int) -> None:
    """Somebody is told, and the customer is not dialled again at once."""
    assert outcome_of(cause, tech_cause, rang=True, timed_out=False) is Outcome.UNKNOWN


def test_the_tables_name_only_outcomes_of_a_call_that_was_not_answered() -> None:
    """None of them says that anybody talked, or that the gate refused."""
    assert set(BY_CAUSE.values()) | set(BY_TECH_CAUSE.values()) == {
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.REJECTED,
        Outcome.INVALID_NUMBER,
        Outcome.UNREACHABLE,
        Outcome.CONGESTION,
    }

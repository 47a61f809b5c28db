"""From a hang-up to an outcome: each way in which a call was seen to end, and a row for every cause there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk import hangup_causes
from controller.asterisk.hangup_causes import BY_CAUSE, BY_TECH_CAUSE, blames_trunk, outcome_of
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

SIP = (
    "300 U, 301 I, 302 U, 305 U, 380 U, 400 U, 401 U, 402 U, 403 R, 404 I, 405 U, 406 U, 407 U, 408 U, 409 U, 410 I, "
    "411 U, 413 U, 414 U, 415 U, 416 I, 420 U, 421 U, 422 U, 423 U, 424 U, 428 U, 433 R, 436 U, 437 U, 438 U, 470 U, "
    "480 U, 481 U, 482 U, 483 U, 484 I, 485 I, 486 B, 487 U, 488 U, 489 U, 491 U, 493 U, 494 U, 500 U, 501 U, 502 U, "
    "503 C, 504 U, 505 U, 513 U, 555 U, 580 C, 600 B, 603 R, 604 I, 606 U, 607 R, 608 R"
)
"""Every final status of an INVITE in IANA's registry, with its outcome."""
Q850 = (
    "1 I, 2 U, 3 I, 4 I, 5 I, 6 C, 7 U, 8 C, 9 C, 14 U, 16 ?, 17 B, 18 U, 19 N, 20 U, 21 R, 22 I, 23 U, 24 R, 25 U, "
    "26 U, 27 U, 28 I, 29 R, 30 U, 31 U, 34 C, 38 U, 39 U, 40 U, 41 C, 42 C, 43 U, 44 C, 46 C, 47 C, 49 C, 50 U, 52 R, "
    "53 R, 54 R, 55 R, 57 U, 58 U, 62 U, 63 U, 65 U, 66 U, 69 U, 70 U, 79 U, 81 U, 82 U, 83 U, 84 U, 85 U, 86 U, 87 R, "
    "88 U, 90 R, 91 U, 95 U, 96 U, 97 U, 98 U, 99 U, 100 U, 101 U, 102 U, 103 U, 110 U, 111 U, 127 U"
)
"""Every cause of Q.850, with its outcome."""
MEANT = {
    "B": Outcome.BUSY,
    "C": Outcome.CONGESTION,
    "I": Outcome.INVALID_NUMBER,
    "N": Outcome.NO_ANSWER,
    "R": Outcome.REJECTED,
    "U": Outcome.UNREACHABLE,
    "?": Outcome.UNKNOWN,
}
ANY_INT = st.integers(-(2**40), 2**40) | st.integers(0, 800)


def rows(table: str) -> list[tuple[int, Outcome]]:
    """Return the rows of one of the tables above."""
    return [(int(code), MEANT[letter]) for code, letter in (row.split() for row in table.split(","))]


@pytest.mark.parametrize(("cause", "tech_cause", "rang", "outcome"), SEEN.values(), ids=SEEN)
def test_each_ending_that_was_seen_has_its_outcome(
    cause: int, tech_cause: int, outcome: Outcome, *, rang: bool
) -> None:
    """Classified by cause and SIP status, never by the Dial status, which calls half of these NOANSWER."""
    assert outcome_of(cause, tech_cause, rang=rang, timed_out=False) is outcome


@pytest.mark.parametrize(("tech_cause", "outcome"), rows(SIP))
def test_each_final_status_of_sip_has_its_outcome(tech_cause: int, outcome: Outcome) -> None:
    """Whatever cause Asterisk makes of it: 127 for those that it does not know."""
    assert outcome_of(127, tech_cause, rang=False, timed_out=False) is outcome
    assert outcome_of(0, tech_cause, rang=False, timed_out=False) is outcome


@pytest.mark.parametrize(("cause", "outcome"), rows(Q850))
def test_without_a_sip_status_each_cause_has_its_outcome(cause: int, outcome: Outcome) -> None:
    """A trunk that is not SIP has none; 200 is the status of a channel that was answered once."""
    assert outcome_of(cause, 0, rang=False, timed_out=False) is outcome
    assert outcome_of(cause, 200, rang=False, timed_out=False) is outcome


def test_no_row_of_the_tables_is_without_a_test() -> None:
    """A row that is added has to be added above, by somebody who thinks about it again."""
    assert dict(rows(SIP)) == BY_TECH_CAUSE
    assert dict(rows(Q850)) == BY_CAUSE
    listed = re.findall(r"^    (\d+): Outcome", Path(hangup_causes.__file__).read_text("utf-8"), re.MULTILINE)
    assert len(listed) == len(BY_TECH_CAUSE) + len(BY_CAUSE)


@pytest.mark.parametrize("tech_cause", [408, 480, 487, 504])
def test_a_network_that_gives_up_ringing_means_that_nobody_answered(tech_cause: int) -> None:
    """Without ringing the same status means that nothing was reached, also after an announcement (183)."""
    assert outcome_of(0, tech_cause, rang=True, timed_out=False) is Outcome.NO_ANSWER
    assert outcome_of(0, tech_cause, rang=False, timed_out=False) is Outcome.UNREACHABLE


@given(ANY_INT, ANY_INT, st.booleans(), st.booleans(), st.booleans())
def test_whatever_comes_has_an_outcome(cause: int, tech_cause: int, rang: bool, timed_out: bool, heard: bool) -> None:
    """Numbers that no standard knows too; nothing raises, and none of them says that somebody talked."""
    outcome = outcome_of(cause, tech_cause, rang=rang, timed_out=timed_out)
    assert outcome in set(MEANT.values())
    if timed_out:
        assert outcome is Outcome.NO_ANSWER
    assert outcome_of(cause, tech_cause, rang=rang, timed_out=timed_out, answered=True) is Outcome.DROPPED
    assert not (heard and blames_trunk(cause, tech_cause, heard=heard))


@given(st.integers(300, 699).filter(lambda code: code not in BY_TECH_CAUSE), st.booleans(), ANY_INT)
def test_an_unknown_status_goes_by_its_class(tech_cause: int, rang: bool, cause: int) -> None:
    """A global failure (6xx) is a no; of the others nothing is known but that nobody was reached."""
    expected = Outcome.REJECTED if tech_cause >= 600 else Outcome.UNREACHABLE
    assert outcome_of(cause, tech_cause, rang=rang, timed_out=False) is expected


@given(st.integers(1, 127).filter(lambda code: code not in BY_CAUSE), st.booleans())
def test_an_unknown_cause_goes_by_its_class(cause: int, rang: bool) -> None:
    """32 to 47 mean that there are no resources."""
    expected = Outcome.CONGESTION if 32 <= cause < 48 else Outcome.UNREACHABLE
    assert outcome_of(cause, 0, rang=rang, timed_out=False) is expected


@pytest.mark.parametrize(("cause", "tech_cause"), [(0, 0), (16, 0), (128, 700), (-1, 200), (16, 199)])
def test_what_no_table_and_no_class_knows_is_unknown_and_so_our_own_fault(cause: int, tech_cause: int) -> None:
    """Somebody is told, and the customer is not dialled again at once."""
    assert outcome_of(cause, tech_cause, rang=True, timed_out=False) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("cause", "tech_cause", "blamed"),
    [
        (34, 503, True),
        (38, 500, True),
        (41, 0, True),
        (42, 0, True),
        (21, 401, True),
        (21, 407, True),
        (127, 402, True),
        (17, 486, False),
        (19, 480, False),
        (1, 404, False),
        (18, 408, False),
        (27, 502, False),
        (21, 603, False),
        (0, 0, False),
    ],
)
def test_the_trunk_is_blamed_for_what_is_the_trunks(cause: int, tech_cause: int, *, blamed: bool) -> None:
    """Full, out of order, or it does not take our password; a customer who is not there is none of it."""
    assert blames_trunk(cause, tech_cause, heard=False) is blamed
    assert not blames_trunk(cause, tech_cause, heard=True)

"""From the cause of a hang-up before the answer to an outcome: a pure table.

`cause` is a Q.850 cause (ITU-T Q.850 table 1), `tech_cause` a SIP status (RFC 3261 section 21), both from
ChannelDestroyed; Dial status is never used, because it calls half of these NOANSWER. Our own time-out and a far end's
480 look the same on the wire (19 / 480), so the own timer is an argument.
"""

from __future__ import annotations

from controller.domain.outcome import Outcome

BY_TECH_CAUSE: dict[int, Outcome] = {
    403: Outcome.REJECTED,
    404: Outcome.INVALID_NUMBER,
    408: Outcome.UNREACHABLE,
    410: Outcome.INVALID_NUMBER,
    480: Outcome.UNREACHABLE,
    484: Outcome.INVALID_NUMBER,
    486: Outcome.BUSY,
    488: Outcome.UNREACHABLE,
    500: Outcome.UNREACHABLE,
    502: Outcome.UNREACHABLE,
    503: Outcome.CONGESTION,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.INVALID_NUMBER,
}

BY_CAUSE: dict[int, Outcome] = {
    1: Outcome.INVALID_NUMBER,
    3: Outcome.INVALID_NUMBER,
    17: Outcome.BUSY,
    18: Outcome.UNREACHABLE,
    19: Outcome.NO_ANSWER,
    20: Outcome.UNREACHABLE,
    21: Outcome.REJECTED,
    22: Outcome.INVALID_NUMBER,
    27: Outcome.UNREACHABLE,
    28: Outcome.INVALID_NUMBER,
    31: Outcome.UNREACHABLE,
    34: Outcome.CONGESTION,
    38: Outcome.UNREACHABLE,
    41: Outcome.CONGESTION,
    42: Outcome.CONGESTION,
    44: Outcome.CONGESTION,
    58: Outcome.UNREACHABLE,
}


def outcome_of(cause: int, tech_cause: int, *, rang: bool, timed_out: bool) -> Outcome:
    """Return how an unanswered call ended. `rang`: the far end said so; `timed_out`: our own timer ended it."""
    if timed_out:
        return Outcome.NO_ANSWER
    by_tech = BY_TECH_CAUSE.get(tech_cause)
    if by_tech is Outcome.UNREACHABLE and rang and tech_cause in {408, 480}:
        return Outcome.NO_ANSWER  # The network gave up ringing before we did.
    return by_tech or BY_CAUSE.get(cause, Outcome.UNKNOWN)

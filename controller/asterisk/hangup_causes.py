"""From a hang-up to an outcome: one table for SIP, one for Q.850.

`cause` is a Q.850 cause (ITU-T Q.850 table 1), `tech_cause` a SIP status (RFC 3261 section 21 and the RFCs named
beside a row), both from ChannelDestroyed; Dial status is never used, because it calls half of these NOANSWER. Our own
time-out and a far end's 480 look the same on the wire (19 / 480), so the own timer is an argument. A SIP status goes
before the cause, which Asterisk makes up from it. What has no row goes by its class.
"""

from __future__ import annotations

from controller.domain.outcome import Outcome

BY_TECH_CAUSE: dict[int, Outcome] = {
    300: Outcome.UNREACHABLE,
    301: Outcome.INVALID_NUMBER,  # moved for good
    302: Outcome.UNREACHABLE,
    305: Outcome.UNREACHABLE,
    380: Outcome.UNREACHABLE,
    400: Outcome.UNREACHABLE,
    401: Outcome.UNREACHABLE,  # our own account at the trunk: see `blames_trunk`
    402: Outcome.UNREACHABLE,
    403: Outcome.REJECTED,
    404: Outcome.INVALID_NUMBER,
    405: Outcome.UNREACHABLE,
    406: Outcome.UNREACHABLE,
    407: Outcome.UNREACHABLE,
    408: Outcome.UNREACHABLE,
    409: Outcome.UNREACHABLE,  # RFC 2543
    410: Outcome.INVALID_NUMBER,
    411: Outcome.UNREACHABLE,  # RFC 2543
    413: Outcome.UNREACHABLE,
    414: Outcome.UNREACHABLE,
    415: Outcome.UNREACHABLE,
    416: Outcome.INVALID_NUMBER,  # the form of the number is not understood
    420: Outcome.UNREACHABLE,
    421: Outcome.UNREACHABLE,
    422: Outcome.UNREACHABLE,  # RFC 4028
    423: Outcome.UNREACHABLE,
    424: Outcome.UNREACHABLE,  # RFC 6442
    428: Outcome.UNREACHABLE,  # RFC 8224
    433: Outcome.REJECTED,  # RFC 5079: no anonymous calls
    436: Outcome.UNREACHABLE,  # RFC 8224
    437: Outcome.UNREACHABLE,  # RFC 8224
    438: Outcome.UNREACHABLE,  # RFC 8224
    470: Outcome.UNREACHABLE,  # RFC 5360
    480: Outcome.UNREACHABLE,
    481: Outcome.UNREACHABLE,
    482: Outcome.UNREACHABLE,
    483: Outcome.UNREACHABLE,
    484: Outcome.INVALID_NUMBER,
    485: Outcome.INVALID_NUMBER,
    486: Outcome.BUSY,
    487: Outcome.UNREACHABLE,  # ended before an answer, and not by us
    488: Outcome.UNREACHABLE,
    489: Outcome.UNREACHABLE,
    491: Outcome.UNREACHABLE,
    493: Outcome.UNREACHABLE,
    494: Outcome.UNREACHABLE,  # RFC 3329
    500: Outcome.UNREACHABLE,
    501: Outcome.UNREACHABLE,
    502: Outcome.UNREACHABLE,
    503: Outcome.CONGESTION,
    504: Outcome.UNREACHABLE,
    505: Outcome.UNREACHABLE,
    513: Outcome.UNREACHABLE,
    555: Outcome.UNREACHABLE,  # RFC 8599
    580: Outcome.CONGESTION,  # RFC 3312: no resources could be reserved
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.INVALID_NUMBER,
    606: Outcome.UNREACHABLE,
    607: Outcome.REJECTED,  # RFC 8197: unwanted
    608: Outcome.REJECTED,  # RFC 8688
}

BY_CAUSE: dict[int, Outcome] = {
    1: Outcome.INVALID_NUMBER,  # unallocated
    2: Outcome.UNREACHABLE,  # no route to the transit network
    3: Outcome.INVALID_NUMBER,  # no route to the destination
    4: Outcome.INVALID_NUMBER,  # special information tone
    5: Outcome.INVALID_NUMBER,  # misdialled trunk prefix
    6: Outcome.CONGESTION,  # channel unacceptable
    7: Outcome.UNREACHABLE,  # call awarded to another channel
    8: Outcome.CONGESTION,  # pre-emption
    9: Outcome.CONGESTION,
    14: Outcome.UNREACHABLE,  # ported
    16: Outcome.UNKNOWN,  # normal clearing, though nobody had answered
    17: Outcome.BUSY,
    18: Outcome.UNREACHABLE,  # no user responding
    19: Outcome.NO_ANSWER,
    20: Outcome.UNREACHABLE,  # subscriber absent
    21: Outcome.REJECTED,
    22: Outcome.INVALID_NUMBER,  # number changed
    23: Outcome.UNREACHABLE,  # redirected
    24: Outcome.REJECTED,  # rejected by a feature at the destination
    25: Outcome.UNREACHABLE,  # exchange routing error
    26: Outcome.UNREACHABLE,  # non-selected user clearing
    27: Outcome.UNREACHABLE,  # destination out of order
    28: Outcome.INVALID_NUMBER,  # invalid number format
    29: Outcome.REJECTED,  # facility rejected
    30: Outcome.UNREACHABLE,
    31: Outcome.UNREACHABLE,  # normal, unspecified
    34: Outcome.CONGESTION,  # no circuit
    38: Outcome.UNREACHABLE,  # network out of order
    39: Outcome.UNREACHABLE,
    40: Outcome.UNREACHABLE,
    41: Outcome.CONGESTION,  # temporary failure
    42: Outcome.CONGESTION,  # switching equipment congestion
    43: Outcome.UNREACHABLE,  # access information discarded
    44: Outcome.CONGESTION,  # requested circuit not available
    46: Outcome.CONGESTION,  # precedence call blocked
    47: Outcome.CONGESTION,  # resources unavailable
    49: Outcome.CONGESTION,  # quality of service not available
    50: Outcome.UNREACHABLE,
    52: Outcome.REJECTED,  # outgoing calls barred
    53: Outcome.REJECTED,
    54: Outcome.REJECTED,  # incoming calls barred
    55: Outcome.REJECTED,
    57: Outcome.UNREACHABLE,
    58: Outcome.UNREACHABLE,  # bearer capability not available now
    62: Outcome.UNREACHABLE,
    63: Outcome.UNREACHABLE,
    65: Outcome.UNREACHABLE,
    66: Outcome.UNREACHABLE,
    69: Outcome.UNREACHABLE,
    70: Outcome.UNREACHABLE,
    79: Outcome.UNREACHABLE,
    81: Outcome.UNREACHABLE,
    82: Outcome.UNREACHABLE,
    83: Outcome.UNREACHABLE,
    84: Outcome.UNREACHABLE,
    85: Outcome.UNREACHABLE,
    86: Outcome.UNREACHABLE,
    87: Outcome.REJECTED,  # not a member of the closed user group
    88: Outcome.UNREACHABLE,
    90: Outcome.REJECTED,
    91: Outcome.UNREACHABLE,
    95: Outcome.UNREACHABLE,
    96: Outcome.UNREACHABLE,
    97: Outcome.UNREACHABLE,
    98: Outcome.UNREACHABLE,
    99: Outcome.UNREACHABLE,
    100: Outcome.UNREACHABLE,
    101: Outcome.UNREACHABLE,
    102: Outcome.UNREACHABLE,  # recovery on timer expiry
    103: Outcome.UNREACHABLE,
    110: Outcome.UNREACHABLE,
    111: Outcome.UNREACHABLE,
    127: Outcome.UNREACHABLE,  # interworking
}

_GAVE_UP_RINGING = frozenset({408, 480, 487, 504})
"""Finals with which a network ends a call that rang too long; without ringing they mean that nothing was reached."""
_TRUNK_CAUSES = frozenset({34, 38, 41, 42})
_TRUNK_TECH_CAUSES = frozenset({401, 402, 407, 503})
_SIP_FINALS = range(300, 700)
_GLOBAL_FAILURE = 6
_NO_RESOURCES, _LAST_CAUSE = range(32, 48), 127


def outcome_of(cause: int, tech_cause: int, *, rang: bool, timed_out: bool, answered: bool = False) -> Outcome:
    """Return how a call that is over ended: DROPPED if it was `answered`.

    `rang`: the far end said so (180; early media, 183, may be an announcement as well and does not count).
    `timed_out`: our own timer ended it. Never raises; what no table and no class knows is UNKNOWN.
    """
    if answered:
        return Outcome.DROPPED
    if timed_out:
        return Outcome.NO_ANSWER
    if tech_cause not in _SIP_FINALS:
        return BY_CAUSE.get(cause) or _by_class(cause)
    outcome = BY_TECH_CAUSE.get(tech_cause) or _by_tech_class(tech_cause)
    return Outcome.NO_ANSWER if rang and tech_cause in _GAVE_UP_RINGING else outcome


def blames_trunk(cause: int, tech_cause: int, *, heard: bool) -> bool:
    """Tell whether a call that was not answered failed at the trunk: full, out of order, or our account refused.

    `heard`: the far end rang or played something (180, 183); then the trunk works, whatever came after.
    """
    return not heard and (tech_cause in _TRUNK_TECH_CAUSES or cause in _TRUNK_CAUSES)


def _by_tech_class(tech_cause: int) -> Outcome:
    """Go by the first digit (RFC 3261 section 8.1.3.2: an unknown final is treated as x00 of its class)."""
    if tech_cause // 100 == _GLOBAL_FAILURE:
        return Outcome.REJECTED
    return BY_TECH_CAUSE[tech_cause // 100 * 100]


def _by_class(cause: int) -> Outcome:
    """Go by the class, three bits of the cause (Q.850 section 2.2.5)."""
    if cause in _NO_RESOURCES:
        return Outcome.CONGESTION
    return Outcome.UNREACHABLE if 0 < cause <= _LAST_CAUSE else Outcome.UNKNOWN

"""How an attempt ended, and whose fault it was.

An outcome is data: busy, closed and declined are not exceptions. Only a fault of our own is worth waking
somebody for.
"""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Whose doing an outcome was."""

    NOBODY = "nobody"
    CUSTOMER = "customer"
    NETWORK = "network"
    AGENT = "agent"
    OURS = "ours"


class Outcome(StrEnum):
    """How one attempt (one outbound call for one promise) ended."""

    TALKED = "talked"
    """The customer confirmed, was bridged with an agent, and the talk is over."""
    DECLINED = "declined"
    """The customer pressed the key for "no longer needed"."""
    NOT_CONFIRMED = "not_confirmed"
    """Answered, but nobody pressed a key: voicemail, or a person who did not listen."""
    MACHINE = "machine"
    """An answering machine took the call; no agent ever hears one."""
    POSTPONED = "postponed"
    """The customer pressed the key for "later", and chose when."""
    DROPPED = "dropped"
    """Answered, and hung up before the key that only a person presses."""
    ABANDONED = "abandoned"
    """Confirmed, and hung up before an agent was there: we had dialled too early."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    """No circuit: our trunk or the network is full."""
    AGENT_LOST = "agent_lost"
    """The reserved agent did not answer or hung up; the customer was not kept on the line."""
    WITHDRAWN = "withdrawn"
    """Taken back before an answer: the customer was ringing us at the same time."""
    NOT_ALLOWED = "not_allowed"
    """The gate refused the number: it may not be dialled at all."""
    OUTSIDE_HOURS = "outside_hours"
    """The gate refused the moment: it may be dialled later."""
    BLOCKED = "blocked"
    """The number asked not to be called (do not call)."""
    OVER_CAP = "over_cap"
    """A cap on calls or cost was reached: it may be dialled later."""
    DRY_RUN = "dry_run"
    """The controller runs dry: everything was done but the call."""
    NOT_PLACED = "not_placed"
    """The PBX refused to place the call (no trunk, no PBX); the customer's phone never rang."""
    UNKNOWN = "unknown"
    """We lost sight of the call. It was looked for and is no longer there."""

    @property
    def fault(self) -> Fault:
        """Whose doing this was."""
        return _FAULT[self]


NEVER_SENT = frozenset(
    {
        Outcome.NOT_ALLOWED,
        Outcome.OUTSIDE_HOURS,
        Outcome.BLOCKED,
        Outcome.OVER_CAP,
        Outcome.DRY_RUN,
        Outcome.NOT_PLACED,
    }
)
"""Nothing left the PBX: these count towards no cap."""

_FAULT: dict[Outcome, Fault] = {
    Outcome.TALKED: Fault.NOBODY,
    Outcome.DECLINED: Fault.NOBODY,
    Outcome.NOT_CONFIRMED: Fault.CUSTOMER,
    Outcome.MACHINE: Fault.CUSTOMER,
    Outcome.POSTPONED: Fault.NOBODY,
    Outcome.DROPPED: Fault.CUSTOMER,
    Outcome.ABANDONED: Fault.OURS,
    Outcome.BUSY: Fault.CUSTOMER,
    Outcome.NO_ANSWER: Fault.CUSTOMER,
    Outcome.REJECTED: Fault.CUSTOMER,
    Outcome.INVALID_NUMBER: Fault.CUSTOMER,
    Outcome.UNREACHABLE: Fault.NETWORK,
    Outcome.CONGESTION: Fault.NETWORK,
    Outcome.AGENT_LOST: Fault.AGENT,
    Outcome.WITHDRAWN: Fault.NOBODY,
    Outcome.NOT_ALLOWED: Fault.CUSTOMER,
    Outcome.OUTSIDE_HOURS: Fault.NOBODY,
    Outcome.BLOCKED: Fault.CUSTOMER,
    Outcome.OVER_CAP: Fault.NOBODY,
    Outcome.DRY_RUN: Fault.NOBODY,
    Outcome.NOT_PLACED: Fault.OURS,
    Outcome.UNKNOWN: Fault.OURS,
}

"""A promise (折り返し予約): "we will call you back", with its place in line. It outlives restarts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.outcome import Outcome
    from controller.domain.slots import Slot


DEFAULT_PBX = "asterisk"
"""The name of the Asterisk where the settings have one that is not named."""


class PromiseState(StrEnum):
    """Where a promise stands. The table in `lifecycle.py` says how it moves."""

    WAITING = "waiting"
    """In line; due when `not_before` has come."""
    DIALLING = "dialling"
    """One attempt is open: the agent, then the customer, is being rung."""
    CONNECTED = "connected"
    """Customer and agent are talking."""
    FULFILLED = "fulfilled"
    EXHAUSTED = "exhausted"
    """Every attempt was used, or the last outcome allows no other."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Not kept within its lifetime. A person is told."""

    @property
    def is_final(self) -> bool:
        """Nothing follows this state."""
        return self in FINAL


FINAL = frozenset({PromiseState.FULFILLED, PromiseState.EXHAUSTED, PromiseState.CANCELLED, PromiseState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Promise:
    """One callback request. Times are aware UTC."""

    id: str
    queue: str
    number: str
    """E.164."""
    language: str
    since: datetime
    """The place in line: when the caller who left the number arrived."""
    not_before: datetime
    expires_at: datetime
    state: PromiseState = PromiseState.WAITING
    attempts_used: int = 0
    dials: int = 0
    """Calls that left, or may have left, whatever came of them; `attempts_used` counts those that use up a try."""
    last_outcome: Outcome | None = None
    slot: Slot | None = None
    """The window that the customer chose; None: as soon as possible. The place counts from its start."""
    told_late: bool = False
    """No more is to be said of the window: the customer was told that it cannot be kept, or was called in it."""
    urgent: bool = False
    """A supervisor put it ahead of those who are not."""
    assigned_to: str = ""
    """The only agent, by name, who is to have it; "" for everybody."""
    version: int = 0
    """Counts up with each transition; the store compares it before it writes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer who answered has asked for, and hears acknowledged: the attempt will end so."""

    outcome: Outcome
    """`POSTPONED` or `DECLINED`."""
    later_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One outbound call (発信) for a promise. The customer's channel id is derived from `id`."""

    id: str
    promise_id: str
    number: str
    agent: str
    """The agent's name; "" where the customer is dialled first."""
    started_at: datetime
    term: int = 0
    """The term of the lease of `pbx` under which it is made: a controller that was replaced cannot write one."""
    by_hand: bool = False
    """An agent redialled by hand."""
    pbx: str = DEFAULT_PBX
    """The Asterisk that places it, by its name in the settings."""

    @property
    def channel_id(self) -> str:
        """The channel id the customer's leg gets, so that after a crash we can look whether it was placed."""
        return f"customer-{self.id}"

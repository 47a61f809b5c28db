"""What every journey is given: the rooms it may use, and the queue it plays in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.phone_number import NumberPlan
    from controller.ports.call_log import CallLog
    from controller.ports.calls import Telephony
    from controller.ports.clock import Clock
    from controller.ports.line import Line
    from controller.ports.promises import PromiseBook


@dataclass(frozen=True, slots=True)
class Queue:
    """A named service that callers wait for, as far as a journey needs to know it."""

    name: str
    language: str
    dialled_numbers: tuple[str, ...]
    reminder_interval_s: float = 30
    agent_ring_timeout_s: float = 20
    customer_ring_timeout_s: float = 30
    wrap_up_s: float = 10
    missed_pause_s: float = 30
    """How long an agent who did not answer is left in peace."""


@dataclass(frozen=True, slots=True)
class House:
    """The collaborators of a journey."""

    line: Line
    telephony: Telephony
    promises: PromiseBook
    calls: CallLog
    clock: Clock
    plan: NumberPlan
    new_id: Callable[[], str]

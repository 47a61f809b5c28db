"""A caller from the dialplan of a PBX with queues of its own: leaves a number here, then goes back there."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from controller.journeys.leave_number import Leaving, leave_number

if TYPE_CHECKING:
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation


class DialplanResult(StrEnum):
    """What the dialplan is told, as it stands in its `ORI_RESULT`."""

    PROMISED = "PROMISED"
    EXISTS = "EXISTS"
    """The number held a promise already, which took this request in."""
    NONE = "NONE"
    """No number was left."""
    FAILED = "FAILED"
    """A number was left, but it could not be kept."""
    UNAVAILABLE = "UNAVAILABLE"
    """Nobody was asked for anything."""


KEPT = frozenset({DialplanResult.PROMISED, DialplanResult.EXISTS})
"""There is a promise: the caller can hang up."""


async def promise_for_dialplan(caller: Conversation, queue: Queue, house: House) -> DialplanResult:
    """Take a number and make the promise, in the place of `facts.arrived_at`. The dialplan says what follows.

    Raises CallerHungUp when they left before there was a promise, PbxUnavailableError.
    """
    await caller.answer()
    await caller.remember(queue=queue.name)
    match await leave_number(caller, queue, house):
        case Leaving.PROMISED:
            return DialplanResult.PROMISED
        case Leaving.MERGED:
            return DialplanResult.EXISTS
        case Leaving.NO_NUMBER:
            return DialplanResult.NONE
        case Leaving.NOT_KEPT:
            return DialplanResult.FAILED

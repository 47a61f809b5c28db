"""The number that the network shows of a caller, if it is one that could be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.phone_number import DialableNumber, check

if TYPE_CHECKING:
    from controller.domain.phone_number import NumberPlan
    from controller.ports.calls import Conversation


def shown_number(call: Conversation, plan: NumberPlan) -> DialableNumber | None:
    """Return it; None when it is withheld, an extension, or may not be dialled."""
    shown = check(call.facts.number or "", plan)
    return shown if isinstance(shown, DialableNumber) else None

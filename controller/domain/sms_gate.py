"""The gate for SMS: which numbers may be texted at all. Asked before each SMS is claimed, whoever owes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.phone_number import CALLABLE_TYPES, NumberPlan, Refusal, check, takes_sms

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_SMS = "no SMS can reach this type of number"
_WHY_NOT: Mapping[Refusal, str] = {
    Refusal.COUNTRY: "the settings allow no SMS to this country",
    Refusal.PREFIX: "the number begins as the settings or their defaults forbid",
    Refusal.OWN: "it is one of our own numbers",
    **dict.fromkeys((Refusal.FREEPHONE, Refusal.SHARED_COST, Refusal.PREMIUM, Refusal.TYPE), _NO_SMS),
}


@dataclass(frozen=True, slots=True)
class SmsGate:
    """An allow-list of countries, numbers that an SMS can reach, and a deny-list of prefixes.

    What may be dialled (`plan`) and what may be texted are asked apart: a country may be allowed for one and not for
    the other. The prefixes and own numbers of the plan hold here too.
    """

    plan: NumberPlan
    countries: frozenset[str]
    """ISO 3166 codes."""
    denied_prefixes: tuple[str, ...] = ()
    """E.164 prefixes, as `+8170`, beside those of the plan."""
    _plan: NumberPlan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        asked = replace(
            self.plan,
            countries=self.countries,
            denied_prefixes=(*self.plan.denied_prefixes, *self.denied_prefixes),
            types=dict.fromkeys(self.countries, frozenset(CALLABLE_TYPES)),
        )
        object.__setattr__(self, "_plan", asked)

    def objection(self, number: str) -> str | None:
        """Return what speaks against an SMS to a number (E.164), for a person and without the number; None: nothing."""
        checked = check(number, self._plan)
        if isinstance(checked, Refusal):
            return _WHY_NOT.get(checked, "it is no valid number")
        if checked.e164 != number:
            return "it is not written as E.164"
        return None if takes_sms(checked) else _NO_SMS

"""How callbacks of a queue are tried again: one table for each outcome, and what may not be declared in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from controller.domain.outcome import Outcome
from controller.domain.retry_policy import (
    ALWAYS_END,
    DEFAULT_RULES,
    Gap,
    RetryPolicy,
    Rule,
    SameTimeTomorrow,
    Wait,
    broken_laws,
)
from controller.settings.mistakes import nearest
from controller.settings.raw import Finding, table, tables
from controller.settings.values import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from controller.settings.toml_lines import Path

MAX_DIALS = 10
"""Calls that leave for one promise, unless the settings name another bound or more attempts than that."""
_LONGEST_GAP_S = 7 * 24 * 3600.0
_LEAST_LIFETIME_H = 48.0
"""A promise that is tried again at the same time tomorrow has to live until then, wherever in a day it was made."""
_OF_A_WAIT = ("gap_s", "growth", "max_gap_s", "jitter")
_SETTING = {"gap": "gap_s", "tell": "sms", "last_word": "last_sms"}
"""How the fields of a rule are called in the settings, where the name is another."""
_HAS_RULE = frozenset(outcome.value for outcome in DEFAULT_RULES)

GapSeconds = Annotated[float, Field(ge=0, le=_LONGEST_GAP_S, allow_inf_nan=False)]
MaxDials = Annotated[int, Field(ge=1, le=100)]


class Retry(Section):
    """What follows one outcome (`[queues.retry.busy]`); what is left out stays as it is by default."""

    gap_s: GapSeconds | None = None
    """The wait before the next attempt."""
    growth: Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)] | None = None
    """The wait is so many times as long after each further call."""
    max_gap_s: GapSeconds | None = None
    """Where the growing stops."""
    jitter: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    """Up to this part of the wait comes on top, another for each call."""
    next: Literal["after_gap", "same_time_tomorrow"] | None = None
    uses_attempt: bool | None = None
    ends: bool | None = None
    """There is no next attempt."""
    sms: bool | None = None
    """The customer is told by SMS that we called and will call again."""
    last_sms: bool | None = None
    """If it was the last attempt, the customer is told by SMS that we will not call again."""

    def rule(self, outcome: Outcome) -> Rule:
        """Return the whole rule for `outcome`, which has one by default."""
        default = DEFAULT_RULES[outcome]
        return Rule(
            gap=self._gap(default.gap),
            uses_attempt=_either(self.uses_attempt, default.uses_attempt),
            ends=_either(self.ends, default.ends),
            tell=_either(self.sms, default.tell),
            last_word=_either(self.last_sms, default.last_word),
        )

    def _gap(self, default: Gap) -> Gap:
        if self.next == "same_time_tomorrow":
            return SameTimeTomorrow()
        if all(getattr(self, name) is None for name in _OF_A_WAIT):
            return default
        wait = default if isinstance(default, Wait) else Wait(0)
        return Wait(
            first_s=wait.first_s if self.gap_s is None else self.gap_s,
            growth=wait.growth if self.growth is None else self.growth,
            max_s=wait.max_s if self.max_gap_s is None else self.max_gap_s,
            jitter=wait.jitter if self.jitter is None else self.jitter,
        )


def retry_policy(
    *,
    max_attempts: int,
    max_dials: int | None,
    lifetime_s: float,
    gap_s: Mapping[str, float],
    retry: Mapping[str, Retry],
    zone: tzinfo,
) -> RetryPolicy:
    """Return the policy of a queue; `gap_s` and `retry` by the names of outcomes, no outcome in both.

    Raises ValueError for what `retry_mistakes` tells.
    """
    return RetryPolicy(
        max_attempts=max_attempts,
        max_dials=max(MAX_DIALS, max_attempts) if max_dials is None else max_dials,
        gap_s={Outcome(name): one_s for name, one_s in gap_s.items()},
        lifetime_s=lifetime_s,
        rules={Outcome(name): one.rule(Outcome(name)) for name, one in retry.items()},
        zone=zone,
    )


def retry_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in `[queues.retry...]`, `max_dials`, and the lifetime that they need."""
    for index, queue in tables(raw, "queues"):
        here: Path = ("queues", index)
        most, tries = queue.get("max_dials"), queue.get("max_attempts", 3)
        if _is_whole(most) and _is_whole(tries) and most < tries:
            yield (*here, "max_dials"), f"must be max_attempts ({tries}) or more, not {most}"
        for name, given in table(queue, "retry").items():
            place = (*here, "retry", name)
            if name not in _HAS_RULE:
                yield place, _unknown(name)
                continue
            if name in table(queue, "retry_gap_s"):
                yield place, "stands in [queues.retry_gap_s] too: write its gap_s here, and nothing there"
            for key, message in _mistakes(Outcome(name), given, queue.get("promise_lifetime_h", 24)):
                yield (*place, key), message


def _mistakes(outcome: Outcome, given: Any, lifetime_h: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, message) of what one table declares; of one that cannot be read, nothing: the model tells that."""
    try:
        retry = Retry.model_validate(given)
    except ValidationError:
        return
    keys = retry.model_fields_set
    of_a_wait = [key for key in _OF_A_WAIT if key in keys]
    if outcome in ALWAYS_END:
        for key in (*of_a_wait, *({"next"} & keys)):
            yield key, f"means nothing: {outcome} ends the promise, there is no next attempt to wait for"
    if retry.next == "same_time_tomorrow":
        for key in of_a_wait:
            yield key, 'means nothing with next = "same_time_tomorrow"'
        if isinstance(lifetime_h, int | float) and lifetime_h < _LEAST_LIFETIME_H:
            lives = f"a promise of this queue lives {lifetime_h:g} hours"
            yield "next", f"comes too late: {lives}; make promise_lifetime_h {_LEAST_LIFETIME_H:g} or more"
    rule = retry.rule(outcome)
    if isinstance(rule.gap, Wait) and rule.gap.max_s is not None and rule.gap.max_s < rule.gap.first_s:
        yield "max_gap_s", f"must be gap_s ({rule.gap.first_s:g}) or more, not {rule.gap.max_s:g}"
    for name, wrong in broken_laws(outcome, rule):
        yield _SETTING.get(name, name), wrong


def _unknown(name: str) -> str:
    if name == Outcome.TALKED:
        return "is the promise kept: nothing follows it"
    hint = nearest(name, _HAS_RULE) or f"; known are {', '.join(sorted(_HAS_RULE))}"
    return f"is not an outcome of a call{hint}"


def _either(given: bool | None, default: bool) -> bool:
    return default if given is None else given


def _is_whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)

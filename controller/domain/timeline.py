"""The history of a promise as lines for a person: what happened when, and why. English; without phone numbers.

The reasons are those of the policy as it is now: what an earlier one said is not written down anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from controller.domain.line import DecisionReason
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.plain_words import WHOSE, duration, moment, told_evidence, told_gap, told_outcome
from controller.domain.promise import PromiseState
from controller.domain.retry_policy import next_try
from controller.domain.sms_words import told_reply, told_sms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.history import History, Step, Tried
    from controller.domain.line import Decision
    from controller.domain.retry_policy import RetryPolicy, Rule

AT_ONCE = "at_once"
"""A word of an ended attempt's detail: there was another way to try, and the gap was not waited for."""
BY_SMS, BY_LINK, BY_DESK, BY_API = "sms-", "link-", "desk-", "api-"
"""How the ids begin under which a reply, a booking link, an agent's desk and the API ask for a promise."""
_SAME = timedelta(seconds=1)
_YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `at` is aware UTC."""

    at: datetime
    what: str
    why: str = ""


def timeline(history: History, policy: RetryPolicy) -> tuple[Line, ...]:
    """Return all that happened, in the order of time; times within the lines are on the clock of `policy.zone`."""
    lines = [*_Telling(history, policy).steps(), *map(_given, history.decisions)]
    lines += [Line(one.queued_at, *told_sms(one, policy.zone)) for one in history.written]
    lines += [Line(one.at, *told_reply(one, policy.zone)) for one in history.replied]
    return tuple(sorted(lines, key=lambda line: line.at))


class _Telling:
    """Goes through the steps, and keeps count of the calls."""

    def __init__(self, history: History, policy: RetryPolicy) -> None:
        self._history = history
        self._policy = policy
        self._tried = {one.id: one for one in history.tried}
        self._open: Tried | None = None
        self._attempt = 0
        self._left = 0
        """Calls that left so far, as `Promise.dials` counts them."""

    def steps(self) -> Iterator[Line]:
        last = len(self._history.steps)
        for place, step in enumerate(self._history.steps, start=1):
            yield Line(step.at, *self._told(step, is_last=place == last))

    def _told(self, step: Step, *, is_last: bool) -> tuple[str, str]:
        words = step.detail.split()
        match step.event:
            case "Made" | "Merged":
                return "promised" if step.event == "Made" else "asked for once more", self._asked(words)
            case "AttemptStarted":
                return self._started(words)
            case "AttemptEnded":
                return self._ended(step, words, is_last=is_last)
            case "CustomerRangIn":
                call, _ = _call_and_instant(words)
                talked = f"on call {call}" if call else "on a call of theirs"
                return "kept: they rang us", f"{talked} they talked with an agent before we called"
            case "Cancelled":
                reason = words[0] if words else ""
                return f"cancelled{_ON_BEHALF.get(reason, '')}", "nobody is dialled for it any more"
            case "Postponed":
                return self._postponed(words)
            case "RunningLate":
                return self._late(words)
            case _:
                return _PLAIN.get(step.event) or _by_supervisor(step, words)

    def _asked(self, words: list[str]) -> str:
        call, window = _call_and_instant(words)
        return f"{_asked_by(call)}{f'for the window of {self._clock(window)}' if window else 'as soon as possible'}"

    def _postponed(self, words: list[str]) -> tuple[str, str]:
        until = _instant(words[-1]) if words else None
        what = f"postponed until {self._clock(until)}" if until else "postponed"
        return what, f"{_POSTPONED.get(words[0] if words else '', 'for a reason that is not known')}; uses no attempt"

    def _late(self, words: list[str]) -> tuple[str, str]:
        expected = _instant(words[-1]) if words else None
        when = f"the call is expected {self._clock(expected)}; " if expected else ""
        return "the window cannot be kept", f"{when}an SMS says so before it ends"

    def _started(self, words: list[str]) -> tuple[str, str]:
        self._attempt += 1
        self._left += 1
        self._open = self._tried.get(words[0]) if words else None
        tried = self._open
        who = "" if not tried else " with the customer first" if tried.customer_first else f" by {tried.agent}"
        who += ", redialled by hand" if tried and tried.by_hand else ""
        return f"attempt {self._attempt}{who}", "written down before anybody is dialled"

    def _ended(self, step: Step, words: list[str], *, is_last: bool) -> tuple[str, str]:
        tried, self._open = self._open, None
        outcome = _outcome(words[0] if words else "")
        call = max(1, self._left)
        if outcome is None:
            return f"attempt {self._attempt} ended", step.detail
        if outcome in NEVER_SENT:
            self._left -= 1
        seen = told_evidence(tried.evidence, tried.ended_at, self._policy.zone) if tried else ""
        over = f" over {tried.evidence.trunk}" if tried and tried.evidence.trunk else ""
        whom = f" with {tried.agent}" if tried and tried.customer_first and tried.agent else ""
        what = f"attempt {self._attempt}{over}: {told_outcome(outcome)}{whom}{f' ({seen})' if seen else ''}"
        return what, f"{WHOSE[outcome.fault]}; {self._follows(step, outcome, words[1:], call, is_last=is_last)}"

    def _follows(self, step: Step, outcome: Outcome, more: list[str], call: int, *, is_last: bool) -> str:
        """Return what the outcome led to, and by which rule."""
        if step.state is PromiseState.FULFILLED:
            return "the promise is kept"
        rule = self._policy.rule(outcome) if outcome is not Outcome.TALKED else None
        if step.state is PromiseState.CANCELLED or rule is None:
            return "they no longer want the call" if outcome is Outcome.DECLINED else "it was cancelled meanwhile"
        uses = "uses up an attempt" if rule.uses_attempt else "uses up no attempt"
        if step.state is PromiseState.EXHAUSTED:
            ends = f"{told_outcome(outcome)} ends a promise" if rule.ends else "no attempt or call is left"
            return f"{uses}; no further call: {ends}"
        if AT_ONCE in more:
            return f"{uses}; next try at once: there is another trunk"
        due_at, because = self._due(step, outcome, rule, more, call)
        told = self._history.promise.not_before
        if is_last and abs(told - due_at) > _SAME:  # The row knows: a window was chosen, or the rule was another.
            slot = self._history.promise.slot
            chosen = slot is not None and slot.starts_at == told
            due_at, because = told, "they chose that window" if chosen else f"that was agreed; now {because}"
        return f"{uses}; next try {self._clock(due_at)}, because {because}"

    def _due(self, step: Step, outcome: Outcome, rule: Rule, more: list[str], call: int) -> tuple[datetime, str]:
        """Return when the rule has the promise tried again, and why then."""
        later_s = _number(more[0]) if outcome is Outcome.POSTPONED and more else None
        if later_s is not None:
            return step.at + timedelta(seconds=later_s), f"they chose {duration(later_s)} later"
        due_at = next_try(rule.gap, step.at, promise_id=self._history.promise.id, call=call, zone=self._policy.zone)
        return due_at, f"{told_outcome(outcome)} waits {told_gap(rule.gap)}"

    def _clock(self, instant: datetime) -> str:
        return moment(instant, self._policy.zone)


def _given(decision: Decision) -> Line:
    passed = len(decision.passed)
    why = _SERVED[decision.reason] + (f", past {passed} who came before" if passed else "")
    agent = f"given to {decision.agent}" if decision.agent else "its turn"
    return Line(decision.at, f"{agent} as number {decision.place} in line", why)


def _by_supervisor(step: Step, words: list[str]) -> tuple[str, str]:
    """Return what a supervisor did, and what follows; an event that nobody knows as it stands."""
    match step.event, words:
        case "Prioritised", []:
            return "urgent no more", "in its place by arrival"
        case "Prioritised", _:
            return "made urgent", "ahead of those who are not"
        case "Assigned", []:
            return "assigned to nobody any more", "everybody is asked"
        case "Assigned", _:
            return f"assigned to {step.detail}", "nobody else is asked while they are on duty"
        case "Moved", [left, kept_by, *window]:
            lost = ", without the window that it had" if window else ""
            return f"moved from {left} to {kept_by}", f"in the place that it had{lost}"
        case "Moved", _:
            return "moved to another queue", "in the place that it had"
        case _:
            return step.event, step.detail


def _outcome(word: str) -> Outcome | None:
    return Outcome(word) if word in {one.value for one in Outcome} else None


def _instant(word: str) -> datetime | None:
    """Return the instant that a word is; None when it is another word, or without a zone."""
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _call_and_instant(words: list[str]) -> tuple[str, datetime | None]:
    window = _instant(words[-1]) if words else None
    return " ".join(words[:-1] if window else words), window


def _asked_by(call: str) -> str:
    """Return how somebody asked, by the id under which they did: a call's, a reply's, a link's."""
    if call.startswith(BY_LINK):
        return "on the booking page, "
    if call.startswith(BY_SMS):
        return "by SMS, "
    if call.startswith(BY_DESK):
        return "at an agent's desk, "
    if call.startswith(BY_API):
        return "over the API, "
    return f"on call {call}, " if call else ""


def _number(word: str) -> float | None:
    """Return the seconds that a word is, up to a year; None when it is another word."""
    try:
        found = float(word)
    except ValueError:
        return None
    return found if 0 <= found <= _YEAR_S else None


_PLAIN = {
    "CustomerConnected": ("customer and agent talk", "the customer confirmed: nobody calls them again"),
    "DeadlinePassed": ("expired", "it was not kept within its lifetime"),
}
_ON_BEHALF = {
    "customer": " by the customer",
    "admin": " by an admin",
    "supervisor": " by a supervisor",
    "stop": ": the number asked not to be called",
}
_POSTPONED = {
    "agent": "the agent put it off",
    "supervisor": "a supervisor put it off",
    "over_cap": "a cap on calls or cost was reached",
    "outside_hours": "the number may not be rung at that hour",
}
_SERVED = {
    DecisionReason.ARRIVAL: "nobody came before it",
    DecisionReason.URGENT: "it is urgent",
    DecisionReason.STARVING: "it had been passed as often as may be",
}

"""Draws docs/lifecycle.md from the code: what can happen to a promise, and what follows each outcome.

    python -m docs.lifecycle > docs/lifecycle.md

Nothing is written down here a second time: each move is made by `advance`, and the page says what came of it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from controller.domain.lifecycle import (
    ALLOWED,
    Advance,
    AttemptEnded,
    Event,
    Merged,
    Postponed,
    PostponeReason,
    RunningLate,
    advance,
)
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.plain_words import told_gap
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import DEFAULT_RULES, Gap, RetryPolicy, Wait, broken_laws
from controller.domain.slots import Slot
from controller.domain.supervising import Assigned, Moved, Prioritised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOW = datetime(2030, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy()

HEAD = """\
# The life of a promise

Drawn from `controller/domain/lifecycle.py` and `controller/domain/retry_policy.py` by `python -m docs.lifecycle`; a
test compares. Change the code, then run that, and never edit this page.
"""
MOVES = """\
## Every move there is

A row is a state, a column something that happens; the cell is the state that follows. A blank is refused, changes
nothing, and is told as `RefusedTransitionError`.

`Merged`: the number asked once more. The promise keeps the better place and the earlier time; a window that was chosen
replaces both, and an earlier window. `CustomerRangIn`: they called us, and talked with an agent, before we called them.
A promise that is over holds no window that has not begun.

`Cancelled` wins over a dial that is on its way: it is taken back, and its attempt is closed by an `AttemptEnded` that
changes the state no more. A talk that has begun wins over `Cancelled`. `Postponed`: not now, and nothing is used up.
`RunningLate`: the window cannot be kept, and an SMS says so before it ends (`running_late`), once for each window; a
promise without a window, or whose customer was called in it, refuses it.
A `Cancelled` that was asked for by SMS is confirmed by one (`cancelled`).
Whoever asks once more while the last call is on its way gets at least one more, as long as `max_dials` allows it.

`Prioritised`, `Assigned` and `Moved` are a supervisor's: ahead of those who are not urgent, for one agent alone, kept
by another queue with the same place. A number that has a promise with the other queue is not moved there, nor is a
window that is full there.
"""
OUTCOMES = f"""\
## What follows an outcome

While the promise is `dialling`, under the default policy: {POLICY.max_attempts} attempts,
{POLICY.max_dials} calls that leave (`max_dials`), {POLICY.lifetime_s / 3600:g} hours.

- *counts*: it uses up one of the attempts. What is not the customer's doing never does.
- *leaves*: it is one of the calls that left. Where nothing left, no cap counts it.
- *after*: the wait before the next attempt; `postponed`, when the customer did not say how long.
- *told*: the SMS that is owed; each text is sent once a promise, however often it is owed.

Once the promise is `connected`, every outcome is a promise kept; once it is `cancelled`, none changes that.
"""
SETTINGS = """\
## What a queue can declare otherwise

One table for each outcome; what is left out stays as above.

```toml
[queues.retry.busy]
gap_s = 120                  # the wait before the next attempt
growth = 2.0                 # twice as long after each further call
max_gap_s = 3600             # where the growing stops
jitter = 0.2                 # up to a fifth comes on top: the same for the same call, another for each
uses_attempt = true
ends = false                 # true: no further attempt
sms = true                   # "we called, and will call again"
last_sms = true              # if it was the last: "we will not call again"

[queues.retry.no_answer]
next = "same_time_tomorrow"  # on the clock of the queue; the calling hours still hold
```

`[queues.retry_gap_s]` with one number for each outcome does for waits that are always the same. What no table can
change, `controller check` tells: below, `always` and `never`.

"""


def page() -> str:
    """Return the whole page, Markdown, ending in a line break."""
    return f"{HEAD}\n{_diagram()}\n{MOVES}\n{_moves()}\n{OUTCOMES}\n{_outcomes()}\n{SETTINGS}{_laws()}"


def _kinds() -> tuple[type[Event], ...]:
    kinds: tuple[type[Event], ...] = get_args(Event)
    return kinds


def _events(kind: type[Event]) -> list[Event]:
    if kind is AttemptEnded:
        return [AttemptEnded(outcome) for outcome in Outcome]
    if kind is Merged:
        return [Merged(NOW, NOW, slot, NOW + timedelta(days=1)) for slot in (None, Slot(NOW, NOW + timedelta(hours=1)))]
    if kind is Postponed:
        return [Postponed(NOW + timedelta(hours=1), PostponeReason.AGENT)]
    if kind is RunningLate:
        return [RunningLate(NOW + timedelta(hours=1))]
    if kind is Prioritised:
        return [Prioritised(urgent=True)]
    if kind is Assigned:
        return [Assigned("alice")]
    if kind is Moved:
        return [Moved("other")]
    return [kind()]  # type: ignore[call-arg]  # the others have no argument that is needed


def _promise(state: PromiseState, *, attempts_used: int = 0) -> Promise:
    dials = int(state is not PromiseState.WAITING)
    return Promise("p", "q", "+810", "ja", NOW, NOW, NOW, state=state, attempts_used=attempts_used, dials=dials)


def _after(state: PromiseState, event: Event, *, last: bool = False) -> Advance:
    promise = _promise(state, attempts_used=POLICY.max_attempts - 1 if last else 0)
    if isinstance(event, RunningLate):
        promise = replace(promise, slot=Slot(NOW, NOW + timedelta(minutes=30)))
    return advance(promise, event, NOW, POLICY)


def _leads_to(state: PromiseState, kind: type[Event]) -> list[PromiseState]:
    """Return every state that this kind of event can lead to, in the order of the enumeration."""
    if (state, kind) not in ALLOWED:
        return []
    found = {_after(state, event, last=last).promise.state for event in _events(kind) for last in (False, True)}
    return [state for state in PromiseState if state in found]


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> waiting: a caller leaves a number"]
    for state in PromiseState:
        for kind in _kinds():
            lines += [f"    {state} --> {next_state}: {kind.__name__}" for next_state in _leads_to(state, kind)]
        if state.is_final:
            lines.append(f"    {state} --> [*]")
    return "\n".join([*lines, "```", ""])


def _moves() -> str:
    rows = (
        [f"`{state}`{' (final)' if state.is_final else ''}", *(", ".join(_leads_to(state, kind)) for kind in _kinds())]
        for state in PromiseState
    )
    return _table(["state", *(kind.__name__ for kind in _kinds())], rows)


def _outcomes() -> str:
    headings = [
        "outcome",
        "whose doing",
        "counts",
        "leaves",
        "next",
        "after",
        "told",
        "at the last attempt",
        "told then",
    ]
    return _table(headings, _outcome_rows())


def _outcome_rows() -> Iterator[list[str]]:
    for outcome in Outcome:
        step = _after(PromiseState.DIALLING, AttemptEnded(outcome))
        last = _after(PromiseState.DIALLING, AttemptEnded(outcome), last=True)
        waits = step.promise.state is PromiseState.WAITING
        counts = outcome not in DEFAULT_RULES or DEFAULT_RULES[outcome].uses_attempt
        yield [
            f"`{outcome}`",
            outcome.fault.value,
            "yes" if counts else "no",
            "no" if outcome in NEVER_SENT else "yes",
            step.promise.state.value,
            _wait(DEFAULT_RULES[outcome].gap) if waits else "",
            _told(step),
            last.promise.state.value,
            _told(last),
        ]


def _wait(gap: Gap) -> str:
    return "at once" if gap == Wait(0) else told_gap(gap)


def _laws() -> str:
    """Return for each outcome what a table may not say, found by trying it."""
    headings = ["outcome", *_CHANGES]
    rows = ([f"`{outcome}`", *(_law(outcome, change) for change in _CHANGES.values())] for outcome in DEFAULT_RULES)
    return _table(headings, (row for row in rows if any(row[1:])))


_CHANGES: dict[str, str] = {
    "`uses_attempt`": "uses_attempt",
    "`ends`": "ends",
    "`sms`": "tell",
    "`last_sms`": "last_word",
}


def _law(outcome: Outcome, name: str) -> str:
    """Return "always" or "never" where one value of a field is forbidden."""
    rule = DEFAULT_RULES[outcome]
    tried: list[tuple[bool, Any]] = [(value, {name: value}) for value in (True, False)]
    forbidden = [
        value
        for value, change in tried
        if name in {field for field, _ in broken_laws(outcome, replace(rule, **change))}
    ]
    return "" if not forbidden else "never" if forbidden == [True] else "always"


def _told(step: Advance) -> str:
    return ", ".join(f"`{effect.template}`" for effect in step.effects)


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    ruled = [headings, ["---"] * len(headings), *rows]
    return "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|\n" for cells in ruled)


if __name__ == "__main__":
    sys.stdout.write(page())

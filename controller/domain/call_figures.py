"""What became of incoming calls, and how long they waited: 応答率, 放棄呼率, サービスレベル, 平均応答速度.

Every call of a queue has exactly one `Fate`; the counts are sums of fates, so they add up. A rate over nothing is None.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.figure_facts import ClockStart
from controller.domain.intervals import NO_TIME
from controller.domain.quote_coverage import QuotedWait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from controller.domain.figure_facts import CallFact, Counting, PromiseFact


class Fate(StrEnum):
    """What became of one call, as the figures see it."""

    ANSWERED = "answered"
    """応答: an agent and the caller heard each other, however it ended afterwards."""
    ABANDONED = "abandoned"
    """放棄呼: the caller hung up before an agent or a promise."""
    SHORT_ABANDONED = "short_abandoned"
    """As `ABANDONED`, but sooner than `Counting.short_abandon_s`."""
    PROMISED = "promised"
    """折り返し予約: the caller left a number; neither answered nor abandoned."""
    DIVERTED = "diverted"
    """あふれ呼など: sent elsewhere by a limit of the queue: a message, a page by SMS, a number outside."""
    FAILED = "failed"
    """Our fault."""
    WAITING = "waiting"
    """Not known yet: the call goes on."""
    CLOSED = "closed"
    """時間外: the queue was closed; whatever came of it then, it is no call that an agent was to take."""
    LEFT_IN_MENU = "left_in_menu"
    """IVR放棄呼: hung up before any queue."""
    SELF_SERVED = "self_served"
    """Came to no queue and was dealt with by a menu: a message, a page, a number outside."""


OFFERED = frozenset({Fate.ANSWERED, Fate.ABANDONED, Fate.PROMISED, Fate.DIVERTED, Fate.FAILED})
"""What counts as offered (着信呼数) to the agents of a queue."""
_BY_ENDING = {
    Ending.PROMISED: Fate.PROMISED,
    Ending.GUIDED: Fate.DIVERTED,
    Ending.TRANSFERRED: Fate.DIVERTED,
    Ending.INFORMED: Fate.DIVERTED,
    Ending.FAILED: Fate.FAILED,
    Ending.SERVED: Fate.ANSWERED,  # The record of the answer itself was lost: its wait is not known.
}


def fate_of(call: CallFact, counting: Counting) -> Fate:
    """Return what became of a call."""
    if call.queue is None:
        if call.ending is None:
            return Fate.WAITING
        return Fate.LEFT_IN_MENU if call.ending is Ending.ABANDONED else Fate.SELF_SERVED
    if call.was_closed:
        return Fate.CLOSED
    if call.answered_at is not None:
        return Fate.ANSWERED
    if call.ending is None:
        return Fate.WAITING
    if call.ending is Ending.ABANDONED:
        wait_s = waited_s(call, counting)
        is_short = wait_s is not None and wait_s < counting.short_abandon_s
        return Fate.SHORT_ABANDONED if is_short else Fate.ABANDONED
    return _BY_ENDING[call.ending]


def waited_s(call: CallFact, counting: Counting) -> float | None:
    """Return how long a caller waited until an agent answered, or until they were gone; None while they wait."""
    wait = _waited(call, counting)
    return None if wait is None else wait.total_seconds()


def _waited(call: CallFact, counting: Counting) -> timedelta | None:
    over_at = call.answered_at or call.ended_at
    return None if over_at is None else max(NO_TIME, over_at - _begun_at(call, counting))


def _begun_at(call: CallFact, counting: Counting) -> datetime:
    in_line = counting.clock_start is ClockStart.LINE
    return (call.joined_at or call.arrived_at) if in_line else call.arrived_at


@dataclass(frozen=True, slots=True)
class CallFigures:
    """The calls that arrived in a time; what became of them may have come later. Percent are 0 to 100."""

    by_fate: Mapping[Fate, int]
    answered_in_time: int
    """Answered within `Counting.answer_within_s`."""
    abandoned_in_time: int
    """Abandoned within it, short ones not counted."""
    timed_answers: int
    """Answered calls whose wait is known: all, unless a record was lost."""
    answer_wait: timedelta
    """Their waits, together."""
    line_wait: timedelta
    """The waits of all offered calls that are over, together, answered or not."""
    reached: int
    """Of the offered calls: answered, or promised and talked with since."""

    def __add__(self, other: CallFigures) -> CallFigures:
        """Return the figures of the calls of both."""
        return CallFigures(
            by_fate=Counter(self.by_fate) + Counter(other.by_fate),
            answered_in_time=self.answered_in_time + other.answered_in_time,
            abandoned_in_time=self.abandoned_in_time + other.abandoned_in_time,
            timed_answers=self.timed_answers + other.timed_answers,
            answer_wait=self.answer_wait + other.answer_wait,
            line_wait=self.line_wait + other.line_wait,
            reached=self.reached + other.reached,
        )

    def count(self, fate: Fate) -> int:
        """Return how many calls had this fate."""
        return self.by_fate.get(fate, 0)

    @property
    def offered(self) -> int:
        """着信呼数: answered + abandoned + promised + diverted + failed.

        Not: short abandons, calls that still wait, calls to a closed queue, calls that never came to a queue.
        """
        return sum(self.count(fate) for fate in OFFERED)

    @property
    def incoming(self) -> int:
        """総着信数: all that came to an open queue: offered + short abandons + still waiting."""
        return self.offered + self.count(Fate.SHORT_ABANDONED) + self.count(Fate.WAITING)

    @property
    def answer_percent(self) -> float | None:
        """応答率 (answer rate): answered / offered x 100."""
        return percent(self.count(Fate.ANSWERED), self.offered)

    @property
    def abandon_percent(self) -> float | None:
        """放棄呼率 (abandon rate): abandoned / offered x 100, short abandons in neither."""
        return percent(self.count(Fate.ABANDONED), self.offered)

    @property
    def reached_percent(self) -> float | None:
        """折り返し込み応答率: (answered + promised whose customer has talked with an agent since) / offered x 100."""
        return percent(self.reached, self.offered)

    @property
    def service_level_percent(self) -> float | None:
        """サービスレベル, the default: answered within the target time / offered x 100.

        Whoever gave up, was promised a callback or was sent elsewhere counts against it: it does not get better by
        callers who hang up. 設定時間内応答件数 / 着信件数; Cisco's "abandoned calls have a negative impact".
        """
        return percent(self.answered_in_time, self.offered)

    @property
    def lenient_service_level_percent(self) -> float | None:
        """サービスレベル(放棄呼を除く): answered within the target time / (offered - abandoned within it) x 100.

        Who gave up before the target time was over could not be answered in time. Cisco's "ignore abandoned calls".
        """
        return percent(self.answered_in_time, self.offered - self.abandoned_in_time)

    @property
    def asa_s(self) -> float | None:
        """平均応答速度 (ASA): sum of the waits of answered calls / answered calls, in seconds."""
        return self.answer_wait.total_seconds() / self.timed_answers if self.timed_answers else None

    @property
    def patience_s(self) -> float | None:
        """平均我慢時間 (mean patience): waits of all offered calls / abandoned calls; None where nobody gave up.

        What Erlang A wants. Not the mean wait of those who gave up: the patient ones were answered before they could.
        A. Mandelbaum, S. Zeltyn, "The Palm/Erlang-A Queue", section 5.
        """
        abandoned = self.count(Fate.ABANDONED)
        return self.line_wait.total_seconds() / abandoned if abandoned else None


def call_figures(
    calls: Iterable[CallFact], counting: Counting, promises: Mapping[str, PromiseFact] | None = None
) -> CallFigures:
    """Return the figures of calls; `promises`, by id, tell who of those who left a number has talked since."""
    fates: Counter[Fate] = Counter()
    answered_in_time = abandoned_in_time = timed_answers = reached = 0
    answer_wait = line_wait = NO_TIME
    for call in calls:
        fate = fate_of(call, counting)
        fates[fate] += 1
        wait = _waited(call, counting) or NO_TIME
        line_wait += wait if fate in OFFERED else NO_TIME
        is_in_time = wait.total_seconds() <= counting.answer_within_s
        if call.answered_at is not None and fate is Fate.ANSWERED:
            answered_in_time += is_in_time
            timed_answers += 1
            answer_wait += wait
        elif fate is Fate.ABANDONED:
            abandoned_in_time += is_in_time
        reached += fate is Fate.ANSWERED or (fate is Fate.PROMISED and talked_at(call, promises or {}) is not None)
    return CallFigures(fates, answered_in_time, abandoned_in_time, timed_answers, answer_wait, line_wait, reached)


def talked_at(call: CallFact, promises: Mapping[str, PromiseFact]) -> datetime | None:
    """Return when a caller talked with an agent: on this call, or since, by the promise that they got for it."""
    if call.answered_at is not None:
        return call.answered_at
    promise = promises.get(call.promise_id)
    return promise.talked_at if promise is not None else None


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """Two waits of the same callers, those who talked with an agent: on this call, or by a callback since. Seconds."""

    hold_s: tuple[float, ...]
    """保留待ち: how long each stood in line on the phone, from joining it to agent or leaving; shortest first."""
    true_s: tuple[float, ...]
    """実待ち: from arriving to talking, with the time without a phone at the ear; shortest first."""

    @property
    def mean_hold_s(self) -> float | None:
        """平均保留待ち時間: sum of the times in line / callers who talked."""
        return sum(self.hold_s) / len(self.hold_s) if self.hold_s else None

    @property
    def mean_true_s(self) -> float | None:
        """平均実待ち時間: sum of the times from arriving to talking / callers who talked."""
        return sum(self.true_s) / len(self.true_s) if self.true_s else None

    @property
    def p90_hold_s(self) -> float | None:
        """Nine of ten held no longer than this (nearest rank)."""
        return nearest_rank(self.hold_s, 90)

    @property
    def p90_true_s(self) -> float | None:
        """Nine of ten had talked by then (nearest rank)."""
        return nearest_rank(self.true_s, 90)


def wait_figures(calls: Iterable[CallFact], counting: Counting, promises: Mapping[str, PromiseFact]) -> WaitFigures:
    """Return both waits of those offered calls whose callers have talked with an agent."""
    hold_s: list[float] = []
    true_s: list[float] = []
    for call in calls:
        talked = talked_at(call, promises)
        left_at = call.answered_at or call.ended_at
        if talked is None or left_at is None or fate_of(call, counting) not in OFFERED:
            continue
        hold_s.append(max(0.0, (left_at - (call.joined_at or call.arrived_at)).total_seconds()))
        true_s.append(max(0.0, (talked - call.arrived_at).total_seconds()))
    return WaitFigures(tuple(sorted(hold_s)), tuple(sorted(true_s)))


def joined(waits: Iterable[WaitFigures]) -> WaitFigures:
    """Return the waits of the callers of all."""
    some = [one for one in waits if one.hold_s]
    # What is sorted is made of runs that are in order already: they are found, and merged.
    hold_s, true_s = (chain.from_iterable(each) for each in ([w.hold_s for w in some], [w.true_s for w in some]))
    return some[0] if len(some) == 1 else WaitFigures(tuple(sorted(hold_s)), tuple(sorted(true_s)))


def quoted_waits(calls: Iterable[CallFact]) -> list[QuotedWait]:
    """Return what callers were told first and how long it then was, of waits that are over: for `coverage`."""
    return [
        QuotedWait(
            queue=call.queue or "",
            low_s=call.quote.low_s,
            high_s=call.quote.high_s,
            waited_s=(over_at - call.quote.at).total_seconds(),
            was_answered=call.answered_at is not None,
        )
        for call in calls
        if call.quote is not None and (over_at := call.answered_at or call.ended_at) is not None
    ]


def percent(part: float, whole: float) -> float | None:
    """Return how many in a hundred `part` is of `whole`; None of nothing."""
    return 100 * part / whole if whole else None


def nearest_rank(in_order: Sequence[float], rank_percent: int) -> float | None:
    """Return the smallest value that so many in a hundred do not exceed; None of nothing."""
    return in_order[ceil(len(in_order) * rank_percent / 100) - 1] if in_order else None

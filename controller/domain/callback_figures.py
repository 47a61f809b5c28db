"""What came of callbacks: offered, taken, kept, late, retried, reached by SMS; and how good our word was."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.call_figures import Fate, fate_of, percent
from controller.domain.effects import SmsTemplate
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from controller.domain.figure_facts import AttemptFact, CallFact, Counting, PromiseFact, SmsFact

AFTER_A_CALL = frozenset({SmsTemplate.NOT_REACHED, SmsTemplate.GAVE_UP, SmsTemplate.EXPIRED})
"""The texts to customers whom we did not get on the phone."""
_BROKEN = frozenset({PromiseState.EXHAUSTED, PromiseState.EXPIRED})


class Word(StrEnum):
    """How we kept one promise."""

    KEPT = "kept"
    """The customer talked with an agent, and no later than was promised."""
    LATE = "late"
    """They talked, but later than was promised."""
    BROKEN = "broken"
    """It is over, and they never talked: not reached in all attempts, or not called in its lifetime."""
    OVERDUE = "overdue"
    """It is open, and what was promised is past: whatever comes, it is late."""
    OPEN = "open"
    CANCELLED = "cancelled"
    """Nobody wants the call any more: no word is broken by not calling."""


JUDGED = frozenset({Word.KEPT, Word.LATE, Word.BROKEN, Word.OVERDUE})
"""Of which it can be said whether the word was kept."""


def word_of(promise: PromiseFact, as_of: datetime) -> Word:
    """Return how a promise stands at an instant. Where no time was named, no talk is late."""
    if promise.talked_at is not None:
        return Word.LATE if promise.due_by is not None and promise.talked_at > promise.due_by else Word.KEPT
    if promise.state is PromiseState.CANCELLED:
        return Word.CANCELLED
    if promise.state in _BROKEN or promise.state is PromiseState.FULFILLED:  # Fulfilled, and no talk is on record.
        return Word.BROKEN
    return Word.OVERDUE if promise.due_by is not None and promise.due_by < as_of else Word.OPEN


@dataclass(frozen=True, slots=True)
class CallbackFigures:
    """Callbacks by the time in which their callers arrived. Percent are 0 to 100."""

    offered: int
    """提案数: calls on which a callback was offered in words."""
    taken: int
    """予約数: calls that ended with a promise, offered in words or asked for by key; also when the queue was closed."""
    taken_when_offered: int
    by_word: Mapping[Word, int]
    """Promises; those asked for by SMS or on the web are among them, and several calls can have one."""
    rang_in: int
    """Talked because the customer rang again."""
    retried: int
    """再架電: promises for which more than one call left."""
    calls: int
    """発信数: calls that left."""
    due: int
    """Promises with a named time of which it can be said whether they were called by then."""
    called_in_time: int
    """Of them, those for which a call left, or whose customer talked, by that time."""
    texted: int
    """Promises whose customer we could not get on the phone and sent an SMS."""
    reached_by_sms: int
    """Of them, those whose phone got the SMS (a receipt says so), or who answered it."""
    answered_sms: int
    """Of them, those who replied, or used the link."""

    def __add__(self, other: CallbackFigures) -> CallbackFigures:
        """Return the figures of the calls and promises of both."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return CallbackFigures(by_word=Counter(self.by_word) + Counter(other.by_word), **counts)

    def count(self, word: Word) -> int:
        """Return how many promises were kept so."""
        return self.by_word.get(word, 0)

    @property
    def made(self) -> int:
        """All promises."""
        return sum(self.by_word.values())

    @property
    def take_percent(self) -> float | None:
        """予約率: calls that took what was offered / calls on which it was offered x 100."""
        return percent(self.taken_when_offered, self.offered)

    @property
    def kept_percent(self) -> float | None:
        """折り返し遵守率 (promise-kept rate): kept / (kept + late + broken + overdue) x 100.

        Strict: a customer who was called in time and did not answer is not a kept promise. Cancelled ones, and those
        that are open and not due, count in neither.
        """
        return percent(self.count(Word.KEPT), sum(self.count(word) for word in JUDGED))

    @property
    def called_in_time_percent(self) -> float | None:
        """期限内発信率: promises called by the time that was named / promises with a named time x 100.

        What was up to us: whether the customer answered does not matter.
        """
        return percent(self.called_in_time, self.due)

    @property
    def reached_by_sms_percent(self) -> float | None:
        """SMS到達率: reached by SMS / sent an SMS after calls that failed x 100."""
        return percent(self.reached_by_sms, self.texted)


_COUNTS = tuple(one.name for one in fields(CallbackFigures) if one.name != "by_word")


def callback_figures(
    calls: Iterable[CallFact],
    promises: Iterable[PromiseFact],
    attempts: Iterable[AttemptFact],
    texts: Iterable[SmsFact],
    counting: Counting,
    as_of: datetime,
) -> CallbackFigures:
    """Return the figures of these calls and promises; attempts and texts of other promises are passed over."""
    heard = [(call.was_offered_callback, _took(call, counting)) for call in calls]
    found = {one.id: one for one in promises}
    words = {one.id: word_of(one, as_of) for one in found.values()}
    left = _left(attempts, found)
    sms = _after_a_call(texts, found)
    in_time = {one.id: _called_in_time(one, left[one.id], words[one.id]) for one in found.values()}
    return CallbackFigures(
        offered=sum(offered for offered, _ in heard),
        taken=sum(took for _, took in heard),
        taken_when_offered=sum(offered and took for offered, took in heard),
        by_word=Counter(words.values()),
        rang_in=sum(one.rang_in and one.talked_at is not None for one in found.values()),
        retried=sum(len(each) > 1 for each in left.values()),
        calls=sum(len(each) for each in left.values()),
        due=sum(verdict is not None for verdict in in_time.values()),
        called_in_time=sum(verdict is True for verdict in in_time.values()),
        texted=len(sms),
        reached_by_sms=sum(any(map(_got_there, each)) for each in sms.values()),
        answered_sms=sum(any(one.answered_at is not None for one in each) for each in sms.values()),
    )


def _took(call: CallFact, counting: Counting) -> bool:
    if call.was_closed:
        return bool(call.promise_id) and call.answered_at is None
    return fate_of(call, counting) is Fate.PROMISED


def _left(attempts: Iterable[AttemptFact], promises: Mapping[str, PromiseFact]) -> dict[str, list[datetime]]:
    """Return when calls left, by promise."""
    left: dict[str, list[datetime]] = {promise_id: [] for promise_id in promises}
    for one in attempts:
        if one.promise_id in left and one.left:
            left[one.promise_id].append(one.started_at)
    return left


def _after_a_call(texts: Iterable[SmsFact], promises: Mapping[str, PromiseFact]) -> dict[str, list[SmsFact]]:
    """Return the texts that were handed over to whom we had not got on the phone, by promise."""
    kept = frozenset({SmsStatus.BLOCKED, SmsStatus.LAPSED, SmsStatus.QUEUED})
    found: defaultdict[str, list[SmsFact]] = defaultdict(list)
    for one in texts:
        if one.promise_id in promises and one.template in AFTER_A_CALL and one.status not in kept:
            found[one.promise_id].append(one)
    return found


def _got_there(sms: SmsFact) -> bool:
    return sms.status is SmsStatus.DELIVERED or sms.answered_at is not None


def _called_in_time(promise: PromiseFact, left: Sequence[datetime], word: Word) -> bool | None:
    """Tell whether a promise with a named time was called by then; None when there was none, or it is not yet known."""
    if promise.due_by is None or word is Word.CANCELLED:
        return None
    done = [*left, *([promise.talked_at] if promise.talked_at is not None else [])]
    if any(at <= promise.due_by for at in done):
        return True
    return None if word is Word.OPEN else False

"""Callbacks: offered, taken, kept, late, retried, reached by SMS."""

from __future__ import annotations

import pytest
from hypothesis import given

from controller.domain.call_ending import Ending
from controller.domain.callback_figures import Word, callback_figures, word_of
from controller.domain.effects import SmsTemplate
from controller.domain.figure_facts import AttemptFact, CallFact, Counting, Facts, PromiseFact, SmsFact
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus
from tests.domain.figure_days import answered, at, call, facts, gave_up

PLAIN = Counting()
NOW = at(5000)


def promise(
    state: PromiseState, *, due_s: float | None = None, talked_s: float | None = None, promise_id: str = "p"
) -> PromiseFact:
    """Return a promise to who came at nine."""
    due_by, talked_at = (None if each is None else at(each) for each in (due_s, talked_s))
    return PromiseFact(promise_id, "sales", at(0), state, due_by, talked_at)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (promise(PromiseState.FULFILLED, due_s=1000, talked_s=1000), Word.KEPT),
        (promise(PromiseState.FULFILLED, due_s=1000, talked_s=1001), Word.LATE),
        (promise(PromiseState.FULFILLED, talked_s=4000), Word.KEPT),
        (promise(PromiseState.CONNECTED, due_s=1000, talked_s=900), Word.KEPT),
        (promise(PromiseState.EXHAUSTED, due_s=9000), Word.BROKEN),
        (promise(PromiseState.EXPIRED), Word.BROKEN),
        (promise(PromiseState.CANCELLED, due_s=1000), Word.CANCELLED),
        (promise(PromiseState.WAITING, due_s=4999), Word.OVERDUE),
        (promise(PromiseState.DIALLING, due_s=5000), Word.OPEN),
        (promise(PromiseState.WAITING), Word.OPEN),
        (promise(PromiseState.FULFILLED), Word.BROKEN),
    ],
)
def test_a_word_is_kept_late_broken_or_still_open(one: PromiseFact, word: Word) -> None:
    """A talk without a record of it is none that we could show."""
    assert word_of(one, NOW) is word


def test_the_promise_kept_rate_is_of_those_that_can_be_judged() -> None:
    """Two kept, one late, one broken, one overdue: 40 %. Cancelled and open ones say nothing."""
    day = [
        promise(PromiseState.FULFILLED, due_s=1000, talked_s=900, promise_id="a"),
        promise(PromiseState.FULFILLED, talked_s=900, promise_id="b"),
        promise(PromiseState.FULFILLED, due_s=1000, talked_s=1100, promise_id="c"),
        promise(PromiseState.EXHAUSTED, promise_id="d"),
        promise(PromiseState.WAITING, due_s=1000, promise_id="e"),
        promise(PromiseState.CANCELLED, promise_id="f"),
        promise(PromiseState.WAITING, promise_id="g"),
    ]
    found = callback_figures([], day, [], [], PLAIN, NOW)
    assert (found.made, found.kept_percent) == (7, 40)
    assert callback_figures([], day[5:], [], [], PLAIN, NOW).kept_percent is None


def test_who_was_called_in_time_and_did_not_answer_is_called_but_not_kept() -> None:
    """The two rates tell our part from the outcome."""
    late = [AttemptFact("p", at(1001), Outcome.NO_ANSWER)]
    in_time = [AttemptFact("p", at(900), Outcome.NO_ANSWER), *late]
    never = [AttemptFact("p", at(900), Outcome.NOT_PLACED), *late]
    told = promise(PromiseState.EXHAUSTED, due_s=1000)
    for attempts, percent in ((in_time, 100), (late, 0), (never, 0)):
        found = callback_figures([], [told], attempts, [], PLAIN, NOW)
        assert (found.kept_percent, found.called_in_time_percent) == (0, percent)


def test_of_a_promise_without_a_time_nobody_can_say_whether_it_was_called_in_time() -> None:
    """Nor of one that is open and not due; who rang us in time needs no call."""
    untold, early = promise(PromiseState.EXHAUSTED), promise(PromiseState.WAITING, due_s=9000)
    assert callback_figures([], [untold], [], [], PLAIN, NOW).called_in_time_percent is None
    assert callback_figures([], [early], [], [], PLAIN, NOW).called_in_time_percent is None
    rang = PromiseFact("p", "sales", at(0), PromiseState.FULFILLED, at(1000), at(800), rang_in=True)
    found = callback_figures([], [rang], [], [], PLAIN, NOW)
    assert (found.called_in_time_percent, found.rang_in, found.count(Word.KEPT)) == (100, 1, 1)


def test_retried_is_who_was_called_more_than_once() -> None:
    """A call that never left is none."""
    attempts = [
        *(AttemptFact("twice", at(each), Outcome.BUSY) for each in (100, 200)),
        *(AttemptFact("once", at(each), outcome) for each, outcome in ((100, Outcome.OVER_CAP), (200, None))),
        AttemptFact("of another day", at(100), Outcome.BUSY),
    ]
    day = [promise(PromiseState.WAITING, promise_id=name) for name in ("twice", "once", "never")]
    found = callback_figures([], day, attempts, [], PLAIN, NOW)
    assert (found.retried, found.calls) == (1, 3)


def test_reached_by_sms_is_who_got_one_after_we_could_not_get_them_on_the_phone() -> None:
    """A receipt or an answer shows it; a confirmation of a booking is no such SMS, nor is one that never left."""

    def sms(
        name: str, status: SmsStatus, template: SmsTemplate = SmsTemplate.NOT_REACHED, *, said: bool = False
    ) -> SmsFact:
        return SmsFact(name, template, status, at(100), at(200) if said else None)

    texts = [
        sms("got it", SmsStatus.DELIVERED),
        sms("got it", SmsStatus.UNDELIVERED, SmsTemplate.GAVE_UP),
        sms("answered", SmsStatus.UNKNOWN, said=True),
        sms("nothing known", SmsStatus.SENT),
        sms("not yet", SmsStatus.QUEUED),
        sms("refused", SmsStatus.BLOCKED),
        sms("booked", SmsStatus.DELIVERED, SmsTemplate.CONFIRMED),
    ]
    day = [promise(PromiseState.WAITING, promise_id=one.promise_id) for one in texts]
    found = callback_figures([], day, [], texts, PLAIN, NOW)
    assert (found.texted, found.reached_by_sms, found.answered_sms) == (3, 2, 1)
    assert found.reached_by_sms_percent == pytest.approx(66.67, abs=0.01)


def test_the_take_rate_is_of_those_who_were_offered_one() -> None:
    """The key works without an offer too, and outside business hours: that is taken, but no success of the offer."""
    day: list[CallFact] = [
        call(ended_s=60, ending=Ending.PROMISED, was_offered_callback=True),
        answered(after_s=60, was_offered_callback=True),
        gave_up(after_s=60, was_offered_callback=True),
        call(was_offered_callback=True),
        call(ended_s=60, ending=Ending.PROMISED),
        call(ended_s=60, ending=Ending.PROMISED, was_closed=True, promise_id="p"),
        gave_up(after_s=60, was_closed=True),
    ]
    found = callback_figures(day, [], [], [], PLAIN, NOW)
    assert (found.offered, found.taken, found.take_percent) == (4, 3, 25)
    assert callback_figures([], [], [], [], PLAIN, NOW).take_percent is None


@given(facts())
def test_every_promise_is_counted_once_and_every_share_is_a_share(day: Facts) -> None:
    """Whatever was written down."""
    found = callback_figures(day.calls, day.promises, day.attempts, day.texts, PLAIN, day.as_of)
    assert found.made == len(day.promises)
    assert found.answered_sms <= found.reached_by_sms <= found.texted <= found.made
    assert found.retried * 2 <= found.calls <= len(day.attempts)
    assert found.called_in_time <= found.due <= found.made
    shares = (found.take_percent, found.kept_percent, found.called_in_time_percent, found.reached_by_sms_percent)
    assert all(share is None or 0 <= share <= 100 for share in shares)

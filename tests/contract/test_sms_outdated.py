from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerConnected, DeadlinePassed, Event
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill
from tests.contract.store_under_test import NO_LIMITS, HandClock, make, rows, wanted

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.store import Store


async def called(store: Store, clock: HandClock, promise: Promise, *events: Event) -> None:
    """Call the customer of a promise, once it is due, and let this come of it."""
    clock.turn(24 * 3600)
    promise = await store.promises.get(promise.id)
    attempt = Attempt(f"attempt-{promise.version}", promise.id, promise.number, "alice", clock.now())
    await store.promises.open_attempt(promise, attempt)
    for event in events:
        await store.promises.advance(promise.id, event)


async def claimed(store: Store, clock: HandClock, template: str) -> SmsStatus:
    """Claim every SMS that is due, oldest first; return what was said of the one with this template."""
    said: dict[str, SmsStatus] = {}
    while (sms := await store.outbox.due(clock.now())) is not None:
        said[sms.template] = (await store.outbox.claim(sms, SmsBill(1), NO_LIMITS, clock.now())).status
    return said[template]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), SmsStatus.SENDING),
        ((Cancelled(),), SmsStatus.LAPSED),
        ((CustomerConnected(),), SmsStatus.LAPSED),
        ((CustomerConnected(), AttemptEnded(Outcome.TALKED)), SmsStatus.LAPSED),
    ],
    ids=["as it was", "cancelled", "talking", "talked"],
)
async def test_we_will_call_again_is_not_said_once_it_is_not_true_any_more(
    store: Store, clock: HandClock, events: tuple[Event, ...], status: SmsStatus
) -> None:
    """A provider that was silent for a while, or busy, does not make us say what is over."""
    promise = (await make(store, wanted(confirm=False))).promise
    await called(store, clock, promise, AttemptEnded(Outcome.NO_ANSWER))
    if events[:1] == (Cancelled(),):
        await store.promises.advance(promise.id, Cancelled())
    elif events:
        now = await store.promises.get(promise.id)
        await store.promises.open_attempt(now, Attempt("second", now.id, now.number, "alice", clock.now()))
        for event in events:
            await store.promises.advance(now.id, event)
    assert await claimed(store, clock, "not_reached") is status


@pytest.mark.parametrize("asks_anew", [False, True])
async def test_that_nobody_will_call_is_not_said_to_who_has_asked_anew(
    store: Store, clock: HandClock, asks_anew: bool
) -> None:
    """They are in line again: the old promise's last word would only confuse them."""
    promise = (await make(store, wanted("call-1"))).promise
    await store.promises.advance(promise.id, DeadlinePassed())
    if asks_anew:
        await make(store, wanted("call-2"))
    status = await claimed(store, clock, "expired")
    assert status is (SmsStatus.LAPSED if asks_anew else SmsStatus.SENDING)
    (row,) = await rows(store, "SELECT error FROM sms_outbox WHERE template = 'expired'")
    assert row["error"] == ("they have asked anew by now" if asks_anew else None)


async def test_a_confirmation_of_what_was_cancelled_meanwhile_is_not_sent(store: Store, clock: HandClock) -> None:
    """What is confirmed then is that it was cancelled."""
    promise = (await make(store, wanted(confirm=True))).promise
    await store.promises.advance(promise.id, Cancelled(confirm=True))
    assert await claimed(store, clock, "confirmed") is SmsStatus.LAPSED
    (row,) = await rows(store, "SELECT status FROM sms_outbox WHERE template = 'cancelled'")
    assert row["status"] == "sending"

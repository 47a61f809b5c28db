from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.sms_limits import Breaker, SmsLimits
from controller.ports.links import Challenge
from tests.contract.store_under_test import NUMBER, rows, take_sms

if TYPE_CHECKING:
    from controller.store import Store
    from tests.contract.store_under_test import HandClock

WINDOW = timedelta(hours=1)
LIMITS = SmsLimits(
    per_number=None, breaker=Breaker(window_s=WINDOW.total_seconds(), min_sent=3, min_rate=0.5, range_digits=6)
)


async def sends(store: Store, clock: HandClock, number: str, template: SmsTemplate = SmsTemplate.CODE) -> bool:
    """Owe a code, say, and tell whether it may be sent."""
    name = f"{template}:{number}:{clock.now().timestamp()}"
    sms = SendSms(name, template, number, "ja", "sales")
    await store.proofs.start(Challenge(name, "sales", number, "ja", clock.now() + WINDOW, 5), sms)
    return await take_sms(store, clock.now(), limits=LIMITS) is not None


async def uses(store: Store, clock: HandClock, number: str) -> None:
    """Have the code used that was just sent to a number."""
    name = f"code:{number}:{clock.now().timestamp()}"
    assert await store.proofs.guess(name, is_right=True, now=clock.now()) is not None


async def test_the_breaker_stops_codes_alone_and_closes_when_the_window_has_passed(
    store: Store, clock: HandClock
) -> None:
    """Somebody has codes sent all over; a promise's texts go on."""
    tried = [await sends(store, clock, f"+8190{n}23456{n:02}") for n in range(4)]
    assert tried == [True, True, True, False]
    assert await sends(store, clock, NUMBER, SmsTemplate.WEB_PAGE)
    blocked = await rows(store, "SELECT error FROM sms_outbox WHERE status = 'blocked'")
    assert len(blocked) == 1
    assert "somebody may be paid for sending them" in blocked[0]["error"]
    clock.turn(WINDOW.total_seconds())
    assert await sends(store, clock, NUMBER)


async def test_one_range_that_is_pumped_is_stopped_and_people_elsewhere_go_on(store: Store, clock: HandClock) -> None:
    """In all, enough codes are used; of those to one range, none."""
    for n in range(6):
        people = f"+8170{n}2345678"
        assert await sends(store, clock, people)
        await uses(store, clock, people)
    tried = [await sends(store, clock, f"+8190123456{n:02}") for n in range(4)]
    assert tried == [True, True, True, False]
    assert await sends(store, clock, "+817099999999")
    assert await sends(store, clock, "+819012999999") is False
    await uses(store, clock, "+819012345600")
    await uses(store, clock, "+819012345601")
    assert await sends(store, clock, "+819012999998")

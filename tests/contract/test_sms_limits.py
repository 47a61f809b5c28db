from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.sms import Delivery, SmsStatus
from controller.domain.sms_limits import Breaker, SmsBill, SmsLimits
from controller.ports.links import Challenge
from controller.ports.sms import Accepted, Claim, Receipt, Refused, Unclear
from tests.contract.store_under_test import NOON, NUMBER, HandClock, rows, store_at

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.ports.sms import QueuedSms, SendResult
    from controller.store import Store

T = TypeVar("T")

DAY = timedelta(hours=24)
WINDOW = timedelta(hours=1)
BREAKER = Breaker(window_s=WINDOW.total_seconds(), min_sent=3, min_rate=0.5, range_digits=6)
LIMITS = SmsLimits(per_number=3, per_prefix={"+8190": 6, "+81901": 5}, max_cost_milli=30_000, breaker=BREAKER)
RESULTS = [Accepted("ref"), Unclear("timeout"), Refused("no", None), Refused("slow", 60)]
NUMBERS = ["+819012345670", "+819012345671", "+819099999999", "+817012345678"]
PAGE = SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales")


@dataclass
class Left:
    """One SMS, as the model saw it leave for the provider."""

    sms: QueuedSms
    cost_milli: int
    left_at: datetime
    is_settled: bool = False
    is_used: bool = False

    @property
    def range(self) -> str:
        """The numbers that the breaker looks at with it."""
        return self.sms.number[:7]


class Sending(RuleBasedStateMachine):
    """Two senders, in any order and at once, with refusals and receipts, beside a model that counts what left."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._clock = HandClock()
        self._stores = [
            self._run(self._open.enter_async_context(store_at(url, self._clock, prefix=prefix, busy_timeout_s=30)))
            for prefix in ("one", "two")
        ]
        self._ids = itertools.count()
        self._left: list[Left] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def on_the_way(self) -> list[Left]:
        """Return what was handed over and got no answer yet."""
        return [one for one in self._left if not one.is_settled]

    def _counted(self, period: timedelta = DAY) -> list[Left]:
        return [one for one in self._left if one.left_at > self._clock.now() - period]

    def _may_leave(self, sms: QueuedSms, cost_milli: int) -> bool:
        counted = self._counted()
        codes = [each for each in self._counted(WINDOW) if each.sms.template == "code"]
        near = [each for each in codes if each.range == sms.number[:7]]
        assert LIMITS.per_number is not None
        assert LIMITS.max_cost_milli is not None
        under = [most - sum(each.sms.number.startswith(prefix) for each in counted) for prefix, most in caps_of(sms)]
        return (
            sum(each.sms.number == sms.number for each in counted) < LIMITS.per_number
            and all(room > 0 for room in under)
            and sum(each.cost_milli for each in counted) + cost_milli <= LIMITS.max_cost_milli
            and (sms.template != "code" or not any(is_pumped(each) for each in (codes, near)))
        )

    @rule(number=st.sampled_from(NUMBERS), is_code=st.booleans(), many=st.integers(1, 3))
    def are_owed(self, number: str, *, is_code: bool, many: int) -> None:
        """Pages, or codes with their challenges."""
        for n in (next(self._ids) for _ in range(many)):
            if is_code:
                sms = SendSms(f"code:{n}", SmsTemplate.CODE, number, "ja", "sales", {"challenge": str(n)})
                challenge = Challenge(str(n), "sales", number, "ja", self._clock.now() + DAY, 5)
                self._run(self._stores[0].proofs.start(challenge, replace(sms, valid_s=DAY.total_seconds())))
            else:
                page = replace(PAGE, key=f"page:{n}", number=number, valid_s=DAY.total_seconds())
                self._run(self._stores[0].texts.owe(page))

    @rule(cost_milli=st.sampled_from([0, 3_000, 9_000]), many=st.integers(1, 4))
    def are_sent(self, cost_milli: int, many: int) -> None:
        """By both senders at once: one of them has it, or both hear the same reason, which is true."""
        for _ in range(many):
            sms = self._run(self._stores[1].outbox.due(self._clock.now()))
            if sms is None:
                return
            may_leave = self._may_leave(sms, cost_milli)
            is_in_time = self._clock.now() < sms.valid_until

            async def claim(sms: QueuedSms = sms) -> list[SmsStatus]:
                bill = SmsBill(1, cost_milli)
                claims = (store.outbox.claim(sms, bill, LIMITS, self._clock.now()) for store in self._stores)
                return [each.status for each in await asyncio.gather(*claims)]

            answers = self._run(claim())
            if is_in_time and may_leave:
                assert sorted(answers) == ["queued", "sending"]
                self._left.append(Left(sms, cost_milli, self._clock.now()))
            else:
                assert answers == [SmsStatus.BLOCKED if is_in_time else SmsStatus.LAPSED] * 2

    @precondition(lambda self: self.on_the_way())
    @rule(data=st.data(), result=st.sampled_from(RESULTS))
    def is_answered(self, data: st.DataObject, result: SendResult) -> None:
        """Settle one: what was refused did not leave after all; what may have left counts from then on."""
        one = data.draw(st.sampled_from(self.on_the_way()))
        self._run(self._stores[1].outbox.record(one.sms, result, self._clock.now()))
        one.is_settled, one.left_at = True, self._clock.now()
        if isinstance(result, Refused):
            self._left.remove(one)

    @precondition(lambda self: self.on_the_way())
    @rule(data=st.data(), delivery=st.sampled_from(Delivery))
    def is_received(self, data: st.DataObject, delivery: Delivery) -> None:
        """Before any answer: it left, and counts from when it was handed over; no answer changes that."""
        one = data.draw(st.sampled_from(self.on_the_way()))
        receipt = Receipt("p", f"event-{next(self._ids)}", "", delivery, one.sms.key)
        self._run(self._stores[0].inbox.note_receipt(receipt, self._clock.now()))
        self._run(self._stores[0].outbox.record(one.sms, Refused("so they said", None), self._clock.now()))
        one.is_settled = True

    @precondition(lambda self: any(one.sms.template == "code" and not one.is_used for one in self._left))
    @rule(data=st.data())
    def a_code_is_used(self, data: st.DataObject) -> None:
        """Prove that a person has it."""
        codes = [one for one in self._left if one.sms.template == "code" and not one.is_used]
        one = data.draw(st.sampled_from(codes))
        proof = self._stores[0].proofs.guess(one.sms.details["challenge"], is_right=True, now=self._clock.now())
        one.is_used = self._run(proof) is not None

    @rule(seconds=st.sampled_from([1, 60, 1800, 3600, 6 * 3600, 13 * 3600]))
    def time_passes(self, seconds: int) -> None:
        """Let SMS leave the 24 hours, and codes the breaker's hour."""
        self._clock.turn(seconds)

    @invariant()
    def no_cap_was_ever_passed(self) -> None:
        """In the 24 hours up to each SMS's own moment."""
        for last in self._left:
            before = [each for each in self._left if last.left_at - DAY < each.left_at <= last.left_at]
            assert sum(each.sms.number == last.sms.number for each in before) <= 3
            for prefix, most in LIMITS.per_prefix.items():
                assert sum(each.sms.number.startswith(prefix) for each in before) <= most
            assert sum(each.cost_milli for each in before) <= 30_000

    def teardown(self) -> None:
        """Close the databases."""
        self._run(self._open.aclose())
        self._loop.close()


def caps_of(sms: QueuedSms) -> list[tuple[str, int]]:
    """Return the prefixes of its number that have a cap."""
    return [(prefix, most) for prefix, most in LIMITS.per_prefix.items() if sms.number.startswith(prefix)]


def is_pumped(codes: list[Left]) -> bool:
    """Tell whether too few of them were used."""
    return len(codes) >= 3 and sum(each.is_used for each in codes) < 0.5 * len(codes)


def test_whatever_is_sent_in_whatever_order_no_cap_is_passed(fresh_url: Callable[[], str]) -> None:
    """By number, by prefix, by money and by the breaker; and whatever is blocked is blocked with reason."""
    run_state_machine_as_test(
        lambda: Sending(fresh_url()),  # type: ignore[arg-type]  # any function that makes a machine will do
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


async def owe_pages(store: Store, count: int) -> None:
    """Owe a page to each of so many numbers."""
    for n in range(count):
        await store.texts.owe(replace(PAGE, key=f"page:{n}", number=f"+8190000000{n:02}"))


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (SmsLimits(per_prefix={"+8190": 3}), "+8190 had the 3 SMS that may be sent to it in 24 hours"),
        (SmsLimits(max_cost_milli=9_999), "with this one, SMS would cost more than 9.999 in 24 hours"),
    ],
)
async def test_of_twenty_claims_at_once_a_cap_of_three_lets_three_through(
    url: str, store: Store, limits: SmsLimits, why: str
) -> None:
    """Twenty numbers, over two stores; the others are blocked, and the reason is for a person."""
    await owe_pages(store, 20)
    found = await rows(store, "SELECT id FROM sms_outbox")
    first = await store.outbox.due(NOON)
    assert first is not None
    waiting = [replace(first, id=row["id"], number=f"+8190000000{n:02}") for n, row in enumerate(found)]
    async with store_at(url, HandClock(), busy_timeout_s=30) as other:
        claims = await asyncio.gather(
            *((store, other)[n % 2].outbox.claim(sms, SmsBill(1, 3_300), limits, NOON) for n, sms in enumerate(waiting))
        )
    assert sorted(claim.status for claim in claims) == ["blocked"] * 17 + ["sending"] * 3
    assert {claim.reason for claim in claims if claim.status is SmsStatus.BLOCKED} == {why}
    assert await store.outbox.next_due_at() is None


async def test_what_a_number_was_sent_a_day_ago_does_not_count(store: Store, clock: HandClock) -> None:
    """To the second; and the reason names no number."""
    limits = SmsLimits(per_number=1)

    async def claims_one() -> SmsStatus:
        await store.texts.owe(replace(PAGE, key=f"page:{clock.now()}"))
        sms = await store.outbox.due(clock.now())
        assert sms is not None
        claim = await store.outbox.claim(sms, SmsBill(1), limits, clock.now())
        assert NUMBER not in claim.reason
        if claim.status is SmsStatus.SENDING:
            await store.outbox.record(sms, Accepted("ref"), clock.now())
        return claim.status

    assert await claims_one() is SmsStatus.SENDING
    clock.turn(DAY.total_seconds() - 1)
    assert await claims_one() is SmsStatus.BLOCKED
    clock.turn(1)
    assert await claims_one() is SmsStatus.SENDING


async def test_stop_and_sending_at_once_have_one_winner_and_nothing_is_sent_after_it(url: str, store: Store) -> None:
    """Over two stores: a claim that was told it may send was committed before the entry was."""
    async with store_at(url, HandClock(), busy_timeout_s=30) as other:
        for n in range(20):
            number = f"+8190000000{n:02}"
            await store.texts.owe(replace(PAGE, key=f"page:{n}", number=number))
            sms = await other.outbox.due(NOON)
            assert sms is not None
            send = other.outbox.claim(sms, SmsBill(1), LIMITS, NOON)
            stop = store.do_not_call.block(number, reason="STOP")
            answers = await asyncio.gather(*((send, stop) if n % 2 else (stop, send)))
            (status,) = (answer.status for answer in answers if isinstance(answer, Claim))
            assert status in {SmsStatus.SENDING, SmsStatus.BLOCKED}
            await store.texts.owe(replace(PAGE, key=f"after:{n}", number=number))
            late = await other.outbox.due(NOON)
            assert late is not None
            assert (await other.outbox.claim(late, SmsBill(1), LIMITS, NOON)).status is SmsStatus.BLOCKED

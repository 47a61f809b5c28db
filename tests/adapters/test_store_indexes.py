from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from controller.domain.call_ending import Ending
from controller.domain.caps import Caps, Tariff
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded, DeadlinePassed
from controller.domain.outcome import Outcome
from controller.domain.promise import DEFAULT_PBX
from controller.domain.signed import Purpose
from controller.domain.sms import Delivery
from controller.domain.sms_limits import Breaker, SmsLimits
from controller.ports.lease import lease_of_pbx
from controller.ports.links import Ask, BookingLink, Challenge, NeverAgain, Withdraw
from controller.ports.sms import Accepted, IncomingSms, Receipt, Unclear
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    HandClock,
    dialling,
    make,
    slot_after,
    store_at,
    take_sms,
    wanted,
)

if TYPE_CHECKING:
    from pathlib import Path

    from controller.domain.promise import Promise
    from controller.ports.links import LinkWish
    from controller.store import Store


async def test_each_query_uses_an_index(tmp_path: Path) -> None:
    """Every statement that the books send, asked of the planner: none reads a whole table, none sorts."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:
        sent = await what_is_sent(store)
        assert len({statement for statement, _ in sent}) > 12
        async with store.database.engine.connect() as connection:
            for statement, parameters in sent:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps = [str(step["detail"]) for step in plan.mappings()]
                assert steps, statement
                assert all(is_by_index(step) for step in steps), (statement, steps)


def is_by_index(step: str) -> bool:
    """Tell whether a step of SQLite's plan neither reads a whole table nor sorts."""
    return "TEMP B-TREE" not in step and ("USING" in step or "SUBQUERY" in step)


async def use_sms(store: Store, promise: Promise) -> None:
    """Call every method of the books of SMS and of the web."""
    code = SendSms("code:1", SmsTemplate.CODE, NUMBER, "ja", "sales")
    await store.proofs.start(Challenge("c", "sales", NUMBER, "ja", NOON + timedelta(hours=1), 5), code)
    limits = SmsLimits(per_number=9, per_prefix={"+8190": 9}, max_cost_milli=9, breaker=Breaker())
    for result in (Accepted("ref"), Unclear("timeout")):
        sms = await take_sms(store, NOON, limits=limits)
        assert sms is not None
        await store.outbox.record(sms, result, NOON)
        await store.outbox.block(sms, "too late", NOON)
    await store.outbox.settle_interrupted()
    for n, key in enumerate((None, "code:1")):
        await store.inbox.note_receipt(Receipt("p", str(n), "ref", Delivery.ON_ITS_WAY, key), NOON)
    await store.inbox.note_reply(IncomingSms("p", "1", NUMBER, "+81312345678", "1"), NOON)
    (reply,) = await store.inbox.unhandled()
    await store.inbox.settle(reply.id, "call_now", needs_person=False, now=NOON)
    await store.inbox.was_helped(NUMBER, NOON)
    await store.proofs.guess("c", is_right=True, now=NOON)
    await store.proofs.find("c", NOON)
    wishes: list[LinkWish] = [Withdraw(), Ask(wanted("link-1", confirm=True)), NeverAgain()]
    for n, wish in enumerate(wishes):
        promise_id = None if n else promise.id
        link = BookingLink(str(n), Purpose.BOOK, "sales", NUMBER, "ja", NOON + timedelta(hours=1), promise_id)
        await store.links.issue(link)
        await store.links.find(link.id, NOON)
        await store.links.redeem(link.id, wish, NOON)
    await store.do_not_call.unblock(NUMBER)


async def what_is_sent(store: Store) -> list[tuple[str, Any]]:
    """Call every method of every book; return the queries and updates that this takes."""
    sent: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if re.match("SELECT|UPDATE", statement):
            sent.append((statement, parameters))

    event.listen(store.database.sync_engine, "before_cursor_execute", remember)
    caps = Caps(1, 1, {"+8190": 1}, 1000, Tariff(1, 1))
    lease = await store.leases.take(lease_of_pbx(), "one", "one", 4)
    await store.leases.renew(lease, 4)
    await store.leases.take(lease_of_pbx(), "one", "one", 4)
    await store.do_not_call.listed()
    promise = await dialling(store, term=2)
    await make(store, wanted("call-2"))
    later = (await make(store, wanted("call-9", number="+819000000000"))).promise
    for most in (caps, replace(caps, max_cost_milli=1)):
        await store.promises.hold(later, DEFAULT_PBX, 2, most)
    await store.promises.hold(later, DEFAULT_PBX, 2)
    await store.promises.hold(later, "pbx-2", 1)
    await store.promises.let_go(later.id, DEFAULT_PBX, 2)
    await store.do_not_call.block("+819000000000", reason="STOP")
    await store.do_not_call.unblock("+819000000000")
    await store.leases.take(lease_of_pbx(), "two", "two", 4, wants=True)
    await store.leases.release(lease)
    await store.leases.all()
    await make(store, wanted("call-3", slot=slot_after(2), slot_capacity=9))
    await store.promises.booked("sales", start=NOON, end=NOON + timedelta(days=9))
    await store.promises.open_for("sales", NUMBER)
    await store.promises.made_on_call("call-1")
    await store.promises.waiting()
    await store.promises.open_attempts()
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    await store.promises.advance(promise.id, DeadlinePassed())
    await store.outbox.next_due_at()
    await use_sms(store, later)
    for call_id in ("call-1", "call-2"):
        await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=NOON)
        await store.calls.joined(call_id, queue="sales", joined_at=NOON)
        await store.calls.quoted(call_id, low_s=60, high_s=120, quoted_at=NOON)
        await store.calls.offered(call_id, offered_at=NOON)
    await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
    await store.calls.close_orphans(frozenset(), ended_at=NOON)
    await store.callers.remember_language(NUMBER, "en")
    await store.callers.remember_language(NUMBER, "ja")
    await store.callers.language_of(NUMBER)
    return sent

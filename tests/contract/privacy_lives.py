"""People of whom something is known: a row with their number in every place that has numbers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, insert

from controller.domain.call_ending import Ending
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.signed import Purpose
from controller.domain.sms import Delivery
from controller.ports.links import BookingLink, Challenge
from controller.ports.sms import Accepted, IncomingSms, Receipt
from controller.store.staff_tables import answered_requests, audit, call_notes, hook_deliveries
from tests.contract.recorded import over
from tests.contract.store_under_test import NOON, NUMBER, dialling, everything, take_sms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.promise import Promise
    from controller.store import Store


async def add(store: Store, table: Table, **values: Any) -> None:
    """Write one row."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(table).values(**values))

    await store.database.write(work)


async def a_call(store: Store, call_id: str, number: str, *, ending: Ending | None = Ending.PROMISED) -> None:
    """Let a call come in, and end."""
    await store.calls.arrived(call_id, dialled="0312345678", number=number, arrived_at=NOON)
    await store.calls.joined(call_id, queue="sales", joined_at=NOON + timedelta(seconds=20))
    if ending is not None:
        await store.calls.ended(call_id, ending=ending, ended_at=NOON + timedelta(seconds=60))


async def a_kept_promise(store: Store, number: str = NUMBER, tag: str = "") -> Promise:
    """Let a caller be called back."""
    await a_call(store, f"call-{tag}", number)
    promise = await dialling(store, f"call-{tag}", f"attempt-{tag}", number=number)
    await store.promises.advance(promise.id, CustomerConnected())
    return await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED))


async def an_exchange(store: Store, number: str = NUMBER, tag: str = "") -> None:
    """Let an SMS be sent, delivered and replied to. Its key has the number in it, as those of missed calls do."""
    sms = SendSms(f"missed:sales:{number}:2030-05-06{tag}", SmsTemplate.MISSED_YOU, number, "ja", "sales")
    await store.texts.owe(sms)
    taken = await take_sms(store, NOON)
    assert taken is not None
    await store.outbox.record(taken, Accepted(f"ref-{tag}"), NOON)
    await store.inbox.note_receipt(Receipt("p", f"r-{tag}", f"ref-{tag}", Delivery.DELIVERED), NOON)
    await store.inbox.note_reply(IncomingSms("p", f"i-{tag}", number, "+81312345678", "山田です。16時に"), NOON)
    for reply in await store.inbox.unhandled():
        await store.inbox.settle(reply.id, "time", needs_person=False, now=NOON)


async def a_whole_life(store: Store, number: str = NUMBER, tag: str = "") -> Promise:
    """Let something be known of a number in every place."""
    promise = await a_kept_promise(store, number, tag)
    await an_exchange(store, number, tag)
    await store.links.issue(
        BookingLink(f"link-{tag}", Purpose.BOOK, "sales", number, "ja", NOON + timedelta(days=2), None)
    )
    code = SendSms(f"code:{tag}", SmsTemplate.CODE, number, "ja", "sales")
    await store.proofs.start(Challenge(f"c-{tag}", "sales", number, "ja", NOON + timedelta(hours=1), 5), code)
    sms = await take_sms(store, NOON)
    assert sms is not None
    await store.outbox.record(sms, Accepted(f"ref-code-{tag}"), NOON)
    await store.callers.remember_language(number, "en")
    note = {"kind": "promise", "queue": "sales", "number": number, "agent": "hanako", "disposition": "解決"}
    about = {"text": "奥様が折り返しをご希望", "written_at": NOON, "changed_at": NOON}
    await add(store, call_notes, waiter_id=promise.id, **note, **about)
    await over(store, f"talk-{tag}", waiter_id=promise.id, kind=WaiterKind.PROMISE, number=number)
    body = json.dumps({"event": "promise.fulfilled", "number": number})
    told = {"made_at": NOON, "not_before": NOON, "settled_at": NOON, "delivered": True}
    await add(store, hook_deliveries, hook="crm", event_id=f"e-{tag}", event="promise", subject="p", body=body, **told)
    await add(store, audit, at=NOON, kind="person", who="sato", action="POST /promises", outcome="201", detail="{}")
    asked = {"fingerprint": "f", "asked_at": NOON, "status": 201, "answer": json.dumps({"number": number})}
    await add(store, answered_requests, key=f"k-{tag}", **asked)
    return promise


def tables_with(contents: Mapping[str, list[dict[str, Any]]], number: str = NUMBER) -> set[str]:
    """Return the tables in which the digits of a number stand, whichever way."""
    national = f"0{number[3:]}"
    found = (number[1:], national)
    return {name for name, rows in contents.items() if any(digits in repr(row) for row in rows for digits in found)}


async def traces(store: Store, number: str = NUMBER) -> set[str]:
    """Return the tables of the database in which a number stands."""
    return tables_with(await everything(store), number)

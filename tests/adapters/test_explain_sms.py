"""`controller explain` on what was written both ways: a window that is late, its SMS and receipt, and the reply."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import Cancelled, RunningLate
from controller.domain.slots import Slot
from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, IncomingSms, Receipt
from controller.settings.first_file import DEFAULT_TEMPLATE
from tests.adapters.test_explain import ask, claimed, url_beside
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER, HandClock, make, store_at, wanted

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Return a settings file with the default settings, whose database is beside it."""
    path = tmp_path / "controller.toml"
    path.write_text(DEFAULT_TEMPLATE.read_text("utf-8"), "utf-8")
    return path


async def test_a_late_window_its_sms_with_receipt_and_the_reply_are_told(settings: Path) -> None:
    """One after the other. What the customer wrote is not shown."""
    clock = HandClock()
    window = Slot(NOON + timedelta(minutes=1), NOON + timedelta(minutes=31))
    async with store_at(url_beside(settings), clock) as store:
        made = await make(store, wanted(queue="support", slot=window, slot_capacity=1))
        clock.turn(120)
        await store.promises.advance(made.promise.id, RunningLate(NOON + timedelta(hours=1)))
        sms = await claimed(store, clock)
        await store.outbox.record(sms, Accepted("SM1"), clock.now())
        clock.turn(5)
        receipt = Receipt("twilio", "SM1:delivered", "SM1", Delivery.DELIVERED)
        await store.inbox.note_receipt(receipt, clock.now())
        clock.turn(60)
        await store.inbox.note_reply(IncomingSms("twilio", "SM2", NUMBER, OTHER_NUMBER, "2, thanks"), clock.now())
        (reply,) = await store.inbox.unhandled()
        clock.turn(1)
        await store.promises.advance(made.promise.id, Cancelled(confirm=True))
        await store.inbox.settle(reply.id, "cancel", needs_person=False, now=clock.now())
    report = await ask(settings, "promise-1")
    assert [(line["what"], line["why"]) for line in report.data["timeline"][1:4]] == [
        (
            "the window cannot be kept",
            "the call is expected 05-06 13:00:00; an SMS says so before it ends",
        ),
        (
            "SMS running_late: delivered 05-06 12:02:00, receipt 05-06 12:02:05",
            "says that the window cannot be kept, and when to expect the call",
        ),
        ("they replied by SMS: cancel", "they no longer want the call; acted on 05-06 12:03:06"),
    ]
    assert [line["what"] for line in report.data["timeline"][4:]] == [
        "cancelled by the customer",
        "SMS cancelled: queued",
    ]
    assert "thanks" not in report.text

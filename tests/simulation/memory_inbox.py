"""Receipts and replies in memory: the port `SmsInbox`, whose contract it passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.ports.sms import IncomingSms, Reply
from controller.store.sms_rows import short_id, writable
from tests.simulation.memory_data import ReceiptRow, ReplyRow
from tests.simulation.memory_sms import apply_early, apply_receipt, as_queued

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.sms import Receipt
    from tests.simulation.memory_data import MemoryData, SmsRow


class MemorySmsInbox:
    """`SmsInbox`."""

    def __init__(self, data: MemoryData, replied: Callable[[], None]) -> None:
        self._data = data
        self._replied = replied

    async def note_receipt(self, receipt: Receipt, now: datetime) -> bool:
        """Write a receipt down and apply it; False when it had been taken before."""
        name = receipt.provider, short_id(receipt.event_id)
        if name in self._data.receipts:
            return False
        row = ReceiptRow(
            len(self._data.receipts) + 1,
            *name,
            writable(receipt.reference),
            receipt.key,
            receipt.delivery,
            writable(receipt.error),
            now,
        )
        self._data.receipts[name] = row
        found = self._sms_of(row)
        if found is not None:
            apply_receipt(found, row, now)
            found.reference = found.reference or row.reference or None
            apply_early(self._data, found, now)
        return True

    async def note_reply(self, incoming: IncomingSms, now: datetime) -> bool:
        """Write a reply down; False when it had been taken before."""
        name = incoming.provider, short_id(incoming.event_id)
        if name in self._data.replies:
            return False
        number, text = writable(incoming.number, 32), writable(incoming.text, 1600)
        sent = [(row.sent_at, row.id) for row in self._data.sms.values() if row.sent_at and row.number == number]
        about_id = max(sent)[1] if sent else None
        self._data.replies[name] = ReplyRow(
            len(self._data.replies) + 1, *name, number, writable(incoming.to, 32), text, about_id, now
        )
        self._replied()
        return True

    async def unhandled(self) -> list[Reply]:
        """Return the replies that nobody has acted on, oldest first."""
        by_id = {row.id: row for row in self._data.sms.values()}
        return [
            Reply(
                row.id,
                IncomingSms(row.provider, row.event_id, row.number, row.sent_to, row.text),
                row.received_at,
                None if row.about_id is None else as_queued(by_id[row.about_id]),
            )
            for row in self._data.replies.values()
            if row.handled_at is None
        ]

    async def settle(self, reply_id: int, meaning: str, *, needs_person: bool, now: datetime) -> None:
        """Write what a reply was taken for, once."""
        for row in self._data.replies.values():
            if row.id == reply_id and row.handled_at is None:
                row.meaning, row.needs_person, row.handled_at = meaning, needs_person, now

    async def was_helped(self, number: str, since: datetime) -> bool:
        """Tell whether a reply from this number was not understood since then."""
        return any(
            row.number == number and row.meaning == "not_understood" and row.handled_at >= since
            for row in self._data.replies.values()
            if row.handled_at is not None
        )

    def _sms_of(self, receipt: ReceiptRow) -> SmsRow | None:
        by_key = self._data.sms.get(receipt.key or "")
        if by_key is not None or not receipt.reference:
            return by_key
        named = [row for row in self._data.sms.values() if row.reference == receipt.reference]
        return max(named, key=lambda row: row.id, default=None)

"""What speaks against an SMS, asked in the transaction that marks it as being sent: the caps, and the breaker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select, true

from controller.domain.sms_limits import CONVERTING, SMS_CAP_PERIOD
from controller.store.tables import sms_outbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.sms_limits import Breaker, SmsBill, SmsLimits
    from controller.ports.sms import QueuedSms

_CONVERTING = sms_outbox.c.template.in_(sorted(template.value for template in CONVERTING))


async def objection(
    connection: AsyncConnection, sms: QueuedSms, bill: SmsBill, limits: SmsLimits, now: datetime
) -> str | None:
    """Return what speaks against one more SMS, for a person; None: nothing. It names no whole number."""
    is_counted = sms_outbox.c.sent_at > now - SMS_CAP_PERIOD
    for among, most, whose in _count_caps(sms.number, limits):
        if await _count(connection, among, is_counted) >= most:
            return f"{whose} had the {most} SMS that may be sent to it in 24 hours"
    if limits.max_cost_milli is not None:
        total = select(func.coalesce(func.sum(sms_outbox.c.cost_milli), 0)).where(is_counted)
        spent_milli: int = (await connection.execute(total)).scalar_one()
        if spent_milli + bill.cost_milli > limits.max_cost_milli:
            return f"with this one, SMS would cost more than {limits.max_cost_milli / 1000:g} in 24 hours"
    if limits.breaker is not None and sms.template in CONVERTING:
        return await _pumping(connection, sms.number, limits.breaker, now)
    return None


def _count_caps(number: str, limits: SmsLimits) -> Iterator[tuple[ColumnElement[bool], int, str]]:
    if limits.per_number is not None:
        yield sms_outbox.c.number == number, limits.per_number, "this number"
    for prefix, most in limits.per_prefix.items():
        if number.startswith(prefix):
            yield sms_outbox.c.number.startswith(prefix, autoescape=True), most, prefix


async def _count(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> int:
    return (await connection.execute(select(func.count()).select_from(sms_outbox).where(*conditions))).scalar_one()


async def _pumping(connection: AsyncConnection, number: str, breaker: Breaker, now: datetime) -> str | None:
    """Return that too few of the codes that were sent lately were used: in the number's range, or in all."""
    first = number[: 1 + breaker.range_digits]
    ranges = {
        f"numbers that begin with {first}": sms_outbox.c.number.startswith(first, autoescape=True),
        "all numbers": true(),
    }
    recent = (_CONVERTING, sms_outbox.c.sent_at > now - timedelta(seconds=breaker.window_s))
    for whose, among in ranges.items():
        query = select(func.count(), func.count(sms_outbox.c.converted_at)).where(among, *recent)
        sent, converted = (await connection.execute(query)).one()
        if breaker.is_open(sent, converted):
            return f"of {sent} codes sent to {whose} only {converted} were used: somebody may be paid for sending them"
    return None

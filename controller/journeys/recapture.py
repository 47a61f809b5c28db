"""Abandoned-call recapture: an SMS to whoever hung up in line and left no number."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.phone_number import takes_sms
from controller.journeys.shown_number import shown_number
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation


async def recapture(call: Conversation, queue: Queue, house: House, *, waited_s: float) -> None:
    """Owe the SMS, once a day and number, unless the wait was short or a promise is open.

    A database that is away loses the offer and nothing else: the call is over.
    """
    if queue.recapture is None or waited_s < queue.recapture.after_s:
        return
    number = shown_number(call, house.plan)
    if number is None or not takes_sms(number):
        return
    day = house.clock.now().astimezone(queue.hours.zone).date().isoformat()
    sms = SendSms(
        key=f"missed:{queue.name}:{number.e164}:{day}",
        template=SmsTemplate.MISSED_YOU,
        number=number.e164,
        language=call.language,
        queue=queue.name,
    )
    with suppress(StoreUnavailableError):
        if await house.promises.open_for(queue.name, number.e164) is None:
            await house.texts.owe(sms)

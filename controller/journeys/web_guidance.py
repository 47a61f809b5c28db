"""Web guidance (Web誘導): the address of a page that answers the question, by SMS to the caller's mobile phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.phone_number import takes_sms
from controller.journeys import prompts, spoken
from controller.journeys.leave_number import YES, pick_key
from controller.journeys.shown_number import shown_number
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.menu import WebPage
    from controller.domain.phone_number import DialableNumber
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call


async def text_page(call: Call, page: WebPage, house: House) -> Ending | None:
    """Offer the SMS to the number that is shown, and send it. None: it was not wanted, or cannot be sent.

    Only to the number that calls, and each page once a day: nobody can have a stranger's phone flooded.
    """
    number = await number_to_text(call, house)
    if number is None:
        return None
    signed_by = house.first_queue
    day = house.clock.now().astimezone(signed_by.hours.zone).date().isoformat()
    sms = SendSms(
        key=f"page:{page.name}:{number.e164}:{day}",
        template=SmsTemplate.WEB_PAGE,
        number=number.e164,
        language=call.language,
        queue=signed_by.name,
        details={"page": page.name},
    )
    return await guide(call, sms, house)


async def text_booking_link(call: Call, queue: Queue, house: House) -> Ending | None:
    """Offer an SMS with the link to the booking page of a queue, and send it. None as for `text_page`.

    Only to the number that calls, and once an hour: the link is for one change, and may be used up by then.
    """
    number = await number_to_text(call, house)
    if number is None:
        return None
    hour = house.clock.now().strftime("%Y-%m-%dT%H")
    sms = SendSms(
        key=f"booking:{queue.name}:{number.e164}:{hour}",
        template=SmsTemplate.BOOKING_LINK,
        number=number.e164,
        language=call.language,
        queue=queue.name,
    )
    return await guide(call, sms, house)


async def number_to_text(call: Call, house: House) -> DialableNumber | None:
    """Return the number that calls, once its caller wants the SMS there. None: it takes none, or it is not wanted."""
    number = shown_number(call, house.plan)
    if number is None or not takes_sms(number):
        await call.play(prompts.SMS_NEEDS_MOBILE)
        return None
    question = (prompts.SMS_OFFER, *spoken.number(number.printed), prompts.SMS_CONFIRM)
    return number if await pick_key(call, *question, keys="12") == YES else None


async def guide(call: Call, sms: SendSms, house: House) -> Ending | None:
    """Owe the SMS, then say that it is on its way. None: it could not be written down."""
    try:
        await house.texts.owe(sms)
    except StoreUnavailableError:
        await call.play(prompts.SMS_FAILED)
        return None
    await call.play(prompts.SMS_SENT, prompts.GOODBYE)
    return Ending.GUIDED

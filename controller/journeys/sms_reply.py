"""What somebody wrote back: called now, at a time, or not at all. A reply is a request like any other.

Acting on the same reply twice changes nothing more: what is written bears the reply's own id.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import Cancelled, CancelReason, RefusedTransitionError
from controller.domain.phone_number import DialableNumber, check
from controller.domain.promise import PromiseState
from controller.domain.replies import CallAt, CallNow, CancelIt, NotUnderstood, Stop, understand
from controller.journeys.windows import nearest, wanted, window_at
from controller.ports.promises import Made, NumberBlocked, SlotFull

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.domain.slots import Slot
    from controller.journeys.house import House, Queue
    from controller.ports.sms import Reply, SmsInbox

HELP_PAUSE = timedelta(days=1)
"""Who is not understood again within this gets a person instead of the same answer."""
MAX_TRIES = 3
LONGEST_CALL_ID = 150
UNDER_WAY = frozenset({PromiseState.DIALLING, PromiseState.CONNECTED})


class Taken(StrEnum):
    """What a reply was taken for; kept with it."""

    NOW = "now"
    TIME = "time"
    CANCEL = "cancel"
    STOP = "stop"
    NOT_UNDERSTOOD = "not_understood"
    TIME_TAKEN = "time_taken"
    """A time that is not free, or out of hours; they were told which is."""
    BLOCKED = "blocked"
    """They asked never to be called again, and now to be called."""
    STRANGER = "stranger"
    """Nobody whom we wrote to, or owe a call: gets no answer."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a reply."""

    meaning: str
    """A word of `Taken`."""
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, and about what."""

    reply: Reply
    number: str
    """E.164."""
    queue: Queue
    """That of the last SMS that we sent them; without one, that which owes them a call."""
    language: str
    held: tuple[Promise, ...]
    """Their open promises, with whichever queue."""

    @property
    def call_id(self) -> str:
        """The id under which this reply asks for a promise."""
        incoming = self.reply.incoming
        named = f"sms-{incoming.provider}-{incoming.event_id}"
        return named if len(named) <= LONGEST_CALL_ID else f"sms-{incoming.provider}-reply-{self.reply.id}"

    @property
    def promise(self) -> Promise | None:
        """The open promise that they hold with the queue."""
        return next((each for each in self.held if each.queue == self.queue.name), None)


async def answer(reply: Reply, house: House, inbox: SmsInbox) -> Settled:
    """Do what a reply asks for, and return what it was taken for. Raises StoreUnavailableError: then ask again."""
    writer = await who_wrote(reply, house)
    queue = house.first_queue if writer is None else writer.queue
    wish = understand(reply.incoming.text, reply.received_at, queue.hours.zone)
    if isinstance(wish, Stop):
        return await stop(reply.incoming.number, house)
    if writer is None:
        return Settled(Taken.STRANGER, needs_person=True)
    match wish:
        case CallNow():
            return await call_soon(writer, house)
        case CallAt():
            return await call_at(writer, wish, house)
        case CancelIt():
            return await cancel(writer, house)
        case NotUnderstood():
            return await help_once(writer, house, inbox)
        case _:
            assert_never(wish)


async def stop(number: str, house: House) -> Settled:
    """Call and text a number never again, from now on; not even to say so."""
    try:
        await house.do_not_call.block(number, reason="STOP by SMS")
    except ValueError:  # No number: a name, or a network's short code.
        return Settled(Taken.STOP, needs_person=True)
    return Settled(Taken.STOP)


async def call_soon(writer: Writer, house: House) -> Settled:
    """Promise a call as soon as possible, unless one is under way."""
    if writer.promise is not None and writer.promise.state in UNDER_WAY:
        return Settled(Taken.NOW)
    made = await ask(writer, None, house)
    return Settled(Taken.BLOCKED, needs_person=True) if isinstance(made, NumberBlocked) else Settled(Taken.NOW)


async def call_at(writer: Writer, wish: CallAt, house: House) -> Settled:
    """Promise a call in the free window that fits; where none does, tell the nearest and promise nothing."""
    if writer.promise is not None and writer.promise.state is PromiseState.CONNECTED:
        return Settled(Taken.TIME)
    if await house.promises.made_on_call(writer.call_id) is not None:
        return Settled(Taken.TIME)  # Asked for already, before a crash: its own place must not count as taken.
    for _ in range(MAX_TRIES):
        window = await window_at(writer.queue, house, writer.number, wish.starts_at, wish.ends_at)
        if window is None:
            break
        match await ask(writer, window, house):
            case Made():
                return Settled(Taken.TIME)
            case NumberBlocked():
                return Settled(Taken.BLOCKED, needs_person=True)
            case SlotFull():
                continue  # Somebody was quicker.
    await tell_nearest(writer, wish, house)
    return Settled(Taken.TIME_TAKEN)


async def cancel(writer: Writer, house: House) -> Settled:
    """Cancel the promise that the SMS was about, or what else they hold. A talk that has begun goes on."""
    meant = (writer.promise,) if writer.promise is not None else writer.held
    for promise in meant:
        with suppress(RefusedTransitionError):  # They talk, or it is over by now.
            await house.promises.advance(promise.id, Cancelled(CancelReason.CUSTOMER, confirm=True))
    return Settled(Taken.CANCEL)


async def help_once(writer: Writer, house: House, inbox: SmsInbox) -> Settled:
    """Say what can be replied, once a day; who is still not understood needs a person."""
    if await inbox.was_helped(writer.number, house.clock.now() - HELP_PAUSE):
        return Settled(Taken.NOT_UNDERSTOOD, needs_person=True)
    await house.texts.owe(text_to(writer, SmsTemplate.REPLY_HELP))
    return Settled(Taken.NOT_UNDERSTOOD)


async def who_wrote(reply: Reply, house: House) -> Writer | None:
    """Return who wrote; None for a number that we may not call, or that we neither wrote to nor owe a call."""
    number = check(reply.incoming.number, house.plan)
    if not isinstance(number, DialableNumber):
        return None
    found = [await house.promises.open_for(name, number.e164) for name in house.queues]
    held = tuple(each for each in found if each is not None)
    if reply.about is not None:
        queue = house.queues.get(reply.about.queue, house.first_queue)
        return Writer(reply, number.e164, queue, reply.about.language, held)
    if held:
        return Writer(reply, number.e164, house.queues[held[0].queue], held[0].language, held)
    return None


async def ask(writer: Writer, window: Slot | None, house: House) -> Made | SlotFull | NumberBlocked:
    """Ask for a call in a window, or as soon as possible (None); an SMS says what was promised."""
    return await house.promises.make(
        wanted(
            writer.queue,
            house,
            number=writer.number,
            language=writer.language,
            call_id=writer.call_id,
            slot=window,
            confirm=True,
        )
    )


async def tell_nearest(writer: Writer, wish: CallAt, house: House) -> None:
    """Owe the SMS that says that the time is not free, and which one close to it is."""
    free = await nearest(writer.queue, house, writer.number, wish.starts_at)
    window = {"starts_at": free.starts_at.isoformat(), "ends_at": free.ends_at.isoformat()} if free else {}
    await house.texts.owe(text_to(writer, SmsTemplate.TIME_TAKEN, **window))


def text_to(writer: Writer, template: SmsTemplate, **details: str) -> SendSms:
    """Return the one SMS of this kind that answers a reply."""
    promise = writer.promise
    return SendSms(
        key=f"reply-{writer.reply.id}:{template}",
        template=template,
        number=writer.number,
        language=writer.language,
        queue=writer.queue.name,
        details=details,
        promise_id=promise.id if promise else None,
    )

"""Where a menu, a full line or a closed queue leads a caller: one case for each kind of destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from controller.domain.call_ending import Ending
from controller.domain.menu import (
    CallOut,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextBookingLink,
    TextPage,
)
from controller.journeys import prompts
from controller.journeys.in_line import enter_line
from controller.journeys.menu import choose
from controller.journeys.number_first import number_first
from controller.journeys.outside_number import connect_outside
from controller.journeys.web_guidance import text_booking_link, text_page

if TYPE_CHECKING:
    from controller.domain.menu import Destination
    from controller.journeys.house import House
    from controller.ports.calls import Call


async def follow(destination: Destination, call: Call, house: House) -> Ending:
    """Take the caller to `destination`, and on from there, until the call has come to an end.

    What cannot be had leads back to the menu in which it was chosen by key; without one, to a goodbye.
    """
    back: Destination = SayGoodbye(prompts.GOODBYE)
    while True:
        if isinstance(destination, OpenMenu):
            chosen = await choose(call, house.menus[destination.menu], house)
            back = destination if chosen.by_key else SayGoodbye(prompts.GOODBYE)
            destination = chosen.destination
            continue
        arrived = await take_to(destination, call, house)
        if isinstance(arrived, Ending):
            return arrived
        destination = arrived or back


async def take_to(destination: Destination, call: Call, house: House) -> Ending | Destination | None:
    """Take the caller to one destination. Returns where to go next; None: back to where they came from."""
    match destination:
        case JoinQueue(name):
            return await enter_line(call, house.queues[name], house)
        case JoinUrgently(name):
            return await enter_line(call, house.queues[name], house, urgent=True)
        case LeaveNumber(name):
            return await number_first(call, house.queues[name], house)
        case TextPage(name):
            return await text_page(call, house.web_pages[name], house)
        case TextBookingLink(name):
            return await text_booking_link(call, house.queues[name], house)
        case CallOut(number):
            return await connect_outside(call, number, house)
        case SayGoodbye(prompt):
            await call.play(prompt)
            return Ending.INFORMED
        case OpenMenu():
            return destination
        case SwitchLanguage() | Repeat():
            raise ValueError(f"{destination} answers a menu and leads nowhere by itself")
        case _:
            assert_never(destination)

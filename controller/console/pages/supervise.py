"""The supervisor's page, `/supervise`: the line, the agents and the queues as they are now, and what can be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.console.doors import Door, Way
from controller.console.pages import texts_problems, texts_staff, texts_supervise
from controller.console.pages.pages import render
from controller.domain.access import Scope

if TYPE_CHECKING:
    from aiohttp import web

    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

WORDS = {**texts_staff.WORDS, **texts_problems.WORDS, **texts_supervise.WORDS}
POSTPONE_MIN = (15, 30, 60, 120, 240)
CLOSE_MIN = (15, 30, 60, 120, 240)


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the supervisor's page."""
    return (Door("GET", "/supervise", partial(_supervise, house), Scope.FLOOR_WRITE, Way.PAGE),)


async def _supervise(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    may_listen = house.allows_listening and principal.may(Scope.LISTEN)
    return render(
        house,
        request,
        principal,
        "supervise.html",
        words=WORDS,
        data={
            "may_listen": may_listen,
            "may_change_promises": principal.may(Scope.PROMISES_WRITE),
            "may_read_audit": principal.may(Scope.AUDIT_READ),
            "may_read_sms": principal.may(Scope.SMS_READ),
        },
        may_listen=may_listen,
        may_hear=principal.may(Scope.RECORDINGS_READ),
        may_read_audit=principal.may(Scope.AUDIT_READ),
        may_read_sms=principal.may(Scope.SMS_READ),
        reasons=house.desk.pause_reasons,
        announcements=house.desk.announcements,
        names=WORDS,
        postpone_min=POSTPONE_MIN,
        close_min=CLOSE_MIN,
    )

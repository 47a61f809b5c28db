"""The agents' desk, `/desk`: one's own state, the card of whom one serves, notes, and callbacks that one books."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.console.api.card import LONGEST_NOTE
from controller.console.doors import Door, Way
from controller.console.pages import texts_desk, texts_staff
from controller.console.pages.pages import render
from controller.domain.access import Scope
from controller.journeys.house import DialMode

if TYPE_CHECKING:
    from aiohttp import web

    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

WORDS = {**texts_staff.WORDS, **texts_desk.WORDS}
WRAP_UP_STEP_S = 60
"""By how much one press makes the wrap-up longer."""
_FORBIDDEN = 403


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the desk."""
    return (Door("GET", "/desk", partial(_desk, house), Scope.DESK, Way.PAGE),)


async def _desk(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    if not principal.agent:
        return render(
            house,
            request,
            principal,
            "problem.html",
            status=_FORBIDDEN,
            words=WORDS,
            title="no_agent_title",
            message="no_agent",
        )
    previews = [name for name, shown in house.queues.items() if shown.queue.callbacks.mode is DialMode.PREVIEW]
    return render(
        house,
        request,
        principal,
        "desk.html",
        words=WORDS,
        data={"previews": previews, "wrap_up_step_s": WRAP_UP_STEP_S},
        reasons=house.desk.pause_reasons,
        dispositions=house.dispositions,
        note_length=min(house.desk.note_length, LONGEST_NOTE),
    )

"""The wallboard: the floor as it is, for a screen on the wall and for anybody's phone. Numbers are masked, always."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from controller.console.doors import Door, Way
from controller.console.live import LIVE
from controller.console.pages import day_charts, texts_charts, texts_problems, texts_wallboard
from controller.console.pages.pages import language_for, render, render_part
from controller.console.today import ALL
from controller.domain.access import Scope

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

WORDS = {**texts_problems.WORDS, **texts_wallboard.WORDS}


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the doors to the wallboard, and to its charts."""
    return (
        Door("GET", "/wallboard", partial(_show, house), Scope.FLOOR_READ, Way.PAGE),
        Door("GET", "/wallboard/charts", partial(_charts, house), Scope.FLOOR_READ, Way.PAGE),
    )


async def _show(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    language = language_for(house, request, principal)
    queues = [(name, queue.title(language)) for name, queue in house.queues.items()]
    queue = request.query.get("queue", ALL)
    return render(house, request, principal, "wallboard.html", words=WORDS, queues=queues, queue=queue)


async def _charts(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    """Answer with the charts of today, as a part of the page. Raises HTTPNotFound, StoreUnavailableError."""
    today = await request.app[LIVE].today.now()
    queue = request.query.get("queue", ALL)
    if queue not in today.half_hours:
        raise web.HTTPNotFound
    language = language_for(house, request, principal)
    past = [each for each in today.half_hours[queue] if each.interval.since < today.as_of]
    return render_part(
        "charts.html",
        language,
        words=texts_charts.WORDS,
        charts=[
            day_charts.calls(past, house.zone, language),
            day_charts.waits(past, house.zone, language),
            day_charts.service_level(past, house.zone, language, None),
        ],
        with_tables=False,
    )

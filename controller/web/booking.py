"""The booking page, `/l/TOKEN`: a promise, the windows that are free, and one change.

GET changes nothing: whoever delivers an SMS may open its links. POST carries one change out and spends the link.

The forms, by id; each posts `action` to the page's own address, and has a button with the id of the form and `-button`:
    book    action=book, starts_at= (ISO 8601): radio buttons `window-1`, `window-2`, ..., one fieldset for each day
    now     action=now: as soon as possible
    cancel  action=cancel
    never   action=never, sure=yes: the checkbox `never-sure`
Other ids: `state` (where the promise stands), `error` (what was wrong, with a link to its field), `more-days`,
`lang-ja`, `lang-en`; `done` stands on the page of a link that was used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from controller.domain.signed import Purpose
from controller.journeys.booking import book, call_now, look, never_again, withdraw
from controller.ports.links import Done, LinkSpent, TooLate
from controller.ports.promises import SlotFull
from controller.web.forms import instant, read_form
from controller.web.pages import language_of, see
from controller.web.shown import count_days, masked, shown_days, told_soon, told_state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.journeys.booking import View
    from controller.ports.links import BookingLink, Redeemed
    from controller.web.house import WebHouse
    from controller.web.pages import Pages

FIELD_OF = {"choose_one": "window-1", "not_offered": "window-1", "full": "window-1", "say_sure": "never-sure"}
"""The field that a mistake is about, by its word."""


class BookingPage:
    """What stands behind a link."""

    def __init__(self, site: WebHouse, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def show(self, request: web.Request) -> web.Response:
        """GET: the promise, and what can be done."""
        link = await self._open(request)
        return link if isinstance(link, web.Response) else await self._page(request, link)

    async def change(self, request: web.Request) -> web.Response:
        """POST: one change, then the page of what was decided."""
        form = await read_form(request, self._site)
        link = await self._open(request)
        if isinstance(link, web.Response):
            return link
        here = see(request.path, language_of(request, link.language))
        if link.used_at is not None:
            return here
        done = await self._carry_out(form, link)
        match done:
            case str():
                return await self._page(request, link, status=400, mistake=done)
            case Done() | LinkSpent():
                return here
            case SlotFull():
                return await self._page(request, link, status=409, mistake="full")
            case TooLate():
                return await self._page(request, link, status=409, mistake="too_late")
        return await self._page(request, link, status=409)  # NumberBlocked: the page says so itself

    async def _carry_out(self, form: Mapping[str, str], link: BookingLink) -> Redeemed | str:
        """Return what came of a form, or the word for what is wrong with it."""
        house = self._site.house
        match form.get("action"):
            case "book":
                starts_at = instant(form.get("starts_at", ""))
                if starts_at is None:
                    return "not_offered" if form.get("starts_at") else "choose_one"
                return await book(link, starts_at, house)
            case "now":
                return await call_now(link, house)
            case "cancel":
                return await withdraw(link, house)
            case "never":
                return await never_again(link, house) if form.get("sure") == "yes" else "say_sure"
        return "what_to_do"

    async def _open(self, request: web.Request) -> BookingLink | web.Response:
        """Return the link of an address; otherwise the answer, the same for all that are none, or not any longer."""
        token, signer = request.match_info["token"], self._site.signer
        read = {purpose: signer.read(purpose, token) for purpose in (Purpose.PROMISE, Purpose.BOOK)}
        purpose, an_id = next(((each, found) for each, found in read.items() if found is not None), (None, None))
        if an_id is None:
            return self._pages.problem(404, language_of(request))
        wait_s = self._site.rates.link(an_id)
        if wait_s is not None:
            return self._pages.too_often(wait_s, language_of(request))
        link = await self._site.house.links.find(an_id, self._site.now)
        if link is None or link.purpose is not purpose or self._site.queue(link.queue) is None:
            return self._pages.problem(404, language_of(request))
        return link

    async def _page(
        self, request: web.Request, link: BookingLink, *, status: int = 200, mistake: str = ""
    ) -> web.Response:
        site = self._site
        view = await look(link, site.house)
        language, now = language_of(request, link.language), site.now
        wants_more = request.query.get("more") == "1"
        days = shown_days(view, language, now, await self._left(view), more=wants_more)
        return self._pages.page(
            "booking.html",
            language,
            status=status,
            sender=site.title(view.queue.name, language),
            view=view,
            number=masked(link.number, site.house.plan.home),
            state=told_state(view, language, now),
            soon=told_soon(view, language),
            days=days,
            more=wants_more,
            has_more=wants_more or count_days(view) > len(days),
            mistake=mistake,
            field=FIELD_OF.get(mistake) if days or mistake == "say_sure" else None,
        )

    async def _left(self, view: View) -> Mapping[datetime, int]:
        """Return how many places each window has left, where they are counted."""
        plan = view.queue.slots
        if plan is None or not view.windows:
            return {}
        start, end = view.windows[0].starts_at, view.windows[-1].ends_at
        booked = await self._site.house.promises.booked(view.queue.name, start=start, end=end)
        return {window.starts_at: plan.capacity - booked.get(window.starts_at, 0) for window in view.windows}

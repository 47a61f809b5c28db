"""The page without a link, `/callback/QUEUE`: a number, a code by SMS, and then the booking page.

Whatever is typed, the answers are the same: nobody learns here who is a customer, whom we text, or whom we never call.

The forms, by id: `ask` (number=, button `ask-button`) and, at `/verify/TOKEN`, `prove` (code=, button `prove-button`).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from controller.domain.signed import Purpose
from controller.journeys.prove_number import ask_for_code, prove, read_number
from controller.web.forms import read_form
from controller.web.pages import language_of, see

if TYPE_CHECKING:
    from aiohttp import web

    from controller.web.house import WebHouse
    from controller.web.pages import Pages

LEAST_DIGITS, MOST_DIGITS = 6, 20


class WithoutLink:
    """A number, proved."""

    def __init__(self, site: WebHouse, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def show_number(self, request: web.Request) -> web.Response:
        """GET: the form for the number."""
        return self._number(request)

    async def ask(self, request: web.Request) -> web.Response:
        """POST: a code is on its way, or is not; the answer is the same."""
        form = await read_form(request, self._site)
        queue, language = self._site.queue(request.match_info["queue"]), language_of(request)
        if queue is None:
            return self._number(request)
        typed = form.get("number", "")
        if not is_like_a_number(typed):
            return self._number(request, typed=typed, mistake="number_wrong")
        wait_s = self._site.rates.code_for(self._account(typed))
        if wait_s is not None:
            return self._pages.too_often(wait_s, language)
        challenge_id = await ask_for_code(typed, queue, language, self._site.house, self._site.prover)
        return see(f"/verify/{self._site.signer.token(Purpose.CHALLENGE, challenge_id)}", language)

    async def show_code(self, request: web.Request) -> web.Response:
        """GET: the form for the code; the same for every challenge, used or expired ones too."""
        challenge_id = self._site.signer.read(Purpose.CHALLENGE, request.match_info["token"])
        return self._pages.problem(404, language_of(request)) if challenge_id is None else self._code(request)

    async def prove(self, request: web.Request) -> web.Response:
        """POST: on to the booking page; or, for whatever reason, the one answer that the code is wrong."""
        form = await read_form(request, self._site)
        site, language = self._site, language_of(request)
        challenge_id = site.signer.read(Purpose.CHALLENGE, request.match_info["token"])
        if challenge_id is None:
            return self._pages.problem(404, language)
        wait_s = site.rates.link(challenge_id)
        if wait_s is not None:
            return self._pages.too_often(wait_s, language)
        link = await prove(challenge_id, form.get("code", ""), site.house, site.prover)
        if link is None:
            return self._code(request, mistake="code_wrong")
        return see(f"/l/{site.signer.token(link.purpose, link.id)}", language)

    def _number(self, request: web.Request, *, typed: str = "", mistake: str = "") -> web.Response:
        queue, language = self._site.queue(request.match_info["queue"]), language_of(request)
        if queue is None:
            return self._pages.problem(404, language)
        return self._pages.page(
            "number.html",
            language,
            status=400 if mistake else 200,
            sender=self._site.title(queue.name, language),
            typed=typed,
            mistake=mistake,
            field="number" if mistake else None,
        )

    def _code(self, request: web.Request, *, mistake: str = "") -> web.Response:
        language, field = language_of(request), "code" if mistake else None
        return self._pages.page("code.html", language, status=400 if mistake else 200, mistake=mistake, field=field)

    def _account(self, typed: str) -> str:
        """Return under what a number's codes are counted: however it is written, it is the same number."""
        number = read_number(typed, self._site.house.plan)
        return number.e164 if number else "".join(digits_of(typed))


def digits_of(typed: str) -> list[str]:
    """Return the digits in a text, full-width ones too, as ASCII."""
    return [str(unicodedata.decimal(sign)) for sign in unicodedata.normalize("NFKC", typed) if sign.isdecimal()]


def is_like_a_number(typed: str) -> bool:
    """Tell whether somebody has typed a number at all: that they have not is no secret."""
    plain = unicodedata.normalize("NFKC", typed)
    is_worded = any(sign.isalpha() and sign != "ー" for sign in plain)
    return LEAST_DIGITS <= len(digits_of(typed)) <= MOST_DIGITS and not is_worded

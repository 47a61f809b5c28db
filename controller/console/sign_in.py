"""The pages by which people come in and go: sign in, sign out, choose a password, and the way to one's own page."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from controller.console.access import PASSWORD, SIGN_IN, SIGN_OUT, visitor_of
from controller.console.doors import Door, Way
from controller.console.pages.pages import render
from controller.console.password_desk import Outcome, PasswordDesk, TooManyWaitingError
from controller.console.sign_in_texts import WORDS
from controller.console.visitors import address_of, cookie_of
from controller.domain import session_rules
from controller.domain.access import NOBODY, Scope
from controller.domain.passwords import PasswordRefusal
from controller.ports.people import Session
from controller.web.forms import FORM_BYTES, FORM_TYPE, read_body
from controller.web.rates import subnet_of

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal
    from controller.ports.people import Person
    from controller.web.rates import Rates

log = structlog.get_logger(__name__)

FORM_TIMEOUT_S = 10.0
BUSY_RETRY_S = 5
_MOST_FIELDS = 10
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/-]{0,200}", re.ASCII)
"""Where one may be sent after the sign-in: a place of ours, never another host."""


def doors(house: ConsoleHouse, rates: Rates) -> tuple[Door, ...]:
    """Return the doors of these pages."""
    entrance = Entrance(house, rates)
    return (
        Door("GET", SIGN_IN, entrance.show, None, Way.PAGE, is_public=True),
        Door("POST", SIGN_IN, entrance.sign_in, None, Way.PAGE, is_public=True),
        Door("POST", SIGN_OUT, entrance.sign_out, None, Way.PAGE),
        Door("GET", PASSWORD, entrance.show_password, None, Way.PAGE),
        Door("POST", PASSWORD, entrance.change_password, None, Way.PAGE),
        Door("GET", "/", entrance.own_page, None, Way.PAGE),
    )


class Entrance:
    """Opens sessions and ends them."""

    def __init__(self, house: ConsoleHouse, rates: Rates) -> None:
        self._house = house
        self._rates = rates
        self._passwords = PasswordDesk(house.store.people, house.clock)

    async def show(self, request: web.Request, _: Principal) -> web.StreamResponse:
        """Show the form."""
        notice = "signed_out_done" if "out" in request.query else ""
        return self._form(request, to=_place(request.query.get("to", "")), notice=notice)

    async def sign_in(self, request: web.Request, _: Principal) -> web.StreamResponse:
        """Open a session under a new token, whatever token came with the request.

        Raises HTTPTooManyRequests, HTTPServiceUnavailable, StoreUnavailableError, and as `_fields` does.
        """
        address = address_of(self._house, request)
        self._count(address)
        fields = await _fields(request)
        name, to = fields.get("name", ""), _place(fields.get("to", ""))
        try:
            seen = await self._passwords.sign_in(name, fields.get("password", ""), subnet_of(address))
        except TooManyWaitingError:
            raise _busy() from None
        log.info("console_sign_in", outcome=seen.outcome.value, subnet=subnet_of(address))
        token = "" if seen.person is None else await self._open(request, seen.person, subnet_of(address))
        if seen.person is None or not token:
            return self._form(request, status=422, to=to, mistake="not_signed_in")
        answer = web.Response(status=303, headers={"Location": PASSWORD if seen.person.must_change else to})
        answer.set_cookie(
            cookie_of(self._house),
            token,
            path="/",
            secure=self._house.is_encrypted,
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def sign_out(self, request: web.Request, _: Principal) -> web.StreamResponse:
        """End the session. Raises StoreUnavailableError: then it is not ended."""
        await self._house.store.sessions.end(visitor_of(request).token_hash)
        answer = web.Response(status=303, headers={"Location": f"{SIGN_IN}?out=1", "Clear-Site-Data": '"storage"'})
        answer.del_cookie(
            cookie_of(self._house), path="/", secure=self._house.is_encrypted, httponly=True, samesite="Strict"
        )
        return answer

    async def show_password(self, request: web.Request, who: Principal) -> web.StreamResponse:
        """Show the form for another password."""
        return self._password_form(request, who)

    async def change_password(self, request: web.Request, who: Principal) -> web.StreamResponse:
        """Change the password; all other sessions of this person end.

        Raises HTTPTooManyRequests, HTTPServiceUnavailable, StoreUnavailableError, and as `_fields` does.
        """
        address = address_of(self._house, request)
        self._count(address)
        fields = await _fields(request)
        old, new = fields.get("old", ""), fields.get("new", "")
        if new != fields.get("again", ""):
            return self._password_form(request, who, mistake="mistake_again")
        keep = visitor_of(request).token_hash
        try:
            came = await self._passwords.change(who.name, old, new, subnet_of(address), keep)
        except TooManyWaitingError:
            raise _busy() from None
        if isinstance(came, PasswordRefusal):
            return self._password_form(request, who, mistake=f"mistake_{came.value}")
        if came is not Outcome.OK:
            return self._password_form(request, who, mistake="mistake_old")
        return self._password_form(request, who, is_done=True)

    async def own_page(self, _: web.Request, who: Principal) -> web.StreamResponse:
        """Send somebody to the page that they work with."""
        of_agent = "/desk" if who.agent else "/wallboard"
        to = "/supervise" if who.may(Scope.FLOOR_WRITE) else of_agent
        return web.Response(status=303, headers={"Location": to})

    def _count(self, address: str) -> None:
        wait_s = self._rates.visit(address)
        if wait_s is not None:
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait_s)})

    async def _open(self, request: web.Request, person: Person, subnet: str) -> str:
        """Write a new session down, in the place of the one that the browser had; return its token, "" for none."""
        token, now = secrets.token_urlsafe(session_rules.TOKEN_BYTES), self._house.now
        before = session_rules.token_hash(request.cookies.get(cookie_of(self._house), ""))
        session = Session(
            token_hash=session_rules.token_hash(token) or "",
            person=person.name,
            made_at=now,
            seen_at=now,
            expires_at=now + timedelta(seconds=self._house.longest_session_s),
            subnet=subnet,
        )
        idle = timedelta(seconds=self._house.idle_s)
        is_open = await self._house.store.sessions.open(session, instead_of=before or "", seen_after=now - idle)
        return token if is_open else ""

    def _form(
        self, request: web.Request, *, to: str, status: int = 200, mistake: str = "", notice: str = ""
    ) -> web.Response:
        return render(
            self._house,
            request,
            NOBODY,
            "sign_in.html",
            status=status,
            words=WORDS,
            to=to,
            mistake=mistake,
            notice=notice,
        )

    def _password_form(
        self, request: web.Request, who: Principal, *, mistake: str = "", is_done: bool = False
    ) -> web.Response:
        return render(
            self._house,
            request,
            who,
            "password.html",
            status=422 if mistake else 200,
            words=WORDS,
            mistake=mistake,
            is_done=is_done,
            must_change=visitor_of(request).must_change,
        )


async def _fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises HTTPUnsupportedMediaType, HTTPBadRequest, HTTPRequestEntityTooLarge, HTTPRequestTimeout.
    """
    if request.content_type != FORM_TYPE:
        raise web.HTTPUnsupportedMediaType
    body = await read_body(request, FORM_BYTES, FORM_TIMEOUT_S)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise web.HTTPBadRequest from error


def _place(path: str) -> str:
    """Return where somebody wants to go after the sign-in, if it is a place of ours; else the way to their page."""
    return path if _PATH.fullmatch(path) and not path.startswith((SIGN_IN, SIGN_OUT)) else "/"


def _busy() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(headers={"Retry-After": str(BUSY_RETRY_S)})

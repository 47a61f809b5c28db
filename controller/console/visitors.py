"""Who is at the door: a person with a session, a program with a key, or nobody that we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from controller.domain import api_key, session_rules
from controller.domain.access import NOBODY, SCOPES_OF, Kind, Principal
from controller.ports.promises import StoreUnavailableError
from controller.web.rates import client_address

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from controller.console.house import ConsoleHouse
    from controller.ports.people import Person
    from controller.web.rates import Rates

log = structlog.get_logger(__name__)

_NOBODYS_HASH = api_key.secret_hash("")
"""No secret has it: all have 64 digits."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks, and by what they proved it."""

    principal: Principal = NOBODY
    token_hash: str = ""
    """Of their session."""
    key_id: str = ""
    must_change: bool = False
    """They have to choose a password of their own before anything else."""
    ends_at: datetime | None = None
    """When what they proved it by ends for certain; None: not by itself."""


STRANGER = Visitor()


def cookie_of(house: ConsoleHouse) -> str:
    """Return the name of the session's cookie. With `__Host-` no other host of our domain can set it (RFC 6265bis)."""
    return "__Host-orikaeshi" if house.is_encrypted else "orikaeshi"


def principal_of(person: Person) -> Principal:
    """Return what a person may do here."""
    return Principal(Kind.PERSON, person.name, SCOPES_OF[person.role], person.role, person.agent, person.language)


def address_of(house: ConsoleHouse, request: web.Request) -> str:
    """Return the address of who asks, past our own proxies."""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return client_address(request.remote or "", forwarded, house.trusted_proxies)


class Visitors:
    """Looks at cookies and keys. Every method raises StoreUnavailableError where nobody can be known."""

    def __init__(self, house: ConsoleHouse, rates: Rates) -> None:
        self._house = house
        self._rates = rates

    async def by_session(self, request: web.Request) -> Visitor:
        """Return whose session a browser has; `STRANGER` without one that is open."""
        token_hash = session_rules.token_hash(request.cookies.get(cookie_of(self._house), ""))
        return STRANGER if token_hash is None else await self._with_session(token_hash)

    async def by_key(self, request: web.Request) -> Visitor:
        """Return whose key comes with a request; `STRANGER` without one that is good.

        Raises HTTPTooManyRequests for one that is none, from an address that sends many of them. A good one is let in
        all the same: no number of guesses finds one, so nobody is kept out for their neighbour's.
        """
        given = request.headers.getall("Authorization", [])
        scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        parts = api_key.read(text.strip()) if scheme.lower() == "bearer" else None
        visitor = STRANGER if parts is None else await self._with_key(*parts)
        if visitor is STRANGER:
            address = address_of(self._house, request)
            wait_s = self._rates.forger(address)
            if wait_s is not None:
                raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait_s)})
            self._rates.forged(address)
        return visitor

    async def is_still(self, visitor: Visitor) -> bool:
        """Tell whether a visitor, who is being answered for a while, would be let in again as the same.

        While the database is away they are, until their session or key would have ended by itself.
        """
        if visitor.ends_at is not None and self._house.now >= visitor.ends_at:
            return False
        try:
            if visitor.token_hash:
                again = await self._with_session(visitor.token_hash)
            else:
                again = await self._of_key(visitor.key_id)
        except StoreUnavailableError as error:
            log.warning("console_visitor_not_looked_at", error=str(error))
            return True
        return again.principal == visitor.principal

    async def _with_session(self, token_hash: str) -> Visitor:
        house, now = self._house, self._house.now
        found = await house.store.sessions.find(token_hash)
        if found is None:
            return STRANGER
        session, person = found
        is_over = session_rules.is_over(
            now, seen_at=session.seen_at, expires_at=session.expires_at, idle_s=house.idle_s
        )
        if is_over or not person.is_enabled:
            return STRANGER
        if session_rules.is_to_be_noted(now, session.seen_at):
            await _noted(house.store.sessions.seen(token_hash, now))
        return Visitor(principal_of(person), token_hash, "", person.must_change, session.expires_at)

    async def _with_key(self, key_id: str, secret: str) -> Visitor:
        key = await self._house.store.keys.find(key_id)
        is_right = api_key.matches(secret, key.secret_hash if key else _NOBODYS_HASH)
        return await self._of_key(key_id) if key is not None and is_right else STRANGER

    async def _of_key(self, key_id: str) -> Visitor:
        """Return the visitor of a key whose secret is known to be right."""
        house, now = self._house, self._house.now
        key = await house.store.keys.find(key_id)
        if key is None or not key.is_good(now):
            return STRANGER
        if session_rules.is_to_be_noted(now, key.used_at):
            await _noted(house.store.keys.used(key_id, now))
        return Visitor(Principal(Kind.KEY, key.id, key.scopes), "", key_id, ends_at=key.expires_at)


async def _noted(writing: Awaitable[None]) -> None:
    """Write down that something is used, where that can be done: a database that only reads keeps nobody out."""
    try:
        await writing
    except StoreUnavailableError as error:
        log.warning("console_use_not_noted", error=str(error))

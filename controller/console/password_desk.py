"""Looks at passwords: one at a time, each in the same way: neither the answer nor its time tells who is here."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from controller.domain.access import Kind
from controller.domain.login_name import login_name
from controller.domain.passwords import (
    LONGEST,
    NOBODYS,
    SALT_BYTES,
    DamagedPasswordHashError,
    PasswordRefusal,
    hashed,
    is_outdated,
    matches,
    refusal,
)
from controller.ports.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from controller.ports.clock import Clock
    from controller.ports.people import PeopleBook, Person

log = structlog.get_logger(__name__)

MOST_WAITING = 50
"""So many may wait for their password to be looked at. Each takes tens of milliseconds; one more is sent away."""
SIGN_IN_ACTION, CHANGE_ACTION = "sign-in", "password check"


class Outcome(StrEnum):
    """What came of a try to sign in, in the words of the audit. Whoever tries learns only whether they are in."""

    OK = "ok"
    WRONG = "wrong"
    LOCKED = "locked"
    """Too many wrong ones before: it was not looked at whether this one is right."""
    UNKNOWN = "unknown"
    """There is nobody of that name."""
    DISABLED = "disabled"
    NONE_SET = "none_set"
    """They were never given a password."""


class TooManyWaitingError(Exception):
    """More people sign in at once than can be looked at; nothing was."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a try; `person` is somebody only where they are let in."""

    outcome: Outcome
    person: Person | None = None


class PasswordDesk:
    """The one place of a process that looks at passwords: a hash takes 19 MiB, and there is never more than one."""

    def __init__(
        self,
        people: PeopleBook,
        clock: Clock,
        *,
        most_waiting: int = MOST_WAITING,
        look: Callable[[str, str], bool] = matches,
    ) -> None:
        """Take the people; `look` tells whether a password is the one of a hash, as `domain.passwords.matches`."""
        self._people = people
        self._look_at = look
        self._clock = clock
        self._most_waiting = most_waiting
        self._one = asyncio.Semaphore(1)
        self._waiting = 0

    async def sign_in(self, typed_name: str, password: str, subnet: str) -> Seen:
        """Look at a name and a password, and write down that they were tried.

        Whatever comes of it, one row is read, one hash made and one transaction written. Raises TooManyWaitingError,
        StoreUnavailableError: nobody is let in then.
        """
        return await self._look(typed_name, password, subnet, SIGN_IN_ACTION)

    async def change(self, name: str, old: str, new: str, subnet: str, keep: str) -> PasswordRefusal | Outcome:
        """Let a person choose another password; all of their sessions end but `keep`, by its token's hash.

        OK: it is changed. A wrong old one counts as one at the sign-in. Raises as `sign_in` does.
        """
        seen = await self._look(name, old, subnet, CHANGE_ACTION)
        if seen.person is None:
            return seen.outcome
        if new == old:
            return PasswordRefusal.SAME
        why = refusal(new, own=(seen.person.name, seen.person.display_name, seen.person.agent))
        if why is not None:
            return why
        async with self._turn():
            kept = await self._hash(new)
        await self._people.set_password(name, kept, must_change=False, at=self._clock.now(), keep=keep)
        return Outcome.OK

    async def _look(self, typed_name: str, password: str, subnet: str, action: str) -> Seen:
        async with self._turn():
            name = login_name(typed_name) or ""
            person = await self._people.find(name)
            stands = self._stands(person)
            kept = person.password_hash if person and person.password_hash and stands is Outcome.OK else NOBODYS
            is_right = await self._is_right(password, kept)
            outcome = stands if stands is not Outcome.OK else (Outcome.OK if is_right else Outcome.WRONG)
            entry = AuditEntry(
                at=self._clock.now(),
                kind=(Kind.PERSON if person else Kind.NOBODY).value,
                who=name if person else "",  # who mistakes the fields types a password there
                action=action,
                outcome=outcome.value,
                detail={"subnet": subnet},
            )
            was_right = {Outcome.OK: True, Outcome.WRONG: False}.get(outcome)
            await self._people.tried(name, entry, was_right=was_right)
            if outcome is not Outcome.OK or person is None:
                return Seen(outcome)
            if is_outdated(kept):
                await self._people.rehash(name, kept, await self._hash(password))
            return Seen(outcome, person)

    def _stands(self, person: Person | None) -> Outcome:
        """Return what comes of it whatever the password is; OK: the password decides."""
        if person is None:
            return Outcome.UNKNOWN
        if not person.is_enabled:
            return Outcome.DISABLED
        if person.password_hash is None:
            return Outcome.NONE_SET
        return Outcome.LOCKED if person.guesses.is_locked(self._clock.now()) else Outcome.OK

    async def _is_right(self, password: str, kept: str) -> bool:
        try:
            is_right = await asyncio.to_thread(self._look_at, password[: LONGEST + 1], kept)
        except DamagedPasswordHashError as error:
            log.error("password_hash_damaged", error=str(error))  # noqa: TRY400 - expected
            return False
        return is_right and len(password) <= LONGEST

    async def _hash(self, password: str) -> str:
        return await asyncio.to_thread(hashed, password, secrets.token_bytes(SALT_BYTES))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= self._most_waiting:
            raise TooManyWaitingError
        self._waiting += 1
        try:
            await self._one.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._one.release()

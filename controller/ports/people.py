"""The people who may come into the console, their sessions, and the keys of programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from controller.domain.pin import Guesses

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.access import Role, Scope
    from controller.ports.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. Instants are aware UTC."""

    name: str
    """The login name, as `domain.login_name` has them."""
    display_name: str
    role: Role
    made_at: datetime
    changed_at: datetime
    agent: str = ""
    """The agent, by name, who they are at the phone; "" for none."""
    language: str = ""
    """Of the pages; "" for the browser's."""
    password_hash: str | None = field(default=None, repr=False)
    """None: they cannot sign in yet."""
    is_enabled: bool = True
    must_change: bool = False
    """The password was given to them: they have to choose one of their own before anything else."""
    guesses: Guesses = field(default_factory=Guesses)
    """Wrong passwords in a row."""


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What is to be different; None: as it is."""

    display_name: str | None = None
    role: Role | None = None
    agent: str | None = None
    language: str | None = None
    is_enabled: bool | None = None

    @property
    def ends_sessions(self) -> bool:
        """Whoever is signed in has other rights afterwards, and signs in anew."""
        return any(each is not None for each in (self.role, self.agent, self.is_enabled))


class PeopleBook(Protocol):
    """The people. Every method raises StoreUnavailableError; nothing was changed then."""

    async def find(self, name: str) -> Person | None:
        """Return one person."""
        ...

    async def listed(self) -> list[Person]:
        """Return everybody, by name."""
        ...

    async def add(self, person: Person) -> bool:
        """Add a person; False, and nothing changed, when there is one of that name."""
        ...

    async def change(self, name: str, change: PersonChange, *, at: datetime) -> Person | None:
        """Change a person and return them; None when there is none. Ends their sessions if their rights change."""
        ...

    async def set_password(
        self, name: str, password_hash: str, *, must_change: bool, at: datetime, keep: str = ""
    ) -> bool:
        """Give a person another password, forget wrong ones, and end all of their sessions but one.

        `keep` is the token's hash of that one. False when there is no such person.
        """
        ...

    async def rehash(self, name: str, was: str, password_hash: str) -> None:
        """Keep the same password in another way, unless it was changed meanwhile."""
        ...

    async def remove(self, name: str) -> bool:
        """Remove a person with their sessions; False when there is none."""
        ...

    async def unlock(self, name: str) -> bool:
        """Forget wrong passwords; False when there is no such person."""
        ...

    async def tried(self, name: str, entry: AuditEntry, *, was_right: bool | None) -> None:
        """Write down a try to sign in, in one transaction with what follows for the person, if there is one.

        Right: wrong ones are forgotten. Wrong: one more, and perhaps a lock. None: it was not looked at.
        """
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody signed in. Instants are aware UTC."""

    token_hash: str = field(repr=False)
    """SHA-256 of what the browser holds."""
    person: str
    made_at: datetime
    seen_at: datetime
    """When it was used last, to the minute."""
    expires_at: datetime
    """However often it is used."""
    subnet: str = ""
    """Where it was opened: /24, or /64 of IPv6."""


class SessionBook(Protocol):
    """Open sessions. Every method raises StoreUnavailableError."""

    async def open(self, session: Session, *, instead_of: str = "", seen_after: datetime) -> bool:
        """Write a session down, delete the one that it takes the place of, and all that have ended by themselves.

        Those are the expired ones, and those that were last used before `seen_after`. False, and nothing changed, when
        its person was removed or disabled in this very moment.
        """
        ...

    async def find(self, token_hash: str) -> tuple[Session, Person] | None:
        """Return a session, also one that has ended by itself, and whose it is."""
        ...

    async def seen(self, token_hash: str, at: datetime) -> None:
        """Write down when a session was used."""
        ...

    async def end(self, token_hash: str) -> None:
        """Delete a session."""
        ...

    async def end_all(self, person: str) -> int:
        """Delete all sessions of a person; return how many there were."""
        ...

    async def of(self, person: str) -> list[Session]:
        """Return the sessions of a person, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's key. Instants are aware UTC."""

    id: str
    """The part that is no secret."""
    title: str
    """What it is for, in somebody's words."""
    scopes: frozenset[Scope]
    made_by: str
    made_at: datetime
    secret_hash: str = field(repr=False)
    """SHA-256."""
    expires_at: datetime | None = None
    used_at: datetime | None = None
    """When it was used last, to the minute."""
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Tell whether it opens anything: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class KeyBook(Protocol):
    """Keys. Every method raises StoreUnavailableError."""

    async def add(self, key: ApiKey) -> None:
        """Write a key down."""
        ...

    async def find(self, key_id: str) -> ApiKey | None:
        """Return one key."""
        ...

    async def listed(self) -> list[ApiKey]:
        """Return all keys, the newest first; with those that were revoked."""
        ...

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Let a key open nothing any more; False when there is none that is not revoked."""
        ...

    async def used(self, key_id: str, at: datetime) -> None:
        """Write down when a key was used."""
        ...

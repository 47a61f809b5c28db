"""Who may do what: roles for people, scopes for what they and the programs with a key may ask for.

A role is a set of scopes, and every operation names the one scope that it takes: there is nothing else to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """One thing that somebody may be allowed."""

    FLOOR_READ = "floor:read"
    """The line, agents, queues, trunks, as they are now."""
    FLOOR_WRITE = "floor:write"
    """Move, prioritise, assign; pause an agent; close a queue; announce."""
    DESK = "desk"
    """Act as one's own agent, and nobody else's."""
    PROMISES_READ = "promises:read"
    PROMISES_WRITE = "promises:write"
    NUMBERS_READ = "numbers:read"
    """Whole phone numbers; without it they are masked."""
    FIGURES_READ = "figures:read"
    SMS_READ = "sms:read"
    DO_NOT_CALL_READ = "do_not_call:read"
    DO_NOT_CALL_WRITE = "do_not_call:write"
    LISTEN = "listen"
    """Hear a talk as it goes on."""
    RECORDINGS_READ = "recordings:read"
    """List recordings, and hear them; each time is in the audit."""
    RECORDINGS_WRITE = "recordings:write"
    """Delete them."""
    AUDIT_READ = "audit:read"
    PEOPLE_WRITE = "people:write"
    KEYS_WRITE = "keys:write"
    PRIVACY_WRITE = "privacy:write"
    """Export, or delete, all that is known of one number."""


class Role(StrEnum):
    """What a person is here."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


_AGENT = frozenset({Scope.DESK, Scope.FLOOR_READ})
_SUPERVISOR = _AGENT | {
    Scope.FLOOR_WRITE,
    Scope.PROMISES_READ,
    Scope.PROMISES_WRITE,
    Scope.NUMBERS_READ,
    Scope.FIGURES_READ,
    Scope.SMS_READ,
    Scope.DO_NOT_CALL_READ,
    Scope.DO_NOT_CALL_WRITE,
    Scope.LISTEN,
    Scope.RECORDINGS_READ,
}
SCOPES_OF = {Role.AGENT: _AGENT, Role.SUPERVISOR: _SUPERVISOR, Role.ADMIN: frozenset(Scope)}
"""What each role may do."""
SCOPES_OF_KEYS = frozenset(Scope) - {Scope.DESK, Scope.LISTEN, Scope.PEOPLE_WRITE, Scope.KEYS_WRITE}
"""What a key may be given at most: a program has no phone, and makes neither people nor keys."""


class Kind(StrEnum):
    """Whose request it is."""

    PERSON = "person"
    KEY = "key"
    NOBODY = "nobody"
    """Who has not said who they are."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proved who they are: a person by a session, a program by its key."""

    kind: Kind
    name: str
    """A person's login name; a key's id."""
    scopes: frozenset[Scope]
    role: Role | None = None
    """Of a person."""
    agent: str = ""
    """The agent, by name, who this person is at the phone; "" for none."""
    language: str = ""
    """What a person reads best; "" for whatever their browser says."""

    def may(self, scope: Scope) -> bool:
        """Tell whether something is allowed."""
        return scope in self.scopes

    def may_act_for(self, agent: str) -> bool:
        """Tell whether an agent's state may be set: one's own at the desk, everybody's on the floor."""
        return Scope.FLOOR_WRITE in self.scopes or (Scope.DESK in self.scopes and agent == self.agent != "")


NOBODY = Principal(Kind.NOBODY, "", frozenset())

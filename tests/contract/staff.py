"""People, sessions and keys as the contracts of their books need them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.access import Role, Scope
from controller.ports.audit import AuditEntry
from controller.ports.people import ApiKey, Person, Session
from tests.contract.store_under_test import NOON

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["LATER", "MUCH_LATER", "NOON", "a_key", "entry", "session", "somebody"]

LATER = NOON + timedelta(seconds=40)
MUCH_LATER = NOON + timedelta(hours=30)


def somebody(name: str = "hanako", role: Role = Role.SUPERVISOR, **more: Any) -> Person:
    """Return a person with a password."""
    given: dict[str, Any] = {"display_name": "鈴木 花子", "password_hash": "hash", "made_at": NOON, "changed_at": NOON}
    return Person(**{"name": name, "role": role, **given, **more})


def session(token_hash: str, person: str = "hanako", at: datetime = NOON) -> Session:
    """Return a session that was opened then, for twelve hours."""
    return Session(token_hash.ljust(64, "0"), person, at, at, at + timedelta(hours=12), "192.0.2.0/24")


def a_key(key_id: str = "0123456789ab", **more: Any) -> ApiKey:
    """Return a key that may read promises and the floor."""
    given: dict[str, Any] = {
        "title": "our CRM",
        "scopes": frozenset({Scope.PROMISES_READ, Scope.FLOOR_READ}),
        "made_by": "hanako",
        "made_at": NOON,
        "secret_hash": "ab" * 32,
    }
    return ApiKey(**{"id": key_id, **given, **more})


def entry(action: str = "sign-in", **more: Any) -> AuditEntry:
    """Return something that was done at noon."""
    return AuditEntry(**{"at": NOON, "kind": "person", "who": "hanako", "action": action, "outcome": "ok", **more})

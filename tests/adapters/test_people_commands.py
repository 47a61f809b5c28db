"""The commands about people, keys and the audit: what is drawn, shown once, refused, and written down."""

from __future__ import annotations

import asyncio
import getpass
import io
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from controller.domain import api_key
from controller.domain.access import Role, Scope
from controller.domain.passwords import matches, refusal
from controller.domain.pin import Guesses
from controller.people_commands import drawn_password
from controller.ports.audit import AuditEntry
from controller.ports.people import Session
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from controller.ports.people import Person
    from controller.store import Store

T = TypeVar("T")
PASSWORD = "green tea in the morning"


class Desk:
    """The command line of a site, and the database behind it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._run = CommandLine(capsys)
        self.url = f"sqlite+aiosqlite:///{folder}/orikaeshi.db"
        self.settings = folder / "controller.toml"
        text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{self.url}"')
        self.settings.write_text(text, encoding="utf-8")
        self.look(lambda _: asyncio.sleep(0))

    def __call__(self, *argv: str) -> Any:
        """Run a command."""
        return self._run(*argv, "--settings", self.settings)

    def look(self, what: Callable[[Store], Awaitable[T]]) -> T:
        """Return what the database says."""

        async def ask() -> T:
            async with open_store(self.url, policies={}, clock=SystemClock(), new_id=lambda: "id") as store:
                return await what(store)

        return asyncio.run(ask())

    def person(self, name: str = "hanako") -> Person:
        """Return a person who is there."""
        found = self.look(lambda store: store.people.find(name))
        assert found is not None
        return found

    def audit(self) -> list[tuple[str, str, str]]:
        """Return who did what to whom, the oldest first."""
        lines = self.look(lambda store: store.audit.listed(limit=99))
        return [(line.entry.kind, line.entry.action, line.entry.subject) for line in reversed(lines)]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Give the command line of a site with the default settings."""
    return Desk(tmp_path, capsys)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a way to say what is written to standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_new_persons_password_is_drawn_and_shown_once(desk: Desk) -> None:
    """It is kept as a hash, and has to be changed; who added them is in the audit, the password nowhere."""
    said = desk("person", "add", "Hanako", "--role", "supervisor", "--agent", "agent-1", "--display-name", "鈴木 花子")
    assert (said.code, said.err) == (0, "")
    shown = re.search(r"^the password is ([a-z0-9-]{23})$", said.out, re.MULTILINE)
    assert shown is not None
    person = desk.person()
    assert (person.role, person.agent, person.display_name) == (Role.SUPERVISOR, "agent-1", "鈴木 花子")
    assert person.password_hash is not None
    assert matches(shown[1], person.password_hash)
    assert person.must_change
    (line,) = desk.look(lambda store: store.audit.listed(limit=9))
    assert (line.entry.kind, line.entry.who) == ("command", getpass.getuser())
    assert (line.entry.action, line.entry.subject) == ("person add", "hanako")
    assert shown[1] not in repr(line)
    assert shown[1] not in desk("person", "list").out


def test_every_drawn_password_is_good_enough_and_another() -> None:
    """For whatever name it is drawn."""
    drawn = {drawn_password() for _ in range(200)}
    assert len(drawn) == 200
    assert {refusal(password, own=("hanako",)) for password in drawn} == {None}


def test_a_password_that_is_typed_need_not_be_changed(desk: Desk, typed: Callable[[str], None]) -> None:
    """It comes by standard input, never as an argument, which everybody on the machine can read."""
    typed(f"{PASSWORD}\n")
    said = desk("person", "add", "hanako", "--role", "admin", "--stdin", "--json")
    assert (said.code, said.data) == (0, {"person": "hanako"})
    person = desk.person()
    assert matches(PASSWORD, person.password_hash or "")
    assert not person.must_change
    assert desk("person", "add", "taro", "--role", "agent", "--password", PASSWORD).code == 2


@pytest.mark.parametrize(
    ("password", "why"), [("short", "12 characters"), ("hanako hanako", "a name of theirs"), ("password1234", "tries")]
)
def test_a_password_that_anybody_would_try_is_refused(
    desk: Desk, typed: Callable[[str], None], password: str, why: str
) -> None:
    """And nobody is added, or changed."""
    typed(f"{password}\n")
    said = desk("person", "add", "hanako", "--role", "agent", "--stdin")
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert desk.look(lambda store: store.people.listed()) == []
    assert desk.audit() == []


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("add", "hanako"), "--role agent or supervisor or admin"),
        (("add", "花子", "--role", "agent"), "a login name is"),
        (("add", "--role", "agent"), "a login name is"),
        (("add", "hanako", "--role", "agent", "--agent", "agent-9"), 'no agent "agent-9"'),
        (("set", "hanako", "--role", "agent"), "there is no hanako"),
        (("set", "hanako"), "say what is to be different"),
        (("remove", "hanako"), "there is no hanako"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(desk: Desk, argv: tuple[str, ...], why: str) -> None:
    """With exit code 2, and nothing is changed."""
    said = desk("person", *argv)
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert len(said.err.splitlines()) == 1
    assert desk.audit() == []


def test_a_name_is_added_once(desk: Desk) -> None:
    """The second time nothing is changed."""
    desk("person", "add", "hanako", "--role", "agent")
    before = desk.person()
    said = desk("person", "add", "HANAKO", "--role", "admin")
    assert said.code == 2
    assert "controller person set hanako" in said.err
    assert desk.person() == before


async def opened(store: Store) -> bool:
    """Open a session of hanako's; False where she may have none."""
    now = SystemClock().now()
    session = Session("a" * 64, "hanako", now, now, now + timedelta(hours=1))
    return await store.sessions.open(session, seen_after=now - timedelta(hours=1))


def test_whatever_takes_rights_away_signs_out(desk: Desk) -> None:
    """Another role, a new password, being disabled or removed."""
    desk("person", "add", "hanako", "--role", "admin")
    for argv in (("--role", "agent"), ("--new-password",), ("--disable",), ("--enable",)):
        assert desk.look(opened) == (argv != ("--enable",))
        assert desk("person", "set", "hanako", *argv).code == 0
        assert desk.look(lambda store: store.sessions.of("hanako")) == []
    assert desk.person().is_enabled
    assert desk("person", "remove", "hanako").code == 0
    assert desk.look(lambda store: store.people.listed()) == []
    assert [action for _, action, _ in desk.audit()] == ["person add", *["person set"] * 4, "person remove"]


def test_somebody_who_is_locked_out_is_let_try_again(desk: Desk) -> None:
    """The list shows who is; their password stays."""
    desk("person", "add", "hanako", "--role", "agent")
    before = desk.person()
    entry = AuditEntry(SystemClock().now(), "person", "hanako", "sign-in", "wrong")
    for _ in range(3):
        desk.look(lambda store: store.people.tried("hanako", entry, was_right=False))
    assert "locked until" in desk("person", "list").out
    assert desk("person", "list", "--json").data["people"][0]["locked_until"] is not None
    assert desk("person", "set", "hanako", "--unlock").code == 0
    assert desk.person().guesses == Guesses()
    assert desk.person().password_hash == before.password_hash


def test_the_list_shows_everybody_and_no_hash(desk: Desk) -> None:
    """As a table, and as JSON."""
    desk("person", "add", "hanako", "--role", "supervisor", "--display-name", "鈴木 花子", "--language", "ja")
    desk("person", "add", "taro", "--role", "agent", "--agent", "agent-2")
    desk("person", "set", "taro", "--disable")
    told = desk("person", "list")
    assert re.search(r"^hanako +鈴木 花子 +supervisor +- +yes, with a new password", told.out, re.MULTILINE)
    assert re.search(r"^taro +taro +agent +agent-2 +no: disabled", told.out, re.MULTILINE)
    data = desk("person", "list", "--json").data["people"]
    assert [(one["person"], one["role"], one["language"], one["enabled"]) for one in data] == [
        ("hanako", "supervisor", "ja", True),
        ("taro", "agent", "", False),
    ]
    assert "argon2" not in told.out + repr(data)


def test_a_key_is_shown_once_and_kept_as_a_hash(desk: Desk) -> None:
    """With the scopes that were asked for, until the day that was asked for."""
    said = desk("key", "add", "--title", "our CRM", "--scope", "promises:read", "--scope", "floor:read", "--days", "30")
    shown = re.search(r"^the key is (ori_[0-9a-f]{12}_[0-9a-f]{64})$", said.out, re.MULTILINE)
    assert shown is not None
    parts = api_key.read(shown[1])
    assert parts is not None
    (kept,) = desk.look(lambda store: store.keys.listed())
    assert (kept.id, kept.title, kept.made_by) == (parts[0], "our CRM", "command")
    assert kept.scopes == {Scope.PROMISES_READ, Scope.FLOOR_READ}
    assert api_key.matches(parts[1], kept.secret_hash)
    assert kept.expires_at == kept.made_at + timedelta(days=30)
    listed = desk("key", "list").out + repr(desk("key", "list", "--json").data)
    assert parts[0] in listed
    assert parts[1] not in listed
    assert kept.secret_hash not in listed
    assert parts[1] not in repr(desk.look(lambda store: store.audit.listed(limit=9)))


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("add", "--scope", "floor:read"), "--title"),
        (("add", "--title", "x", "--scope", "people:write"), "no scope of a key: people:write"),
        (("add", "--title", "x"), "a key needs a scope"),
        (("revoke",), "no such key"),
        (("revoke", "0123456789ab"), "no such key"),
    ],
)
def test_a_key_that_cannot_be_is_refused(desk: Desk, argv: tuple[str, ...], why: str) -> None:
    """And none is made."""
    said = desk("key", *argv)
    assert said.code == 2
    assert why in said.err
    assert desk.look(lambda store: store.keys.listed()) == []


def test_a_key_is_revoked_by_its_id_or_by_its_beginning(desk: Desk) -> None:
    """Once; whoever pastes the whole key does not have to cut it."""
    for whole in (False, True):
        made = desk("key", "add", "--title", "x", "--scope", "floor:read", "--json").data
        assert desk("key", "revoke", made["key"] if whole else made["id"]).code == 0
        assert desk("key", "revoke", made["id"]).code == 2
    assert all(not key.is_good(SystemClock().now()) for key in desk.look(lambda store: store.keys.listed()))
    assert "revoked" in desk("key", "list").out


def test_the_audit_tells_who_did_what_newest_first(desk: Desk) -> None:
    """All of it, or what one did; as a table and as JSON."""
    desk("person", "add", "hanako", "--role", "admin")
    desk("key", "add", "--title", "x", "--scope", "floor:read")
    told = desk("audit").out
    assert told.index("key add") < told.index("person add")
    data = desk("audit", "--json", "--action", "person add").data["audit"]
    assert [(one["kind"], one["action"], one["subject"], one["outcome"]) for one in data] == [
        ("command", "person add", "hanako", "ok")
    ]
    assert data[0]["detail"]["role"] == "admin"
    assert desk("audit", "--who", "nobody at all").out.strip() == "no entries"
    assert len(desk("audit", "--json", "--limit", "1").data["audit"]) == 1

"""The commands about agents: PINs that are drawn, read and refused, and what is kept of everybody."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.agent_commands import drawn_pin
from controller.domain.agents import Duty
from controller.domain.pin import Guesses, matches, refusal
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.store.agent_book import open_agent_book
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from controller.ports.agents import KeptAgent
    from controller.store.agent_book import StoredAgentBook

THEN = datetime(2030, 5, 6, 3, tzinfo=UTC)


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Make a database, as the controller does when it first runs."""
    address = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"

    async def start_once() -> None:
        async with open_store(address, policies={}, clock=SystemClock(), new_id=lambda: "id"):
            pass

    asyncio.run(start_once())
    return address


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Path:
    """Write the default settings, with two agents and this database."""
    path = tmp_path / "controller.toml"
    path.write_text(with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"'), encoding="utf-8")
    return path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a way to say what is written to standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def kept(url: str, name: str = "agent-1") -> KeptAgent | None:
    """Return what the database keeps of an agent."""

    async def look() -> KeptAgent | None:
        async with open_agent_book(url) as book:
            return await book.find(name)

    return asyncio.run(look())


def has_pin(url: str, pin: str) -> bool:
    """Tell whether the first agent's PIN is this one."""
    found = kept(url)
    return found is not None and found.pin_hash is not None and matches(pin, found.pin_hash)


def test_a_pin_is_drawn_and_shown_once_and_kept_as_a_hash(
    controller: CommandLine, settings: Path, url: str, tmp_path: Path
) -> None:
    """Each time another one; the database never holds it."""
    said = controller("agent", "pin", "agent-1", "--settings", settings)
    first = re.match(r"the PIN of agent-1 is ([0-9]{6})\n", said.out)
    assert (said.code, said.err) == (0, "")
    assert first is not None
    assert has_pin(url, first[1])
    again = controller("agent", "pin", "agent-1", "--settings", settings, "--json").data
    assert again == {"agent": "agent-1", "has_pin": True, "pin": again["pin"]}
    assert has_pin(url, again["pin"])
    assert not has_pin(url, first[1])
    files = b"".join(path.read_bytes() for path in tmp_path.glob("orikaeshi.db*"))
    assert first[1].encode() not in files


def test_a_pin_can_be_typed_and_is_not_shown_then(
    controller: CommandLine, settings: Path, url: str, typed: Callable[[str], None]
) -> None:
    """From the first line of standard input: an argument would stand in the list of processes."""
    typed("83716\nanything else")
    said = controller("agent", "pin", "agent-1", "--stdin", "--settings", settings)
    assert (said.code, said.out, said.err) == (0, "the PIN of agent-1 is set\n", "")
    assert has_pin(url, "83716")


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("837\n", "a PIN has 4 to 8 digits, 0 to 9"),
        ("8371629501\n", "a PIN has 4 to 8 digits, 0 to 9"),
        ("", "a PIN has 4 to 8 digits, 0 to 9"),
        ("7777\n", "all its digits are equal"),
        ("4321\r\n", "its digits run up or down"),
    ],
)
def test_a_bad_pin_is_refused_with_the_reason_and_nothing_is_kept(
    controller: CommandLine, settings: Path, url: str, typed: Callable[[str], None], pin: str, why: str
) -> None:
    """Exit code 2; the PIN itself is not repeated."""
    typed(pin)
    said = controller("agent", "pin", "agent-1", "--stdin", "--settings", settings)
    assert (said.code, said.out, said.err) == (2, "", f"this PIN is refused: {why}\n")
    assert kept(url) is None


def test_an_agent_whom_the_settings_do_not_know_gets_no_pin(controller: CommandLine, settings: Path) -> None:
    """A slip of the pen would else go unnoticed."""
    said = controller("agent", "pin", "agent-9", "--settings", settings)
    assert (said.code, said.out) == (2, "")
    assert said.err == f'there is no agent "agent-9" in {settings}; there are: agent-1, agent-2\n'


@pytest.mark.parametrize(("sign_in", "signed_in"), [("registered", True), ("pin", False)])
def test_setting_a_pin_signs_nobody_in_or_out(
    controller: CommandLine, settings: Path, url: str, sign_in: str, *, signed_in: bool
) -> None:
    """Of an agent of whom nothing was kept, the settings say whether they are signed in; another's duty stays."""
    text = with_value(settings.read_text("utf-8"), "agents_by_phone", "sign_in", f'"{sign_in}"')
    settings.write_text(text, "utf-8")

    async def at_lunch(book: StoredAgentBook) -> None:
        await book.keep_duty("agent-2", Duty(signed_in=True, pause_reason="lunch"), at=THEN)

    in_book(url, at_lunch)
    for name in ("agent-1", "agent-2"):
        assert controller("agent", "pin", name, "--settings", settings).code == 0
    first, second = kept(url), kept(url, "agent-2")
    assert first is not None
    assert second is not None
    assert first.duty == Duty(signed_in=signed_in)
    assert second.duty == Duty(signed_in=True, pause_reason="lunch")


def test_a_new_pin_unlocks_and_a_pin_can_be_taken_away(controller: CommandLine, settings: Path, url: str) -> None:
    """For somebody who forgot theirs."""
    controller("agent", "pin", "agent-1", "--settings", settings)

    async def lock(book: StoredAgentBook) -> None:
        await book.keep_guesses("agent-1", Guesses(5, THEN))

    in_book(url, lock)
    controller("agent", "pin", "agent-1", "--settings", settings)
    found = kept(url)
    assert found is not None
    assert found.guesses == Guesses()
    said = controller("agent", "pin", "agent-1", "--remove", "--settings", settings)
    assert said.out == "agent-1 has no PIN any more\n"
    found = kept(url)
    assert found is not None
    assert found.pin_hash is None


def test_agents_are_listed_with_what_is_kept_of_each(controller: CommandLine, settings: Path, url: str) -> None:
    """Also those of whom nothing is; a PIN is set or not, and no more is shown of it."""
    until = SystemClock().now() + timedelta(hours=1)

    async def some(book: StoredAgentBook) -> None:
        await book.set_pin("agent-1", "a hash", duty_if_new=Duty(signed_in=True), at=THEN)
        await book.keep_duty("agent-1", Duty(signed_in=True, pause_reason="lunch"), at=THEN)
        await book.keep_guesses("agent-1", Guesses(3, until))
        await book.keep_duty("gone", Duty(signed_in=False), at=THEN)

    in_book(url, some)
    said = controller("agents", "--settings", settings)
    lines = said.out.splitlines()
    assert said.code == 0
    assert re.fullmatch(r"agent-1 +agent-1 +support +paused: lunch +set +\S+ \S+ +05-06 12:00:00", lines[2].strip())
    assert re.fullmatch(r"agent-2 +agent-2 +support +signed in +- +- +-", lines[3].strip())
    assert "gone" not in said.out
    assert "a hash" not in said.out
    assert controller("agents", "--json", "--settings", settings).data == {
        "agents": [
            {
                "agent": "agent-1",
                "endpoint": "agent-1",
                "queues": ["support"],
                "signed_in": True,
                "pause_reason": "lunch",
                "has_pin": True,
                "locked_until": until.isoformat(),
                "set_at": THEN.isoformat(),
            },
            {
                "agent": "agent-2",
                "endpoint": "agent-2",
                "queues": ["support"],
                "signed_in": True,
                "pause_reason": None,
                "has_pin": False,
                "locked_until": None,
                "set_at": None,
            },
        ]
    }


@pytest.mark.parametrize("words", [("agents",), ("agent", "pin", "agent-1")])
def test_without_a_database_there_is_one_clear_line(
    controller: CommandLine, settings: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Neither is a file made."""
    for file in tmp_path.glob("orikaeshi.db*"):
        file.unlink()
    said = controller(*words, "--settings", settings)
    assert (said.code, said.out) == (1, "")
    assert (
        said.err == f"There is no database {tmp_path}/orikaeshi.db yet: the controller makes it when it first runs.\n"
    )
    assert list(tmp_path.glob("orikaeshi.db*")) == []


def test_a_drawn_pin_is_never_one_that_is_refused() -> None:
    """Also for an agent whose name is a number; and it is hardly ever the same."""
    drawn = [drawn_pin(["12", "345"]) for _ in range(2000)]
    assert [pin for pin in drawn if refusal(pin, own=["12", "345"])] == []
    assert len(set(drawn)) > 1900


def in_book(url: str, work: Callable[[StoredAgentBook], Awaitable[None]]) -> None:
    """Change something in the book."""

    async def change() -> None:
        async with open_agent_book(url) as book:
            await work(book)

    asyncio.run(change())

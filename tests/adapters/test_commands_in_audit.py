"""What is done at the command line stands in the audit, like what is done in the console: on a real database."""

from __future__ import annotations

import asyncio
import getpass
from typing import TYPE_CHECKING, Any

import pytest

from controller.ports.hooks import HookWish, NotTaken
from controller.ports.promises import Made, NewPromise
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine

if TYPE_CHECKING:
    from pathlib import Path

ID = "5f1c9a0b7d3e2468"
NUMBER, MASKED = "+819012345678", "+81901234****"
HOOK = '[[hooks]]\nname = "crm"\nurl = "https://crm.example.jp/"\n'


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write settings with a database, in which a promise waits and a hook has not taken something."""
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"

    async def fill() -> None:
        clock, wish = SystemClock(), HookWish("crm", "https://crm.example.jp", ("*",))
        async with open_store(url, policies={}, clock=clock, new_id=lambda: ID, hooks=(wish,)) as store:
            made = await store.promises.make(NewPromise("support", NUMBER, "ja", clock.now(), "call-1"))
            assert isinstance(made, Made)
            owed = await store.hooks.next("crm")
            assert owed is not None
            await store.hooks.given_up(owed, NotTaken("it answered 503", 503), clock.now())

    asyncio.run(fill())
    path = tmp_path / "controller.toml"
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"')
    path.write_text(f"{text}\n{HOOK}", encoding="utf-8")
    return path


def audit(controller: CommandLine, settings: Path) -> list[dict[str, Any]]:
    """Return the entries, as `controller audit` lists them; the newest first."""
    listed: list[dict[str, Any]] = controller("audit", "--settings", settings, "--json").data["audit"]
    return listed


@pytest.mark.parametrize(
    ("words", "action", "subject", "detail"),
    [
        (("cancel", ID), "cancel", ID, {"was": "waiting"}),
        (
            ("do-not-call", "add", "090-1234-5678", "--reason", "by 090-1234-5678"),
            "do-not-call add",
            MASKED,
            {"reason": "by 090-1234-****", "cancelled": 1},
        ),
        (("hooks", "retry", "crm"), "hooks retry", "crm", {"count": 1}),
        (("agent", "pin", "agent-1"), "agent pin", "agent-1", {"has_pin": True}),
        (("agent", "pin", "agent-1", "--remove"), "agent pin", "agent-1", {"has_pin": False}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_a_command_changes_is_written_down(
    controller: CommandLine, settings: Path, words: tuple[str, ...], action: str, subject: str, detail: dict[str, Any]
) -> None:
    """By whose account; numbers are masked, also in a reason, and no PIN is in it."""
    said = controller(*words, "--settings", settings)
    assert (said.code, said.err) == (0, "")
    (entry,) = audit(controller, settings)
    told = {name: entry[name] for name in ("kind", "who", "action", "subject", "outcome", "detail")}
    assert told == {
        "kind": "command",
        "who": getpass.getuser(),
        "action": action,
        "subject": subject,
        "outcome": "ok",
        "detail": detail,
    }


def test_what_comes_off_the_list_is_written_down_too(controller: CommandLine, settings: Path) -> None:
    """What was not on it has changed nothing, and is not; nor is a look."""
    assert controller("do-not-call", "remove", NUMBER, "--settings", settings).code == 1
    assert controller("do-not-call", "list", "--settings", settings).code == 0
    assert audit(controller, settings) == []
    controller("do-not-call", "add", NUMBER, "--settings", settings)
    assert controller("do-not-call", "remove", NUMBER, "--settings", settings).code == 0
    assert [(entry["action"], entry["subject"]) for entry in audit(controller, settings)] == [
        ("do-not-call remove", MASKED),
        ("do-not-call add", MASKED),
    ]


@pytest.mark.parametrize(
    "words",
    [("cancel", "no-such"), ("do-not-call", "add", "tea"), ("hooks", "retry", "no-such"), ("agent", "pin", "nobody")],
    ids=" ".join,
)
def test_what_is_refused_changes_nothing_and_is_not_written_down(
    controller: CommandLine, settings: Path, words: tuple[str, ...]
) -> None:
    """Whoever types at the command line may do everything anyway."""
    assert controller(*words, "--settings", settings).code != 0
    assert audit(controller, settings) == []

"""The command about webhooks: on a real database, and to a real receiver."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from standardwebhooks.webhooks import Webhook

from controller.ports.hooks import HookWish, NotTaken
from controller.ports.promises import Made, NewPromise
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.system_clock import SystemClock
from tests.adapters.command_line import ENV, CommandLine
from tests.adapters.hook_receiver import SECRET, Receiver, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITH_SECRET = {**ENV, "ORIKAESHI_HOOK_CRM": SECRET}
WISH = HookWish("crm", "https://crm.example.jp/in", ("*",))


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of a database in which a hook is owed two events, one of which was not taken for good."""
    address = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"

    async def fill() -> None:
        clock = SystemClock()
        async with open_store(address, policies={}, clock=clock, new_id=lambda: "id", hooks=(WISH,)) as store:
            wanted = NewPromise("support", "+819012345678", "ja", clock.now(), "call-1", confirm=True)
            assert isinstance(await store.promises.make(wanted), Made)
            first = await store.hooks.next("crm")
            assert first is not None
            await store.hooks.given_up(first, NotTaken("it answered 503", 503), clock.now())

    asyncio.run(fill())
    return address


def settings_with(folder: Path, url: str, hooks: str) -> Path:
    """Write the default settings with this database and these hooks."""
    path = folder / "controller.toml"
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"')
    path.write_text(f"{text}\n{hooks}", encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Path:
    """Write settings with one hook."""
    return settings_with(tmp_path, url, '[[hooks]]\nname = "crm"\nurl = "https://crm.example.jp/secret-path"\n')


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen in a thread of its own: a command has its own event loop."""
    receiver, ready, over = Receiver(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with receiver.listening():
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield receiver
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def test_each_hook_is_listed_with_how_it_fares(controller: CommandLine, settings: Path) -> None:
    """For a person and for a program; its whole address for neither."""
    said = controller("hooks", "list", "--settings", settings)
    assert said.code == 0
    assert "it answered 503" in said.out
    assert "secret-path" not in said.out
    (crm,) = controller("hooks", "list", "--settings", settings, "--json").data["hooks"]
    assert (crm["name"], crm["url"], crm["state"]) == ("crm", "https://crm.example.jp", "on")
    assert (crm["backlog"], crm["delivered"], crm["not_delivered"], crm["last_status"]) == (1, 0, 1, 503)


def test_without_hooks_that_is_said(controller: CommandLine, tmp_path: Path, url: str) -> None:
    """An empty list is no fault."""
    assert (
        controller("hooks", "list", "--settings", settings_with(tmp_path, url, "")).out == "no hooks in the settings\n"
    )


def test_what_was_not_taken_is_owed_anew(controller: CommandLine, settings: Path) -> None:
    """The rest is owed already."""
    said = controller("hooks", "retry", "crm", "--settings", settings, "--json")
    assert (said.code, said.data) == (0, {"hook": "crm", "count": 1})
    (crm,) = controller("hooks", "list", "--settings", settings, "--json").data["hooks"]
    assert (crm["backlog"], crm["not_delivered"], crm["last_error"]) == (2, 0, "")


def test_one_event_is_sent_by_hand_and_its_answer_told(controller: CommandLine, tmp_path: Path, url: str) -> None:
    """Signed like any other, and written down nowhere; each time it is another event."""
    with receiving() as receiver:
        hook = f'[[hooks]]\nname = "crm"\nurl = "{receiver.url}"\nallow_http = true\nallow_private = true\n'
        settings = settings_with(tmp_path, url, hook)
        said = controller("hooks", "test", "crm", "--settings", settings, env=WITH_SECRET)
        assert (said.code, said.out) == (0, "crm: taken with 204\n")
        receiver.always = 500
        failed = controller("hooks", "test", "crm", "--settings", settings, "--json", env=WITH_SECRET)
        assert (failed.code, failed.data["status"], failed.data["error"]) == (1, 500, "it answered 500")
    first, second = receiver.got
    body = Webhook(SECRET).verify(first.body, fields_of(first))
    assert (body["type"], body["data"], body["id"]) == ("hook.test", {"hook": "crm"}, first.id)
    assert first.id != second.id
    (crm,) = controller("hooks", "list", "--settings", settings, "--json").data["hooks"]
    assert crm["backlog"] == 1


def test_a_receiver_in_the_house_is_refused_where_that_is_not_said(
    controller: CommandLine, tmp_path: Path, url: str
) -> None:
    """With what to write."""
    with receiving() as receiver:
        address = receiver.url.replace("127.0.0.1", "localhost")
        settings = settings_with(tmp_path, url, f'[[hooks]]\nname = "crm"\nurl = "{address}"\nallow_http = true\n')
        said = controller("hooks", "test", "crm", "--settings", settings, env=WITH_SECRET)
    assert said.code == 1
    assert "allow_private = true" in said.err
    assert "secret-path" not in said.err
    assert receiver.got == []


@pytest.mark.parametrize("words", [["test", "nobody"], ["retry", "nobody"], ["test"], ["retry"], ["list", "crm"]])
def test_what_cannot_be_meant_is_refused_with_what_can(
    controller: CommandLine, settings: Path, words: list[str]
) -> None:
    """A name that is not there, none, or one too many."""
    said = controller("hooks", *words, "--settings", settings, env=WITH_SECRET)
    assert said.code == 2
    assert "nobody" not in words or "there are: crm" in said.err


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ=", "hunter2"])
def test_a_test_needs_the_secret(controller: CommandLine, settings: Path, secret: str) -> None:
    """It is named, and what was given is not repeated."""
    said = controller("hooks", "test", "crm", "--settings", settings, env={**ENV, "ORIKAESHI_HOOK_CRM": secret})
    assert said.code == 2
    assert said.err.startswith("ORIKAESHI_HOOK_CRM must ")
    assert not secret or secret not in said.err

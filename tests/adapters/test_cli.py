"""The command line: what each command prints, its exit code, and one clear line for what goes wrong."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from controller.domain.call_ending import Ending
from controller.domain.lifecycle import Cancelled
from controller.domain.retry_policy import RetryPolicy
from controller.ports.promises import Made, NewPromise, StoreUnavailableError
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.store.listing import list_calls
from controller.text_table import table, width
from tests.adapters.command_line import ENV, CommandLine, Said

if TYPE_CHECKING:
    from pathlib import Path

NOON_IN_TOKYO = datetime(2030, 5, 6, 3, tzinfo=UTC)


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write the default settings, for a PBX that is not there."""
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "asterisk", "url", '"http://127.0.0.1:1"')
    path = tmp_path / "controller.toml"
    path.write_text(with_value(text, "asterisk", "ami_port", "1"), encoding="utf-8")
    return path


def test_settings_in_order_pass_the_check(controller: CommandLine, settings: Path) -> None:
    """Exit code 0, with and without secrets in the environment."""
    said = controller("check", "--settings", settings)
    assert (said.code, said.out, said.err) == (0, f"{settings}: in order (1 queues, 2 agents)\n", "")
    bare = controller("check", "--settings", settings, env={})
    assert bare.code == 0
    assert "not set in this environment: ORIKAESHI_ARI_PASSWORD, ORIKAESHI_AMI_PASSWORD" in bare.out
    assert controller("check", "--json", "--settings", settings).data == {"ok": True, "unset_secrets": []}


@pytest.mark.parametrize("command", ["check", "run", "rehearse", "promises", "calls"])
def test_mistakes_in_the_settings_are_listed_and_the_exit_code_is_two(
    controller: CommandLine, settings: Path, command: str
) -> None:
    """One line each on stderr, and no traceback."""
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("ami_port = 1", 'ami_prot = "1"').replace('"agent-2"', '"agent-1"'), "utf-8")
    said = controller(command, "--settings", settings)
    assert (said.code, said.out) == (2, "")
    assert [line.removeprefix(f"{settings}:").partition(": ")[2] for line in said.err.splitlines()] == [
        'asterisk.ami_prot: is not a setting; did you mean "ami_port"?',
        'agents.agent-1.name: "agent-1" is used twice: each of [[agents]] needs its own name',
        'agents.agent-1.endpoint: "agent-1" is used twice: each of [[agents]] needs its own endpoint',
    ]


def test_mistakes_come_as_json_too(controller: CommandLine, settings: Path) -> None:
    """Line, key and message apart, for an editor or a deployment."""
    settings.write_text(settings.read_text("utf-8").replace('level = "info"', 'level = "loud"'), "utf-8")
    said = controller("check", "--settings", settings, "--json")
    assert said.code == 2
    (mistake,) = said.data["mistakes"]
    assert mistake["key"] == "log.level"
    assert settings.read_text("utf-8").splitlines()[mistake["line"] - 1].startswith('level = "loud"')


def test_the_settings_file_may_be_named_in_the_environment(controller: CommandLine, settings: Path) -> None:
    """In a container nobody types options."""
    assert controller("check", env={**ENV, "ORIKAESHI_SETTINGS": str(settings)}).code == 0


def test_a_new_site_gets_settings_that_pass_and_keep_what_an_admin_changed(
    controller: CommandLine, tmp_path: Path
) -> None:
    """The first file is made once; a second `provision` leaves it alone."""
    home = tmp_path / "var"
    said = controller("provision", "--home", home, "--agents", "3", "--json")
    assert said.code == 0
    path = home / "controller.toml"
    assert f"ami_port = {said.data['ports']['ami']}" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert controller("check", "--settings", path).out.startswith(f"{path}: in order (1 queues, 3 agents)")
    path.write_text(path.read_text("utf-8").replace("サポート窓口", "ご相談窓口"), "utf-8")
    again = controller("provision", "--home", home)
    assert "(kept as it was)" in again.out
    assert "ご相談窓口" in path.read_text("utf-8")
    for secret in (home / "secrets.env").read_text("utf-8").splitlines()[1:]:
        assert secret.partition("=")[2] not in said.out + again.out


def test_an_address_of_another_machine_is_one_line_and_exit_code_one(controller: CommandLine, tmp_path: Path) -> None:
    """192.0.2.1 is nobody's (RFC 5737)."""
    said = controller("provision", "--home", tmp_path / "var", "--bind", "192.0.2.1")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "cannot bind 192.0.2.1" in said.err


async def fill(url: str) -> None:
    """Put two promises and two calls into the database."""
    ids = itertools.count(1)

    class Noon:
        def now(self) -> datetime:
            return NOON_IN_TOKYO

        async def sleep(self, delay_s: float) -> None:
            raise AssertionError(delay_s)

    async with open_store(
        url, policies={"support": RetryPolicy()}, clock=Noon(), new_id=lambda: f"p{next(ids)}"
    ) as store:
        for number in ("+819012345678", "+81312345678"):
            wanted = NewPromise("support", number, "ja", NOON_IN_TOKYO, call_id=f"call-{number[-3:]}-{next(ids)}")
            made = await store.promises.make(wanted)
        assert isinstance(made, Made)
        await store.promises.advance(made.promise.id, Cancelled())
        for call_id, shown in (("c1", "+819012345678"), ("c2", None)):
            await store.calls.arrived(call_id, dialled="0312345678", number=shown, arrived_at=NOON_IN_TOKYO)
        await store.calls.ended("c1", ending=Ending.PROMISED, ended_at=NOON_IN_TOKYO)


@pytest.fixture
async def filled(settings: Path) -> Path:
    """Give settings whose database holds something."""
    await fill(f"sqlite+aiosqlite:///{settings.parent}/orikaeshi.db")
    return settings


def test_promises_are_listed_masked_and_in_local_time(controller: CommandLine, filled: Path) -> None:
    """A list on a screen is seen by passers-by."""
    said = controller("promises", "--settings", filled)
    assert said.code == 0
    assert "+81901234****" in said.out
    assert "05-06 12:00:00" in said.out
    assert "5678" not in said.out
    assert "5678" not in controller("promises", "--settings", filled, "--json").out
    assert "+819012345678" in controller("promises", "--settings", filled, "--show-numbers").out


def test_promises_can_be_asked_for_by_state(controller: CommandLine, filled: Path) -> None:
    """Those who still wait, for one."""
    found = controller("promises", "--settings", filled, "--state", "cancelled", "--json", "--show-numbers").data
    assert [one["number"] for one in found["promises"]] == ["+81312345678"]
    assert found["promises"][0]["since"] == "2030-05-06T03:00:00+00:00"
    assert controller("promises", "--settings", filled, "--state", "expired").out == "no promises\n"


def test_calls_are_listed_with_their_ending(controller: CommandLine, filled: Path) -> None:
    """A withheld number is no number, not an empty one."""
    found = controller("calls", "--settings", filled, "--json").data["calls"]
    assert {one["id"]: (one["ending"], one["number"]) for one in found} == {
        "c1": ("promised", "+81901234****"),
        "c2": (None, None),
    }
    text = controller("calls", "--settings", filled).out
    assert "anonymous" in text
    assert "going on" in text
    assert len(controller("calls", "--settings", filled, "--limit", "1", "--json").data["calls"]) == 1


def test_where_there_is_no_database_yet_none_is_made(controller: CommandLine, settings: Path) -> None:
    """A look changes nothing."""
    said = controller("promises", "--settings", settings)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "There is no database" in said.err
    assert not (settings.parent / "orikaeshi.db").exists()


async def test_a_listing_never_makes_a_file(tmp_path: Path) -> None:
    """Not even where nobody looked first whether there is one."""
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        await list_calls(f"sqlite+aiosqlite:///{tmp_path}/none.db", limit=1)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - one look, and nobody waits for it


def test_a_database_of_somebody_else_is_one_line(controller: CommandLine, settings: Path) -> None:
    """Not ours, or not a database at all."""
    database = settings.parent / "orikaeshi.db"
    database.touch()
    assert "has no tables of ours" in controller("calls", "--settings", settings).err
    database.write_text("a diary, by mistake\n" * 50)
    said = controller("calls", "--settings", settings)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "is not a database" in said.err


def test_the_doctor_fails_where_there_is_no_pbx_and_says_what_to_do(controller: CommandLine, settings: Path) -> None:
    """A table and a list for a person, findings for a program."""
    said = controller("doctor", "--settings", settings)
    assert (said.code, said.err) == (1, "")
    assert "-> start Asterisk" in said.out
    data = controller("doctor", "--settings", settings, "--json").data
    assert data["ok"] is False
    assert {"check": "settings", "level": "ok", "found": f"{settings} is in order", "remedy": ""} in data["findings"]


def test_a_database_that_cannot_be_opened_ends_the_run_with_one_line(controller: CommandLine, settings: Path) -> None:
    """Exit code 1, no traceback."""
    (settings.parent / "orikaeshi.db").mkdir()
    said = _run_to_its_end(settings)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "it is a folder. Name a file in the settings." in said.err
    assert controller("promises", "--settings", settings).err.count("\n") == 1


def _run_to_its_end(settings: Path) -> Said:
    """Run `controller run` as a process: it takes the signals of the process it lives in."""

    async def run() -> Said:
        process = await _started(settings)
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


async def _started(settings: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "controller",
        "run",
        "--settings",
        str(settings),
        env=ENV,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_run_cleanly_even_while_the_pbx_is_away(settings: Path, number: signal.Signals) -> None:
    """Exit code 0, every line of the log JSON, no traceback."""
    process = await _started(settings)
    assert process.stderr is not None
    first = await process.stderr.readline()
    process.send_signal(number)
    out, rest = await process.communicate()
    assert process.returncode == 0
    assert out == b""
    assert {"at", "level", "event"} <= json.loads(first).keys()
    assert all(json.loads(line)["level"] != "critical" for line in rest.splitlines())


@pytest.mark.parametrize("command", ["run", "check", "rehearse", "doctor", "provision", "promises", "calls"])
def test_every_command_has_help_with_an_example_and_json(controller: CommandLine, command: str) -> None:
    """A person who has never seen it needs no other text."""
    said = controller(command, "--help")
    assert said.code == 0
    assert f"example:\n  controller {command}" in said.out
    assert "--json" in said.out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["fly"],
        ["provision"],
        ["provision", "--home", "x", "--agents", "0"],
        ["promises", "--state", "lost"],
        ["calls", "--limit", "many"],
        ["doctor", "--asterisk-conf", "/nonexistent"],
    ],
)
def test_wrong_usage_is_exit_code_two(controller: CommandLine, argv: list[str]) -> None:
    """With the usage, and what was wrong."""
    said = controller(*argv)
    assert said.code == 2
    assert "usage: controller" in said.err


def test_a_table_keeps_its_columns_with_japanese_text_in_it() -> None:
    """A full-width character takes two cells, a combining mark none; no control sequence reaches the terminal."""
    assert [width(text) for text in ("abc", "日本", "ｶﾅ", "が", "か\u3099", "Ａ")] == [3, 4, 2, 2, 2, 2]
    lines = table(["name", "x"], [["サポート窓口", "1"], ["Support", "\x1b[31m2"]]).splitlines()
    assert lines == [
        "name          x",
        "------------  ------",
        "サポート窓口  1",
        "Support       ?[31m2",
    ]

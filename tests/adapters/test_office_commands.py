"""`controller offices`: who has which Asterisk, as the database says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.ports.lease import MAIL, lease_of_pbx
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write the default settings with a name and a home; the controller has run once, and gave everything back."""
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"sqlite+aiosqlite:///{tmp_path}/a.db"')
    path = tmp_path / "controller.toml"
    path.write_text(
        text.replace('#name = "pbx-1"', 'name = "pbx-1"').replace('#home = "controller-1"', 'home = "controller-1"'),
        encoding="utf-8",
    )

    async def run_once() -> None:
        async with open_store(
            f"sqlite+aiosqlite:///{tmp_path}/a.db", policies={}, clock=SystemClock(), new_id=lambda: "id"
        ) as store:
            await _leases(store)

    asyncio.run(run_once())
    return path


async def _leases(store: Store) -> None:
    for name, member in ((lease_of_pbx("pbx-1"), "controller-2"), (lease_of_pbx("old"), "controller-2")):
        lease = await store.leases.take(name, f"{member}:1", member, 600)
        if "old" in name:
            await store.leases.release(lease)
    await store.leases.take(lease_of_pbx("pbx-1"), "controller-1:7", "controller-1", 600, wants=True)


def test_it_tells_who_has_what_and_who_waits_for_it(controller: CommandLine, settings: Path) -> None:
    """The home member waits; one that is in no settings any more is still told of; nobody had the mail yet."""
    said = controller("offices", "--json", "--settings", settings)
    assert said.code == 0
    shown = {
        each["office"]: (each["state"], each["member"], each["home"], each["term"], each["wanted_by"])
        for each in said.data["offices"]
    }
    assert shown == {
        "pbx-1": ("held", "controller-2", "controller-1", 1, "controller-1"),
        "old": ("gone", "controller-2", None, 1, None),
        MAIL: ("free", None, None, None, None),
    }
    assert said.data["offices"][0]["holder"] == "controller-2:1"


def test_it_is_a_table_for_people(controller: CommandLine, settings: Path) -> None:
    """One line for each."""
    said = controller("offices", "--settings", settings)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split()[:4] == ["office", "state", "controller", "home"]
    assert [line.split()[0] for line in lines if line.strip("- ")][1:] == ["pbx-1", "old", MAIL]

"""The doctor on a real Asterisk: healthy, and with faults that only a real one can have."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.doctor import Finding, Level, examine, has_fault
from controller.provision import provision
from controller.settings.first_file import with_value
from controller.system_clock import SystemClock
from lab.pbx import PBX_CONF, running, running_pair
from lab.rootfolder import root_folder
from lab.stack import write_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.provision import Site
    from lab.pbx import Asterisk


RECORDING = {("[queues]", "recording"): '"announced"'}
"""What is changed in the settings for a queue that records."""


@dataclass(frozen=True)
class Installation:
    """A PBX that runs, and the settings for it."""

    site: Site
    settings: Path
    conf_folders: tuple[Path, ...]
    recordings: Path
    """The folder for the sound of talks."""

    async def examine(
        self, *, changes: dict[tuple[str, str], str] | None = None, clock_ahead_s: float = 0.0, **env: str
    ) -> list[Finding]:
        """Examine it with other settings, another clock or other secrets."""
        text = self.settings.read_text("utf-8")
        for (table, key), value in (changes or {}).items():
            text = with_value(text, table, key, value)
        path = self.settings.with_name("changed.toml")
        path.write_text(text, encoding="utf-8")
        secrets = {
            "ORIKAESHI_ARI_PASSWORD": self.site.ari_password,
            "ORIKAESHI_AMI_PASSWORD": self.site.ami_password,
        }
        return await examine(
            path,
            {**secrets, **env},
            conf_folders=self.conf_folders,
            now_s=lambda: SystemClock().now().timestamp() + clock_ahead_s,
            free_bytes=lambda _: 10**12,
        )


@pytest.fixture(scope="module")
async def healthy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """Run the project's own PBX and the network its trunk leads to."""
    async with running_pair(tmp_path_factory.mktemp("site")) as (site, pbx, _carrier):
        yield Installation(site, write_settings(site, {}), (PBX_CONF, site.pbx_site.parent), recordings_of(pbx))


def recordings_of(pbx: Asterisk) -> Path:
    """Return the folder in which a PBX keeps the sound of talks."""
    return pbx.log_path.parent.parent / "spool" / "recording"


def found_in(findings: list[Finding]) -> dict[str, Finding]:
    """Return the findings by check."""
    return {one.check: one for one in findings}


def faults(findings: list[Finding]) -> dict[str, str]:
    """Return what must be put right: check to what was found."""
    return {one.check: one.found for one in findings if one.level is Level.FAULT}


async def test_the_projects_own_pbx_is_healthy(healthy: Installation) -> None:
    """Every check was made; that nobody has registered a phone is no fault."""
    findings = await healthy.examine()
    assert faults(findings) == {}
    assert not has_fault(findings)
    assert found_in(findings).keys() >= {
        "settings", "passwords", "network", "database", "disk (database)", "ARI", "ARI without password", "version",
        "modules", "application", "trunk", "agents", "prompts ja", "prompts en", "AMI", "AMI rights", "clock",
        "dialplan", "asterisk.conf", "http.conf", "ari.conf", "manager.conf", "extensions.conf",
    }  # fmt: skip
    assert found_in(findings)["agents"].found == "no phone registered for agent-1, agent-2"


async def test_a_wrong_password_is_told_for_the_door_it_does_not_open(healthy: Installation) -> None:
    """Once for ARI, once for AMI."""
    found = faults(
        await healthy.examine(
            ORIKAESHI_ARI_PASSWORD="wrong-but-long-enough-1", ORIKAESHI_AMI_PASSWORD="wrong-but-long-enough-2"
        )
    )
    assert found.keys() == {"ARI", "AMI"}
    assert "refuses the password of orikaeshi" in found["ARI"]
    assert "refuses orikaeshi: Authentication failed" in found["AMI"]


async def test_endpoints_that_the_pbx_does_not_know_are_told(healthy: Installation) -> None:
    """A slip in the settings, or a phone that was never added."""
    changes = {("dialer", "trunk"): '"ghost-trunk"', ("[agents]", "endpoint"): '"ghost"'}
    found = faults(await healthy.examine(changes=changes))
    assert found == {"trunk": "no PJSIP endpoint ghost-trunk", "agents": "no PJSIP endpoint ghost"}


@pytest.mark.parametrize(("ahead_s", "faulty"), [(-60.0, True), (-1.0, False), (1.0, False), (2.5, True)])
async def test_clocks_that_disagree_by_more_than_two_seconds_are_told(
    healthy: Installation, *, ahead_s: float, faulty: bool
) -> None:
    """Places in line are compared by time."""
    found = found_in(await healthy.examine(clock_ahead_s=ahead_s))
    assert (found["clock"].level is Level.FAULT) == faulty


async def test_who_holds_the_application_is_seen_and_subscribe_all_is_a_fault(healthy: Installation) -> None:
    """An application that is subscribed to everything can wedge ARI when it leaves."""
    site = healthy.site
    login = {"Authorization": aiohttp.encode_basic_auth(site.ari_user, site.ari_password)}
    async with aiohttp.ClientSession(headers=login) as session:
        before = found_in(await healthy.examine())["application"]
        async with session.ws_connect(f"{site.ari_url}/events", params={"app": "orikaeshi"}):
            held = found_in(await healthy.examine())["application"]
        async with session.ws_connect(f"{site.ari_url}/events", params={"app": "greedy", "subscribeAll": "true"}):
            greedy = faults(await healthy.examine())
    assert before.found == "orikaeshi: free, no controller is connected now"
    assert held.found == "orikaeshi: a controller is connected"
    assert greedy.keys() == {"application"}
    assert "greedy is subscribed to everything" in greedy["application"]


async def test_a_pbx_that_was_set_up_badly_is_found_out_through_its_own_doors(tmp_path: Path) -> None:
    """Missing modules and contexts, an AMI account that may do anything: none of it read from files."""
    site = provision(tmp_path / "home", agents=2, port_offset=os.getpid() % 700 + 1)
    conf = tmp_path / "conf"
    shutil.copytree(PBX_CONF, conf, ignore=shutil.ignore_patterns("prompts"))
    replace(conf / "modules.conf", "load = res_ari_playbacks.so", "")
    replace(conf / "modules.conf", "load = res_ari_recordings.so", "")
    replace(conf / "extensions.conf", "[from-agents]", "[from-elsewhere]")
    replace(site.pbx_site / "manager.conf", "write = system,reporting", "write = all")
    async with running(root_folder(), "bad", conf, site.pbx_site) as pbx:
        installation = Installation(site, write_settings(site, {}), (), recordings_of(pbx))
        found = faults(await installation.examine(changes=RECORDING))
    assert found.keys() == {"modules", "AMI rights", "dialplan", "recordings"}
    assert found["recordings"] == "not running: res_ari_recordings"
    assert found["modules"] == "not running: res_ari_playbacks"
    assert found["dialplan"] == "no context from-agents"
    assert found["AMI rights"].startswith("orikaeshi may do Command, Originate, Redirect, Setvar, UpdateConfig:")


async def test_a_pbx_that_cannot_record_is_told_where_a_queue_wants_it(healthy: Installation) -> None:
    """A folder that no package made; where nothing is recorded, nobody asks."""
    assert "recordings" not in found_in(await healthy.examine())
    assert found_in(await healthy.examine(changes=RECORDING))["recordings"].level is Level.OK
    away = healthy.recordings.rename(healthy.recordings.with_name("away"))
    found = await healthy.examine(changes=RECORDING)
    away.rename(healthy.recordings)
    assert faults(found).keys() == {"recordings"}
    assert "recording/" in found_in(found)["recordings"].remedy


async def test_a_run_with_a_wrong_ari_password_ends_with_one_clear_line(healthy: Installation) -> None:
    """Waiting does not help, so it does not wait; the log before it is JSON, and there is no traceback."""
    env = {"ORIKAESHI_ARI_PASSWORD": "wrong-but-long-enough-1", "ORIKAESHI_AMI_PASSWORD": healthy.site.ami_password}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", "run", "--settings", str(healthy.settings),
        env=env, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    *log, last = said.decode().splitlines()
    assert process.returncode == 1
    assert "refuses the ARI user 'orikaeshi': user name or password is wrong" in last
    assert all(json.loads(line)["event"] for line in log)


def replace(file: Path, old: str, new: str) -> None:
    """Replace `old`, which must be there, in `file`."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")

"""Starting, killing and cleaning up after real Asterisks."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from controller.provision import Site, provision
from lab.instance_folders import sweep
from lab.pbx import PBX_CONF, Asterisk, AsteriskFailed, running
from lab.rootfolder import root_folder

LAUNCHER = """
import asyncio, sys
from pathlib import Path
from lab.pbx import PBX_CONF, running
from lab.rootfolder import root_folder

async def main(site):
    async with running(root_folder(), "orphan", PBX_CONF, Path(site)) as asterisk:
        print(asterisk.pid, asterisk.log_path.parent.parent, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


def uids_of(pid: int) -> list[str]:
    """Return the real, effective, saved and file system user ids of a process (proc(5), status)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))


def modes(folder: Path, pattern: str) -> set[int]:
    """Return the permission bits that occur among what the pattern finds; an empty pattern is the folder."""
    found = folder.glob(pattern) if pattern else [folder]
    return {path.stat().st_mode & 0o777 for path in found}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Set up a site with ports of its own."""
    return provision(tmp_path, customers=1, port_offset=os.getpid() % 700 + 100)


async def test_an_asterisk_that_was_killed_comes_back_on_the_same_ports(site: Site) -> None:
    """Kill -9, start; then a restart in order; each time another process answers."""
    async with running(root_folder(), "pbx", PBX_CONF, site.pbx_site) as asterisk:
        first = asterisk.pid
        await asterisk.kill9()
        assert asterisk.pid is None
        with pytest.raises(AsteriskFailed):
            await asterisk.cli("core show version")
        await asterisk.start()
        second = asterisk.pid
        assert f":{site.ports.sip}" in await asterisk.cli("pjsip show transports")
        await asterisk.restart()
        assert "22." in await asterisk.cli("core show version")
        assert len({first, second, asterisk.pid}) == 3
        assert asterisk.complaints == []


async def test_asterisk_runs_as_its_own_user_and_keeps_the_secrets_to_itself(site: Site) -> None:
    """Not as root, and nobody but that user reads what holds passwords."""
    async with running(root_folder(), "pbx", PBX_CONF, site.pbx_site) as asterisk:
        assert asterisk.pid is not None
        assert "0" not in uids_of(asterisk.pid)
        folder = asterisk.log_path.parent.parent
        assert modes(folder, "") == {0o700}
        assert modes(folder, "etc/*.conf") == modes(folder, "etc/site/*.conf") == {0o600}
    assert modes(folder.parent, folder.name) == set()


async def test_an_asterisk_that_cannot_start_says_why(site: Site) -> None:
    """Its own last words are in the message: here a file of the site is missing."""
    (site.pbx_site / "pjsip.conf").unlink()
    asterisk = Asterisk(root_folder(), "pbx", PBX_CONF, site.pbx_site)
    try:
        await asterisk.start()
        assert any("pjsip.conf" in line for line in asterisk.complaints)
        (site.pbx_site / "globals.conf").write_text("[broken", encoding="utf-8")
        await asterisk.restart()
        assert any("extensions.conf" in line for line in asterisk.complaints)
    finally:
        await asterisk.stop()
    missing = Asterisk(root_folder(), "pbx", site.home, None)
    with pytest.raises(AsteriskFailed, match="asterisk"):
        await missing.start()
    await missing.stop()


async def test_what_a_killed_launcher_left_behind_is_swept_away_and_nothing_else(site: Site) -> None:
    """Kill -9 of the process that started it: its Asterisk ends and its folder goes; ours runs on."""
    async with running(root_folder(), "pbx", PBX_CONF, site.pbx_site) as ours:
        theirs = provision(site.home / "other", customers=1, port_offset=os.getpid() % 700 + 200)
        launcher = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LAUNCHER, str(theirs.pbx_site), stdout=asyncio.subprocess.PIPE
        )
        assert launcher.stdout is not None
        pid, place = (await launcher.stdout.readline()).decode().split()
        folder = Path(place)
        watch = os.pidfd_open(int(pid))
        launcher.send_signal(signal.SIGKILL)
        await launcher.communicate()
        assert modes(folder.parent, folder.name) == {0o700}

        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(watch, gone.set)
        assert folder.name in await asyncio.to_thread(sweep, root_folder())
        async with asyncio.timeout(5):
            await gone.wait()
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
        assert modes(folder.parent, folder.name) == set()
        assert "Asterisk" in await ours.cli("core show version")

"""The door of a cluster: Kamailio as the process that it is, from a root folder with Debian's package.

    python -m lab.cluster_door        builds the folder when it is missing, and prints where it is

A folder of its own, and not Debian's package on this machine: that would start a service, and would be another version
than the image has (docker/kamailio/Dockerfile).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.rootfolder import REPOSITORY, SUITE, RootFolderError, bootstrap, locked, need_mmdebstrap, remove_unfinished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONF: Final = REPOSITORY / "docker" / "kamailio" / "kamailio.cfg"
PACKAGES: Final = ("kamailio",)
USER: Final = "kamailio"
READY_S: Final = 15.0
_PARENT: Final = "srv/door"
_TARGET: Final = re.compile(r"URI: (?P<uri>\S+)\s+FLAGS: (?P<flags>[A-Z]+)")
_serial: Final = itertools.count(1)


class DoorFailedError(Exception):
    """Kamailio did not start, or does not find its Asterisks; the message carries its own last words."""


def door_root() -> Path:
    """Return the root folder, building it first when it is missing (half a minute, progress on stderr).

    Raises RootFolderError: not root, not Debian or Ubuntu, no network, a disc that is full.
    """
    if os.geteuid() != 0:
        raise RootFolderError("Running Kamailio without Docker needs root (chroot). Start this as root.")
    cache = Path(os.environ.get("ORIKAESHI_CACHE") or Path.home() / ".cache" / "orikaeshi")
    root = cache / f"door-{SUITE}-1"
    if not root.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / "door.lock"):
            if not root.exists():
                _build(root)
    _sweep(root)
    return root


def _build(root: Path) -> None:
    """Build beside, then rename: whoever sees the folder sees a whole one."""
    need_mmdebstrap()
    beside = root.with_name(f"unfinished-{root.name}")
    if beside.exists():
        remove_unfinished(beside)
    sys.stderr.write(f"building {root} (Debian {SUITE} with Kamailio, once; half a minute)\n")
    try:
        bootstrap(beside, PACKAGES)
        beside.rename(root)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove the folders of launchers that are gone; their Kamailios went with them."""
    for folder in (root / _PARENT).glob("*-*"):
        if not Path(f"/proc/{folder.name.partition('-')[0]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


class Door:
    """One Kamailio: `await start()`, `await stop()`; between them it may be killed and started again."""

    def __init__(self, root: Path, site_dir: Path) -> None:
        """Nothing happens yet. `root` is `door_root()`, `site_dir` what `provision_cluster` wrote."""
        self._root = root
        self._site_dir = site_dir
        self._inside = f"/{_PARENT}/{os.getpid()}-{next(_serial)}"
        self._folder = root / self._inside[1:]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """Everything that it said, over all starts."""
        path = self._folder / "log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def check(self, conf: Path = CONF) -> str:
        """Have Kamailio read its configuration and end (`kamailio -c`); return what it complains of."""
        self._fill(conf)
        done = subprocess.run(  # noqa: S603 - fixed commands, no shell
            self._command("-c"), capture_output=True, text=True, errors="replace", check=False
        )
        said = "\n".join(line for line in done.stderr.splitlines() if re.search("ERROR|CRITICAL|WARNING", line))
        return said if done.returncode == 0 else said or f"exit code {done.returncode}"

    async def start(self) -> None:
        """Start it, and return when it takes questions. Raises DoorFailedError."""
        await asyncio.to_thread(self._fill, CONF)
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig=TERM"),
                *self._command("-DD", "-u", USER, "-g", USER),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while self._process.returncode is None:
                    if "uptime" in await self.ask("core.uptime"):
                        return
                    await asyncio.sleep(0.05)
        await self.stop()
        raise DoorFailedError(f"Kamailio did not start. Its last words:\n{self._last_words()}")

    async def until_open(self, *, lives: int, timeout_s: float = READY_S) -> None:
        """Return when so many Asterisks live, as it sees them. Raises DoorFailedError."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if sum((await self.targets()).values()) == lives:
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            seen = await self.targets()
            raise DoorFailedError(f"not {lives} Asterisks live, but {seen}:\n{self._last_words()}") from None

    async def targets(self) -> dict[str, bool]:
        """Return each Asterisk's SIP address, and whether it gets new calls: one answer may be missing (T, trying)."""
        said = " ".join((await self.ask("dispatcher.list")).split())
        return {found["uri"]: found["flags"][0] in "AT" for found in _TARGET.finditer(said)}

    async def ask(self, *words: str) -> str:
        """Give one command to `kamcmd`; return what it printed, also when it could not reach Kamailio."""
        process = await asyncio.create_subprocess_exec(
            *("chroot", str(self._root), "kamcmd", "-s", f"unix:{self._inside}/ctl", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return said.decode(errors="replace")

    async def stop(self) -> None:
        """End it, and wait until it has ended. Harmless when it is not running. Its folder stays for `start`."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def close(self) -> None:
        """End it and remove its folder."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _command(self, *options: str) -> list[str]:
        conf = f"{self._inside}/kamailio.cfg"
        return ["chroot", str(self._root), "kamailio", *options, "-w", self._inside, "-f", conf]

    def _fill(self, conf: Path) -> None:
        """Put the configuration together: the static file, and the site's part beside it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Kamailio makes its socket there, as a user of its own; and reads what belongs to root.
        self._folder.chmod(0o777)
        shutil.rmtree(self._folder / "site", ignore_errors=True)
        shutil.copytree(self._site_dir, self._folder / "site")
        shutil.copyfile(conf, self._folder / "kamailio.cfg")
        with (self._folder / "site" / "site.cfg").open("a", encoding="utf-8") as file:
            file.write(f'#!define CTL "unix:{self._inside}/ctl"\n')
        for path in (self._folder / "site", *(self._folder / "site").iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def _last_words(self) -> str:
        return "\n".join(self.log.splitlines()[-12:]) or "(nothing was said)"


@asynccontextmanager
async def running_door(site_dir: Path) -> AsyncIterator[Door]:
    """Run Kamailio until the context is left. Raises RootFolderError, DoorFailedError."""
    door = Door(await asyncio.to_thread(door_root), site_dir)
    try:
        await door.start()
        yield door
    finally:
        await door.close()


def main() -> int:
    """Print where the root folder is, and return 0; or say on stderr why there is none, and return 2."""
    try:
        print(door_root())
    except RootFolderError as error:
        sys.stderr.write(f"root folder: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

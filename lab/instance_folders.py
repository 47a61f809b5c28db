"""The folders of one Asterisk instance inside the root folder, and the sweeping of those left behind."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PARENT: Final = "srv/orikaeshi"
_CONF: Final = re.compile(rf"/{_PARENT}/(?P<leaf>.+-\d+-\d+-\d+)/etc/asterisk\.conf")
_RUNTIME: Final = ("run", "log", "lib", "cache", "spool/recording", "spool/tmp")


@dataclass(frozen=True)
class Folders:
    """Where one instance keeps its files. Its name tells who started it: NAME-PID-TICKS-SERIAL."""

    host: Path
    """The folder as this process sees it."""
    inside: str
    """The same folder as Asterisk sees it, after chroot."""
    uid: int
    gid: int

    @classmethod
    def new(cls, root: Path, name: str, serial: int) -> Folders:
        """Choose the folder for an instance that this process starts. Nothing is written yet."""
        pid = os.getpid()
        leaf = f"{name}-{pid}-{_started_ticks(pid)}-{serial}"
        uid, gid = _asterisk_user(root)
        return cls(host=root / _PARENT / leaf, inside=f"/{_PARENT}/{leaf}", uid=uid, gid=gid)

    @property
    def conf(self) -> str:
        """The path of asterisk.conf as Asterisk sees it."""
        return f"{self.inside}/etc/asterisk.conf"

    def fill(self, conf_dir: Path, site_dir: Path | None) -> None:
        """Make the folders, copy the configuration in, and give all of it to the user asterisk alone."""
        self.host.parent.mkdir(parents=True, exist_ok=True)
        self.host.mkdir(mode=0o700, exist_ok=True)
        etc = self.host / "etc"
        shutil.rmtree(etc, ignore_errors=True)
        shutil.copytree(conf_dir, etc, ignore=shutil.ignore_patterns("prompts", "site"))
        if site_dir is not None:
            shutil.copytree(site_dir, etc / "site")
        for name in _RUNTIME:
            (self.host / name).mkdir(parents=True, exist_ok=True)
        # What is the site's own in it cannot be included: Asterisk reads this file before it knows where it is.
        own = etc / "site" / "asterisk.conf"
        with (etc / "asterisk.conf").open("a", encoding="utf-8") as file:
            file.write(self._directories() + (own.read_text("utf-8") if own.exists() else ""))
        self._hand_over()

    def _directories(self) -> str:
        places = {
            "astetcdir": "etc",
            "astvarlibdir": "lib",
            "astdbdir": "lib",
            "astkeydir": "lib",
            "astcachedir": "cache",
            "astspooldir": "spool",
            "astrundir": "run",
            "astlogdir": "log",
        }
        lines = [f"{key} => {self.inside}/{folder}" for key, folder in places.items()]
        return "\n[directories]\nastdatadir => /usr/share/asterisk\n" + "\n".join(lines) + "\n"

    def _hand_over(self) -> None:
        for folder, _, files in os.walk(self.host):
            os.chown(folder, self.uid, self.gid)
            Path(folder).chmod(0o700)
            for file in files:
                path = Path(folder) / file
                os.chown(path, self.uid, self.gid)
                path.chmod(0o600)


def sweep(root: Path) -> list[str]:
    """Kill the Asterisks whose launcher is dead and remove their folders; return the names of those folders.

    A launcher that was killed with -9 cannot clean up after itself. Instances of live launchers are left alone.
    """
    _kill_stale()
    swept = []
    for folder in sorted((root / _PARENT).glob("*-*-*-*")):
        if not _has_launcher(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder.name)
    return swept


def _has_launcher(leaf: str) -> bool:
    """Tell whether the process that chose this folder name is still there."""
    _, pid, ticks, _ = leaf.rsplit("-", 3)
    return pid.isdecimal() and str(_started_ticks(int(pid))) == ticks


def _kill_stale() -> None:
    """Kill every Asterisk whose command line names a folder of a launcher that is gone."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):  # it ended while we looked
            command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            named = [match for word in command if (match := _CONF.fullmatch(word))]
            if named and not _has_launcher(named[0]["leaf"]):
                os.kill(int(entry.name), signal.SIGKILL)


def _started_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot (proc(5), stat, field 22); -1 when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    state, _, _, *rest = stat.rpartition(")")[2].split()
    return -1 if state == "Z" else int(rest[16])


def _asterisk_user(root: Path) -> tuple[int, int]:
    """(uid, gid) of the user asterisk inside the root folder. Raises ValueError when there is none."""
    for line in (root / "etc" / "passwd").read_text(encoding="utf-8").splitlines():
        name, _, uid, gid, *_ = line.split(":")
        if name == "asterisk":
            return int(uid), int(gid)
    raise ValueError(f"{root} holds no user asterisk; delete the folder, it is then built again")

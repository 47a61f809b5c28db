"""What a process and all that it started have used, from /proc (proc(5)): CPU seconds and memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14
"""Where they stand in /proc/PID/stat, counted from the state."""


@dataclass(frozen=True, slots=True)
class Used:
    """CPU time since the processes began; memory as it is now."""

    cpu_s: float
    """Of the process, its threads, its living children and those that it waited for; in steps of 10 ms."""
    pss_kb: int
    """Proportional set size: what is shared counts for each by its part (1 kB = 1,024 bytes)."""


def used_by(pid: int, *, memory: bool = False) -> Used:
    """Return what a process tree has used; without `memory`, which costs milliseconds, `pss_kb` is 0.

    Raises ProcessLookupError when there is no such process.
    """
    family = tree_of(pid)
    ticks = sum(_ticks(each) for each in family)
    return Used(ticks / _TICKS_PER_S, sum(_pss_kb(each) for each in family) if memory else 0)


def tree_of(pid: int) -> list[int]:
    """Return a process and its living descendants, itself first. Raises ProcessLookupError when it is not there."""
    if not _stat(pid):
        raise ProcessLookupError(f"there is no process {pid}")
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PPID]), []).append(int(entry.name))
    family, at = [pid], 0
    while at < len(family):
        family += children.get(family[at], [])
        at += 1
    return family


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return sum(int(fields[at]) for at in (_UTIME, _STIME, _CUTIME, _CSTIME)) if fields else 0


def _stat(pid: int) -> list[str]:
    """Return the fields from the state on; none when the process is gone."""
    try:
        # The name stands in brackets and may hold anything, brackets and blanks too.
        return Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)

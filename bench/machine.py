"""What a measurement ran on, in one line: figures of another machine are other figures."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from controller.system_clock import SystemClock


def this_machine() -> str:
    """Return the date, processor, memory, kernel, Python, and how busy the machine is already."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{SystemClock().now():%Y-%m-%d}, {len(os.sched_getaffinity(0))} x {_processor()}, {memory_gb:.0f} GB, "
        f"Linux {platform.release()}, Python {platform.python_version()}; load before: {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    """Return the processor's name (proc(5), /proc/cpuinfo; some architectures tell none)."""
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return named[1] if named else platform.machine()

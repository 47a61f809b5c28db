"""Measurements for the tests of the command: one that works, by the name of this module, and one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.results import Options, Row

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "failing"


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Fail, unless only a quick look is wanted."""
    tell("looks")
    if not options.quick:
        raise RuntimeError("the PBX is on fire")
    return [Row(NAME, "p50", "ms", 2.0, 600.0, "app_queue", goal=5.0)]

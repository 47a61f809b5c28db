"""Days, one after the other, in as many processes as there are."""

from __future__ import annotations

import gc
import logging
import multiprocessing
from typing import TYPE_CHECKING

import structlog

from tests.simulation.report import DayReport, play_day

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS_AT_ONCE = 5
"""How many days a process plays before it hands them in and clears up."""


def reports(seed: int, numbers: range, processes: int) -> Iterator[DayReport]:
    """Play days in several processes, and yield them in their order."""
    work = [(seed, list(numbers[at : at + DAYS_AT_ONCE])) for at in range(0, len(numbers), DAYS_AT_ONCE)]
    if processes == 1:
        be_quiet()
        for each in work:
            yield from play_days(each)
        return
    with multiprocessing.get_context("spawn").Pool(processes, initializer=be_quiet) as pool:
        for some in pool.imap(play_days, work):
            yield from some


def play_days(work: tuple[int, list[int]]) -> list[DayReport]:
    """Play some days."""
    played = [play_day(work[0], number) for number in work[1]]
    gc.collect()  # Nothing of a day is needed after it; looking for it while it is played takes a tenth of the time.
    return played


def be_quiet() -> None:
    """Write no log, and collect no garbage in the middle of a day."""
    gc.disable()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=True
    )
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # A killed controller leaves tasks behind, which it says.

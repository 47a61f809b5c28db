"""The commands that show how the line did: announced waits against the true ones, and who was served in which order."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, settings_with_database
from controller.domain.quote_coverage import by_queue, coverage
from controller.store.listing import list_decisions, list_waits
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from controller.domain.line import Decision
    from controller.domain.quote_coverage import Coverage

_KNOWN = """
known: were served, or left after the far end of what they were told. Who left before it shows nothing.
sooner, later: were served before the near end; waited beyond the far end."""


async def waits(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Hold the announced waits of the last `arguments.days` days against the true ones."""
    settings = settings_with_database(arguments, env)
    now = SystemClock().now()
    found = await list_waits(settings.database_url, since=now - timedelta(days=arguments.days), until=now)
    tallies, total = by_queue(found), coverage(found)
    rows = [_tally_cells(name, tally) for name, tally in (*tallies.items(), ("all", total))] if found else []
    headings = ["queue", "announced", "known", "in the range", "sooner", "later", "mean width"]
    text = listed(headings, rows, f"announced waits in the last {arguments.days} days")
    data = {
        "days": arguments.days,
        "queues": {name: _tally_data(tally) for name, tally in tallies.items()},
        "all": _tally_data(total),
    }
    return Report(text + (f"\n{_KNOWN}" if found else ""), data)


async def line(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """List the line's decisions: who got which agent, and who was passed by it."""
    settings = settings_with_database(arguments, env)
    found = await list_decisions(settings.database_url, queue=arguments.queue, limit=arguments.limit)
    zone = ZoneInfo(settings.dialer.time_zone)
    rows = [
        [
            local(one.at, zone),
            one.queue,
            one.kind.value,
            one.waiter_id,
            one.agent,
            local(one.since, zone),
            str(one.place),
            one.reason.value,
            " ".join(one.passed) or "-",
        ]
        for one in found
    ]
    headings = ["time", "queue", "who", "call or promise", "agent", "in line since", "place", "why", "passed"]
    return Report(listed(headings, rows, "decisions"), {"decisions": [_decision_data(one) for one in found]})


def _tally_cells(name: str, tally: Coverage) -> list[str]:
    shares = (tally.within_percent, tally.below_percent, tally.above_percent)
    width_min = "-" if tally.mean_width_s is None else f"{tally.mean_width_s / 60:.1f} min"
    return [
        name,
        str(tally.known + tally.unknown),
        str(tally.known),
        *("-" if share is None else f"{share:.1f} %" for share in shares),
        width_min,
    ]


def _tally_data(tally: Coverage) -> dict[str, Any]:
    shares = {
        "within_percent": tally.within_percent,
        "below_percent": tally.below_percent,
        "above_percent": tally.above_percent,
    }
    data = asdict(tally)
    del data["width"]
    return {**data, "mean_width_s": tally.mean_width_s, "known": tally.known, **shares}


def _decision_data(one: Decision) -> dict[str, Any]:
    return {
        **asdict(one),
        "at": one.at.isoformat(),
        "kind": one.kind.value,
        "since": one.since.isoformat(),
        "passed": list(one.passed),
        "due_at": None if one.due_at is None else one.due_at.isoformat(),
        "reason": one.reason.value,
    }

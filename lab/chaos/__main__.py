"""`python -m lab.chaos`: every fault on a real stack, judged by the ledger; one table; exit 1 unless all is well."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console

from lab.chaos import cluster_faults, crash_sweep, faults, sms_faults, standby_faults
from lab.chaos.bench import RULES, Bench, running_bench
from lab.chaos.cluster_bench import ClusterBench, running_cluster_bench
from lab.chaos.figures import Figures, markdown, table
from lab.controller_process import ControllerFailedError
from lab.ledger.facts import Kind
from lab.ledger.judge import judge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from lab.controller_process import ControllerProcess

    Fault = Callable[[Bench, Figures, int], Awaitable["ControllerProcess | None"]]
    ClusterFault = Callable[[ClusterBench, Figures, int], Awaitable[None]]

AnyBench = TypeVar("AnyBench", bound=Bench)
FAULTS: dict[str, tuple[Fault, int, int]] = {
    "no fault": (faults.nothing, 3, 30),
    "crash points": (crash_sweep.crash_points, 20, 20),
    "kill -9 under load": (faults.kill9, 50, 1000),
    "Asterisk killed": (faults.pbx_killed, 3, 20),
    "event socket cut": (faults.event_socket_cut, 2, 20),
    "stopped past its lease": (standby_faults.stopped, 3, 20),
    "started twice": (standby_faults.started_twice, 3, 20),
    "database locked": (faults.database_locked, 3, 20),
    "database read-only": (faults.disc_read_only, 2, 10),
    "disc full": (faults.disc_full, 2, 10),
    "provider misbehaves": (sms_faults.provider_misbehaves, 2, 20),
    "killed while texting": (sms_faults.killed_while_texting, 30, 500),
    "one link, many at once": (sms_faults.one_link_many_at_once, 5, 50),
    "forged webhooks": (sms_faults.forged_webhooks, 1000, 50_000),
    "clock stepped": (crash_sweep.clock_stepped, 1, 5),
}
"""By name: what is done, how often, and how often with --long."""
CLUSTER_FAULTS: dict[str, tuple[ClusterFault, int, int]] = {
    "owner killed": (cluster_faults.owner_killed, 20, 200),
    "owner stopped past its lease": (cluster_faults.owner_stopped, 3, 20),
    "PostgreSQL killed": (cluster_faults.database_killed, 4, 20),
    "one Asterisk of two killed": (cluster_faults.one_asterisk_killed, 3, 20),
}
"""The same for two Asterisks and two controllers."""
NO_GAPS = frozenset({"clock stepped"})
"""Faults during which a gap by the controller's clock is not one by ours."""


def main(argv: list[str] | None = None) -> int:
    """Do the faults, print the table; return 0 when every zero is zero, else 1."""
    arguments = _parser().parse_args(argv)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 160)
    console.print(f"seed {seed}: the same faults at the same moments again with SEED={seed}")
    began_s = time.monotonic()
    rows = asyncio.run(_run(arguments, seed, console))
    title = f"seed {seed}, {os.cpu_count()} cores, {platform.machine()}, {(time.monotonic() - began_s) / 60:.1f} min"
    if arguments.json:
        print(json.dumps({"seed": seed, "rows": [row.as_data() for row in rows]}, indent=2))
    elif arguments.markdown:
        print(markdown(rows))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table(rows, title=title))
    return 0 if all(row.is_good for row in rows) else 1


async def _run(arguments: argparse.Namespace, seed: int, console: Console) -> list[Figures]:
    names = arguments.only or [*FAULTS, *CLUSTER_FAULTS]
    rows = await _all_of(FAULTS, running_bench, [name for name in names if name in FAULTS], arguments, seed, console)
    of_cluster = [name for name in names if name in CLUSTER_FAULTS]
    return rows + await _all_of(CLUSTER_FAULTS, running_cluster_bench, of_cluster, arguments, seed, console)


async def _all_of(
    faults: Mapping[str, tuple[Callable[[AnyBench, Figures, int], Awaitable[ControllerProcess | None]], int, int]],
    running: Callable[[Path, random.Random], AbstractAsyncContextManager[AnyBench]],
    names: Sequence[str],
    arguments: argparse.Namespace,
    seed: int,
    console: Console,
) -> list[Figures]:
    rows: list[Figures] = []
    if not names:
        return rows
    with tempfile.TemporaryDirectory(prefix="orikaeshi-chaos-", ignore_cleanup_errors=True) as folder:
        async with running(Path(folder), random.Random(seed)) as bench:  # noqa: S311 - repeats a run, guards nothing
            for name in names:
                fault, times, long_times = faults[name]
                wanted = arguments.times or (long_times if arguments.long else times)
                # What a fault draws does not depend on the faults before it.
                bench.rng = bench.post.rng = random.Random(f"{seed} {name}")  # noqa: S311
                console.print(f"{name} ...")
                row = await do(bench, name, fault, wanted)
                console.print(table([row], title="; ".join(row.broken)) if row.is_good else "", *row.notes, sep="\n")
                rows.append(row)
                if arguments.keep:
                    await asyncio.to_thread(keep, Path(folder), arguments.keep)
    return rows


def keep(folder: Path, kept: Path) -> None:
    """Copy the ledger, the SMS and the controller's log to where they outlive the run."""
    kept.mkdir(parents=True, exist_ok=True)
    for file in (*folder.glob("*.jsonl"), *folder.glob("*.log")):
        (kept / file.name).write_bytes(file.read_bytes())


async def do(
    bench: AnyBench,
    name: str,
    fault: Callable[[AnyBench, Figures, int], Awaitable[ControllerProcess | None]],
    times: int,
) -> Figures:
    """Do one fault, let what is owed be done, and have it judged."""
    figures = Figures(name)
    bench.since, bench.pbx_kills = len(bench.ledger.facts()), 0
    bench.post.trouble.clear()
    try:
        controller = await fault(bench, figures, times)
        figures.broken += await bench.settle()
        if controller is not None:
            await controller.stop()
    except Exception as error:  # noqa: BLE001 - one fault that cannot be done must not hide the others
        inside = getattr(error, "exceptions", ())
        figures.broken.append("; ".join(f"{type(one).__name__}: {one}" for one in (error, *inside)))
        await bench.end_controllers()
        # What was promised is owed all the same, and must not be taken for the next fault's.
        with suppress(ControllerFailedError):
            await bench.another().start()
        figures.broken += await bench.settle()
    finally:
        figures.broken += bench.post.trouble
        await bench.end_controllers()
        await bench.until_judged.aclose()
    seen = bench.ledger.facts()[bench.since :]
    if sum(fact.kind is Kind.PBX_GONE for fact in seen) > bench.pbx_kills:
        figures.broken.append("the ledger lost sight of the PBX: what happened then was not judged")
    rules = replace(RULES, gap_s=0) if name in NO_GAPS else RULES
    figures.judged(seen, judge(seen, rules))
    figures.notes += figures.broken
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.chaos", description="Faults on purpose, judged from outside.")
    parser.add_argument("--seed", type=int, help="repeat a run (default: drawn, and printed)")
    parser.add_argument("--long", action="store_true", help="many more of each")
    parser.add_argument(
        "--only", action="append", choices=[*FAULTS, *CLUSTER_FAULTS], help="this fault alone; may be repeated"
    )
    parser.add_argument("--times", type=int, help="do each so often")
    parser.add_argument("--json", action="store_true", help="print the rows for a program")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/reliability.md")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the ledger and the controller's log there")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""python -m tests.simulation --days 10000 --seed N: plays whole days and prints a table.

Every day is made from two numbers, the seed and its own: `--seed N --day K` plays it again, word for word.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time

from tests.simulation.playing import be_quiet, reports
from tests.simulation.report import Total, play_day

TELL_EVERY_S = 10.0


def main() -> int:
    """Play the days that were asked for. Returns 1 when anything was found that must never happen."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=200, help="how many days to play")
    parser.add_argument("--seed", type=int, help="the world; without, a fresh one is taken and printed")
    parser.add_argument("--day", type=int, help="play this one day, and print its story")
    parser.add_argument("--first", type=int, default=0, help="the number of the first day")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print the total as JSON, and nothing else to stdout")
    options = parser.parse_args()
    if "PYTHONHASHSEED" not in os.environ:  # The order of a set of names is part of a story.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - ourselves again
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    if options.day is not None:
        return tell_day(seed, options.day)
    began = time.monotonic()
    total = Total()
    told_at = began
    print(f"seed {seed}", file=sys.stderr)  # noqa: T201 - what the command is for, as below
    for report in reports(seed, range(options.first, options.first + options.days), options.processes):
        total.add(report)
        for violation in report.violations:
            print(f"{report.again}: {violation.at_s:.3f} {violation.kind}: {violation.what}", file=sys.stderr)  # noqa: T201
        if time.monotonic() > told_at + TELL_EVERY_S:
            told_at = time.monotonic()
            print(f"{total.days} of {options.days} days, {told_at - began:.0f} s", file=sys.stderr)  # noqa: T201
    took_s = time.monotonic() - began
    if options.json:
        print(json.dumps({"seed": seed, "took_s": round(took_s, 1), **total.as_json()}))  # noqa: T201
    else:
        print(f"{total.table()}\n\nseed {seed}, {took_s:.0f} s")  # noqa: T201
    return int(bool(total.found))


def tell_day(seed: int, number: int) -> int:
    """Play one day and print all that was seen of it."""
    be_quiet()
    report = play_day(seed, number, with_story=True)
    print("\n".join(report.story))  # noqa: T201
    for violation in report.violations:
        print(f"{violation.at_s:10.3f} {violation.kind.upper()}: {violation.what}")  # noqa: T201
    return int(bool(report.violations))


if __name__ == "__main__":
    sys.exit(main())

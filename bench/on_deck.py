"""Customer first against agent first, in busy hours: what it saves the agents, and how many customers it leaves alone.

There are always promises in line, and callers come as well; all are served in the order in which they came. The dials
are started by the real rules (`controller/domain/on_deck.py`) from what they measure themselves. idle: seconds in which
agents neither talked nor wrapped up, by customer who was talked with. abandoned: of the customers who confirmed, those
who hung up before an agent was there. wait: the mean time from the key to the agent. ahead: dials that were started
before an agent was free.

.venv/bin/python -m bench.on_deck     # some minutes; 150 hours each way of 7 centres; --hours 20 for a first look
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from bench.busy_hours import BusyHours, Scenario
from controller.domain.on_deck import Pace

SEED = 20261122
ROWS = [("agent first", Pace.AGENT_FIRST), ("customer first, agent kept", Pace.WHEN_FREE), ("on deck", Pace.AHEAD)]
SCENARIOS = [
    ("3 agents", Scenario(3)),
    ("10 agents", Scenario(10)),
    ("10, no callers", Scenario(10, callers=0.001)),
    ("10, callers most of the time", Scenario(10, callers=0.6)),
    ("10, even calls (cv 0.4)", Scenario(10, cv=0.4)),
    ("10, half are reached", Scenario(10, reached_share=0.5)),
    ("10, nobody is patient at all", Scenario(10, patient_s=0.0)),
    ("30 agents", Scenario(30)),
]


def row(job: tuple[str, Scenario, str, Pace, float]) -> str:
    """Return one line of the table."""
    name, scenario, way, pace, hours = job
    told = BusyHours(scenario, pace, hours, SEED).run()
    wait_s = sum(told.waits_s) / len(told.waits_s) if told.waits_s else 0.0
    return (
        f"{name:30} {way:27} {told.kept:7} {told.idle_s / told.talked:6.1f} "
        f"{100 * told.abandoned / max(1, told.confirmed):9.2f} % {wait_s:5.1f} {100 * told.ahead / told.dials:6.1f} %"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=150.0)
    hours = parser.parse_args().hours
    sys.stdout.write(f"{'':30} {'':27} {'kept':>7} {'idle':>6} {'abandoned':>11} {'wait':>5} {'ahead':>8}\n")
    jobs = [(name, scenario, way, pace, hours) for name, scenario in SCENARIOS for way, pace in ROWS]
    with ProcessPoolExecutor(max_workers=2) as pool:
        for line in pool.map(row, jobs):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

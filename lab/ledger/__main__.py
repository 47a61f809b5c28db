"""`python -m lab.ledger`: a process of its own that writes down what happened; and `--judge` reads it.

Watching needs --carrier-site, --pbx-ari, --post and --out, and in the environment ORIKAESHI_ARI_PASSWORD, or for each
Asterisk of several its own, as a controller does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from lab.ami_socket import far_end_login
from lab.ledger.facts import read_facts
from lab.ledger.judge import judge
from lab.ledger.rules import Rules
from lab.ledger.watching import Ledger


def main(argv: list[str] | None = None) -> int:
    """Watch until SIGTERM, or judge; return 0, or 1 when there are faults."""
    arguments = _parser().parse_args(argv)
    if arguments.judge:
        findings = judge(read_facts(arguments.judge), Rules())
        for one in findings:
            print(f"{one.at_s:.3f} {one.fault} {one.number}: {one.why}")
        return 1 if findings else 0
    with suppress(asyncio.CancelledError):
        asyncio.run(_watch(arguments))
    return 0


async def _watch(arguments: argparse.Namespace) -> None:
    mine = asyncio.current_task()
    if mine is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, mine.cancel)
    with arguments.out.open("a", encoding="utf-8") as out:
        ledger = Ledger(out)
        async with asyncio.TaskGroup() as ears:
            ears.create_task(ledger.watch_carrier(far_end_login(arguments.carrier_site)))
            for said in arguments.pbx_ari:
                name, _, url = said.rpartition("=")
                end = f"_{name.upper().replace('-', '_')}" if name else ""
                password = os.environ[f"ORIKAESHI_ARI_PASSWORD{end}"]
                ears.create_task(ledger.watch_pbx(url, arguments.ari_user, password, pbx=name))
            for path in arguments.post:
                ears.create_task(ledger.watch_post(path))
            if arguments.blocked:
                ears.create_task(ledger.watch_blocked(arguments.blocked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.ledger", description="What happened, as seen from outside.")
    parser.add_argument("--judge", type=Path, metavar="FILE", help="judge a ledger with the default rules, and end")
    parser.add_argument("--carrier-site", type=Path, help="the folder with the carrier's manager.conf")
    parser.add_argument(
        "--pbx-ari",
        action="append",
        help="the PBX's ARI, as http://127.0.0.1:8088/ari; of several each one's, as pbx-1=http://127.0.0.1:8088/ari",
    )
    parser.add_argument("--ari-user", default="orikaeshi")
    parser.add_argument("--post", type=Path, action="append", default=[], help="what was written; may be repeated")
    parser.add_argument("--blocked", type=Path, help="a file of numbers that must not be called once they stand there")
    parser.add_argument("--out", type=Path, help="where the facts are written, one a line")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""`python -m lab demo` and `python -m lab up`: see it work, and try it by hand."""

from __future__ import annotations

import argparse
import importlib
import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code (2 when this machine cannot run it)."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="Orikaeshi on this machine, with no trunk.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    demo = commands.add_parser("demo", help="a busy spell with simulated phones, one to two minutes, watched live")
    demo.add_argument("--language", choices=["en", "ja"], default="en", help="what the callers hear (default: en)")
    up = commands.add_parser("up", help="run everything until Ctrl-C, and print accounts for softphones")
    up.add_argument(
        "--bind",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address that phones reach Asterisk at; 0.0.0.0 is every address of this machine (default: 127.0.0.1)",
    )
    arguments = parser.parse_args(argv)
    # Only the one that was asked for is loaded: the demo needs packages that `up` does without.
    module = importlib.import_module(f"lab.{arguments.command}")
    code: int = module.main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())

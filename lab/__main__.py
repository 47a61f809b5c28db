"""`python -m lab demo` and `python -m lab up`: see it work, and try it by hand."""

from __future__ import annotations

import argparse
import importlib
import sys

from controller.provision import ProvisionError
from controller.settings import SettingsError
from lab.controller_process import ControllerFailedError
from lab.docker_engine import DockerFailedError
from lab.pbx import AsteriskFailed
from lab.rootfolder import RootFolderError
from lab.up import NotNowError

EXIT_FAILED = 1
EXIT_CANNOT = 2
"""This machine, or the settings, do not serve."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, 1 when something failed, 2 when it cannot be run here."""
    arguments = _parser().parse_args(argv)
    # Only the one that was asked for is loaded: the demo needs packages that `up` does without.
    module = importlib.import_module(f"lab.{arguments.command}")
    try:
        code: int = module.main(arguments)
    except (RootFolderError, SettingsError) as error:
        return _said(error, EXIT_CANNOT)
    except (NotNowError, ProvisionError, DockerFailedError, AsteriskFailed, ControllerFailedError, OSError) as error:
        return _said(error, EXIT_FAILED)
    except KeyboardInterrupt:
        return _said("interrupted", EXIT_FAILED)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Orikaeshi on this machine, with no trunk.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    demo = commands.add_parser("demo", help="a busy spell with simulated phones, about three minutes, watched live")
    demo.add_argument("--language", choices=("ja", "en"), default="en", help="what the callers hear (default: en)")
    up = commands.add_parser("up", help="run everything until Ctrl-C, and print accounts for softphones")
    up.add_argument(
        "--bind",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address that phones reach Asterisk at; 0.0.0.0 is every address of this machine (default: 127.0.0.1)",
    )
    return parser


def _said(what: object, code: int) -> int:
    sys.stderr.write(f"{what}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

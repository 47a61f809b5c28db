"""What the parser of every command has in common: its help, `--json`, and where settings and secrets are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEFAULT_SETTINGS = "var/controller.toml"


class CommandParser:
    """The parser of the command line, to which each command is added; `env` has the defaults."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self._parser = argparse.ArgumentParser(
            prog="controller", description="Orikaeshi: a call centre that never loses a caller."
        )
        self._commands = self._parser.add_subparsers(required=True, metavar="COMMAND")

    def parse(self, argv: list[str]) -> argparse.Namespace:
        """Return the arguments; `command` is what to run. Ends the process when they are wrong, as argparse does."""
        return self._parser.parse_args(argv)

    def add(self, name: str, does: str, example: str, command: Callable[..., object]) -> argparse.ArgumentParser:
        """Add a command that needs no settings; return its parser."""
        one = self._commands.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.add_argument("--json", action="store_true", help="print JSON for a program instead of text for a person")
        one.set_defaults(command=command)
        return one

    def with_settings(self, one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add where the settings file is; return the same parser."""
        default = Path(self.env.get("ORIKAESHI_SETTINGS") or _DEFAULT_SETTINGS)
        text = "the settings file (default: $ORIKAESHI_SETTINGS, or var/controller.toml)"
        one.add_argument("--settings", type=Path, default=default, metavar="FILE", help=text)
        return one

    def with_secrets(self, one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add where the settings file and the secrets are; return the same parser."""
        default = Path(self.env["ORIKAESHI_SECRETS"]) if self.env.get("ORIKAESHI_SECRETS") else None
        text = "file of KEY=VALUE with the passwords (default: $ORIKAESHI_SECRETS, or the environment alone)"
        one.add_argument("--secrets", type=Path, default=default, metavar="FILE", help=text)
        return self.with_settings(one)

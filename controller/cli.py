"""The command line, `controller`: the service, and what an admin looks at; `--help` lists all commands.

Exit codes: 0 done, 1 failed, 2 wrong usage or settings with mistakes. What can be expected to go wrong is told in
one line on stderr; a traceback means a mistake in the program.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING

from controller import commands
from controller.command_parser import CommandParser
from controller.commands import EXIT_FAILED, EXIT_USAGE, Report
from controller.logs import hide_numbers
from controller.settings import SettingsError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence

_RUN = "run"


def main(argv: Sequence[str] | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run one command; return its exit code. `argv` is without the program's name."""
    env = os.environ if env is None else env
    arguments = _arguments(list(sys.argv[1:] if argv is None else argv), env)
    try:
        report = asyncio.run(arguments.command(arguments, env))
    except SettingsError as error:
        report = Report(
            str(error),
            {"ok": False, "mistakes": [_mistake(one.line, one.key, one.message) for one in error.mistakes]},
            EXIT_USAGE,
        )
    except KeyboardInterrupt:
        report = Report("interrupted", {"error": "interrupted"}, EXIT_FAILED)
    except BaseExceptionGroup as group:
        report = _failure(list(_leaves(group)))
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into an exit code
        report = _failure([error])
    return _print(report, as_json=arguments.json)


def _print(report: Report, *, as_json: bool) -> int:
    is_error = report.exit_code != 0 and not report.data.get("findings")
    try:
        if as_json:
            print(json.dumps(report.data, ensure_ascii=False, indent=2))
        elif report.text:
            print(report.text, file=sys.stderr if is_error else sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `controller promises | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return report.exit_code


def _failure(errors: list[BaseException]) -> Report:
    """Return one line for each error that can be expected, and the whole story of any other."""
    from controller.command_list import EXPECTED  # noqa: PLC0415 - it knows every command, and `run` starts without them

    lines = dict.fromkeys(_line(error) for error in errors if isinstance(error, EXPECTED))
    for error in errors:
        if not isinstance(error, EXPECTED):
            story = "".join(traceback.format_exception(error))
            lines[
                f"{hide_numbers(story)}This is a mistake in the program, not yours. Please report the lines above."
            ] = None
    return Report("\n".join(lines), {"ok": False, "error": "\n".join(lines)}, EXIT_FAILED)


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner


def _mistake(line: int | None, key: str, message: str) -> dict[str, object]:
    return {"line": line, "key": key, "message": message}


def _arguments(argv: list[str], env: Mapping[str, str]) -> Namespace:
    parser = CommandParser(env)
    service = parser.with_secrets(
        parser.add(
            _RUN, "run the controller until SIGTERM", "controller run --settings var/controller.toml", commands.run
        )
    )
    commands.add_run_arguments(service, env)
    if argv[:1] != [_RUN]:
        from controller.command_list import add_all  # noqa: PLC0415 - callers wait for `run`, which needs none of it

        add_all(parser)
        gc.enable()  # `run` does so itself, once it has imported everything.
    return parser.parse(argv)


if __name__ == "__main__":
    sys.exit(main())

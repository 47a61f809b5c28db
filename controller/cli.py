"""The command line, `controller`: the service, and what an admin looks at; `--help` lists all commands.

Exit codes: 0 done, 1 failed, 2 wrong usage or settings with mistakes. What can be expected to go wrong is told in
one line on stderr; a traceback means a mistake in the program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from controller import (
    agent_commands,
    cluster_commands,
    commands,
    explain,
    figures_commands,
    office_commands,
    promise_commands,
    sms_commands,
    store_commands,
)
from controller.asterisk.ami_errors import AmiError
from controller.asterisk.ari.errors import AriError
from controller.asterisk.identity import NamelessAsteriskError
from controller.asterisk.sounds_check import PromptsMissingError
from controller.commands import EXIT_FAILED, EXIT_USAGE, Report
from controller.domain.promise import PromiseState
from controller.logs import hide_numbers
from controller.ports.promises import StoreUnavailableError
from controller.provision import ProvisionError
from controller.rehearse import CatalogueError
from controller.rehearse.command import EXAMPLE, NoSuchEntranceError, add_arguments, rehearse
from controller.settings import SettingsError
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.settings.values import LANGUAGES
from controller.sms.texts import UnknownTextError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXPECTED = (
    AriError,
    AmiError,
    PromptsMissingError,
    NamelessAsteriskError,
    StoreUnavailableError,
    ProvisionError,
    CatalogueError,
    NoSuchEntranceError,
    explain.NoSuchPromiseError,
    UnknownTextError,
    OSError,
)
"""Errors that are not the program's: their text says what happened, where, and what to do."""

_DEFAULT_SETTINGS = "var/controller.toml"


def main(argv: Sequence[str] | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run one command; return its exit code. `argv` is without the program's name."""
    env = os.environ if env is None else env
    arguments = _parser(env).parse_args(argv)
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


def _parser(env: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="controller", description="Orikaeshi: a call centre that never loses a caller."
    )
    found = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, does: str, example: str, command: Callable[..., object]) -> argparse.ArgumentParser:
        one = found.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.add_argument("--json", action="store_true", help="print JSON for a program instead of text for a person")
        one.set_defaults(command=command)
        return one

    def with_settings(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        default = Path(env.get("ORIKAESHI_SETTINGS") or _DEFAULT_SETTINGS)
        text = "the settings file (default: $ORIKAESHI_SETTINGS, or var/controller.toml)"
        one.add_argument("--settings", type=Path, default=default, metavar="FILE", help=text)
        return one

    def with_secrets(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        default = Path(env["ORIKAESHI_SECRETS"]) if env.get("ORIKAESHI_SECRETS") else None
        text = "file of KEY=VALUE with the passwords (default: $ORIKAESHI_SECRETS, or the environment alone)"
        one.add_argument("--secrets", type=Path, default=default, metavar="FILE", help=text)
        return with_settings(one)

    service = with_secrets(
        add("run", "run the controller until SIGTERM", "controller run --settings var/controller.toml", commands.run)
    )
    commands.add_run_arguments(service, env)
    with_settings(
        add("check", "check the settings file alone", "controller check --settings var/controller.toml", commands.check)
    )
    rehearsal = with_settings(add("rehearse", "walk through the menus as text, without a phone", EXAMPLE, rehearse))
    add_arguments(rehearsal)
    _add_doctor(
        with_secrets(add("doctor", "look at the whole installation and say what to do", _DOCTOR, commands.doctor))
    )
    made = "make secrets, ports and files of a new site"
    _add_provision(add("provision", made, _PROVISION, cluster_commands.provision_site_or_cluster))
    listing = with_settings(add("promises", "list promises, newest first", _PROMISES, commands.promises))
    listing.add_argument("--state", choices=[state.value for state in PromiseState], help="only promises in this state")
    _add_listing(listing)
    explain.add_arguments(
        with_settings(add("explain", "tell what became of a promise, and why", explain.EXAMPLE, explain.explain))
    )
    promise_commands.add_cancel_arguments(
        with_settings(add("cancel", "cancel a promise", promise_commands.CANCEL_EXAMPLE, promise_commands.cancel))
    )
    promise_commands.add_do_not_call_arguments(
        with_settings(
            add(
                "do-not-call",
                "numbers that are never called or texted",
                promise_commands.DO_NOT_CALL_EXAMPLE,
                promise_commands.do_not_call,
            )
        )
    )
    texts = with_settings(
        add(
            "sms",
            "what each SMS says and costs, what became of them, and the replies",
            sms_commands.EXAMPLE,
            sms_commands.sms,
        )
    )
    sms_commands.add_arguments(texts)
    _add_listing(texts)
    _add_listing(
        with_settings(add("calls", "list incoming calls, newest first", "controller calls --limit 20", commands.calls))
    )
    _add_days(
        with_settings(add("waits", "hold the announced waits against the true ones", _WAITS, figures_commands.waits))
    )
    with_settings(
        add("offices", "tell which controller has which Asterisk", office_commands.EXAMPLE, office_commands.offices)
    )
    moving = add("store", "move everything to another database", store_commands.EXAMPLE, store_commands.store)
    store_commands.add_store_arguments(with_settings(moving))
    audit = with_settings(add("line", "list who was served, newest first", _LINE, figures_commands.line))
    audit.add_argument("--queue", metavar="NAME", help="only decisions for this queue")
    _add_limit(audit)
    with_settings(
        add("agents", "list agents and what they have set by phone", "controller agents", agent_commands.agents)
    )
    agent_commands.add_pin_arguments(
        with_settings(add("agent", "set the PIN of an agent", "controller agent pin agent-1", agent_commands.pin))
    )
    return parser


_WAITS = "controller waits --days 30"
_LINE = "controller line --queue support --limit 20"
_DOCTOR = "controller doctor --settings var/controller.toml --asterisk-conf /etc/asterisk"
_PROVISION = "controller provision --home var --agents 2"
_PROMISES = "controller promises --state waiting"


def _add_doctor(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--asterisk-conf",
        type=_folder,
        action="append",
        metavar="DIR",
        help="folder with Asterisk's configuration files; once more for the folder that holds site/, if elsewhere",
    )


def _add_provision(one: argparse.ArgumentParser) -> None:
    one.add_argument("--home", type=Path, required=True, metavar="DIR", help="folder of the site; made when missing")
    one.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="IPv4 address that Asterisk listens on")
    one.add_argument("--asterisks", type=_count, default=1, metavar="N", help="2 or more: a cluster (default: 1)")
    one.add_argument("--agents", type=_count, default=2, metavar="N", help="agents' phones at each (default: 2)")
    one.add_argument(
        "--customers", type=_count, default=20, metavar="N", help="lines of the demo's network (default: 20)"
    )
    one.add_argument("--language", choices=LANGUAGES, default="ja", help="what callers hear (default: ja)")
    one.add_argument(
        "--simulated-network",
        action="store_true",
        help="the trunk leads to the simulated telephone network, where nobody sleeps: dial around the clock",
    )
    one.add_argument("--show-accounts", action="store_true", help="print the phones' accounts, with passwords")
    one.add_argument(
        "--template", type=Path, default=DEFAULT_TEMPLATE, metavar="FILE", help="default settings to begin with"
    )


def _add_days(one: argparse.ArgumentParser) -> None:
    one.add_argument("--days", type=_count, default=7, metavar="N", help="of the last so many days (default: 7)")


def _add_limit(one: argparse.ArgumentParser) -> None:
    one.add_argument("--limit", type=_count, default=100, metavar="N", help="at most so many (default: 100)")


def _add_listing(one: argparse.ArgumentParser) -> None:
    _add_limit(one)
    one.add_argument("--show-numbers", action="store_true", help="show whole phone numbers instead of masked ones")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= 100_000:  # noqa: PLR2004 - more is a slip
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 100000")
    return int(text)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())

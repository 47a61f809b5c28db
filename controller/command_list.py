"""Every command but `run`, and every error that one of them can be expected to end with.

Nothing of this is imported for `controller run`: who waits for it are callers.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from controller import (
    agent_commands,
    cluster_commands,
    day_commands,
    explain,
    figures_commands,
    hooks_commands,
    key_commands,
    office_commands,
    people_commands,
    privacy_commands,
    promise_commands,
    recording_commands,
    site_commands,
    sms_commands,
    store_commands,
)
from controller.asterisk.ami_errors import AmiError
from controller.asterisk.ari.errors import AriError
from controller.asterisk.identity import NamelessAsteriskError
from controller.asterisk.sounds_check import PromptsMissingError
from controller.domain.promise import PromiseState
from controller.ports.promises import StoreUnavailableError
from controller.provision import ProvisionError
from controller.rehearse import CatalogueError
from controller.rehearse.command import EXAMPLE, NoSuchEntranceError, add_arguments, rehearse
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.settings.values import LANGUAGES
from controller.sms.texts import UnknownTextError

if TYPE_CHECKING:
    from controller.command_parser import CommandParser

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


def add_all(parser: CommandParser) -> None:
    """Add every command but `run`."""
    add, with_settings, with_secrets = parser.add, parser.with_settings, parser.with_secrets
    with_settings(
        add(
            "check",
            "check the settings file alone",
            "controller check --settings var/controller.toml",
            site_commands.check,
        )
    )
    rehearsal = with_settings(add("rehearse", "walk through the menus as text, without a phone", EXAMPLE, rehearse))
    add_arguments(rehearsal)
    _add_doctor(
        with_secrets(add("doctor", "look at the whole installation and say what to do", _DOCTOR, site_commands.doctor))
    )
    made = "make secrets, ports and files of a new site"
    _add_provision(add("provision", made, _PROVISION, cluster_commands.provision_site_or_cluster))
    listing = with_settings(add("promises", "list promises, newest first", _PROMISES, site_commands.promises))
    listing.add_argument("--state", choices=[state.value for state in PromiseState], help="only promises in this state")
    _add_listing(listing)
    explain.add_arguments(
        with_settings(add("explain", "tell what became of a promise, and why", explain.EXAMPLE, explain.explain))
    )
    promise_commands.add_cancel_arguments(
        with_settings(add("cancel", "cancel a promise", promise_commands.CANCEL_EXAMPLE, promise_commands.cancel))
    )
    promise_commands.add_do_not_call_arguments(
        with_secrets(
            add(
                "do-not-call",
                "numbers that are never called or texted",
                promise_commands.DO_NOT_CALL_EXAMPLE,
                promise_commands.do_not_call,
            )
        )
    )
    telling = add(
        "export",
        "tell all that is known of a number, as JSON",
        privacy_commands.EXPORT_EXAMPLE,
        privacy_commands.export,
    )
    privacy_commands.add_number(with_secrets(telling))
    forgetting = add("forget", "erase a number everywhere", privacy_commands.FORGET_EXAMPLE, privacy_commands.forget)
    privacy_commands.add_forget_arguments(with_secrets(forgetting))
    talks = "recordings of talks: list them, save the sound of one, delete one"
    kept = add("recordings", talks, recording_commands.EXAMPLE, recording_commands.recordings)
    recording_commands.add_arguments(with_secrets(kept))
    _add_listing(kept)
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
    systems = add("hooks", "how webhooks fare, try one, send again", hooks_commands.EXAMPLE, hooks_commands.hooks)
    hooks_commands.add_arguments(with_secrets(systems))
    _add_listing(
        with_settings(
            add("calls", "list incoming calls, newest first", "controller calls --limit 20", site_commands.calls)
        )
    )
    _add_days(
        with_settings(add("waits", "hold the announced waits against the true ones", _WAITS, figures_commands.waits))
    )
    days = add("figures", "show the figures of a day", day_commands.EXAMPLE, day_commands.figures)
    day_commands.add_figures_arguments(with_settings(days))
    wanted = "tell how many agents the calls of a day want"
    plans = add("staffing", wanted, day_commands.STAFFING_EXAMPLE, day_commands.staffing)
    day_commands.add_staffing_arguments(with_settings(plans))
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
    people_commands.add_person_arguments(
        with_settings(
            add(
                "person",
                "who may come into the console: their role, their password",
                people_commands.EXAMPLE,
                people_commands.person,
            )
        )
    )
    key_commands.add_key_arguments(
        with_settings(add("key", "keys of programs that use the API", key_commands.KEY_EXAMPLE, key_commands.key))
    )
    done = with_settings(
        add("audit", "tell who did what, newest first", key_commands.AUDIT_EXAMPLE, key_commands.audit)
    )
    key_commands.add_audit_arguments(done)
    _add_limit(done)


_CHECK = "controller check --settings var/controller.toml"
_CALLS = "controller calls --limit 20"
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

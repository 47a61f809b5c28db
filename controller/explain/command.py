"""The command `controller explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.commands import Report, settings_with_database
from controller.domain.comes_next import Next, comes_next
from controller.domain.phone_number import as_printed, mask
from controller.domain.plain_words import moment
from controller.domain.retry_policy import RetryPolicy
from controller.domain.timeline import Line, timeline
from controller.explain.search import NoSuchPromiseError, search
from controller.logs import hide_numbers
from controller.store.history import StoredHistory
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from controller.domain.promise import Promise
    from controller.settings import Settings

__all__ = ["EXAMPLE", "NoSuchPromiseError", "add_arguments", "explain"]

EXAMPLE = "controller explain 3f2a"


def add_arguments(one: ArgumentParser) -> None:
    """Add what can be asked."""
    one.add_argument(
        "promise", metavar="PROMISE", help="the first characters of a promise's id, or the phone number it is for"
    )
    one.add_argument("--show-numbers", action="store_true", help="show whole phone numbers instead of masked ones")


async def explain(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Tell one promise as a timeline. Raises SettingsError, StoreUnavailableError, NoSuchPromiseError."""
    settings = settings_with_database(arguments, env)
    book = StoredHistory(settings.database_url)
    promise, others = await search(book, arguments.promise, home=settings.dialer.home_country)
    history = await book.history(promise.id)
    promise = history.promise
    policy = settings.retry_policies.get(promise.queue, RetryPolicy(zone=settings.zone))
    now = SystemClock().now()
    lines = timeline(history, policy)
    after = comes_next(promise, now, policy, _opens_at(settings, promise))
    # What a gateway or an older version wrote may hold a number.
    shown: Callable[[str], str] = str if arguments.show_numbers else hide_numbers
    number = promise.number if arguments.show_numbers else mask(promise.number)
    data = {
        "promise": _promise_data(promise, number),
        "timeline": [{"at": one.at.isoformat(), "what": shown(one.what), "why": shown(one.why)} for one in lines],
        "next": _next_data(after),
        "other_promises": [one.id for one in others],
    }
    printed = as_printed(promise.number, settings.dialer.home_country) if arguments.show_numbers else number
    parts = [_heading(promise, printed, policy.zone), _table(lines, policy.zone, shown), _told(after)]
    if others:
        parts.append(f"Of the same number, newest first: {', '.join(f'{one.id} ({one.state})' for one in others)}")
    return Report("\n\n".join(parts), data)


def _opens_at(settings: Settings, promise: Promise) -> Callable[[datetime], datetime | None]:
    """Return the function that tells from when on the promise's number may be rung."""
    hours = settings.gate.hours_of(promise.number)

    def opens_at(since: datetime) -> datetime | None:
        try:
            return hours.next_opening(since)
        except ValueError:  # hours that never come
            return None

    return opens_at


def _heading(promise: Promise, number: str, zone: tzinfo) -> str:
    window = f", window from {moment(promise.slot.starts_at, zone)}" if promise.slot else ""
    return (
        f"promise {promise.id}: {promise.state}\n"
        f"queue {promise.queue}, number {number}, in line since {moment(promise.since, zone)}{window}\n"
        f"{promise.attempts_used} attempts used, {promise.dials} calls left for it; times in {zone}"
    )


def _table(lines: Sequence[Line], zone: tzinfo, shown: Callable[[str], str]) -> str:
    rows = []
    for one in lines:
        rows.append([moment(one.at, zone), shown(one.what)])
        if one.why:
            rows.append(["", f"  {shown(one.why)}"])
    return table(["when", "what, and why"], rows)


def _told(after: Next) -> str:
    return "\n".join(["What comes next:", *(f"- {line}" for line in after.lines)])


def _promise_data(promise: Promise, number: str) -> dict[str, Any]:
    return {
        "id": promise.id,
        "queue": promise.queue,
        "number": number,
        "language": promise.language,
        "state": promise.state.value,
        "since": promise.since.isoformat(),
        "slot_starts_at": promise.slot.starts_at.isoformat() if promise.slot else None,
        "attempts_used": promise.attempts_used,
        "dials": promise.dials,
        "last_outcome": promise.last_outcome.value if promise.last_outcome else None,
    }


def _next_data(after: Next) -> dict[str, Any]:
    return {
        "text": list(after.lines),
        "not_before": _iso(after.not_before),
        "callable_from": _iso(after.callable_from),
        "attempts_left": after.attempts_left,
        "calls_left": after.calls_left,
        "expires_at": _iso(after.expires_at),
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None

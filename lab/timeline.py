"""A busy spell as it happens: one line a happening, on the terminal."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.controller_process import LogLine

STYLES = {"caller": "cyan", "agent": "green", "callback": "magenta", "sms": "yellow", "pbx": "dim"}


class Timeline:
    """Prints who did or heard what, and when, counted from the first line."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, width=None if sys.stdout.isatty() else 120)
        self._started_s = time.monotonic()

    def start(self) -> None:
        """Count from now on."""
        self._started_s = time.monotonic()

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_s

    def say(self, who: str, what: str, kind: str) -> None:
        """Print one line; `kind` (caller, agent, callback, sms, pbx) gives it its colour."""
        line = Text.assemble(
            (f"{self.now_s:6.1f} s  ", "dim"), (f"{who:<10}", f"bold {STYLES[kind]}"), (what, STYLES[kind])
        )
        self.console.print(line)


class ControllerNews:
    """Turns the controller's own log lines into lines of the timeline."""

    def __init__(self, timeline: Timeline, names: Mapping[str, str], database: Path) -> None:
        self._timeline = timeline
        self._names = names
        """Caller's name by E.164 number."""
        self._database = database

    def tell(self, line: LogLine) -> None:
        """Print what a person wants to know of this log line, if anything."""
        say = self._timeline.say
        match line.get("event"):
            case "agent state":
                say(str(line["agent"]), f"is {str(line['state']).replace('_', ' ')}", "agent")
            case "turn" if line["kind"] == "promise":
                who = self._whose(str(line["waiter"]))
                say("callback", f"it is {who}'s turn in line; {line['agent']} is rung first", "callback")
            case "attempt ended":
                who = self._whose(str(line.get("promise_id", "")))
                say("callback", f"to {who}: {str(line['outcome']).replace('_', ' ')}", "callback")
            case "promise" if line["state"] == "waiting":
                who = self._whose(str(line.get("promise_id", "")))
                say("callback", f"{who} will be called again (attempt {line['attempts_used']} used)", "callback")
            case "a reply was acted on":
                say("SMS", f"the reply was understood: {str(line['meaning']).replace('_', ' ')}", "sms")
            case "sms_refused" | "sms_failed" | "sms_unclear":
                say("SMS", f"to {line['number']}: {line['reason']}", "sms")

    def _whose(self, promise_id: str) -> str:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            row = database.execute("select number from promises where id = ?", (promise_id,)).fetchone()
        return self._names.get(row[0], row[0]) if row else promise_id

"""What came of a fault, in figures, and the one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.table import Table

from lab.ledger.facts import Kind
from lab.ledger.judge import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.ledger.facts import Fact
    from lab.ledger.judge import Finding

BACK_WITHIN_S = 5.0
ZEROES = tuple(Fault)


@dataclass
class Figures:
    """One row. Everything that is counted in `faults` has to be zero."""

    fault: str
    runs: int = 0
    requests: int = 0
    invites: int = 0
    talks: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    untold_allowed: int = 0
    """Deaths at the very hand-over of an SMS: it may have gone out, so it is not sent again, and may never have."""
    back_s: float | None = None
    """The longest time until a controller was in control again; None: it was never out of it."""
    notes: list[str] = field(default_factory=list)
    """What is worth telling, such as a point that was not reached."""
    broken: list[str] = field(default_factory=list)
    """Why this run proves nothing, or is a fault by itself."""

    def back(self, seconds: float) -> None:
        """Note one return to control."""
        self.back_s = max(self.back_s or 0.0, seconds)

    def judged(self, facts: Sequence[Fact], findings: Iterable[Finding]) -> None:
        """Count what the ledger saw, and what the judge found in it."""
        kinds = [fact.kind for fact in facts]
        # Whoever is told twice, since the controller died while they were told, has one request: all call once.
        self.requests = len({fact.number for fact in facts if fact.kind is Kind.ACKNOWLEDGED})
        self.invites = kinds.count(Kind.INVITE)
        # Two who are put into their bridge anew when the controller comes back have one talk.
        self.talks = len({(fact.number, fact.agent) for fact in facts if fact.kind is Kind.TALK})
        found = list(findings)
        self.faults = {kind.value: sum(one.fault is kind for one in found) for kind in ZEROES}
        if not self.is_back_in_time:
            self.notes.append(f"back in control after {self.back_s:.2f} s, not within {BACK_WITHIN_S:g} s")
        self.notes += [f"{one.fault}: {one.number} at {one.at_s:.2f}, {one.why}" for one in found]

    @property
    def wrong(self) -> dict[str, int]:
        """The zeroes that are none, by their name."""
        allowed = {Fault.UNTOLD.value: self.untold_allowed}
        return {kind: count for kind, count in self.faults.items() if count > allowed.get(kind, 0)}

    @property
    def is_back_in_time(self) -> bool:
        """Whether a controller was in control again soon enough, each time."""
        return self.back_s is None or self.back_s <= BACK_WITHIN_S

    @property
    def is_good(self) -> bool:
        """Whether every zero is a zero, control was regained in time, and something was there to be judged."""
        return not self.wrong and self.is_back_in_time and not self.broken and self.requests > 0

    def as_data(self) -> dict[str, Any]:
        """Return the row for a program to read."""
        return {**asdict(self), "ok": self.is_good}


HEADINGS = ("fault", "runs", "requests", "INVITEs", "talks", *(kind.value for kind in ZEROES), "back in control s")


def cells(figures: Figures) -> list[str]:
    """Return one row as text, under `HEADINGS`."""
    zeroes = [str(figures.faults.get(kind.value, "-")) for kind in ZEROES]
    back = "-" if figures.back_s is None else f"{figures.back_s:.1f}"
    counts = [str(count) for count in (figures.runs, figures.requests, figures.invites, figures.talks)]
    return [figures.fault, *counts, *zeroes, back]


def table(rows: Sequence[Figures], *, title: str) -> Table:
    """Return the one table, for a terminal."""
    drawn = Table(*HEADINGS, title=title)
    for row in rows:
        drawn.add_row(*cells(row), style=None if row.is_good else "bold red")
    return drawn


def markdown(rows: Sequence[Figures]) -> str:
    """Return the one table as Markdown."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

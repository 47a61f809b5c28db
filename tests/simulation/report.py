"""One day played and judged, and many days added up in a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from controller.domain.effects import SmsTemplate
from controller.ports.survey import Role
from tests.simulation.day_plan import Deed, plan_day
from tests.simulation.far_end import What
from tests.simulation.judge import KINDS, judge
from tests.simulation.owed import ACKNOWLEDGED
from tests.simulation.premises import Premises
from tests.simulation.weather import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulation.far_end import FarEnd, Sighting
    from tests.simulation.notebook import Violation

COUNTED = (
    *("calls", "promises acknowledged", "calls to agents", "calls to customers", "talks", "SMS"),
    *("replies acknowledged", "pages opened", "decided on a page", "told late"),
    *(deed.value for deed in (Deed.KILL, Deed.PBX_DIES, Deed.LINK_LOST, Deed.CLOCK_SET, Deed.RIVAL)),
    *(trouble.value for trouble in Trouble),
    *("admin cancels", "STOP", "hours played"),
)


@dataclass(frozen=True, slots=True)
class DayReport:
    """What happened on one day, as the far end saw it."""

    seed: int
    day: int
    counts: dict[str, float]
    violations: list[Violation]
    story: list[str] = field(default_factory=list)
    """Empty unless it was asked for."""

    @property
    def again(self) -> str:
        """The command that plays this day again."""
        return f"python -m tests.simulation --seed {self.seed} --day {self.day}"


def play_day(seed: int, number: int, *, with_story: bool = False) -> DayReport:
    """Play the day with this number in the world with this seed, and judge it."""
    premises = Premises(plan_day(seed, number))
    far_end = premises.play()
    counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    for seen in far_end.sightings:
        name = _counted_as(seen, far_end)
        if name is not None:
            counts[name] += 1
    hours = {"hours played": round(premises.clock.monotonic() / 3600, 2)}
    violations = judge(premises.day, far_end)
    return DayReport(seed, number, {**counts, **hours}, violations, far_end.story() if with_story else [])


def _counted_as(seen: Sighting, far_end: FarEnd) -> str | None:
    """Return as what a sighting is counted; None: not at all."""
    match seen.what:
        case What.INVITE:
            is_customer = far_end.channels[seen.who].role is Role.CUSTOMER
            return "calls to customers" if is_customer else "calls to agents"
        case What.HEARS:
            return "promises acknowledged" if seen.detail in ACKNOWLEDGED else None
        case What.HANDED_OVER:
            return "told late" if f": {SmsTemplate.RUNNING_LATE} " in seen.detail else None
        case What.FAULT:
            return seen.who if seen.who in COUNTED else None
        case _:
            return _PLAINLY.get(seen.what)


_PLAINLY = {
    What.RINGS_IN: "calls",
    What.TALKS: "talks",
    What.SMS: "SMS",
    What.REPLY_TAKEN: "replies acknowledged",
    What.ASKS: "pages opened",
    What.DECIDED: "decided on a page",
    What.CANCELLED: "admin cancels",
    What.BLOCKED: "STOP",
}


@dataclass
class Total:
    """Many days."""

    days: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 0)))
    found: list[DayReport] = field(default_factory=list)
    """The days on which something was found."""

    def add(self, report: DayReport) -> None:
        """Add a day."""
        self.days += 1
        self.counts.update(report.counts)
        self.violations.update(each.kind for each in report.violations)
        if report.violations:
            self.found.append(report)

    def table(self) -> str:
        """Return it as lines of text."""
        rows: Iterable[tuple[str, float]] = [("days", self.days), *((name, self.counts[name]) for name in COUNTED)]
        seen = [f"{name:<36}{number:>14,.0f}" for name, number in rows]
        judged = [f"{name:<36}{self.violations[name]:>14,}" for name in KINDS]
        return "\n".join([*seen, "", "must never happen, and did:", *judged])

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "days": self.days,
            "counts": dict(self.counts),
            "violations": dict(self.violations),
            "found": [
                {"again": each.again, "violations": [asdict(one) for one in each.violations]} for each in self.found
            ],
        }

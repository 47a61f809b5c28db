"""The arithmetic of a call centre: Erlang's formulas, and what each call costs each machine. No measuring here."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, ClassVar, Final

from controller.domain.staffing import erlang_c

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GUESS: Final = "a guess"
BEFORE: Final = "measured before"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with where it is from."""

    value: float
    unit: str
    source: str


GIVEN: Final[Mapping[str, Figure]] = {
    "occupancy": Figure(0.85, "", GUESS + ": busy agents by all agents"),
    "callbacks_share": Figure(0.2, "", GUESS + ": of all calls"),
    "sms_by_callback": Figure(0.5, "", GUESS),
    "told_every_s": Figure(30, "s", "the default setting, where places and waits are told"),
    "longest_line": Figure(0.1, "", GUESS + ": callers who wait at the worst moment, by agents"),
    "asterisk_ms_a_call": Figure(9.0, "ms", BEFORE + ": 8.5 to 9.6, a prototype"),
    "asterisk_core_a_talk": Figure(0.0039, "cores", BEFORE + ": 100 answered calls, 39 % of a core"),
    "asterisk_core_a_wait": Figure(0.002, "cores", BEFORE + ": 50 callers in a holding bridge, 10 %"),
    "asterisk_cores": Figure(8, "cores", GUESS + ": one machine"),
    "busy_at_most": Figure(0.5, "", GUESS + ": sound suffers above"),
    "controller_ms_a_call": Figure(3.4, "ms", BEFORE + ": a prototype, nothing durable"),
    "packets_a_talk": Figure(200, "per s", "two legs, both ways, 20 ms each"),
    "transactions_a_call": Figure(5, "", "counted in the code: arrived, joined, quoted, answered, ended"),
    "transactions_a_callback": Figure(6, "", "counted: made, held, opened, connected, ended, decision"),
    "transactions_an_sms": Figure(3, "", "counted: written, claimed, settled"),
    "postgres_claims_per_s": Figure(100, "per s", GUESS),
    "sqlite_claims_per_s": Figure(50, "per s", GUESS),
}
MEASURED: Final = {
    "asterisk_ms_a_call": ("throughput", "Asterisk's CPU a call", 1.0),
    "controller_ms_a_call": ("throughput", "the controller's CPU a call", 1.0),
    "postgres_claims_per_s": ("claims", "PostgreSQL: claims a second", 1.0),
    "sqlite_claims_per_s": ("claims", "SQLite: claims a second", 1.0),
}
"""Which figures the benchmarks measure: the measurement, how its row begins, and what it is multiplied by."""
TRANSACTIONS_A_CLAIM: Final = 3


def erlang_wait_s(agents: int, load: float, handle_s: float) -> float:
    """Return the mean wait of all calls in seconds; infinite where there are not enough agents."""
    return erlang_c(agents, load) * handle_s / (agents - load) if load < agents else float("inf")


@dataclass(frozen=True, slots=True)
class Centre:
    """A call centre with so many agents, whose calls keep them `handle_s` seconds on average, wrap-up included."""

    agents: int
    handle_s: float
    figures: Mapping[str, Figure]

    HEADINGS: ClassVar = (
        *("agents", "calls/s", "talks", "mean wait, s", "packets/s", "Asterisk, cores", "Asterisks", "agents each"),
        *("controllers, cores in all", "line, share of a core, each", "... as one line", "transactions/s", "SMS/s"),
        "breaks first",
    )

    def _is(self, name: str) -> float:
        return self.figures[name].value

    @property
    def load(self) -> float:
        """Erlangs."""
        return self.agents * self._is("occupancy")

    @property
    def calls_per_s(self) -> float:
        """Callers and callbacks together: whatever keeps an agent."""
        return self.load / self.handle_s

    @property
    def asterisk_cores(self) -> float:
        """Of all Asterisks, at the worst moment."""
        waits = self.agents * self._is("longest_line") * self._is("asterisk_core_a_wait")
        signalling = self.calls_per_s * self._is("asterisk_ms_a_call") / 1e3
        return self.load * self._is("asterisk_core_a_talk") + waits + signalling

    @property
    def asterisks(self) -> int:
        """Machines, each as busy as it may be."""
        return ceil(self.asterisk_cores / (self._is("asterisk_cores") * self._is("busy_at_most")))

    @property
    def sms_per_s(self) -> float:
        """Texts that callbacks owe."""
        return self.calls_per_s * self._is("callbacks_share") * self._is("sms_by_callback")

    @property
    def transactions_per_s(self) -> float:
        """Of the one database."""
        share = self._is("callbacks_share")
        a_call = (1 - share) * self._is("transactions_a_call") + share * self._is("transactions_a_callback")
        return self.calls_per_s * a_call + self.sms_per_s * self._is("transactions_an_sms")

    def line_share(self, agents: int) -> float:
        """Return which share of a core the line takes in an office with so many of the agents.

        Each call has everybody looked at, and so has each wait that is told: both grow with the square of the agents.
        """
        calls_per_s = self.calls_per_s * agents / self.agents
        told_per_s = agents * self._is("longest_line") / self._is("told_every_s")
        by_agent_us = calls_per_s * self._is("line_us_by_agent") + told_per_s * self._is("told_us_by_agent")
        return by_agent_us * agents / 1e6

    def limits(self) -> list[tuple[str, float, str]]:
        """Return what one Asterisk, controller, line and database carry, in agents, and why; the tightest first."""
        return sorted(self._limits(), key=lambda each: each[1])

    def _limits(self) -> Iterator[tuple[str, float, str]]:
        busy, each = self._is("busy_at_most"), self.agents
        cores = self._is("asterisk_cores") * busy
        yield "Asterisk", each * cores / self.asterisk_cores, f"{cores:g} cores of sound and signalling"
        controller = self.calls_per_s * self._is("controller_ms_a_call") / 1e3
        yield "controller, without its line", each * busy / controller, f"{busy:g} of its one core"
        yield "line", each * (busy / self.line_share(each)) ** 0.5, f"{busy:g} of a core; with the square of the agents"
        for name, key in (("SQLite", "sqlite_claims_per_s"), ("PostgreSQL", "postgres_claims_per_s")):
            most_per_s = self._is(key) * TRANSACTIONS_A_CLAIM
            yield name, each * most_per_s * busy / self.transactions_per_s, f"{most_per_s * busy:,.0f} transactions/s"

    def cells(self) -> tuple[str, ...]:
        """Return the row of this centre."""
        each = ceil(self.agents / self.asterisks)
        controllers = self.calls_per_s * self._is("controller_ms_a_call") / 1e3 + self.asterisks * self.line_share(each)
        beyond = [what for what, agents, _ in self.limits() if agents < self.agents]
        return (
            *(f"{self.agents:,}", f"{self.calls_per_s:.1f}", f"{self.load:,.0f}"),
            f"{erlang_wait_s(self.agents, self.load, self.handle_s):.2f}",
            *(f"{self.load * self._is('packets_a_talk'):,.0f}", f"{self.asterisk_cores:.1f}"),
            *(str(self.asterisks), f"{each:,}", f"{controllers:.2f}", f"{self.line_share(each):.4f}"),
            *(f"{self.line_share(self.agents):.2f}", f"{self.transactions_per_s:,.0f}", f"{self.sms_per_s:.1f}"),
            beyond[0] if beyond else "nothing: one of each will do",
        )

"""What a scrape sees beside the counters: the floor as it is, today's figures, and what waits; as Prometheus has it.

The figures of today are those of the wallboard and of the API, under the same keys: `COLUMNS`. Nothing is reckoned
here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric

from controller.console.today import ALL
from controller.domain.agents import AgentState
from controller.domain.figure_rows import COLUMNS, Unit
from controller.ports.floor import EntryState
from controller.web.health import OfficeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from controller.console.today import Today
    from controller.ports.backlog import Backlog
    from controller.ports.floor import FloorNow
    from controller.web.health import OfficeHealth

EVERY_QUEUE = "*"
"""What stands for all queues together: no queue can have this name, and percentages cannot be added up."""
_UNITS = {Unit.COUNT: "", Unit.PERCENT: ", percent", Unit.SECONDS: ", seconds", Unit.ERLANGS: ", erlangs"}


@dataclass(frozen=True, slots=True)
class Sight:
    """One look, from which the metrics are written: in a thread, so it must not change any more."""

    offices: Sequence[OfficeHealth]
    floor: FloorNow | None = None
    """None: this process has no office."""
    today: Today | None = None
    backlog: Backlog | None = None
    database_answers: bool = True
    """The two above are as fresh as they should be."""
    now: datetime | None = None


def families(sight: Sight, *, with_agents: bool) -> Iterator[Metric]:
    """Yield every metric of a look. `with_agents`: with the names of agents, too."""
    yield from _of_offices(sight.offices)
    yield _gauge("database_up", "1: the database has answered to this scrape", float(sight.database_answers))
    if sight.floor is not None:
        yield from _of_queues(sight.floor)
        yield from _of_agents(sight.floor, with_agents=with_agents)
        yield from _of_trunks(sight.floor)
        yield from _of_problems(sight.floor)
    if sight.today is not None:
        yield from _of_today(sight.today, sight.now)
    if sight.backlog is not None:
        yield from _of_backlog(sight.backlog, sight.now)


def _of_offices(offices: Iterable[OfficeHealth]) -> Iterator[Metric]:
    state = _family("pbx_state", "1: this process is this to the Asterisk", "pbx", "state")
    term = _family("lease_term", "The term of our lease, while it is ours; another controller's is higher", "pbx")
    for office in offices:
        for each in OfficeState:
            state.add_metric([office.name, each.value], float(each is office.state))
        if office.term is not None:
            term.add_metric([office.name], office.term)
    yield from (state, term)


def _of_queues(floor: FloorNow) -> Iterator[Metric]:
    waiting = _family("line_waiting", "Who waits: live callers, promises that are due, or later", "queue", "kind")
    longest = _family("line_longest_wait_seconds", "How long the live caller waits who came first", "queue")
    expected = _family("expected_wait_seconds", "What somebody who joins now would be told", "queue", "end")
    is_open = _family("queue_open", "1: the queue is open", "queue")
    by_hand = _family("queue_closed_by_hand", "1: a supervisor closed it", "queue")
    agents = _family("queue_agents", "Agents who serve the queue: on duty, and of these free", "queue", "duty")
    for queue in floor.queues:
        for kind, count in (("live", queue.live), ("due", queue.promises_due), ("later", queue.promises_later)):
            waiting.add_metric([queue.name, kind], count)
        since = queue.longest_wait_since
        longest.add_metric([queue.name], 0.0 if since is None else max(0.0, (floor.at - since).total_seconds()))
        for end, wait_s in (("low", queue.expected_low_s), ("high", queue.expected_high_s)):
            if wait_s is not None:
                expected.add_metric([queue.name, end], wait_s)
        is_open.add_metric([queue.name], float(queue.is_open))
        by_hand.add_metric([queue.name], float(bool(queue.closed_by)))
        agents.add_metric([queue.name, "on_duty"], queue.agents_on_duty)
        agents.add_metric([queue.name, "free"], queue.agents_free)
    yield from (waiting, longest, expected, is_open, by_hand, agents, _being_served(floor))


def _being_served(floor: FloorNow) -> Metric:
    served = _family("line_being_served", "Who is being served: rung for, dialled, talking", "queue", "state")
    found = Counter((entry.queue, entry.state) for entry in floor.line)
    for queue in floor.queues:
        for state in (EntryState.RINGING, EntryState.DIALLING, EntryState.TALKING):
            served.add_metric([queue.name, state.value], found[queue.name, state])
    return served


def _of_agents(floor: FloorNow, *, with_agents: bool) -> Iterator[Metric]:
    states = _family("agents", "Agents by what they do", "state")
    found = Counter(agent.state for agent in floor.agents)
    for state in AgentState:
        states.add_metric([state.value], found[state])
    phones = _family("agent_phones", "Agents' phones: registered, or away", "phone")
    registered = sum(agent.phone_registered for agent in floor.agents)
    phones.add_metric(["registered"], registered)
    phones.add_metric(["away"], len(floor.agents) - registered)
    yield from (states, phones)
    if with_agents:
        each = _family("agent_state", "1: what an agent does", "agent", "state")
        for agent in floor.agents:
            each.add_metric([agent.name, agent.state.value], 1)
        yield each


def _of_trunks(floor: FloorNow) -> Iterator[Metric]:
    healthy = _family("trunk_healthy", "1: the PBX says that the trunk works", "pbx", "trunk")
    calls = _family("trunk_calls", "Calls of ours on it, those that wait for its pace included", "pbx", "trunk")
    circuits = _family("trunk_circuits", "Calls that it may have at once", "pbx", "trunk")
    failures = _family("trunk_failures", "How often in a row it has failed", "pbx", "trunk")
    rests = _family("trunk_rests_seconds", "How long it rests yet after failures", "pbx", "trunk")
    for trunk in floor.trunks:
        names = [trunk.pbx, trunk.name]
        healthy.add_metric(names, float(trunk.healthy))
        calls.add_metric(names, trunk.calls)
        circuits.add_metric(names, trunk.circuits)
        failures.add_metric(names, trunk.failures)
        rests.add_metric(names, trunk.rests_s)
    yield from (healthy, calls, circuits, failures, rests)


def _of_problems(floor: FloorNow) -> Iterator[Metric]:
    problems = _family("problems", "What needs a person", "kind", "severity")
    for (kind, severity), count in Counter((each.kind, each.severity) for each in floor.problems).items():
        problems.add_metric([kind, severity.value], count)
    yield problems


def _of_today(today: Today, now: datetime | None) -> Iterator[Metric]:
    for column in COLUMNS:
        about = f"Today: {column.en}{_UNITS[column.unit]} (docs/figures.md)"
        family = _family(f"today_{column.key}", about, "queue")
        for queue, figures in today.totals.items():
            number = column.cell(figures)
            if number is not None:
                family.add_metric([EVERY_QUEUE if queue == ALL else queue], number)
        yield family
    if now is not None:
        age_s = max(0.0, (now - today.as_of).total_seconds())
        yield _gauge("today_age_seconds", "How old today's figures are", age_s)


def _of_backlog(backlog: Backlog, now: datetime | None) -> Iterator[Metric]:
    def age_s(since: datetime | None) -> float:
        return 0.0 if since is None or now is None else max(0.0, (now - since).total_seconds())

    yield _gauge("sms_queued", "SMS that wait to be sent", backlog.sms)
    yield _gauge("sms_overdue_seconds", "How long the first of them is due", age_s(backlog.sms_due_since))
    yield _gauge("webhooks_waiting", "What other systems were not told yet", backlog.webhooks)
    yield _gauge("webhooks_oldest_seconds", "How old the oldest of that is", age_s(backlog.webhooks_since))
    yield _gauge("sms_replies_unread", "Replies that nobody has acted on", backlog.replies)


def _family(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orikaeshi_{name}", about, labels=labels)


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orikaeshi_{name}", about, value=value)

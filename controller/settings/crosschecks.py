"""What one setting means for another: names that must exist, numbers that may stand only once, secrets out of place.

These look at the raw file, not at the checked model, so that they are told together with its mistakes. Whatever
has the wrong shape is passed over here: the model tells that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.outcome import Outcome
from controller.domain.retry_policy import DEFAULT_RULES
from controller.settings.asterisks import asterisk_mistakes
from controller.settings.calling import calling_mistakes
from controller.settings.hooks import hook_mistakes
from controller.settings.mistakes import nearest
from controller.settings.numbers import number_mistakes
from controller.settings.pairs import pair_mistakes
from controller.settings.raw import Finding, Tables, names, table, tables, texts
from controller.settings.retries import retry_mistakes
from controller.settings.routes import route_mistakes
from controller.settings.secret_values import secrets_out_of_place
from controller.settings.sms_checks import sms_mistakes
from controller.settings.timetable import timetable_mistakes
from controller.settings.trunks import trunk_mistakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GAP_OUTCOMES = frozenset(outcome.value for outcome, rule in DEFAULT_RULES.items() if not rule.ends)


def cross_check(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake that lies between settings. `raw` is what `tomllib` read."""
    queues, agents = tables(raw, "queues"), tables(raw, "agents")
    yield from secrets_out_of_place(raw)
    for key in ("queues", "agents", "entrances", "menus", "web_pages", "hooks"):
        yield from _repeated(key, tables(raw, key), "name")
    yield from asterisk_mistakes(raw)
    yield from _entrance_like_a_queue(raw)
    yield from _staffing(queues, agents)
    yield from _gaps(queues)
    yield from _trunk_is_no_agent(raw, agents)
    yield from number_mistakes(raw)
    yield from route_mistakes(raw)
    yield from timetable_mistakes(raw)
    yield from pair_mistakes(raw)
    yield from calling_mistakes(raw)
    yield from retry_mistakes(raw)
    yield from trunk_mistakes(raw)
    yield from sms_mistakes(raw)
    yield from hook_mistakes(raw)


def _repeated(table: str, entries: Tables, key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, entry in entries:
        value = entry.get(key)
        if not isinstance(value, str):
            continue
        if value in seen:
            yield (table, index, key), f'"{value}" is used twice: each of [[{table}]] needs its own {key}'
        seen.add(value)


def _staffing(queues: Tables, agents: Tables) -> Iterator[Finding]:
    known = names(queues)
    staffed: set[str] = set()
    for index, agent in agents:
        for place, name in texts(agent, "queues"):
            staffed.add(name)
            if name not in known:
                yield ("agents", index, "queues", place), f'there is no queue "{name}"{nearest(name, known)}'
    for index, queue in queues:
        own_name = queue.get("name")
        if isinstance(own_name, str) and own_name not in staffed:
            staffed.add(own_name)  # a queue that stands there twice is told once
            yield ("queues", index), "has no agents: nobody would ever answer; name it in the queues of an agent"


def _gaps(queues: Tables) -> Iterator[Finding]:
    for index, queue in queues:
        gaps = queue.get("retry_gap_s")
        for name in gaps if isinstance(gaps, dict) else ():
            if name in _GAP_OUTCOMES:
                continue
            if name in {outcome.value for outcome in Outcome}:
                message = "is an outcome that ends the promise: there is no next attempt to wait for"
            else:
                hint = nearest(name, _GAP_OUTCOMES) or f"; known are {', '.join(sorted(_GAP_OUTCOMES))}"
                message = f"is not an outcome of a call{hint}"
            yield ("queues", index, "retry_gap_s", name), message


def _trunk_is_no_agent(raw: Mapping[str, Any], agents: Tables) -> Iterator[Finding]:
    trunk = table(raw, "dialer").get("trunk")
    for index, agent in agents:
        if isinstance(trunk, str) and agent.get("endpoint") == trunk:
            yield ("agents", index, "endpoint"), f'"{trunk}" is the trunk (dialer.trunk), not the phone of an agent'


def _entrance_like_a_queue(raw: Mapping[str, Any]) -> Iterator[Finding]:
    direct = names([(index, queue) for index, queue in tables(raw, "queues") if texts(queue, "dialled_numbers")])
    for index, entrance in tables(raw, "entrances"):
        name = entrance.get("name")
        if isinstance(name, str) and name in direct:
            yield (
                ("entrances", index, "name"),
                f'"{name}" is a queue with dialled_numbers, which is an entrance of that name: choose another name',
            )

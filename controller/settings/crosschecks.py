"""What one setting means for another: names that must exist, numbers that may stand only once, secrets out of place.

These look at the raw file, not at the checked model, so that they are told together with its mistakes. Whatever
has the wrong shape is passed over here: the model tells that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import phonenumbers

from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan, check
from controller.domain.retry_policy import DEFAULT_RULES
from controller.settings.mistakes import nearest
from controller.settings.toml_lines import Path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECRET_KEY = re.compile(r"passw|secret|token|api_?key|credential", re.IGNORECASE)
_GAP_OUTCOMES = frozenset(outcome.value for outcome, rule in DEFAULT_RULES.items() if not rule.ends)
_OUT_OF_PLACE = (
    "is a secret and must not stand in this file: put it into the environment"
    " (ORIKAESHI_ARI_PASSWORD, ORIKAESHI_AMI_PASSWORD), and change it if others could read the file"
)

Finding = tuple[Path, str]


def cross_check(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake that lies between settings. `raw` is what `tomllib` read."""
    queues, agents = _tables(raw, "queues"), _tables(raw, "agents")
    yield from _secrets((), raw)
    yield from _repeated("queues", queues, "name")
    yield from _repeated("agents", agents, "name")
    yield from _repeated("agents", agents, "endpoint")
    yield from _staffing(queues, agents)
    yield from _shared_numbers(queues, _home(raw))
    yield from _gaps(queues)
    yield from _trunk_is_no_agent(raw, agents)


def is_secret_key(key: str) -> bool:
    """Tell whether a setting of this name holds a secret."""
    return _SECRET_KEY.search(key) is not None


def _tables(raw: Mapping[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    given = raw.get(key)
    return [pair for pair in enumerate(given) if isinstance(pair[1], dict)] if isinstance(given, list) else []


def _texts(table: Mapping[str, Any], key: str) -> list[tuple[int, str]]:
    given = table.get(key)
    return [pair for pair in enumerate(given) if isinstance(pair[1], str)] if isinstance(given, list) else []


def _secrets(path: Path, place: Any) -> Iterator[Finding]:
    if isinstance(place, dict):
        for key, inside in place.items():
            if is_secret_key(key):
                yield (
                    (*path, key),
                    _OUT_OF_PLACE,
                )
            else:
                yield from _secrets((*path, key), inside)
    elif isinstance(place, list):
        for index, inside in enumerate(place):
            yield from _secrets((*path, index), inside)


def _repeated(table: str, entries: list[tuple[int, dict[str, Any]]], key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, entry in entries:
        value = entry.get(key)
        if not isinstance(value, str):
            continue
        if value in seen:
            yield (table, index, key), f'"{value}" is used twice: each of [[{table}]] needs its own {key}'
        seen.add(value)


def _staffing(queues: list[tuple[int, dict[str, Any]]], agents: list[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    names = {queue["name"] for _, queue in queues if isinstance(queue.get("name"), str)}
    staffed: set[str] = set()
    for index, agent in agents:
        for place, name in _texts(agent, "queues"):
            staffed.add(name)
            if name not in names:
                yield ("agents", index, "queues", place), f'there is no queue "{name}"{nearest(name, names)}'
    for index, queue in queues:
        own_name = queue.get("name")
        if isinstance(own_name, str) and own_name not in staffed:
            staffed.add(own_name)  # a queue that stands there twice is told once
            yield ("queues", index), "has no agents: nobody would ever answer; name it in the queues of an agent"


def _home(raw: Mapping[str, Any]) -> str:
    dialer = raw.get("dialer")
    home = dialer.get("home_country") if isinstance(dialer, dict) else None
    return home if home in phonenumbers.SUPPORTED_REGIONS else "JP"


def _shared_numbers(queues: list[tuple[int, dict[str, Any]]], home: str) -> Iterator[Finding]:
    plan = NumberPlan(home=home, countries=frozenset(phonenumbers.SUPPORTED_REGIONS))
    owners: dict[str, int] = {}
    for index, queue in queues:
        for place, text in _texts(queue, "dialled_numbers"):
            checked = check(text, plan)
            number = checked.e164 if isinstance(checked, DialableNumber) else text
            owner = owners.setdefault(number, index)
            if owner != index:
                first = dict(queues)[owner].get("name", f"number {owner + 1}")
                yield (
                    ("queues", index, "dialled_numbers", place),
                    f'"{text}" already leads to queue "{first}": a number can lead to one queue only',
                )


def _gaps(queues: list[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
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


def _trunk_is_no_agent(raw: Mapping[str, Any], agents: list[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    dialer = raw.get("dialer")
    trunk = dialer.get("trunk") if isinstance(dialer, dict) else None
    for index, agent in agents:
        if isinstance(trunk, str) and agent.get("endpoint") == trunk:
            yield ("agents", index, "endpoint"), f'"{trunk}" is the trunk (dialer.trunk), not the phone of an agent'

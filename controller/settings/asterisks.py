"""What the Asterisks of a site mean for one another, for the agents, and for the database that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.promise import DEFAULT_PBX
from controller.settings.mistakes import nearest
from controller.settings.raw import Finding, Tables, pbx_names, pbx_tables, table, tables
from controller.settings.secret_values import SECRETS, own_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULT_URL = "http://127.0.0.1:8088"


def asterisk_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake that has to do with which Asterisk is meant."""
    agents = tables(raw, "agents")
    yield from _names(raw)
    yield from _one_place_each(raw)
    yield from _agents_somewhere(raw, agents)
    yield from _phones(agents, raw)
    yield from _homes(raw)


def _names(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Two names must not come to the same variable either."""
    seen: dict[str, str] = {}
    for place, block in pbx_tables(raw):
        name = block.get("name", DEFAULT_PBX)
        if not isinstance(name, str):
            continue
        variable = own_variable(SECRETS["ari_password"], name)
        if variable not in seen:
            seen[variable] = name
        elif "name" not in block:
            yield place, "needs a name: it is one of several"
        elif seen[variable] == name:
            yield (*place, "name"), f'"{name}" is used twice: each of [[asterisk]] needs its own name'
        else:
            yield (
                (*place, "name"),
                f'"{name}" and "{seen[variable]}" are the same in the environment ({variable}): choose another name',
            )


def _one_place_each(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """One Asterisk under two names: each office would cut the other's connection, again and again."""
    seen: dict[tuple[object, object], str] = {}
    for place, block in pbx_tables(raw):
        url = block.get("url", _DEFAULT_URL)
        key = (url.rstrip("/") if isinstance(url, str) else url, block.get("app", "orikaeshi"))
        if not all(isinstance(part, str) for part in key):
            continue
        name = str(block.get("name", DEFAULT_PBX))
        before = seen.setdefault(key, name)
        if before != name:
            yield ((*place, "url"), f'is the address of "{before}" too: one Asterisk stands here once')


def _agents_somewhere(raw: Mapping[str, Any], agents: Tables) -> Iterator[Finding]:
    known = pbx_names(raw)
    staffed = set()
    for index, agent in agents:
        pbx = agent.get("asterisk", known[0] if known else None)
        staffed.add(pbx)
        if "asterisk" in agent and isinstance(pbx, str) and pbx not in known:
            yield ("agents", index, "asterisk"), f'there is no Asterisk "{pbx[:64]}"{nearest(pbx, known)}'
    if len(known) < 2 or not agents:  # noqa: PLR2004 - the only one has all
        return
    for place, block in pbx_tables(raw):
        name = block.get("name")
        if isinstance(name, str) and name not in staffed:
            yield place, "has no agents: its callers would never be answered; name it in the asterisk of an agent"


def _phones(agents: Tables, raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell of phones that stand there twice; one of the same name at another Asterisk is another phone."""
    first = next(iter(pbx_names(raw)), DEFAULT_PBX)
    seen: set[tuple[object, str]] = set()
    for index, agent in agents:
        endpoint, pbx = agent.get("endpoint"), agent.get("asterisk", first)
        if not isinstance(endpoint, str) or not isinstance(pbx, str):
            continue
        if (pbx, endpoint) in seen:
            yield (
                ("agents", index, "endpoint"),
                f'"{endpoint}" is used twice: each of [[agents]] needs its own endpoint',
            )
        seen.add((pbx, endpoint))


def _homes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Several may not be at work on SQLite, where none hears of the others' changes; standing by is possible."""
    url = table(raw, "store").get("url", "sqlite")
    homes = {block["home"]: (*place, "home") for place, block in pbx_tables(raw) if isinstance(block.get("home"), str)}
    if len(homes) > 1 and isinstance(url, str) and url.startswith("sqlite"):
        place = list(homes.values())[1]
        yield (
            place,
            "is another controller than that of the Asterisk above: several need PostgreSQL (store.url)",
        )

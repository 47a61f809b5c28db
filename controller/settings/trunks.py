"""The trunks: the ways out of the PBX, in the order in which they are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

from controller.settings.raw import table, tables
from controller.settings.values import Name, PhoneNumber, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.raw import Finding

CallsPerSecond = Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)]
Circuits = Annotated[int, Field(ge=1, le=1000)]
DEFAULT_CALLS_PER_S = 5.0
DEFAULT_CIRCUITS = 10
_SHORT_FORM = ("trunk", "number_format", "calls_per_s")
"""What [dialer] says of the one trunk; with [[trunks]] it is said there."""


class Dialer(Protocol):
    """What [dialer] says of the one trunk."""

    @property
    def trunk(self) -> str | None:
        """The PJSIP endpoint; None where [[trunks]] are listed."""
        ...

    @property
    def number_format(self) -> Literal["national", "e164"]:
        """How numbers are dialled."""
        ...

    @property
    def max_concurrent_calls(self) -> int:
        """Calls at the same time."""
        ...

    @property
    def calls_per_s(self) -> float:
        """Calls that begin in a second."""
        ...


class Trunk(Section):
    """One connection to the telephone network."""

    name: Name
    """What it is called in the log."""
    endpoint: Name
    """Name of the PJSIP endpoint."""
    max_concurrent_calls: Circuits = DEFAULT_CIRCUITS
    """Calls of ours on it at the same time."""
    calls_per_s: CallsPerSecond = DEFAULT_CALLS_PER_S
    """Calls that begin on it in a second; after an outage a tenth of it, growing to the whole within a minute."""
    caller_id: PhoneNumber | None = None
    """The number that customers see; None: dialer.caller_id. A queue may have one of its own."""
    number_format: Literal["national", "e164"] = "national"


def trunks_of(listed: tuple[Trunk, ...], dialer: Dialer) -> tuple[Trunk, ...]:
    """Return the trunks in order: those of [[trunks]], or the one that [dialer] names."""
    if listed or dialer.trunk is None:
        return listed
    return (
        Trunk(
            name=dialer.trunk,
            endpoint=dialer.trunk,
            max_concurrent_calls=dialer.max_concurrent_calls,
            calls_per_s=dialer.calls_per_s,
            number_format=dialer.number_format,
        ),
    )


def trunk_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in how the trunks go together, in a file as it was read."""
    dialer, trunks = table(raw, "dialer"), tables(raw, "trunks")
    if not trunks:
        if "trunk" not in dialer:
            yield (
                ("dialer",),
                'has no trunk: name the PJSIP endpoint that leads out, as trunk = "carrier"; or [[trunks]]',
            )
        return
    for key in _SHORT_FORM:
        if key in dialer:
            yield ("dialer", key), "is said of each trunk in [[trunks]]: take it away here"
    agents = {agent.get("endpoint") for _, agent in tables(raw, "agents")}
    for key in ("name", "endpoint"):
        seen: set[str] = set()
        for index, trunk in trunks:
            value = trunk.get(key)
            if not isinstance(value, str):
                continue
            if value in seen:
                yield ("trunks", index, key), f'"{value}" is used twice: each of [[trunks]] needs its own {key}'
            elif key == "endpoint" and value in agents:
                yield ("trunks", index, key), f'"{value}" is the phone of an agent, not a trunk'
            seen.add(value)

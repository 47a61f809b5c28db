"""Where a call of ours goes and what its channel carries: to an agent, to a customer, to a number outside.

Also the last look: what is asked right before a call is placed, with nothing awaited between it and the request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.asterisk import names
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, mask
from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.trunks import Trunk, Trunks
    from controller.domain.agents import Agent
    from controller.domain.gate import Gate
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock

    Clearance = Callable[[], Awaitable["Destination | Outcome"]]
    """Asked in the last step before a call is placed: where it goes, or why it is not placed."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes and what its channel carries. `endpoint` is a dial string as PJSIP/09012345678@carrier."""

    endpoint: str
    context: str
    caller_id: str | None
    ring_timeout_s: float
    variables: Mapping[str, str] = field(default_factory=dict)
    trunk: str = ""
    """The endpoint of the trunk that it leaves by; "" for a phone of our own."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What the log says of it."""
    dry: bool = False
    """Not placed, but told of as if it were."""


@dataclass(frozen=True, slots=True)
class OutboundStyle:
    """How the customers of a queue are called."""

    caller_id: str | None = None
    """The number that they see; None: that of the trunk."""
    detect_machine: bool = False
    machine_message: bool = False


_PLAIN = OutboundStyle()


@dataclass(frozen=True, slots=True)
class DialRights:
    """What speaks for or against a call to a customer at this moment, beside the gate."""

    may_dial: Callable[[], bool]
    """Whether this controller is the one that places calls."""
    is_blocked: Callable[[str], Awaitable[bool]]
    """Whether a number (E.164) asked not to be called. Raises StoreUnavailableError."""


@dataclass(frozen=True, slots=True)
class Legs:
    """The ways out of the PBX. What leaves by a trunk passes the gate, and waits for the trunk's pace."""

    client: AriClient
    trunks: Trunks
    gate: Gate
    clock: Clock
    rights: DialRights
    outbound: Mapping[str, OutboundStyle] = field(default_factory=dict)
    """By queue."""
    dry_run: bool = False

    def to_agent(self, agent: Agent, *, for_call: str, shown_number: str | None, ring_timeout_s: float) -> Clearance:
        """Return the way to an agent's phone, which is one of our own and needs no leave of the gate."""
        destination = Destination(
            endpoint=f"PJSIP/{agent.endpoint}",
            context=names.AGENT_CONTEXT,
            caller_id=names.digits_only(shown_number) or "anonymous",
            ring_timeout_s=ring_timeout_s,
            variables={names.ROLE: Role.AGENT, names.CALL: for_call, names.AGENT: agent.name},
        )

        async def clear() -> Destination | Outcome:
            return destination

        return clear

    def to_customer(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> Clearance:
        """Return the way to a customer.

        Without a trunk, a connection, the lease or the database: NOT_PLACED; for a number that asked not to be called:
        BLOCKED; else what the gate says against it.
        """
        style = self.outbound.get(queue, _PLAIN)
        variables = {
            names.ROLE: Role.CUSTOMER.value,
            names.ATTEMPT: attempt.id,
            names.PROMISE: attempt.promise_id,
            names.QUEUE: queue,
            names.LANGUAGE: language,
            names.SINCE_MS: str(int(since.timestamp() * 1000)),
        }
        if style.detect_machine:
            variables[names.DETECT_MACHINE] = names.SWITCHED_ON
        if style.detect_machine and style.machine_message:
            variables[names.MACHINE_MESSAGE] = names.SWITCHED_ON

        async def look(trunk: Trunk) -> Destination | Outcome:
            try:
                is_blocked = await self.rights.is_blocked(attempt.number)
            except StoreUnavailableError:
                return Outcome.NOT_PLACED
            # Nothing is awaited from here on until the request is sent.
            if is_blocked:
                return Outcome.BLOCKED
            if not self.rights.may_dial():
                return Outcome.NOT_PLACED
            cleared = self.gate.clear(attempt.number, self.clock.now())
            if not isinstance(cleared, DialableNumber):
                return cleared
            caller_id = names.digits_only(style.caller_id) or names.digits_only(trunk.caller_id)
            return Destination(
                endpoint=trunk.dial_string(cleared),
                context=names.CUSTOMER_CONTEXT,
                caller_id=caller_id,
                ring_timeout_s=ring_timeout_s,
                variables=variables,
                trunk=trunk.endpoint,
                told={"attempt_id": attempt.id, "number": mask(cleared.e164), "caller_id": caller_id},
                dry=self.dry_run,
            )

        return self._by_trunk(attempt.channel_id, look)

    def to_outside(
        self, channel_id: str, number: str, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> Clearance:
        """Return the way to a number that the settings name: NOT_ALLOWED for any other."""

        async def look(trunk: Trunk) -> Destination | Outcome:
            cleared = self.gate.clear_external(number)
            if cleared is None:
                return Outcome.NOT_ALLOWED
            shown = names.digits_only(shown_number)
            return Destination(
                endpoint=trunk.dial_string_as_written(cleared),
                context=names.EXTERNAL_CONTEXT,
                caller_id=shown or names.digits_only(trunk.caller_id),
                ring_timeout_s=ring_timeout_s,
                variables={names.ROLE: Role.EXTERNAL, names.CALL: for_call},
                trunk=trunk.endpoint,
                told={"for_call": for_call, "number": cleared, "caller_id": mask(shown) if shown else trunk.caller_id},
                dry=self.dry_run,
            )

        return self._by_trunk(channel_id, look)

    def _by_trunk(self, channel_id: str, look: Callable[[Trunk], Awaitable[Destination | Outcome]]) -> Clearance:
        """Return the way by a trunk, once it is this call's turn: NOT_PLACED without a trunk or a connection."""

        async def clear() -> Destination | Outcome:
            async with self.trunks.turn(channel_id) as trunk:
                found = Outcome.NOT_PLACED if trunk is None else await look(trunk)
                if isinstance(found, Destination) and not self.client.connected:
                    found = Outcome.NOT_PLACED
                if isinstance(found, Destination):
                    self.trunks.leaves(channel_id)
            if isinstance(found, Outcome):
                self.trunks.vacate(channel_id)
            return found

        return clear


async def no_way() -> Outcome:
    """Be the way of a call that was found on the PBX: it is never placed again."""
    return Outcome.UNKNOWN

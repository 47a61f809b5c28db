"""Where a call of ours goes and what its channel carries: to an agent, to a customer, to a number outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.asterisk import names
from controller.asterisk.outbound_call import Destination
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber
from controller.ports.survey import Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.outbound_call import Trunk
    from controller.domain.agents import Agent
    from controller.domain.gate import Gate
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock

    Clearance = Callable[[], Destination | Outcome]
    """Asked in the last step before a call is placed: where it goes, or why it is not placed."""


@dataclass(frozen=True, slots=True)
class Legs:
    """The ways out of the PBX. What goes through the trunk passes the gate."""

    client: AriClient
    trunk: Trunk
    gate: Gate
    clock: Clock

    def to_agent(self, agent: Agent, *, for_call: str, shown_number: str | None, ring_timeout_s: float) -> Clearance:
        """Return the way to an agent's phone, which is one of our own and needs no leave of the gate."""
        destination = Destination(
            endpoint=f"PJSIP/{agent.endpoint}",
            context=names.AGENT_CONTEXT,
            caller_id=names.digits_only(shown_number) or "anonymous",
            ring_timeout_s=ring_timeout_s,
            variables={names.ROLE: Role.AGENT, names.CALL: for_call, names.AGENT: agent.name},
        )
        return lambda: destination

    def to_customer(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> Clearance:
        """Return the way to a customer: NOT_PLACED without a connection, or what the gate says against it."""
        variables = {
            names.ROLE: Role.CUSTOMER.value,
            names.ATTEMPT: attempt.id,
            names.PROMISE: attempt.promise_id,
            names.QUEUE: queue,
            names.LANGUAGE: language,
            names.SINCE_MS: str(int(since.timestamp() * 1000)),
        }

        def clear() -> Destination | Outcome:
            if not self.client.connected:
                return Outcome.NOT_PLACED
            cleared = self.gate.clear(attempt.number, self.clock.now())
            if not isinstance(cleared, DialableNumber):
                return cleared
            return Destination(
                endpoint=self.trunk.dial_string(cleared),
                context=names.CUSTOMER_CONTEXT,
                caller_id=names.digits_only(self.trunk.caller_id),
                ring_timeout_s=ring_timeout_s,
                variables=variables,
            )

        return clear

    def to_outside(self, number: str, *, for_call: str, shown_number: str | None, ring_timeout_s: float) -> Clearance:
        """Return the way to a number that the settings name: NOT_ALLOWED for any other."""

        def clear() -> Destination | Outcome:
            if not self.client.connected:
                return Outcome.NOT_PLACED
            cleared = self.gate.clear_external(number)
            if cleared is None:
                return Outcome.NOT_ALLOWED
            return Destination(
                endpoint=self.trunk.dial_string_as_written(cleared),
                context=names.EXTERNAL_CONTEXT,
                caller_id=names.digits_only(shown_number) or names.digits_only(self.trunk.caller_id),
                ring_timeout_s=ring_timeout_s,
                variables={names.ROLE: Role.EXTERNAL, names.CALL: for_call},
            )

        return clear

"""Agents who call to set their own state, or to call a customer back: each guarded, and with a proper end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.journeys import prompts
from controller.journeys.agent_menu import agent_menu
from controller.journeys.redial_by_hand import REDIAL
from controller.ports.calls import CallerHungUp
from controller.workers.apology import apologise

if TYPE_CHECKING:
    from controller.ports.agents import AgentDuty
    from controller.ports.calls import Call
    from controller.workers.redial_desk import RedialDesk
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


class AgentReception:
    """Starts the menu, or a redial, for each agent who calls."""

    def __init__(self, duty: AgentDuty, supervisor: Supervisor, redials: RedialDesk | None = None) -> None:
        """Without `redials` customers are not called by hand here, and whoever tries is told so."""
        self._duty = duty
        self._supervisor = supervisor
        self._redials = redials

    def welcome(self, call: Call, code: str) -> None:
        """Start what an agent's call that has just come in is for; `code` is what they dialled after the star."""
        self._supervisor.spawn(self._see_through(call, code), call_id=call.id)

    async def _see_through(self, call: Call, code: str) -> None:
        try:
            if code.startswith(REDIAL):
                await self._redial(call, code.removeprefix(REDIAL))
            else:
                await agent_menu(call, code, self._duty)
        except CallerHungUp:
            log.info("an agent hung up")
        except Exception:
            log.exception("an agent's menu failed")
            await apologise(call, prompts.AGENT_NOT_POSSIBLE)
            await call.hang_up()

    async def _redial(self, call: Call, entered: str) -> None:
        await call.answer()
        name = self._duty.name_of(call.facts.endpoint)
        if name is None or self._redials is None:
            await call.play(prompts.AGENT_UNKNOWN if name is None else prompts.AGENT_NOT_POSSIBLE)
        else:
            await self._redials.redial(call, name, entered)
        await call.hang_up()

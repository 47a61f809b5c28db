"""Agents who call to set their own state: each gets the menu, guarded, and a proper end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.journeys import prompts
from controller.journeys.agent_menu import agent_menu
from controller.ports.calls import CallerHungUp, PbxUnavailableError

if TYPE_CHECKING:
    from controller.ports.agents import AgentDuty
    from controller.ports.calls import Conversation
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


class AgentReception:
    """Starts the menu for each agent who calls."""

    def __init__(self, duty: AgentDuty, supervisor: Supervisor) -> None:
        self._duty = duty
        self._supervisor = supervisor

    def welcome(self, call: Conversation, code: str) -> None:
        """Start the menu for an agent's call that has just come in; `code` is what they dialled after the star."""
        self._supervisor.spawn(self._see_through(call, code), call_id=call.id)

    async def _see_through(self, call: Conversation, code: str) -> None:
        try:
            await agent_menu(call, code, self._duty)
        except CallerHungUp:
            log.info("an agent hung up")
        except Exception:
            log.exception("an agent's menu failed")
            await self._apologise(call)
            await call.hang_up()

    async def _apologise(self, call: Conversation) -> None:
        try:
            await call.play(prompts.AGENT_NOT_POSSIBLE)
        except (CallerHungUp, PbxUnavailableError) as reason:
            log.info("there was nobody to apologise to", reason=type(reason).__name__)
        except Exception:  # What broke the menu may break this too: the call is hung up all the same.
            log.exception("the apology failed")

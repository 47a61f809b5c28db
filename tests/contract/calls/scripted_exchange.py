"""The scripted exchange of the journeys' tests, played in real time."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.ports.survey import Role
from controller.system_clock import SystemClock
from tests.contract.calls.exchange import DEFAULT_MUSIC, OWN_MUSIC, SINCE, an_agent, an_attempt
from tests.contract.calls.hands import SHORT
from tests.journeys.scripted import TRUNK, ScriptedTelephony
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from controller.ports.calls import Call, OutboundCall
    from controller.ports.survey import FoundCall
    from tests.contract.calls.exchange import FarEnd
    from tests.journeys.scripted_channel import Channel
    from tests.journeys.scripted_shelf import ScriptedShelf

SERVICE_NUMBER = "0312345678"
MUSIC = MappingProxyType({"other": OWN_MUSIC})
PEOPLE = MappingProxyType(
    {
        "answers": Person(answers_after_s=0.1, talks_s=None),
        "busy": Person(refuses=Outcome.BUSY),
        "ignores": Person(answers_after_s=None),
    }
)


class ScriptedFarEnd:
    """A channel of the scripted exchange."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def press(self, keys: str) -> None:
        """Press keys."""
        self._channel.press(keys)

    async def hang_up(self) -> None:
        """Hang up."""
        self._channel.hang_up("person")

    async def over(self) -> None:
        """Wait for the end."""
        await self._channel.until(lambda: False)

    @property
    def shown_number(self) -> str:
        """Tell what was to be shown."""
        return self._channel.shown or SERVICE_NUMBER

    async def hears_music(self, music: str = DEFAULT_MUSIC) -> bool:
        """Tell where the channel is."""
        return self._channel.held_in is not None and MUSIC.get(self._channel.held_in, DEFAULT_MUSIC) == music

    async def hears(self, prompt: str, language: str) -> bool:
        """Look up what was said last."""
        return (self._channel.heard[-1], self._channel.heard_in[-1]) == (prompt, language)


class ScriptedExchange:
    """`ScriptedTelephony`, in real time."""

    trunk = TRUNK
    service_number = SERVICE_NUMBER

    def __init__(self) -> None:
        self._menus: list[tuple[Call, str]] = []
        self._pbx = ScriptedTelephony(SystemClock(), prompt_s=lambda prompt: 0.4 if prompt == SHORT else 3)
        self._rung = 0
        self._pbx.on_agent_menu = lambda call, code: self._menus.append((call, code))
        self._pbx.gate = lambda number: None if number.startswith("+81") else Outcome.NOT_ALLOWED

    @property
    def shelf(self) -> ScriptedShelf:
        """That of the scripted PBX."""
        return self._pbx.shelf

    async def call_in(self, *, withheld: bool = False, from_agent: bool = False) -> tuple[Call, FarEnd]:
        """Make a channel."""
        calls: list[Call] = []
        self._pbx.on_new_call = calls.append
        number = None if withheld or from_agent else "09012340001"
        endpoint = "agent-1" if from_agent else TRUNK
        channel = self._pbx.rings(Person(talks_s=None), number=number, dialled=SERVICE_NUMBER, endpoint=endpoint)
        return calls[0], ScriptedFarEnd(channel)

    async def agent_dials(self, code: str) -> tuple[Call, str, FarEnd]:
        """Make a channel."""
        channel = self._pbx.agent_dials("agent-1", code, Person(talks_s=None), endpoint="agent-1")
        return *await self.told_of_a_code(), ScriptedFarEnd(channel)

    async def told_of_a_code(self) -> tuple[Call, str]:
        """Take the oldest."""
        return self._menus.pop(0)

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg."""
        self._pbx.agents["agent-1"] = PEOPLE[when_rung]
        return self._pbx.agent_leg(
            an_agent(), for_call="call-1", shown_number="09012340001", ring_timeout_s=ring_timeout_s
        )

    def customer_leg(
        self,
        when_rung: str,
        *,
        attempt_id: str,
        number: str | None = None,
        language: str = "ja",
        ring_timeout_s: float = 10,
        listens: bool = False,
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg. Who says nothing is neither a person nor a machine."""
        attempt = an_attempt(attempt_id, number or "+819012340002")
        answered_by = AnsweredBy.UNSURE if listens else AnsweredBy.NOT_ASKED
        self._pbx.customers[attempt.number] = replace(PEOPLE[when_rung], answered_by=answered_by)
        return self._pbx.customer_leg(
            attempt, queue="main", language=language, since=SINCE, ring_timeout_s=ring_timeout_s
        )

    def external_leg(
        self, when_rung: str, *, for_call: str, named: bool = True, shown_number: str | None = None
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a leg."""
        self._pbx.externals = {"0120123456": PEOPLE[when_rung]}
        number = "0120123456" if named else "0120123457"
        return self._pbx.external_leg(number, for_call=for_call, shown_number=shown_number, ring_timeout_s=10)

    async def rung(self) -> FarEnd:
        """Return the next leg that was placed."""
        self._rung += 1
        return ScriptedFarEnd(self._legs()[self._rung - 1])

    async def successor(self) -> list[FoundCall]:
        """Count up the epoch."""
        self._pbx.lose_controller()
        return await self._pbx.survey()

    async def clear(self) -> None:
        """Hang everybody up."""
        for channel in self._pbx.live:
            channel.hang_up("person")
        self._rung = len(self._legs())

    def _legs(self) -> list[Channel]:
        rung = [channel for channel in self._pbx.channels if channel.placed and channel.role is not Role.CALLER]
        return [channel for channel in rung if channel.menu_code is None]
